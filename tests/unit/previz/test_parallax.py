"""Films of one picture in depth, on photographs: they begin with the picture, and near things move unlike far ones."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_judges import flow, growth, growth_apart, shift_apart, similarity
from understudy.engines.previz.board.acting import ACTS, AT_REST, bearing_at, voice_at
from understudy.engines.previz.board.layers import Margins, layers_of
from understudy.engines.previz.board.moves import FLIGHT_AT_REST, FLIGHTS, Beat
from understudy.engines.previz.board.parallax import Drift, Parallax, Part
from understudy.engines.previz.board.sheets import sheet_of
from understudy.engines.previz.plan import Action, CameraMove
from understudy.engines.previz.seeing import matte_of
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.decode import fitted, read_image
from unit.previz.giving import apart, decoded, image_item, job_of, rendered

PICTURES = Path(__file__).parents[2] / "assets" / "pictures"
PHASES = (0.3, 1.0, 2.0, 3.0, 4.0, 5.0, 0.5, 1.5)
SIZE = (640, 480)
NUM_FRAMES = 49
END = NUM_FRAMES - 1
LOUD = Spoken(line=0, start_s=0.5, end_s=2.0, envelope=(1.0,) * 36, shot=0)


@cache
def photograph(name: str, size: tuple[int, int] = SIZE) -> np.ndarray:
    return fitted(read_image(PICTURES / f"{name}.jpg"), *size)


@cache
def places(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the subject surely is, and where it surely is not."""
    matte = matte_of(photograph(name))
    near = cv2.erode(matte, np.ones((25, 25))) > 0.95
    far = cv2.dilate(matte, np.ones((41, 41))) < 0.05
    return near, far


def part(move: CameraMove | None = None, **wants) -> Part:
    flight = FLIGHT_AT_REST if move is None else FLIGHTS[move]
    return Part(**{"num_frames": NUM_FRAMES, "fps": 24, "flight": flight, "phases": PHASES, **wants})


@cache
def film(name: str, move: CameraMove | None, **wants) -> Parallax:
    return Parallax(photograph(name), part(move, **wants))


def frame(name: str, move: CameraMove | None, index: int, **wants) -> np.ndarray:
    return film(name, move, **wants).picture(index).copy()


def enlarged(picture: np.ndarray, factor: float) -> np.ndarray:
    """The picture seen from nearer as a flat one is."""
    height_px, width_px = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width_px - 1) / 2, (height_px - 1) / 2), 0, factor)
    return cv2.warpAffine(picture, matrix, (width_px, height_px), flags=cv2.INTER_CUBIC)


# The picture is where the film begins.


@pytest.mark.parametrize("move", list(CameraMove))
def test_the_first_frame_is_the_picture(move):
    assert np.array_equal(frame("astronaut", move, 0), photograph("astronaut"))


def test_the_first_decoded_frame_is_alike_the_picture_and_unlike_another(tmp_path):
    item = image_item(tmp_path, photograph("coffee", (864, 496)))
    _, path = rendered(job_of(tmp_path / "out", item, prompt="the camera pushes in"))
    first = decoded(path)[0]
    assert similarity(first, photograph("coffee", (864, 496))) >= 0.98
    assert similarity(first, photograph("chelsea", (864, 496))) < 0.7
    assert similarity(first, enlarged(photograph("coffee", (864, 496)), 1.05)) < 0.98


@pytest.mark.parametrize(
    ("name", "move"),
    [("astronaut", CameraMove.PUSH_IN), ("coffee", CameraMove.TRACK), ("coffee", CameraMove.HANDHELD)],
)
def test_the_second_frame_does_not_jump(name, move):
    assert 0 < apart(frame(name, move, 1), photograph(name)) < 1.5


def test_a_film_comes_to_rest():
    before, end = (frame("coffee", CameraMove.TRACK, index) for index in (END - 1, END))
    middle, next_ = (frame("coffee", CameraMove.TRACK, index) for index in (END // 2, END // 2 + 1))
    assert apart(before, end) < apart(middle, next_) / 4


# Depth.


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_when_the_camera_comes_nearer_near_things_grow_more(name):
    near, far = places(name)
    picture = photograph(name)
    end = frame(name, CameraMove.PUSH_IN, END * 3 // 4)
    assert growth(picture, end, near) > 0.05
    assert growth_apart(picture, end, near, far) > 0.04


def test_when_the_camera_goes_back_near_things_shrink_more():
    near, far = places("coffee")
    assert growth_apart(photograph("coffee"), frame("coffee", CameraMove.PULL_OUT, END), near, far) < -0.02


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_when_the_camera_moves_sideways_far_things_keep_up_with_it_more(name):
    near, far = places(name)
    assert shift_apart(photograph(name), frame(name, CameraMove.TRACK, END * 3 // 4), near, far) < -0.01


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_flat_enlargement_shows_no_depth(name):
    near, far = places(name)
    picture = photograph(name)
    assert abs(growth_apart(picture, enlarged(picture, 1.15), near, far)) < 0.03
    moved = np.roll(picture, 20, axis=1)
    assert abs(shift_apart(picture, moved, near, far)) < 0.005


def test_what_a_camera_orbits_stays_in_its_place():
    near, far = places("coffee")
    moved = flow(photograph("coffee"), frame("coffee", CameraMove.ORBIT, END // 2))[:, :, 0]
    size = moved.shape[::-1]
    subject, rest = (cv2.resize(one.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for one in (near, far))
    assert abs(np.median(moved[subject])) < 0.01
    assert np.median(moved[rest]) > 0.01


@pytest.mark.parametrize(
    ("move", "axis", "sign"),
    [
        (CameraMove.PAN_LEFT, 0, 1),
        (CameraMove.TILT_DOWN, 1, -1),
        (CameraMove.CRANE_UP, 1, 1),
    ],
)
def test_what_is_seen_moves_against_the_camera(move, axis, sign):
    moved = flow(photograph("coffee"), frame("coffee", move, END))
    assert sign * float(np.median(moved[:, :, axis])) > 0.01


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CameraMove.PAN_LEFT, CameraMove.PAN_RIGHT),
        (CameraMove.TILT_UP, CameraMove.TILT_DOWN),
        (CameraMove.CRANE_UP, CameraMove.CRANE_DOWN),
    ],
)
def test_opposite_moves_mirror_each_other(one, other):
    there, back = FLIGHTS[one](beat(1.0)), FLIGHTS[other](beat(1.0))
    assert there != back
    assert there == replace(back, x=-back.x, y=-back.y, yaw=-back.yaw, pitch=-back.pitch)


def test_no_move_looks_at_what_is_mirrored():
    for move in CameraMove:
        shown = film("coffee", move)
        margins = shown._margins()
        most = 0.15 * SIZE[0]
        assert max(margins.left_px, margins.top_px, margins.right_px, margins.bottom_px) < most, move


def test_layers_at_rest_are_the_picture():
    layers = layers_of(photograph("astronaut"), Margins(left_px=40, right_px=20, top_px=8))
    assert layers.subject is not None
    left, top, right, bottom = layers.subject.box
    ground = layers.plate[top:bottom, left:right].astype(int)
    cover = layers.subject.cover[:, :, None].astype(int)
    seen = layers.plate.astype(int)
    seen[top:bottom, left:right] = layers.subject.colours + (ground * (255 - cover) + 127) // 255 + layers.difference
    assert np.array_equal(seen[8:, 40:-20], photograph("astronaut"))


def drawn(sheet, shift_px: float) -> np.ndarray:
    """What a sheet shows of the photograph when it is seen so far to the right."""
    x, y = np.meshgrid(
        np.arange(SIZE[0], dtype=np.float32) + np.float32(shift_px), np.arange(SIZE[1], dtype=np.float32)
    )
    target = np.zeros((SIZE[1], SIZE[0], 4), dtype=np.uint8)
    sheet.draw(np.dstack([x, y]) * np.float32(sheet.fineness), target)
    return target[:, :, :3]


def test_a_fine_sheet_shows_its_layer_at_rest_to_the_byte_and_between_its_pixels_as_sharply_as_a_cubic():
    picture = photograph("chelsea")
    fine, plain = sheet_of(picture, None), sheet_of(picture, None, is_fine=False)
    assert np.array_equal(drawn(fine, 0), picture)
    matrix = np.array([[1, 0, 0.5], [0, 1, 0]])
    cubic = cv2.warpAffine(picture, matrix, SIZE, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)[:, 3:-3]
    assert apart(drawn(fine, 0.5)[:, 3:-3], cubic) < 0.01
    assert apart(drawn(plain, 0.5)[:, 3:-3], cubic) > 0.2


def test_a_picture_of_nothing_in_particular_moves_as_one():
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8), (0, 0), 3)
    shown = Parallax(noise, part(CameraMove.PUSH_IN))
    assert apart(shown.picture(END), noise) > 1


# Standing still, going on.


def test_a_camera_that_stands_shows_the_picture_for_good():
    shown = film("coffee", None)
    assert all(np.array_equal(shown.picture(index), photograph("coffee")) for index in (0, 7, END))


def test_a_film_that_goes_on_begins_with_the_next_picture():
    wants = {"begins_after": True, "num_frames": NUM_FRAMES - 1}
    after, own = frame("coffee", CameraMove.TRACK, 0, **wants), frame("coffee", CameraMove.TRACK, 1)
    assert np.array_equal(after, own)
    assert np.array_equal(frame("coffee", CameraMove.TRACK, END - 1, **wants), frame("coffee", CameraMove.TRACK, END))


def test_a_motion_that_a_film_comes_with_goes_on_and_fades():
    drift = Drift(x=0.004, zoom=0.001)
    places_ = [photograph("coffee"), *(frame("coffee", None, index, drift=drift) for index in (0, 1, END - 1, END))]
    assert np.array_equal(places_[1], photograph("coffee"))
    begun = float(np.median(flow(places_[1], places_[2])[:, :, 0]))
    ended = float(np.median(flow(places_[3], places_[4])[:, :, 0]))
    assert begun == pytest.approx(0.004, abs=0.001)
    assert abs(ended) < 0.0005


# Acting and speaking.


def beat(time_s: float) -> Beat:
    return Beat(eased=0.5, time_s=time_s, phases=PHASES)


@pytest.mark.parametrize("action", list(ACTS))
def test_who_acts_begins_from_rest_and_moves(action):
    assert bearing_at(beat(0.0), action) == AT_REST
    assert len({bearing_at(beat(time_s), action) for time_s in np.linspace(1, 3, 9)}) > 1 or action is Action.GROW


def test_a_thing_at_rest_does_not_breathe():
    assert bearing_at(beat(2.0), Action.IDLE) == AT_REST


def test_who_acts_keeps_its_feet_and_the_rest_stays():
    near, far = places("coffee")
    moved = np.zeros(SIZE[::-1])
    for index in (20, 26, 32, 38):
        shown = frame("coffee", None, index, action=Action.SLEEP).astype(int)
        moved = np.maximum(moved, np.abs(shown - photograph("coffee")).max(axis=2))
    rows = np.flatnonzero(near.any(axis=1))
    top, bottom = rows[: len(rows) // 4], rows[-len(rows) // 12 :]
    assert moved[far].max() <= 12
    assert moved[top][near[top]].mean() > 2 * moved[bottom][near[bottom]].mean()


def test_a_mouth_opens_while_a_line_is_heard():
    silent, loud = (frame("astronaut", None, index, spoken=(LOUD,)) for index in (6, 30))
    mouth = (slice(90, 125), slice(255, 305))
    assert apart(silent[mouth], photograph("astronaut")[mouth]) < 1
    assert (loud[mouth].max(axis=2) < 90).sum() > (silent[mouth].max(axis=2) < 90).sum() + 60


def test_a_mouth_that_has_closed_leaves_no_trace():
    shown = Parallax(photograph("astronaut"), part(None, spoken=(LOUD,), action=Action.SLEEP))
    before = shown.picture(6).copy()
    shown.picture(30)
    assert np.array_equal(shown.picture(6), before)


def test_who_has_no_mouth_to_be_seen_nods():
    heard = bearing_at(beat(1.0), Action.IDLE, voice_at((LOUD,), 1.0))
    assert heard.nod > 0
    assert apart(frame("coffee", None, 30, spoken=(LOUD,)), photograph("coffee")) > 0.2
    assert np.array_equal(frame("coffee", None, END, spoken=(replace(LOUD, end_s=1.0),)), photograph("coffee"))


def test_nobody_speaks_between_the_lines():
    assert voice_at((LOUD,), 0.4) == voice_at((LOUD,), 2.0) == 0
    assert voice_at((LOUD,), 1.0) == 1


# Repetition and size.


def test_equal_films_give_equal_frames():
    one, other = (Parallax(photograph("coffee"), part(CameraMove.HANDHELD)) for _ in range(2))
    assert one.picture(31).tobytes() == other.picture(31).tobytes()


def test_frames_may_be_asked_for_in_any_order():
    once = frame("coffee", CameraMove.TRACK, 20)
    film("coffee", CameraMove.TRACK).picture(END)
    assert np.array_equal(film("coffee", CameraMove.TRACK).picture(20), once)


def test_a_draft_moves_as_its_final_does():
    small, large = (
        Parallax(photograph("coffee", size), part(CameraMove.TRACK)).picture(END) for size in ((320, 240), (1280, 960))
    )
    assert apart(small, cv2.resize(large, (320, 240), interpolation=cv2.INTER_AREA)) < 5
