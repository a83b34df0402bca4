"""Films of reference videos and images, judged on what a player decodes: joints, edits, who stands where."""

from functools import cache

import cv2
import numpy as np
import pytest

import edit_judges
from film_judges import pictures, where
from film_studio import FPS, PHOTOGRAPHS, SIZE, image_file, photograph, take, video_file
from transition_judges import goes_on, ssim
from understudy.core.content import Role

SILENT = {"generate_audio": False}
NUM_FRAMES = 96
SOURCE_FRAMES = 48
KEPT = 0.95
"""So much like its source, at least, a film stays where nothing was to be changed."""

FOUND = 10
"""Details that must lie as in an image; pictures without it have 5 at most."""


@cache
def panned() -> list[np.ndarray]:
    """A camera that goes right over a photograph of a table for two seconds."""
    width_px, height_px = SIZE
    large = photograph("coffee", (1300, 746))
    lefts = range(20, 20 + 5 * SOURCE_FRAMES, 5)
    return [np.ascontiguousarray(large[120 : 120 + height_px, left : left + width_px]) for left in lefts]


@cache
def panned_file():
    return Role.REFERENCE_VIDEO, video_file(panned())


# Extension.


def around(film_pictures: list[np.ndarray], joint: int) -> tuple[list[np.ndarray], int]:
    return film_pictures[joint - 8 : joint + 8], 8


@cache
def onward() -> list[np.ndarray]:
    return pictures(take("Extend video 1.", panned_file(), **SILENT).video)


@pytest.mark.full
def test_an_extension_begins_with_the_video_and_goes_on_as_it_moved():
    film = onward()
    assert ssim(film[0], panned()[0]) >= KEPT
    assert ssim(film[SOURCE_FRAMES - 1], panned()[-1]) >= KEPT
    assert goes_on(*around(film, SOURCE_FRAMES))


@pytest.mark.parametrize("wrong", ["stands", "jumps", "begins again"])
def test_an_extension_that_stands_or_jumps_is_refused(wrong):
    source = panned()
    after = {
        "stands": [source[-1]] * 8,
        "jumps": [photograph("chelsea")] * 8,
        "begins again": source[:8],
    }[wrong]
    film = pictures(video_file([*source[-8:], *after]))
    assert not goes_on(film, 8)


@pytest.mark.full
def test_an_extension_backward_leads_to_the_video_with_its_motion():
    film = pictures(take("Extend video 1 backward.", panned_file(), **SILENT).video)
    joint = max(range(24, NUM_FRAMES - 24), key=lambda index: ssim(film[index], panned()[0]))
    assert ssim(film[joint], panned()[0]) >= KEPT
    assert goes_on(*around(film, joint))
    assert ssim(film[0], panned()[0]) < KEPT


@pytest.mark.full
def test_an_extension_says_where_the_film_stops_being_the_video():
    film = onward()
    assert ssim(film[-1], panned()[-1]) < KEPT


# Stitching.


@pytest.mark.full
def test_videos_follow_each_other_in_the_order_of_the_words():
    clips = {}
    for name in ("coffee", "chelsea"):
        large = photograph(name, (1000, 574))
        clips[name] = [np.ascontiguousarray(large[40:536, 2 * i : 2 * i + 864]) for i in range(SOURCE_FRAMES)]
    media = [(Role.REFERENCE_VIDEO, video_file(clip)) for clip in clips.values()]
    film = pictures(take("Stitch video 2 and then video 1.", *media, **SILENT).video)
    assert ssim(film[0], clips["chelsea"][0]) >= KEPT
    assert ssim(film[-1], clips["coffee"][-1]) >= KEPT
    assert ssim(film[0], clips["coffee"][0]) < 0.7


# Edits.


GREEN_DEG = 120.0
BALLOON = "Put a green balloon on the left of video 1."


def left(share: float) -> np.ndarray:
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=bool)
    mask[:, : round(SIZE[0] * share)] = True
    return mask


@cache
def edited() -> list[np.ndarray]:
    return pictures(take(BALLOON, panned_file(), duration_s=-1, **SILENT).video, range(0, SOURCE_FRAMES, 6))


@cache
def sources() -> list[np.ndarray]:
    return panned()[::6]


@pytest.mark.full
def test_what_an_edit_puts_in_is_seen_and_all_else_stays_the_source():
    elsewhere = ~left(0.55)
    assert min(edit_judges.kept(*pair, elsewhere) for pair in zip(sources(), edited(), strict=True)) >= KEPT
    greens, before = (
        np.array([edit_judges.hue_share(picture, left(0.5), GREEN_DEG) for picture in film])
        for film in (edited(), sources())
    )
    assert greens.min() > 0.02
    assert before.max() < 0.005


def test_a_film_that_is_laid_over_its_source_is_refused():
    other = photograph("chelsea")
    mixed = pictures(video_file(cv2.addWeighted(picture, 0.8, other, 0.2, 0) for picture in sources()))
    assert max(edit_judges.kept(*pair, ~left(0.55)) for pair in zip(sources(), mixed, strict=True)) < KEPT


# Images.


@cache
def picture_of(name: str) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(PHOTOGRAPHS / f"{name}.jpg")), cv2.COLOR_BGR2RGB)


def image(name: str):
    return Role.REFERENCE_IMAGE, PHOTOGRAPHS / f"{name}.jpg"


def staged(left_name: str, right_name: str) -> np.ndarray:
    """The middle of a film with two images; the order of the request is the other way round."""
    prompt = "Image 2 stands on the left of a studio and image 1 stands on the right, static camera."
    film = take(prompt, image(right_name), image(left_name), **SILENT)
    return pictures(film.video, [NUM_FRAMES // 2])[0]


@pytest.mark.parametrize(
    ("left_name", "right_name"),
    [("astronaut", "coffee"), pytest.param("coffee", "astronaut", marks=pytest.mark.full)],
)
def test_images_are_seen_where_the_prompt_puts_them(left_name, right_name):
    shown = staged(left_name, right_name)
    places = {name: where(picture_of(name), shown) for name in (left_name, right_name)}
    assert min(place[0] for place in places.values()) >= FOUND
    assert places[left_name][1] + 0.1 < places[right_name][1]
    assert where(picture_of("chelsea"), shown)[0] < FOUND


@cache
def things() -> list[np.ndarray]:
    """Nine drawn things, each with a pattern of its own, on plain ground."""
    made = []
    for number in range(9):
        rng = np.random.default_rng(number)
        ground, base = ([number * 20, 0, 238], [number * 20, 190, 150])
        colours = cv2.cvtColor(np.array([[ground, base]], np.uint8), cv2.COLOR_HSV2RGB)[0]
        pattern = np.full((400, 400, 3), colours[1], dtype=np.uint8)
        for _ in range(60):
            corner = rng.integers(0, 380, 2)
            colour = [int(value) for value in rng.integers(0, 255, 3)]
            cv2.rectangle(pattern, corner.tolist(), (corner + rng.integers(14, 60, 2)).tolist(), colour, -1)
        inside = cv2.circle(np.zeros((400, 400), np.uint8), (200, 200), 150, 255, -1, cv2.LINE_AA)
        made.append(np.where(inside[..., None] > 127, pattern, colours[0]).astype(np.uint8))
    return made


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.long), pytest.param(9, marks=pytest.mark.full)])
def test_each_of_many_images_is_seen(count):
    names = ", ".join(f"image {number}" for number in range(1, count + 1))
    media = [(Role.REFERENCE_IMAGE, image_file(thing)) for thing in things()[:count]]
    film = take(f"{names} in a studio, static camera.", *media, **SILENT)
    shown = pictures(film.video, (6, NUM_FRAMES // 2, NUM_FRAMES - 6))
    best = [max(where(thing, picture)[0] for picture in shown) for thing in things()]
    assert min(best[:count]) >= FOUND
    assert max(best[count:], default=0) < FOUND


@pytest.mark.full
def test_an_image_that_is_the_place_is_behind_who_acts():
    film = take(
        "Image 1 stands in the place of image 2.", (Role.REFERENCE_IMAGE, image_file(things()[0])), image("coffee")
    )
    (shown,) = pictures(film.video, [NUM_FRAMES // 2])
    assert where(things()[0], shown)[0] >= FOUND
    assert where(picture_of("coffee"), shown)[0] >= FOUND
    assert where(picture_of("astronaut"), shown)[0] < FOUND


@pytest.mark.full
def test_the_camera_of_a_video_moves_another_scene():
    film = take("A cat in a meadow. Use the camera movement of video 1.", panned_file(), **SILENT)
    first, later = pictures(film.video, [0, FPS])
    assert ssim(first, panned()[0]) < 0.7
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float32) for one in (first, later)]
    window = cv2.createHanningWindow(SIZE, cv2.CV_32F)
    assert cv2.phaseCorrelate(*grey, window)[0][0] < -3
