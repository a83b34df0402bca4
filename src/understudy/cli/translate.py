"""`understudy translate`: the same request in another dialect, and what gets lost on the way. Needs no server."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from understudy.catalog.load import load_catalogue
from understudy.cli.endings import USAGE, errors_as_sentences, stop
from understudy.dialects.codec import Codec
from understudy.dialects.json_body import read_object
from understudy.dialects.registry import CODECS
from understudy.dialects.translate import translate

STDIN = "-"


def translate_request(
    body: Annotated[str, typer.Argument(help="A file with the request's JSON, or - for standard input.")],
    *,
    source: Annotated[str, typer.Option("--from", help="The dialect it is written in.")],
    target: Annotated[str, typer.Option("--to", help="The dialect it is wanted in.")],
) -> None:
    """Print a request in another dialect's words; what cannot be carried is listed on standard error.

    Every default of the first dialect is written out, so that the request means the same in the second.
    """
    first, second = _codec(source, "--from"), _codec(target, "--to")
    with errors_as_sentences():
        raw = sys.stdin.buffer.read() if body == STDIN else Path(body).read_bytes()
        found = translate(read_object(raw), source=first, target=second, catalogue=load_catalogue())
    for warned in found.ignored:
        print(f"ignored  {warned.param}: {warned.message}", file=sys.stderr)
    for warned in found.lost:
        print(f"lost     {warned.param}: {warned.message}", file=sys.stderr)
    for violation in found.refused:
        print(f"refused  {violation.param}: {violation.message}", file=sys.stderr)
    print(msgspec.json.format(found.body, indent=2).decode())


def _codec(name: str, flag: str) -> Codec:
    if name not in CODECS:
        stop(f"{flag}: there is no dialect {name!r}; there are {', '.join(CODECS)}.", code=USAGE)
    return CODECS[name]
