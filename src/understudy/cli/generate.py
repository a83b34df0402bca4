"""`understudy generate`: one film, from a prompt to a file."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from understudy.cli.endings import INTERRUPTED, STILL_RUNNING, USAGE, errors_as_sentences, stop
from understudy.cli.media_flags import EndFrame, FirstFrame, Images, Sounds, Videos, keep_inputs, media_fields
from understudy.cli.notes import notes_on
from understudy.cli.private_server import private_server
from understudy.cli.progress import Reporter, open_reporter
from understudy.cli.server_flags import ApiKey, BaseUrl, open_client
from understudy.client import Client, FilmFields, RemoteQuote, RemoteTask, StillRunning
from understudy.client.programs import default_model
from understudy.core.errors import NotFound, UnderstudyError

DEFAULT_OUTPUT = Path("out.mp4")
WAIT_TIMEOUT_S = 1800.0
MICROS = 1_000_000
MODEL = default_model()


def generate(  # tidy: each parameter is one flag
    prompt: Annotated[str, typer.Argument(help="What the film shows; words in quotes are spoken.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the film is saved.")] = DEFAULT_OUTPUT,
    ratio: Annotated[str | None, typer.Option(help=f"{', '.join(MODEL.ratios)} or adaptive.")] = None,
    resolution: Annotated[
        str | None, typer.Option(help=f"{', '.join(MODEL.resolutions)}; not every model has all.")
    ] = None,
    duration_s: Annotated[
        int | None, typer.Option("--duration", help="Whole seconds, or -1: the engine chooses.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal films; -1 picks one.")] = None,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="With or without a sound track.")] = True,
    watermark: Annotated[bool, typer.Option("--watermark", help="Mark the film as made by AI.")] = False,
    last_frame: Annotated[
        Path | None, typer.Option(help="Save the last frame here too: a PNG, or a JPEG where the model makes one.")
    ] = None,
    first_frame: FirstFrame = None,
    end_frame: EndFrame = None,
    images: Images = None,
    videos: Videos = None,
    sounds: Sounds = None,
    model: Annotated[str | None, typer.Option(help="Model name or alias.", show_default=MODEL.id)] = None,
    draft: Annotated[bool, typer.Option("--draft", help="A small draft; its final comes by Ark's draft_task.")] = False,
    quote: Annotated[bool, typer.Option("--quote", help="Only tell what it would come to.")] = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the film.")] = WAIT_TIMEOUT_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")] = False,
) -> None:
    """Make a film on the server that is named, or on one of its own that lives as long as the command.

    Exit codes: 0 made, 1 failed, 2 wrong usage, 3 still running when the time was up.
    """
    named = {"first_frame": first_frame, "end_frame": end_frame, "images": images, "videos": videos, "sounds": sounds}
    media = media_fields(named, model or MODEL.id)
    keep_inputs(media, output=output, last_frame=last_frame)
    fields: FilmFields = {"generate_audio": audio, "watermark": watermark}
    fields.update(media)  # type: ignore[typeddict-item]  # all keys are of FilmFields
    said = {"ratio": ratio, "resolution": resolution, "duration_s": duration_s, "seed": seed, "model": model}
    said["draft"] = draft or None
    fields.update({name: value for name, value in said.items() if value is not None})  # type: ignore[typeddict-item]  # the names are keys of FilmFields
    for path in (output, last_frame):
        if path and not path.absolute().parent.is_dir():
            stop(f"There is no folder {path.absolute().parent} to save {path.name} in.", code=USAGE)
    is_private = not base_url
    with ExitStack() as stack, errors_as_sentences():
        if is_private:
            if not as_json:
                print("No server is named; starting one for this film.", file=sys.stderr)
            address = stack.enter_context(private_server())
            base_url, api_key = address.url, address.api_key
        client = stack.enter_context(open_client(base_url, api_key))
        if quote:
            _tell(client.quote(prompt, **fields), as_json=as_json)
            return
        reporter = stack.enter_context(open_reporter())
        try:
            task = client.generate(
                prompt, output, last_frame_path=last_frame, timeout_s=timeout_s, on_progress=reporter, **fields
            )
        except StillRunning as error:
            stop(_how_to_go_on(error, output, is_private=is_private), code=STILL_RUNNING)
        except KeyboardInterrupt:
            _interrupted(client, reporter, is_private=is_private)
    print(json.dumps(_facts(task, output, last_frame)) if as_json else _summary(task, output, last_frame))


def _tell(quote: RemoteQuote, *, as_json: bool) -> None:
    """Print a quote; one that is not acceptable ends the command as wrong usage."""
    if as_json:
        print(json.dumps(quote.raw, ensure_ascii=False))
    elif quote.amount_micros is not None:
        cost = f"at most {quote.amount_micros / MICROS:.4f} {quote.currency} for {quote.completion_tokens} tokens"
        print(f"{quote.engine} would make it, {cost}.")
    for violation in quote.violations:
        print(f"refused  {violation.param}: {violation.message}", file=sys.stderr)
    for warned in quote.warnings:
        print(f"warning  {warned.param}: {warned.message}", file=sys.stderr)
    if not quote.is_acceptable:
        raise typer.Exit(USAGE)


def _facts(task: RemoteTask, output: Path, last_frame: Path | None) -> dict[str, object]:
    named = ("model", "resolution", "ratio", "duration", "framespersecond", "seed", "generate_audio")
    return {
        "id": task.id,
        "path": str(output),
        "last_frame": str(last_frame) if last_frame else None,
        **{name: task.raw.get(name) for name in named},
        "completion_tokens": task.completion_tokens,
        "warnings": [{"param": warned.param, "message": warned.message} for warned in task.warnings],
    }


def _summary(task: RemoteTask, output: Path, last_frame: Path | None) -> str:
    raw = task.raw
    film = f"{raw.get('resolution')} {raw.get('ratio')}, {raw.get('duration')} s, seed {raw.get('seed')}"
    lines = [f"{output}: {film}, {task.completion_tokens} tokens, task {task.id}"]
    if last_frame:
        lines.append(f"{last_frame}: its last frame")
    lines += notes_on(task)
    return "\n".join(lines)


def _how_to_go_on(error: StillRunning, output: Path, *, is_private: bool) -> str:
    if is_private:
        return f"{str(error).partition(';')[0]}; the server of this command stops now. Give it longer with --timeout."
    return f"{error}\nGo on with: understudy tasks get {error.task.id} --wait -o {output}"


def _interrupted(client: Client, reporter: Reporter, *, is_private: bool) -> NoReturn:
    """Cancel what can be cancelled: a queued task; a running one is left to the server, as its API demands."""
    task = reporter.latest
    if task is None or is_private:
        stop("Cancelled.", code=INTERRUPTED)
    try:
        client.delete(task.id)
    except NotFound:
        stop("Cancelled.", code=INTERRUPTED)
    except UnderstudyError as error:
        how = f"Get it with: understudy tasks get {task.id} --wait -o FILE"
        stop(f"Left, not cancelled: {error.violation.message}\n{how}", code=INTERRUPTED)
    stop(f"Cancelled task {task.id}.", code=INTERRUPTED)
