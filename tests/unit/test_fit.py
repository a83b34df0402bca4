"""Pictures brought to a size: the frame is full, the middle is kept, nothing is squeezed."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from understudy.media.fit import Fit

PHOTOGRAPH = Path(__file__).parents[1] / "assets" / "pictures" / "astronaut.jpg"


def disc(width_px: int, height_px: int) -> np.ndarray:
    """A white disc in the middle, half as high as the picture."""
    picture = np.zeros((height_px, width_px, 3), dtype=np.uint8)
    middle = ((width_px - 1) * 8, (height_px - 1) * 8)
    cv2.circle(picture, middle, height_px * 4, (255, 255, 255), -1, cv2.LINE_AA, shift=4)
    return picture


def extent(picture: np.ndarray) -> tuple[float, float, float, float]:
    """The disc's middle and its size, in columns and rows."""
    weights = picture[..., 0].astype(float)
    across, down = weights.sum(axis=0), weights.sum(axis=1)
    columns, rows = np.arange(len(across)), np.arange(len(down))
    return (
        float((across * columns).sum() / across.sum()),
        float((down * rows).sum() / down.sum()),
        float(down.max() / 255),
        float(across.max() / 255),
    )


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ((1344, 768), (1280, 720)),
        ((1344, 768), (1920, 1080)),
        ((1344, 768), (864, 496)),
        ((768, 1344), (720, 1280)),
        ((832, 480), (640, 640)),
        ((512, 512), (992, 432)),
    ],
)
def test_the_middle_stays_in_the_middle_and_round_things_stay_round(own, wanted):
    fit = Fit(own_px=own, wanted_px=wanted)
    brought = fit.picture(disc(*own))
    assert brought.shape == (wanted[1], wanted[0], 3)
    x, y, width, height = extent(brought)
    assert (x, y) == pytest.approx(((wanted[0] - 1) / 2, (wanted[1] - 1) / 2), abs=1)
    if fit.scale * own[1] / 2 < min(wanted):
        assert width == pytest.approx(height, rel=0.01)
        assert width == pytest.approx(own[1] / 2 * fit.scale, rel=0.01)


def test_what_is_cut_and_by_how_much_it_grows_is_told():
    fit = Fit(own_px=(1344, 768), wanted_px=(1920, 1080))
    assert fit.scale == pytest.approx(1920 / 1344)
    assert fit.cut_share == pytest.approx(1 - 756 / 768)
    assert Fit(own_px=(640, 640), wanted_px=(1280, 720)).cut_share == pytest.approx(1 - 360 / 640)


def test_a_picture_of_the_size_is_passed_on_and_one_that_is_only_larger_is_only_cut():
    picture = np.random.default_rng(0).integers(0, 255, (544, 960, 3), dtype=np.uint8)
    assert Fit(own_px=(960, 544), wanted_px=(960, 544)).picture(picture) is picture
    cut = Fit(own_px=(960, 544), wanted_px=(960, 540)).picture(picture)
    assert np.array_equal(cut, picture[2:542])


def grainy(width_px: int, height_px: int) -> np.ndarray:
    """A photograph with grain, so that there is detail of every size."""
    photo = Image.open(PHOTOGRAPH).convert("RGB").resize((width_px, height_px), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(1).integers(-12, 12, (height_px, width_px, 3))
    return np.clip(np.asarray(photo).astype(int) + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("wanted", "least_db"), [((1280, 720), 46), ((864, 496), 42)])
def test_a_picture_that_shrinks_is_near_to_what_the_slow_way_gives(wanted, least_db):
    picture = grainy(1344, 768)
    fit = Fit(own_px=(1344, 768), wanted_px=wanted)
    kept = fit.kept_px
    left, top = (1344 - kept[0]) // 2, (768 - kept[1]) // 2
    cut = Image.fromarray(picture[top : top + kept[1], left : left + kept[0]])
    slow = np.asarray(cut.resize(wanted, Image.Resampling.LANCZOS)).astype(float)
    assert -10 * np.log10(((fit.picture(picture) - slow) ** 2).mean() / 255**2) > least_db


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="640x480"):
        Fit(own_px=(1344, 768), wanted_px=(1280, 720)).picture(np.zeros((480, 640, 3), dtype=np.uint8))
