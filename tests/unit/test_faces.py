"""Which pictures are said to show a face. Three photographs, and the same three where faces could be missed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from understudy.core.media import Unreadable
from understudy.media.faces import TILES_MOST, has_face, score, squares

PICTURES = Path(__file__).parent.parent / "assets" / "pictures"


def picture(name: str) -> np.ndarray:
    with Image.open(PICTURES / f"{name}.jpg") as opened:
        return np.asarray(opened.convert("RGB"))


def placed(name: str, side_px: int, size_px: tuple[int, int]) -> np.ndarray:
    """The photograph, made small, at the lower right of a large one of a cup."""
    with Image.open(PICTURES / "coffee.jpg") as opened:
        scene = np.asarray(opened.convert("RGB").resize(size_px)).copy()
    with Image.open(PICTURES / f"{name}.jpg") as opened:
        small = np.asarray(opened.convert("RGB").resize((side_px, side_px)))
    scene[-side_px - 40 : -40, -side_px - 40 : -40] = small
    return scene


def test_a_portrait_shows_a_face():
    assert has_face(picture("astronaut"))


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_a_cat_and_a_cup_show_none(name):
    assert not has_face(picture(name))


@pytest.mark.parametrize("size_px", [(1920, 1080), (720, 1280), (2400, 800)])
def test_a_face_in_a_corner_of_a_large_picture_is_found(size_px):
    # The face is a quarter of the portrait.
    assert has_face(placed("astronaut", min(size_px) // 3, size_px))
    assert not has_face(placed("chelsea", min(size_px) // 3, size_px))


def test_a_grey_portrait_shows_a_face():
    grey = picture("astronaut").mean(axis=2).astype(np.uint8)
    assert has_face(np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("size_px", [(1, 1), (1, 6000), (6000, 1), (300, 301)])
def test_a_picture_of_any_shape_can_be_looked_at(size_px):
    empty = np.zeros((*size_px, 3), dtype=np.uint8)
    assert not has_face(empty)
    assert sum(1 for _ in squares(empty, (1.0, 0.5))) <= 2 * TILES_MOST + 1


def test_every_square_is_as_wide_as_it_is_high_and_together_they_cover_the_picture():
    marks = np.arange(300 * 451, dtype=np.int64).reshape(300, 451) % 251
    rgb = np.repeat(marks[:, :, None], 3, axis=2).astype(np.uint8)
    tiles = list(squares(rgb, (0.5,)))
    assert all(tile.shape[0] == tile.shape[1] for tile in tiles)
    seen = np.zeros((300, 451), dtype=bool)
    base = rgb.__array_interface__["data"][0]
    for tile in tiles[1:]:
        offset = (tile.__array_interface__["data"][0] - base) // 3
        y, x = divmod(offset, 451)
        seen[y : y + tile.shape[0], x : x + tile.shape[1]] = True
    assert seen.all()


def test_a_score_is_the_same_each_time():
    assert score(picture("astronaut")) == score(picture("astronaut"))


@pytest.mark.parametrize("shape", [(0, 10, 3), (10, 10), (10, 10, 4)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(Unreadable):
        has_face(np.zeros(shape, dtype=np.uint8))
