"""`understudy recipe`: the request behind a film, read from the film's own metadata. Needs no server."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from understudy.cli.endings import FAILED, USAGE, stop
from understudy.core.content import Modality
from understudy.core.recipe import NoRecipe, read_recipe, request_of
from understudy.dialects.registry import CODECS


def print_recipe(
    film: Annotated[Path, typer.Argument(help="An MP4 or QuickTime film.")],
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="Print it as a request of this dialect, ready to be sent.")
    ] = None,
) -> None:
    """Print what a film was made from. Media are named by the SHA-256 of their bytes, never by address."""
    # Here, because the codecs of films are slow to load and no other command needs them.
    from understudy.media.recipe import NoFilm, recipe_in

    if to is not None and to not in CODECS:
        stop(f"--to: there is no dialect {to!r}; there are {', '.join(CODECS)}.", code=USAGE)
    try:
        recipe = recipe_in(film)
    except NoFilm as error:
        stop(f"{error}.", code=USAGE)
    except OSError as error:
        stop(f"{film}: {error.strerror or error}.", code=USAGE)
    if recipe is None:
        stop(f"{film} carries no recipe: it was not made by Understudy, or its metadata was stripped.", code=FAILED)
    try:
        found = msgspec.json.encode(read_recipe(recipe)) if to is None else _spelled(recipe, to)
    except NoRecipe as error:
        stop(f"{film}: {error}.", code=FAILED)
    print(msgspec.json.format(found, indent=2).decode())


def _spelled(recipe: str, dialect: str) -> bytes:
    """Return the request as the dialect writes it; what it has no word for is told on standard error."""
    request = request_of(recipe)
    if any(item.modality is not Modality.TEXT for item in request.content):
        print("Put the addresses of your media in the places of their SHA-256.", file=sys.stderr)
    encoded = CODECS[dialect].encode_request(replace(request, execution_expires_after_s=None))
    for warned in encoded.lost:
        print(f"lost     {warned.param}: {warned.message}", file=sys.stderr)
    return encoded.body
