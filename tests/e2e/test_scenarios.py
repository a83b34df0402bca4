"""Films of given frames, judged on what a player decodes: both ends, the depth, the way between, the next film."""

from functools import cache

import cv2
import numpy as np
import pytest

from depth_judges import growth_apart, similarity
from film_judges import pictures
from film_studio import SIZE, image_file, photograph, take, video_file
from transition_judges import between_share, is_dissolve
from understudy.core.content import Role
from understudy.engines.previz.seeing import matte_of

NUM_FRAMES = 96
FOUND = 0.95
"""So alike, at least, are a given frame and the frame of the film that it is to be."""

SILENT = {"generate_audio": False}
NOMINATED = "The first frame is image 1, the camera moves on, and the final frame freezes on image 2."


@cache
def view(x_px: int, y_px: int = 0) -> np.ndarray:
    """What a camera sees of one table, so far right and down of its middle."""
    width_px, height_px = SIZE
    large = photograph("coffee", (1300, 746))
    top, left = 125 + y_px, 218 + x_px
    return np.ascontiguousarray(large[top : top + height_px, left : left + width_px])


def enlarged(picture: np.ndarray, factor: float) -> np.ndarray:
    height_px, width_px = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width_px - 1) / 2, (height_px - 1) / 2), 0, factor)
    return cv2.warpAffine(picture, matrix, (width_px, height_px), flags=cv2.INTER_CUBIC)


def given(role: Role, picture: np.ndarray):
    return role, image_file(picture)


@cache
def pushed():
    return take("The camera pushes in.", given(Role.FIRST_FRAME, photograph("coffee")), **SILENT)


@cache
def led():
    frames = given(Role.FIRST_FRAME, view(-120)), given(Role.LAST_FRAME, view(120))
    return take("The camera moves on.", *frames, return_last_frame=True, **SILENT)


# Ends.


def test_the_first_decoded_frame_is_the_given_image_and_no_other():
    (first,) = pictures(pushed().video, [0])
    assert similarity(first, photograph("coffee")) >= FOUND
    assert similarity(first, photograph("chelsea")) < 0.7
    assert similarity(first, enlarged(photograph("coffee"), 1.04)) < FOUND


def test_both_ends_of_the_decoded_film_are_the_given_images():
    first, last = pictures(led().video, [0, -1])
    assert similarity(first, view(-120)) >= FOUND
    assert similarity(last, view(120)) >= FOUND
    assert max(similarity(first, view(120)), similarity(last, view(-120))) < 0.7


@pytest.mark.full
def test_images_that_the_prompt_nominates_are_the_ends():
    images = [given(Role.REFERENCE_IMAGE, photograph(name)) for name in ("coffee", "chelsea")]
    first, last = pictures(take(NOMINATED, *images, **SILENT).video, [0, -1])
    assert similarity(first, photograph("coffee")) >= FOUND
    assert similarity(last, photograph("chelsea")) >= FOUND
    swapped = pictures(take(NOMINATED, *reversed(images), **SILENT).video, [0])
    assert similarity(swapped[0], photograph("coffee")) < 0.7


@pytest.mark.full
def test_an_image_of_another_shape_is_cut_in_its_middle():
    tall = photograph("astronaut", (600, 900))
    film = take("The camera pushes in.", given(Role.FIRST_FRAME, tall), **SILENT)
    width_px, height_px = SIZE
    large = cv2.resize(tall, (width_px, round(900 * width_px / 600)), interpolation=cv2.INTER_CUBIC)
    top = (large.shape[0] - height_px) // 2
    (first,) = pictures(film.video, [0])
    assert similarity(first, large[top : top + height_px]) >= FOUND
    assert similarity(first, large[top - 60 : top - 60 + height_px]) < 0.7


# Depth.


@cache
def depths() -> tuple[np.ndarray, np.ndarray]:
    """Where the cup surely is, and where it surely is not."""
    matte = matte_of(photograph("coffee"))
    return cv2.erode(matte, np.ones((25, 25))) > 0.95, cv2.dilate(matte, np.ones((41, 41))) < 0.05


def growth_over(path) -> float:
    first, late = pictures(path, [0, NUM_FRAMES * 3 // 4])
    return growth_apart(first, late, *depths())


def test_a_push_in_moves_the_layers_of_an_image_unlike_each_other():
    assert growth_over(pushed().video) > 0.03


def test_a_flat_zoom_is_refused():
    picture = photograph("coffee")
    flat = video_file(enlarged(picture, 1 + 0.2 * index / NUM_FRAMES) for index in range(NUM_FRAMES))
    assert abs(growth_over(flat)) < 0.015


# Between.


def way_of(path) -> tuple[float, bool]:
    """The share of details that are on their way in the middle, and whether the middle is a mixture of the ends."""
    ends_and_middle = pictures(path, [0, NUM_FRAMES // 2, -1])
    share, found = between_share(*ends_and_middle)
    assert found >= 20
    return share, is_dissolve(*ends_and_middle)


def test_what_both_frames_show_is_on_its_way_in_the_middle():
    share, is_mixed = way_of(led().video)
    assert share > 0.8
    assert not is_mixed


def test_a_cross_fade_is_refused():
    shares = np.linspace(0, 1, NUM_FRAMES)
    faded = video_file(cv2.addWeighted(view(-120), 1 - share, view(120), share, 0) for share in shares)
    share, is_mixed = way_of(faded)
    assert share < 0.3
    assert is_mixed


@pytest.mark.full
def test_images_that_share_nothing_are_not_mixed_either():
    frames = given(Role.FIRST_FRAME, photograph("coffee")), given(Role.LAST_FRAME, photograph("chelsea"))
    film = take("The camera pans right.", *frames, **SILENT)
    parts = pictures(film.video, [0, NUM_FRAMES * 2 // 5, NUM_FRAMES // 2, NUM_FRAMES * 3 // 5, -1])
    assert not any(is_dissolve(parts[0], middle, parts[-1]) for middle in parts[1:-1])


# One film after the other.


def test_a_film_from_the_last_frame_of_another_begins_where_that_ended():
    last_picture = led().last_frame
    chained = take("The camera pushes in.", (Role.FIRST_FRAME, last_picture), **SILENT)
    end, before = pictures(led().video, [-1, -12])
    begin, second = pictures(chained.video, [0, 1])
    assert similarity(end, begin) >= FOUND
    assert similarity(begin, second) >= FOUND
    assert similarity(before, begin) < FOUND


@pytest.mark.full
def test_the_last_frame_that_is_handed_on_bears_no_mark():
    wants = {"watermark": True, "shows_label": True, "return_last_frame": True, **SILENT}
    marked = take("The camera pushes in.", given(Role.FIRST_FRAME, photograph("coffee")), **wants)
    still = cv2.cvtColor(cv2.imread(str(marked.last_frame)), cv2.COLOR_BGR2RGB)
    clean, stamped = (pictures(film.video, [-1])[0] for film in (pushed(), marked))
    assert similarity(still, clean) >= FOUND
    height_px, width_px = still.shape[:2]
    for corner in (np.s_[: height_px // 6, : width_px // 4], np.s_[-height_px // 6 :, -width_px // 4 :]):
        here, plain, with_mark = (np.ascontiguousarray(one[corner]) for one in (still, clean, stamped))
        assert similarity(here, plain) > 0.93
        assert similarity(with_mark, plain) < 0.93
