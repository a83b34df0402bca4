"""`understudy worker`: renders what the servers of a shared database accept."""

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.endings import USAGE, stop
from understudy.settings import MEMORY, Settings, SettingsError, about, load_settings

if TYPE_CHECKING:
    from understudy.bootstrap import WorkerReady


def worker(  # tidy: each parameter is one flag
    *,
    database: Annotated[str | None, typer.Option(help=about("database"), show_default=False)] = None,
    blobs: Annotated[str | None, typer.Option(help=about("blobs"), show_default=False)] = None,
    engine: Annotated[str | None, typer.Option(help=about("engine"), show_default=Settings().engine)] = None,
    slots: Annotated[int | None, typer.Option(help=about("slots"), show_default=str(Settings().slots))] = None,
    executor: Annotated[str | None, typer.Option(help=about("executor"), show_default=Settings().executor)] = None,
    ray_address: Annotated[str | None, typer.Option(help=about("ray_address"), show_default=False)] = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Where films are made; without it, a temporary directory.", show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Once ready, print one line of JSON: name, engine, slots.")
    ] = False,
) -> None:
    """Render the tasks of a shared database until SIGINT or SIGTERM.

    It takes tasks of its own engine, needs the same database, blobs and secret as the servers, and listens to nobody.
    """
    from understudy.bootstrap import work
    from understudy.storage.cannot_open import CannotOpen

    flags = {
        "database": database,
        "blobs": blobs,
        "engine": engine,
        "slots": slots,
        "executor": executor,
        "ray_address": ray_address,
        "data_dir": data_dir,
    }
    try:
        if data_dir is None and "UNDERSTUDY_DATA_DIR" not in os.environ:
            flags["data_dir"] = MEMORY
        settings = load_settings(flags, os.environ)
        work(settings, on_ready=_print_json if as_json else _print_welcome)
    except (SettingsError, CannotOpen) as error:
        stop(f"understudy: {error}", code=USAGE)


def _print_json(ready: "WorkerReady") -> None:
    print(json.dumps({"name": ready.name, "engine": ready.engine, "slots": ready.slots}), flush=True)


def _print_welcome(ready: "WorkerReady") -> None:
    films = "one film" if ready.slots == 1 else f"{ready.slots} films"
    print(f"Worker {ready.name} renders {films} at a time with {ready.engine}. Ctrl-C stops it.", flush=True)
