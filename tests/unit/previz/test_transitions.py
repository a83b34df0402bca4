"""Between two given frames: both ends are met, and what is between is a way, not one picture laid over the other."""

import itertools

import cv2
import numpy as np
import pytest

from transition_judges import between_share, is_dissolve, ssim
from understudy.engines.previz.board.alignment import Similarity, aligned
from understudy.engines.previz.board.between import Transition
from understudy.engines.previz.plan import CameraMove
from understudy.media.between import middle_of
from unit.previz.moving import SIZE, ball_at, photo, view, with_ball

LARGE = (900, 520)


def blended(first, last, share=0.5):
    return cv2.addWeighted(first, 1 - share, last, share, 0)


def moved_apart(kind):
    """Two views of one scene that a camera's move leads from one to the other."""
    scene = photo("coffee", *LARGE)
    return {
        "sideways": (view(scene, -70), view(scene, 70)),
        "nearer": (view(scene), view(scene, 30, 10, growth=1.8)),
        "back": (view(scene, 20, growth=1.6), view(scene)),
        "up": (view(scene, 0, 60), view(scene, 0, -60)),
    }[kind]


@pytest.mark.parametrize("kind", ["sideways", "nearer", "back", "up"])
def test_what_both_frames_show_is_on_its_way_in_the_middle(kind):
    first, last = moved_apart(kind)
    middle = Transition(first, last).picture(0.5)
    share, found = between_share(first, middle, last)
    assert found > 20
    assert share > 0.9
    assert not is_dissolve(first, middle, last)


@pytest.mark.parametrize("kind", ["sideways", "nearer"])
def test_the_judges_refuse_a_blend_of_the_two(kind):
    first, last = moved_apart(kind)
    middle = blended(first, last)
    assert between_share(first, middle, last)[0] < 0.2
    assert is_dissolve(first, middle, last)


def test_both_ends_are_the_frames_themselves():
    first, last = photo("chelsea"), photo("astronaut")
    way = Transition(first, last, camera=CameraMove.PUSH_IN)
    assert ssim(way.picture(0), first) == pytest.approx(1)
    assert ssim(way.picture(1), last) == pytest.approx(1)
    assert ssim(way.picture(0), last) < 0.5


@pytest.mark.parametrize(
    ("names", "camera"),
    [
        (("chelsea", "coffee"), None),
        (("coffee", "coffee"), CameraMove.PUSH_IN),
        *(
            pytest.param(names, camera, marks=pytest.mark.long)
            for names, camera in (
                (("coffee", "coffee"), None),
                (("chelsea", "coffee"), CameraMove.PUSH_IN),
                (("chelsea", "coffee"), CameraMove.PAN_LEFT),
                (("coffee", "coffee"), CameraMove.PAN_LEFT),
            )
        ),
    ],
)
def test_the_way_never_jumps(names, camera):
    first, last = photo(names[0]), np.ascontiguousarray(photo(names[1])[:, ::-1])
    way = Transition(first, last, camera=camera)
    frames = [way.picture(index / 47) for index in range(48)]
    steps = [float(np.abs(one.astype(int) - other).mean()) for one, other in itertools.pairwise(frames)]
    # A cut is the whole of it in one step.
    assert max(steps) < 0.4 * float(np.abs(first.astype(int) - last).mean())
    assert min(steps) > 0


def test_a_thing_that_both_frames_show_goes_from_its_one_place_to_the_other_and_is_seen_once():
    ground = photo("coffee")
    first, last = with_ball(ground, 60, 180), with_ball(ground, 350, 60)
    way = Transition(first, last)
    places = [ball_at(way.picture(part)) for part in (0.25, 0.5, 0.75)]
    assert all(place is not None for place in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert places[1] == pytest.approx((205, 120), abs=8)
    # Where it was, and where it will be, the ground is seen.
    middle = way.picture(0.5)
    for x, y in ((60, 180), (350, 60)):
        area = np.s_[y - 18 : y + 18, x - 18 : x + 18]
        assert np.abs(middle[area].astype(int) - ground[area]).mean() < 8
        assert np.abs(blended(first, last)[area].astype(int) - ground[area]).mean() > 20


def test_pictures_that_share_nothing_follow_the_camera_of_the_words():
    first, last = photo("coffee"), photo("chelsea")
    ways = {move: Transition(first, last, camera=move) for move in (CameraMove.PAN_RIGHT, CameraMove.PAN_LEFT)}
    # Before anything of the last is seen in its middle, the first has gone left, or right.
    right, left = (
        cv2.phaseCorrelate(grey(first), grey(way.picture(0.3)), cv2.createHanningWindow(SIZE, cv2.CV_64F))[0][0]
        for way in ways.values()
    )
    assert right < -5
    assert left > 5


def grey(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)


def test_a_draft_goes_the_way_of_its_final():
    scene = photo("coffee", 1800, 1040)
    first, last = (view(scene, x, size=(1296, 744)) for x in (-150, 150))
    large = Transition(first, last).picture(0.4)
    size = (432, 248)
    small = Transition(*(cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (first, last))).picture(0.4)
    assert ssim(small, cv2.resize(large, size, interpolation=cv2.INTER_AREA)) > 0.9


def test_equal_frames_give_equal_ways():
    first, last = moved_apart("sideways")
    one, other = (Transition(first, last).picture(0.37) for _ in range(2))
    assert np.array_equal(one, other)


def test_the_middle_of_a_shift_is_half_of_it_for_the_network():
    scene = photo("chelsea", 700, 300)
    first, last = scene[32:288, 40:424], scene[32:288, 56:440]
    middle = middle_of(np.ascontiguousarray(first), np.ascontiguousarray(last))
    assert np.median(middle.to_first[..., 0]) == pytest.approx(8, abs=1.5)
    assert np.median(middle.to_second[..., 0]) == pytest.approx(-8, abs=1.5)


def test_a_move_of_the_frame_is_measured_and_strangers_have_none():
    scene = photo("coffee", *LARGE)
    move = aligned(view(scene), view(scene, 50, -20, growth=1.5))
    assert move is not None
    assert move.growth == pytest.approx(1.5, rel=0.01)
    assert move.shift == pytest.approx(complex(-75 / 432, 30 / 432), abs=0.005)
    assert aligned(photo("coffee"), photo("chelsea")) is None


@pytest.mark.parametrize("factor", [1 + 0j, 1.5 + 0j, 0.8 + 0.3j, 1 + 1e-9j])
def test_twice_half_a_move_is_the_whole(factor):
    move = Similarity(factor=factor, shift=0.2 - 0.1j)
    twice = move.part(0.5).then(move.part(0.5))
    assert twice.factor == pytest.approx(move.factor)
    assert twice.shift == pytest.approx(move.shift)
    there_and_back = move.then(move.part(-1))
    assert abs(there_and_back.shift) < 1e-9
