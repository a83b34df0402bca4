"""Pictures brought to a size: the frame is full, the middle is kept, nothing is squeezed."""

import cv2
import numpy as np
import pytest

from understudy.media.fit import Fit


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


def test_a_picture_that_shrinks_a_little_stays_sharp_and_one_that_shrinks_much_does_not_flicker():
    lines = np.zeros((768, 1344, 3), dtype=np.uint8)
    lines[:, ::4], lines[:, 1::4] = 255, 255
    slightly = Fit(own_px=(1344, 768), wanted_px=(1280, 720)).picture(lines)[360, 40:1240, 0]
    # An average would leave stripes: here and there the lines fall between the pixels and turn grey.
    blocks = slightly.reshape(-1, 24).astype(float)
    assert (blocks.max(axis=1) - blocks.min(axis=1)).min() > 150
    fine = np.zeros((768, 1344, 3), dtype=np.uint8)
    fine[:, ::2] = 255
    much = Fit(own_px=(1344, 768), wanted_px=(432, 248)).picture(fine)[:, 4:-4].astype(float)
    assert much.std() < 50


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="640x480"):
        Fit(own_px=(1344, 768), wanted_px=(1280, 720)).picture(np.zeros((480, 640, 3), dtype=np.uint8))
