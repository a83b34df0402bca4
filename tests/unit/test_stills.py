"""Pictures of films: their sizes, which moments they show, in which colours, and what is no film."""

import asyncio
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.media.encode import FilmEncoder, FilmFormat
from understudy.media.stills import NoStill, Still, StillLimits, drawn, make_still

FPS = 24
LEVELS = 250


def write_levels(path: Path, *, num_frames: int = LEVELS, width_px: int = 320, height_px: int = 180) -> Path:
    """A film that goes from black to light grey by equal steps."""
    container = path.suffix.removeprefix(".")
    wanted = FilmFormat(width_px=width_px, height_px=height_px, fps=FPS, preset="ultrafast", container=container)
    with FilmEncoder(path, wanted) as encoder:
        for index in range(num_frames):
            encoder.add_frame(np.full((height_px, width_px, 4), index * LEVELS // num_frames, dtype=np.uint8))
    return path


def read(picture: bytes) -> np.ndarray:
    """(height_px, width_px, 3) BGR."""
    found = cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


def tile_levels(sheet: np.ndarray) -> list[float]:
    height_px, width_px = sheet.shape[0] // 5, sheet.shape[1] // 5
    corners = [(row * height_px, column * width_px) for row in range(5) for column in range(5)]
    return [float(sheet[y : y + height_px, x : x + width_px].mean()) for y, x in corners]


@pytest.mark.parametrize("container", ["mp4", "mov"])
async def test_the_thumbnail_is_the_middle_picture_as_a_webp(tmp_path, container):
    picture = await make_still(write_levels(tmp_path / f"a.{container}"), Still.THUMBNAIL)
    assert (picture[:4], picture[8:12]) == (b"RIFF", b"WEBP")
    assert read(picture).shape == (180, 320, 3)
    assert read(picture).mean() == pytest.approx(LEVELS // 2, abs=1)


async def test_the_sprite_sheet_shows_25_moments_row_by_row_as_a_jpeg(tmp_path):
    picture = await make_still(write_levels(tmp_path / "a.mp4"), Still.SPRITESHEET)
    assert picture[:3] == b"\xff\xd8\xff"
    assert read(picture).shape == (5 * 180, 5 * 320, 3)
    assert tile_levels(read(picture)) == pytest.approx([10 * part + 5 for part in range(25)], abs=2)


@pytest.mark.parametrize(
    ("size", "thumbnail", "tile"),
    [((1920, 1080), (1024, 576), (320, 180)), ((834, 1112), (768, 1024), (240, 320)), ((64, 36), (64, 36), (64, 36))],
)
def test_pictures_keep_their_shape_and_are_never_enlarged(tmp_path, size, thumbnail, tile):
    film = write_levels(tmp_path / "a.mp4", num_frames=3, width_px=size[0], height_px=size[1])
    assert read(drawn(film, Still.THUMBNAIL)).shape == (thumbnail[1], thumbnail[0], 3)
    assert read(drawn(film, Still.SPRITESHEET)).shape == (5 * tile[1], 5 * tile[0], 3)


@pytest.mark.parametrize("num_frames", [1, 2, 24, 29])
def test_a_short_film_shows_its_frames_in_order_and_again_where_they_are_too_few(tmp_path, num_frames):
    levels = tile_levels(read(drawn(write_levels(tmp_path / "a.mp4", num_frames=num_frames), Still.SPRITESHEET)))
    seen = [round(level * num_frames / LEVELS) for level in levels]
    assert seen == sorted(seen)
    assert len(set(seen)) == min(num_frames, 25)


def test_the_colours_are_those_of_the_film(tmp_path):
    red = np.full((180, 320, 4), (200, 40, 20, 255), dtype=np.uint8)
    with FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS)) as encoder:
        for _ in range(5):
            encoder.add_frame(red)
    for still in Still:
        assert read(drawn(tmp_path / "a.mp4", still)).mean(axis=(0, 1)) == pytest.approx((20, 40, 200), abs=5)


def test_equal_films_give_equal_pictures(tmp_path):
    film = write_levels(tmp_path / "a.mp4", num_frames=30)
    for still in Still:
        assert drawn(film, still) == drawn(film, still)


@pytest.mark.parametrize("content", [b"", b"no film", b"\x00\x00\x00\x18ftypisom" + bytes(100)])
async def test_what_is_no_film_has_no_picture(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(NoStill, match="status 1"):
        await make_still(tmp_path / "a.mp4", Still.THUMBNAIL)


async def test_a_film_without_pictures_has_no_picture(tmp_path):
    rate_hz = 8000
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + rate_hz,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate_hz,
        rate_hz,
        1,
        8,
        b"data",
        rate_hz,
    )
    (tmp_path / "a.mp4").write_bytes(header + b"\x80" * rate_hz)
    with pytest.raises(NoStill, match="status 1"):
        await make_still(tmp_path / "a.mp4", Still.SPRITESHEET)


def test_a_film_that_breaks_off_shows_its_last_picture_to_the_end(tmp_path):
    whole = write_levels(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) * 3 // 4])
    levels = tile_levels(read(drawn(tmp_path / "b.mp4", Still.SPRITESHEET)))
    assert levels[0] == pytest.approx(5, abs=2)
    assert levels[-1] == pytest.approx(levels[-2], abs=1)
    assert levels[-1] < 220


async def test_a_film_that_takes_too_long_is_given_up_and_its_process_is_gone(tmp_path):
    # A named pipe that nobody writes to keeps the process waiting for ever.
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(NoStill, match="longer than"):
        await make_still(tmp_path / "a.mp4", Still.THUMBNAIL, StillLimits(timeout_s=0.2))


async def test_a_caller_that_stops_waiting_leaves_no_process_behind(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    waiting = asyncio.create_task(make_still(tmp_path / "a.mp4", Still.THUMBNAIL))
    # The process opens the pipe for reading, which lets this open return; its death is the end of that.
    writing = await asyncio.to_thread(os.open, tmp_path / "a.mp4", os.O_WRONLY)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")
    os.close(writing)


async def test_a_film_that_takes_too_much_memory_is_given_up(tmp_path):
    film = write_levels(tmp_path / "a.mp4", num_frames=30, width_px=1920, height_px=1080)
    with pytest.raises(NoStill, match="ended with status"):
        await make_still(film, Still.SPRITESHEET, StillLimits(memory_bytes=20 * 1024**2))
