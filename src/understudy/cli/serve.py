"""`understudy serve`: the server in the foreground."""

import json
import os
import shlex
import signal
import sys
import threading
from functools import partial
from typing import Annotated

import typer

from understudy.cli.endings import USAGE, stop
from understudy.client.programs import default_model
from understudy.settings import Settings, SettingsError, about, load_settings

EXAMPLE_PROMPT = 'A cat yawning at the camera, soft lighting, close-up shot. The cat says: "Good morning."'


def serve(  # tidy: each parameter is one flag
    *,
    host: Annotated[str | None, typer.Option(help=about("host"), show_default=Settings().host)] = None,
    port: Annotated[int | None, typer.Option(help=about("port"), show_default=str(Settings().port))] = None,
    data_dir: Annotated[str | None, typer.Option(help=about("data_dir"), show_default=Settings().data_dir)] = None,
    engine: Annotated[str | None, typer.Option(help=about("engine"), show_default=Settings().engine)] = None,
    slots: Annotated[int | None, typer.Option(help=about("slots"), show_default=str(Settings().slots))] = None,
    database: Annotated[str | None, typer.Option(help=about("database"), show_default=False)] = None,
    executor: Annotated[str | None, typer.Option(help=about("executor"), show_default=Settings().executor)] = None,
    ray_address: Annotated[str | None, typer.Option(help=about("ray_address"), show_default=False)] = None,
    rehearsal_clock: Annotated[
        bool | None, typer.Option("--rehearsal-clock", help=about("rehearsal_clock"), show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Once ready, print one line of JSON: url, api_key, data_dir.")
    ] = False,
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", hidden=True, help="Stop when standard input closes.")
    ] = False,
) -> None:
    """Serve the API until SIGINT or SIGTERM."""
    # Imported here: the commands that only talk to a server start without loading it.
    from understudy.bootstrap import serve as run
    from understudy.storage.cannot_open import CannotOpen

    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "engine": engine,
        "slots": slots,
        "database": database,
        "executor": executor,
        "ray_address": ray_address,
        "rehearsal_clock": rehearsal_clock,
    }
    try:
        settings = load_settings(flags, os.environ)
        if stop_with_stdin:
            threading.Thread(target=_stop_when_stdin_closes, daemon=True).start()
        # Whoever chose the key knows it; what a container prints is kept in logs.
        shown = "$UNDERSTUDY_FIRST_API_KEY" if settings.first_api_key else None
        run(settings, on_ready=_print_json if as_json else partial(_print_welcome, shown_key=shown))
    except (SettingsError, CannotOpen) as error:
        stop(f"understudy: {error}", code=USAGE)


def _print_json(url: str, api_key: str, data_dir: str) -> None:
    print(json.dumps({"url": url, "api_key": api_key, "data_dir": data_dir}), flush=True)


def _print_welcome(url: str, api_key: str, data_dir: str, *, shown_key: str | None) -> None:
    api_key = shown_key or api_key
    body = {"model": default_model().id, "content": [{"type": "text", "text": EXAMPLE_PROMPT}], "ratio": "16:9"}
    text = f"""Understudy is ready.

  URL      {url}
  API key  {api_key}
  Data     {data_dir}

An Ark client needs the base URL {url}/api/v3 and the key. Or at once:

  curl {url}/api/v3/contents/generations/tasks \\
    -H "Authorization: Bearer {api_key}" -H 'Content-Type: application/json' \\
    -d {shlex.quote(json.dumps(body))}

Ctrl-C stops the server."""
    print(text, flush=True)


def _stop_when_stdin_closes() -> None:
    """End with the process that started this one, however that one ends: the pipe closes when it is gone."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
