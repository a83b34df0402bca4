"""What is seen in pictures: depth, mattes, plates and mouths; on photographs, for the networks know nothing else."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.engines.previz.seeing import components, cut_out, depth_of, matte_of, outpainted, without
from understudy.engines.previz.seeing.cutting import own_colours
from understudy.engines.previz.seeing.mouth import mouth_of
from understudy.engines.previz.seeing.nets import answered
from understudy.media.decode import read_image

PICTURES = Path(__file__).parents[2] / "assets" / "pictures"
NAMES = ("astronaut", "chelsea", "coffee")


@cache
def photograph(name: str) -> np.ndarray:
    return read_image(PICTURES / f"{name}.jpg")


@cache
def matte(name: str) -> np.ndarray:
    return matte_of(photograph(name))


def disc(size_px: int = 200, radius_px: int = 60, x_px: int = 100) -> np.ndarray:
    rows, columns = np.mgrid[0:size_px, 0:size_px]
    return ((rows - size_px // 2) ** 2 + (columns - x_px) ** 2 < radius_px**2).astype(np.float32)


# Depth.


@pytest.mark.parametrize("name", NAMES)
def test_depth_is_one_value_for_each_place_from_far_to_near(name):
    depth = depth_of(photograph(name))
    assert depth.shape == photograph(name).shape[:2]
    assert depth.dtype == np.float32
    assert 0 <= depth.min() < 0.15
    assert 0.85 < depth.max() <= 1


def test_a_person_is_nearer_than_the_wall_behind_her():
    depth = depth_of(photograph("astronaut"))
    assert depth[200:300, 60:200].mean() > depth[20:120, 180:220].mean() + 0.3


def test_a_picture_of_nothing_has_no_depth():
    assert (depth_of(np.full((90, 160, 3), 120, dtype=np.uint8)) == 0.5).all() or np.ptp(
        depth_of(np.full((90, 160, 3), 120, dtype=np.uint8))
    ) <= 1


# Mattes.


def test_a_matte_holds_the_subject_and_not_the_rest():
    astronaut, coffee = matte("astronaut"), matte("coffee")
    assert astronaut[50:90, 125:155].min() > 0.95
    assert astronaut[10:90, 195:235].max() < 0.05
    assert coffee[80:160, 110:190].min() > 0.95
    assert coffee[:, :20].max() < 0.05


def test_a_picture_of_nothing_in_particular_has_an_empty_matte():
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    assert not cut_out(noise).works


def test_what_is_transparent_is_its_own_matte():
    alpha = np.rint(disc() * 255).astype(np.uint8)
    found = matte_of(np.dstack([np.full((200, 200, 3), 90, dtype=np.uint8), alpha]))
    assert np.array_equal(found, disc())


def test_an_alpha_that_hides_nothing_is_not_taken_for_a_matte():
    opaque = np.dstack([photograph("coffee"), np.full(photograph("coffee").shape[:2], 255, dtype=np.uint8)])
    assert np.array_equal(matte_of(opaque), matte("coffee"))


def test_subjects_are_told_apart_from_left_to_right_and_together_are_the_matte():
    both = np.maximum(disc(radius_px=30, x_px=45), disc(radius_px=30, x_px=150))
    soft = cv2.GaussianBlur(both, (0, 0), 2)
    left, right = components(soft)
    assert np.array_equal(left + right, soft)
    assert np.argmax(left.sum(axis=0)) < 60
    assert np.argmax(right.sum(axis=0)) > 130


def test_specks_are_no_subjects():
    specked = disc(radius_px=40)
    specked[5:9, 5:9] = 1
    (only,) = components(specked)
    assert only[100, 100] == 1


# Cut-outs.


def test_a_cut_out_is_cropped_to_its_subject():
    found = cut_out(photograph("coffee"))
    height_px, width_px = found.rgba.shape[:2]
    assert found.works
    assert found.touched == frozenset()
    assert 0 < found.left_px < 160 < found.left_px + width_px < 320
    assert found.rgba[:, :, 3].any(axis=0).all()
    assert found.rgba[:, :, 3].any(axis=1).all()
    assert 0.2 < found.area < 0.6
    inside = found.rgba[height_px // 2, width_px // 2, :3]
    assert np.array_equal(inside, photograph("coffee")[found.top_px + height_px // 2, found.left_px + width_px // 2])


def test_a_cut_out_says_where_its_subject_goes_on_beyond_the_picture():
    assert "bottom" in cut_out(photograph("astronaut")).touched


@pytest.mark.parametrize(
    "matte",
    [np.zeros((200, 200)), np.ones((200, 200)), disc(radius_px=8), np.full((200, 200), 0.4), 1 - disc(radius_px=70)],
    ids=["nothing", "everything", "speck", "undecided", "all around"],
)
def test_what_is_no_subject_is_said_so(matte):
    found = cut_out(np.full((200, 200, 3), 90, dtype=np.uint8), matte.astype(np.float32))
    assert not found.works
    assert found.fault


def test_the_colour_of_the_background_is_taken_out_of_an_edge():
    alpha = cv2.GaussianBlur(disc(), (0, 0), 4)
    green, red = np.array((20.0, 200.0, 40.0)), np.array((200.0, 40.0, 30.0))
    mixed = np.rint(alpha[:, :, None] * red + (1 - alpha[:, :, None]) * green).astype(np.uint8)
    edge = (alpha > 0.3) & (alpha < 0.7)
    before = np.abs(mixed[edge] - red).mean()
    after = np.abs(own_colours(mixed, alpha)[edge] - red).mean()
    assert after < before / 4


# Plates.


def test_a_plate_is_the_picture_where_nothing_was_taken_out():
    coffee = photograph("coffee")
    plate = without(coffee, matte("coffee"))
    far = cv2.dilate(matte("coffee"), np.ones((25, 25))) < 0.01
    assert far.mean() > 0.2
    assert np.array_equal(plate[far], coffee[far])


def test_what_fills_a_hole_looks_like_what_is_around_it():
    coffee = photograph("coffee")
    plate = without(coffee, matte("coffee"))
    around = coffee[matte("coffee") < 0.01].mean(axis=0)
    solid = matte("coffee") > 0.99
    # The white cup is gone, brown wood lies there.
    assert np.abs(plate[solid].mean(axis=0) - around).max() < 40
    assert (coffee[solid].min(axis=1) > 180).mean() > 0.05
    assert (plate[solid].min(axis=1) > 180).mean() < 0.002


def test_a_picture_without_a_hole_is_itself():
    assert without(photograph("coffee"), np.zeros((213, 320), dtype=bool)) is photograph("coffee")


def test_a_picture_that_is_all_hole_is_filled_evenly():
    filled = without(photograph("coffee"), np.ones((213, 320), dtype=bool))
    assert filled.shape == (213, 320, 3)
    assert filled.std(axis=(0, 1)).max() < 1


def test_a_picture_is_drawn_on_beyond_its_edges():
    coffee = photograph("coffee")
    wide = outpainted(coffee, left_px=40, top_px=0, right_px=24, bottom_px=10)
    assert wide.shape == (223, 384, 3)
    assert np.array_equal(wide[10:190, 50:350], coffee[10:190, 10:310])
    mirrored = cv2.copyMakeBorder(coffee, 0, 10, 40, 24, cv2.BORDER_REFLECT_101)
    assert not np.array_equal(wide[:, :30], mirrored[:, :30])
    # It goes on as the picture ends.
    assert np.abs(wide[:213, 34:40].mean(axis=(0, 1)) - coffee[:, :6].mean(axis=(0, 1))).max() < 20


@pytest.mark.parametrize("size", [(40, 30), (700, 200), (1700, 1000)])
def test_pictures_of_any_size_are_filled(size):
    picture = cv2.resize(photograph("coffee"), size)
    hole = np.zeros(picture.shape[:2], dtype=bool)
    hole[size[1] // 3 : size[1] // 2, size[0] // 3 : size[0] // 2] = True
    assert without(picture, hole).shape == picture.shape


# Mouths.


def test_a_mouth_is_found_where_it_is():
    mouth = mouth_of(photograph("astronaut"))
    assert mouth is not None
    assert (mouth.x_px, mouth.y_px) == (pytest.approx(140, abs=4), pytest.approx(93, abs=4))
    assert mouth.eyes_px == pytest.approx(27, abs=5)


@pytest.mark.parametrize("size", [(120, 120), (900, 900), (1280, 720), (400, 1200)])
def test_a_mouth_is_found_at_any_size(size):
    wide = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    side_px = min(size)
    wide[:side_px, :side_px] = cv2.resize(photograph("astronaut"), (side_px, side_px), interpolation=cv2.INTER_AREA)
    mouth = mouth_of(wide)
    assert mouth is not None
    assert mouth.x_px / side_px == pytest.approx(140 / 320, abs=0.02)
    assert mouth.y_px / side_px == pytest.approx(93 / 320, abs=0.02)


def test_a_cup_has_no_mouth():
    assert mouth_of(photograph("coffee")) is None


# Repetition.


def test_equal_pictures_give_equal_bytes():
    picture, again = photograph("chelsea"), photograph("chelsea").copy()
    assert depth_of(picture).tobytes() == depth_of(again).tobytes()
    assert matte("chelsea").tobytes() == matte_of(again).tobytes()
    assert without(picture, matte("chelsea")).tobytes() == without(again, matte("chelsea")).tobytes()


def test_the_answer_about_a_picture_is_kept_and_cannot_be_written_to():
    rng = np.random.default_rng(5)
    one, other = (rng.random((1, 3, 224, 224), dtype=np.float32) for _ in range(2))
    first = answered("fastdepth", {"0": one})
    assert answered("fastdepth", {"0": one.copy()}) is first
    assert not np.array_equal(answered("fastdepth", {"0": other}), first)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_only_the_last_answers_are_kept():
    rng = np.random.default_rng(6)
    pictures = [rng.random((1, 3, 224, 224), dtype=np.float32) for _ in range(14)]
    first = answered("fastdepth", {"0": pictures[0]})
    for picture in pictures[1:]:
        answered("fastdepth", {"0": picture})
    again = answered("fastdepth", {"0": pictures[0]})
    assert again is not first
    assert np.array_equal(again, first)
