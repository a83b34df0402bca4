"""Pictures of a film: a thumbnail and a sprite sheet, made by a process of its own that can be killed.

No document states their sizes: OpenAI's says only that the thumbnail is a WebP and the sprite sheet a JPEG, and the
sizes here are our own. Where the pictures are kept is not decided here. Source: OpenAI, "Video generation with Sora".
"""

import argparse
import asyncio
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

THUMBNAIL_SIDE_PX = 1024
"""The longer side at most; a smaller film is not enlarged. The picture is the one in the film's middle."""

THUMBNAIL_QUALITY = 80

SHEET_COLUMNS, SHEET_ROWS = 5, 5
TILE_SIDE_PX = 320
"""The longer side of one tile at most. Tiles go row by row, each from the middle of its 25th of the film."""

SHEET_QUALITY = 85
PICTURE_BYTES_MAX = 16 * 1024 * 1024
UNFIT = 1
"""The process's exit status for a file that is no film."""

COLORSPACES = {5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}
"""By code points of ITU-T H.273; everything else, untagged included, is taken for BT.709."""

Picture = NDArray[np.uint8]


class Still(StrEnum):
    """The two pictures, by the names that OpenAI's `variant` gives them."""

    THUMBNAIL = "thumbnail"
    SPRITESHEET = "spritesheet"


class NoStill(Exception):
    """The picture could not be made: the file is no film, or making it took too much. For the log only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillLimits:
    """What making one picture may take. memory_bytes: private memory of its process. niceness: added to our own."""

    timeout_s: float = 60.0
    memory_bytes: int = 2 * 1024**3
    niceness: int = 5


async def make_still(film: Path, still: Still, limits: StillLimits | None = None) -> bytes:
    """Return the picture's file: WebP for the thumbnail, JPEG for the sprite sheet.

    Raises: NoStill.
    """
    limits = limits or StillLimits()
    # -P: the directory the server happens to be started in is no place to import from.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "understudy.media.stills", "--memory-bytes", str(limits.memory_bytes)),
        *("--niceness", str(limits.niceness), "--", still.value, str(film)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.timeout_s):
            assert process.stdout is not None
            picture = await process.stdout.read(PICTURE_BYTES_MAX + 1)
            while part := await process.stdout.read(PICTURE_BYTES_MAX + 1 - len(picture)):
                picture += part
            status = await process.wait()
    except TimeoutError as error:
        raise NoStill(f"the {still} of {film.name} took longer than {limits.timeout_s:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status or not picture or len(picture) > PICTURE_BYTES_MAX:
        raise NoStill(f"the {still} of {film.name} ended with status {status} after {len(picture)} bytes")
    return picture


def drawn(film: Path, still: Still) -> bytes:
    """Decode the film and return the picture's file; this is what the process does.

    Raises: NoStill.
    """
    try:
        with av.open(str(film)) as container:
            if not container.streams.video:
                raise NoStill(f"{film.name} has no pictures")
            if still is Still.THUMBNAIL:
                (tile,) = _tiles(container, 1, THUMBNAIL_SIDE_PX)
                return _encoded(tile, ".webp", parameter=cv2.IMWRITE_WEBP_QUALITY, quality=THUMBNAIL_QUALITY)
            sheet = _sheet(list(_tiles(container, SHEET_COLUMNS * SHEET_ROWS, TILE_SIDE_PX)))
            return _encoded(sheet, ".jpg", parameter=cv2.IMWRITE_JPEG_QUALITY, quality=SHEET_QUALITY)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NoStill(f"{film.name} cannot be read as a film") from error


def _tiles(container: Any, count: int, side_px: int) -> Iterator[Picture]:
    """Yield so many pictures, each from the middle of its part of the film, (height_px, width_px, 3) uint8 BGR.

    A film of fewer frames shows some of them again; one that breaks off shows its last as often as it must.
    """
    video = container.streams.video[0]
    video.thread_type = "AUTO"
    num_frames = video.frames or round(float(video.duration * video.time_base * video.average_rate))
    wanted = [(2 * part + 1) * num_frames // (2 * count) for part in range(count)]
    last: Picture | None = None
    frame: av.VideoFrame | None = None
    for index, frame in enumerate(container.decode(video)):
        while wanted and wanted[0] <= index:
            wanted.pop(0)
            last = _scaled(frame, side_px)
            yield last
        if not wanted:
            return
    if frame is None:
        raise NoStill("the film has no pictures")
    last = _scaled(frame, side_px)
    yield from [last] * len(wanted)


def _scaled(frame: av.VideoFrame, side_px: int) -> Picture:
    scale = min(1.0, side_px / max(frame.width, frame.height))
    picture = frame.reformat(
        width=max(1, round(frame.width * scale)),
        height=max(1, round(frame.height * scale)),
        format="bgr24",
        src_colorspace=COLORSPACES.get(int(frame.colorspace), Colorspace.ITU709),
        dst_color_range=ColorRange.JPEG,
        # Without swscale's ACCURATE_RND and BITEXACT: in this direction they darken everything by two code values.
        interpolation=Interpolation.AREA,
    )
    return np.ascontiguousarray(picture.to_ndarray())


def _sheet(tiles: list[Picture]) -> Picture:
    rows = [tiles[start : start + SHEET_COLUMNS] for start in range(0, len(tiles), SHEET_COLUMNS)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _encoded(picture: Picture, ending: str, *, parameter: int, quality: int) -> bytes:
    is_written, data = cv2.imencode(ending, picture, (parameter, quality))
    if not is_written:
        raise NoStill(f"the picture could not be written as {ending}")
    return data.tobytes()


def main(arguments: list[str]) -> int:
    """Write one picture of a film to standard output; gives the exit status."""
    parser = argparse.ArgumentParser(prog="stills", description="Make one picture of a film.")
    parser.add_argument("still", type=Still, choices=list(Still))
    parser.add_argument("film", type=Path)
    parser.add_argument("--memory-bytes", type=int)
    parser.add_argument("--niceness", type=int, default=0)
    chosen = parser.parse_args(arguments)
    os.nice(chosen.niceness)
    if chosen.memory_bytes is not None:
        # Not RLIMIT_AS: libraries reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (chosen.memory_bytes, chosen.memory_bytes))
    try:
        picture = drawn(chosen.film, chosen.still)
    except (NoStill, MemoryError) as error:
        print(f"no {chosen.still}: {error!r}", file=sys.stderr)  # noqa: T201
        return UNFIT
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
