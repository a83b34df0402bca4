"""The flags that name media: files, web addresses or assets; and telling how far the sending of a file is."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast

import typer

from understudy.catalog.load import load_catalogue
from understudy.cli.endings import USAGE, errors_as_sentences, stop
from understudy.client import MediaFields, Source
from understudy.client.media import given_media, is_address

BYTES_PER_MB = 1_000_000
STEPS_SHOWN = 10
"""A line at each tenth of a file is enough."""

WHAT = "a file, a web address, or asset:// and an id"
FirstFrame = Annotated[
    str | None, typer.Option(metavar="IMAGE", help=f"Begin with this image: {WHAT}.", rich_help_panel="Media")
]
EndFrame = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="End with this image; --last-frame saves one.", rich_help_panel="Media"),
]
Images = Annotated[
    list[str] | None,
    typer.Option("--image", metavar="IMAGE", help="A reference image; can be repeated.", rich_help_panel="Media"),
]
Videos = Annotated[
    list[str] | None,
    typer.Option("--video", metavar="VIDEO", help="A reference video; can be repeated.", rich_help_panel="Media"),
]
Sounds = Annotated[
    list[str] | None,
    typer.Option("--sound", metavar="SOUND", help="Reference audio; can be repeated.", rich_help_panel="Media"),
]


def media_fields(flags: Mapping[str, str | list[str] | None], model_name: str) -> MediaFields:
    """Return what the flags name, as the client takes it; a file that cannot be sent ends the command.

    flags: by the names of `MediaFields`.
    """
    said: dict[str, Source | tuple[Source, ...]] = {}
    for name, values in flags.items():
        if values is not None:
            said[name] = _source(values) if isinstance(values, str) else tuple(map(_source, values))
    fields = cast(MediaFields, said)
    with errors_as_sentences():
        try:
            given_media(fields, load_catalogue().model(model_name))
        except OSError as error:
            stop(f"{error.filename}: {error.strerror}.", code=USAGE)
    return {**fields, "on_sent": SendingLines()}


def keep_inputs(media: MediaFields, *, output: Path, last_frame: Path | None) -> None:
    """End the command where saving what is made would write over what it is made of."""
    named = (each if isinstance(each, tuple) else (each,) for each in media.values())
    inputs = {source.resolve() for each in named for source in each if isinstance(source, Path)}
    for path in (output, last_frame):
        if path is not None and path.resolve() in inputs:
            stop(f"{path} is what the film is made of; save it under another name.", code=USAGE)
    # Elsewhere "last frame" is what a film ends with, so a picture that is there may be the only one of its owner.
    if last_frame is not None and last_frame.exists() and "first_frame" in media and "end_frame" not in media:
        how = "To end with an image, use --end-frame; to save over this one, remove it first."
        stop(f"{last_frame} is there already, and --last-frame saves the film's last frame. {how}", code=USAGE)


class SendingLines:
    """Tells on standard error how far a file is: a line at its beginning and at each tenth."""

    def __init__(self) -> None:
        self._shown: tuple[Path, int] | None = None

    def __call__(self, path: Path, there: int, size_bytes: int) -> None:
        """Print a line if there is news."""
        now = (path, there * STEPS_SHOWN // size_bytes)
        if now != self._shown:
            self._shown = now
            share = f"{there / size_bytes:.0%} of {size_bytes / BYTES_PER_MB:.1f} MB"
            print(f"{path} sent: {share}", file=sys.stderr, flush=True)


def _source(value: str) -> Source:
    return value if is_address(value) else Path(value)
