"""Recipes in the metadata of films: read from any film, and written into one that an engine did not write itself."""

from pathlib import Path
from typing import BinaryIO

import av

from understudy.core.recipe import RECIPE_CHARS_MAX, RECIPE_TAG
from understudy.media.encode import EncodingFailed

FILM_DEMUXER = "mov"
"""Of MP4 and QuickTime alike, and forced: FFmpeg must not find out for itself that a file is a playlist."""


class NoFilm(Exception):
    """The file cannot be read as an MP4 or QuickTime film; the sentence is for whoever named the file."""


def recipe_in(film: Path) -> str | None:
    """Return the recipe that the film carries, as it is written, or None; nothing is decoded.

    Raises: NoFilm; OSError when there is no such file.
    """
    with film.open("rb") as file:
        try:
            with av.open(file, format=FILM_DEMUXER, metadata_errors="replace") as container:
                recipe = container.metadata.get(RECIPE_TAG)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise NoFilm(f"{film.name} cannot be read as an MP4 or QuickTime film") from error
    if recipe is not None and len(recipe) > RECIPE_CHARS_MAX:
        raise NoFilm(f"the recipe in {film.name} is longer than any recipe can be")
    return recipe


def write_with_recipe(film: Path, recipe: str, into: Path) -> None:
    """Copy a film, pictures and sound as they are, into a new file of the same ending that carries the recipe.

    Raises: EncodingFailed, OSError.
    """
    muxer = into.suffix.removeprefix(".")
    try:
        with film.open("rb") as file:
            _copy(file, recipe, into, muxer=muxer)
    except (av.FFmpegError, ValueError) as error:
        raise EncodingFailed(f"{film.name} could not be given its recipe") from error


def _copy(file: BinaryIO, recipe: str, into: Path, *, muxer: str) -> None:
    options = {"movflags": "+faststart+use_metadata_tags", "fflags": "+bitexact"}
    with (
        av.open(file, "r", format=FILM_DEMUXER) as source,
        av.open(str(into), "w", format=muxer, options=options) as copy,
    ):
        copy.metadata.update({**source.metadata, RECIPE_TAG: recipe})
        tracks = (*source.streams.video, *source.streams.audio)
        copied = {track.index: copy.add_stream_from_template(track) for track in tracks}
        for packet in source.demux(tracks):
            # The empty packet at the end of each track flushes decoders, of which there are none.
            if packet.dts is not None:
                packet.stream = copied[packet.stream_index]
                copy.mux(packet)
