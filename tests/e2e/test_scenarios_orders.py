"""What is ordered beside the words holds in every scenario: size, length, seed, the draft that its final looks like."""

from functools import cache

import cv2
import numpy as np
import pytest

from depth_judges import similarity
from film_judges import pictures
from film_studio import (
    FPS,
    MODEL,
    PHOTOGRAPHS,
    SEED,
    image_file,
    job_of,
    order_of,
    photograph,
    take,
    take_elsewhere,
    video_file,
)
from understudy.catalog.load import load_catalogue
from understudy.core.content import Role
from understudy.engines.previz.engine import plan_job
from understudy.media.probe import probe_film

SILENT = {"generate_audio": False}
LONG_MODEL = "doubao-seedance-2-5-260628"
TABLES = {name: load_catalogue().models[name] for name in (MODEL, LONG_MODEL, "doubao-seedance-1-0-pro-250528")}
FEW = 3
"""Frames that tell a film's size as well as all of them do."""


@cache
def video():
    """Two seconds of a camera that goes down over a photograph."""
    large = photograph("chelsea", (864, 640))
    return Role.REFERENCE_VIDEO, video_file(large[3 * index : 3 * index + 496] for index in range(2 * FPS))


def image(role: Role = Role.FIRST_FRAME):
    return role, image_file(photograph("coffee"))


def portraits():
    return [(Role.REFERENCE_IMAGE, PHOTOGRAPHS / f"{name}.jpg") for name in ("astronaut", "coffee")]


SCENARIOS = {
    "text": ("A knight rides a horse through snowy mountains at dawn, the camera is handheld.", list),
    "first frame": ("The camera is handheld.", lambda: [image()]),
    "both frames": (
        "The camera pushes in.",
        lambda: [image(), (Role.LAST_FRAME, image_file(photograph("chelsea")))],
    ),
    "images": ("Image 1 stands on a beach, image 2 stands on the right, handheld camera.", portraits),
    "edit": ("Make video 1 a snowy night.", lambda: [video()]),
    "extension": ("Extend video 1.", lambda: [video()]),
}


def made(scenario: str, **wants: object):
    prompt, media = SCENARIOS[scenario]
    return take(prompt, *media(), **SILENT, **wants)


# Sizes.


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(
    "resolution",
    [
        *(pytest.param(each, marks=pytest.mark.long) for each in ("720p", "1080p")),
        pytest.param("4k", marks=pytest.mark.full),
    ],
)
def test_every_scenario_comes_in_every_resolution(scenario, resolution):
    film = made(scenario, resolution=resolution, frames=FEW)
    facts = probe_film(film.video)
    assert (facts.width_px, facts.height_px) == TABLES[MODEL].sizes[resolution]["16:9"]
    assert facts.num_frames == FEW


# Words alone are rendered in every size of every model: see `unit/previz/test_engine_jobs.py`.
@pytest.mark.parametrize(
    "resolutions",
    [
        pytest.param(("480p",), marks=pytest.mark.full, id="small"),
        pytest.param(("720p", "1080p", "4k"), marks=pytest.mark.long, id="large"),
    ],
)
def test_every_ratio_of_every_table_is_exact(resolutions):
    # Each different size once: the tables have many in common.
    ordered = {
        size: (name, resolution, ratio)
        for name, model in TABLES.items()
        for resolution in resolutions
        if resolution in model.sizes
        for ratio, size in model.sizes[resolution].items()
    }
    assert len(ordered) >= 6
    found = []
    for name, resolution, ratio in ordered.values():
        film = made("first frame", model=name, resolution=resolution, ratio=ratio, frames=FEW)
        facts = probe_film(film.video)
        found.append((facts.width_px, facts.height_px))
    assert found == list(ordered)


# Lengths.


@pytest.mark.full
def test_a_film_of_thirty_seconds_is_as_long_as_that():
    film = take(
        'A cat walks through a garden at dawn. The cat says: "What a long day this will be."',
        model=LONG_MODEL,
        duration_s=30,
    )
    facts = probe_film(film.video)
    assert (facts.num_frames, facts.duration_s) == (30 * FPS, pytest.approx(30, abs=1e-6))
    assert facts.sound_duration_s == pytest.approx(30, abs=1e-6)
    with pytest.raises(AssertionError):
        assert probe_film(take("A cat.", model=LONG_MODEL).video).num_frames == 30 * FPS


@pytest.mark.parametrize("name", [MODEL, LONG_MODEL])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_length_that_is_left_open_is_one_the_model_has(name, scenario):
    prompt, media = SCENARIOS[scenario]
    plan = plan_job(job_of(prompt, "", media=media(), model=name, duration_s=-1))
    assert TABLES[name].duration_s.holds(plan.duration_s)


@pytest.mark.parametrize(
    "name", [pytest.param(MODEL, marks=pytest.mark.full), pytest.param(LONG_MODEL, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_film_whose_length_was_left_open_is_as_long_as_its_plan(name, scenario):
    prompt, media = SCENARIOS[scenario]
    wants = {"model": name, "duration_s": -1, **SILENT}
    plan = plan_job(job_of(prompt, "", media=media(), **wants))
    film = take(prompt, *media(), **wants)
    assert film.result.duration_s == plan.duration_s
    assert probe_film(film.video).num_frames == plan.duration_s * FPS


@pytest.mark.parametrize(("scenario", "most_s"), [("edit", 4), ("extension", 7)])
def test_a_length_that_is_left_open_follows_the_videos(scenario, most_s):
    # Two seconds are given; an edit is as short as the model allows, an extension adds what a film usually is.
    prompt, media = SCENARIOS[scenario]
    assert plan_job(job_of(prompt, "", media=media(), duration_s=-1)).duration_s == most_s


# Seeds.


@pytest.mark.full
def test_the_same_order_gives_the_same_bytes_in_another_process_too(tmp_path):
    # One process for all: to start one takes longer than a film.
    orders = []
    for number, (prompt, media) in enumerate(SCENARIOS.values()):
        (tmp_path / str(number)).mkdir()
        orders.append(order_of(prompt, tmp_path / str(number), *media(), frames=FPS, **SILENT))
    films = dict(zip(SCENARIOS, take_elsewhere(*orders), strict=True))
    unlike = [name for name, film in films.items() if film.read_bytes() != made(name, frames=FPS).video.read_bytes()]
    assert unlike == []


@pytest.mark.full
@pytest.mark.parametrize("scenario", ["text", "first frame", "images", "edit"])
def test_another_seed_gives_another_film(scenario):
    one, other = (made(scenario, frames=FEW, seed=seed) for seed in (SEED, SEED + 1))
    assert one.video.read_bytes() != other.video.read_bytes()


# Drafts.


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_draft_and_its_final_have_one_plan(scenario):
    prompt, media = SCENARIOS[scenario]
    draft, final = (
        plan_job(job_of(prompt, "", media=media(), model=LONG_MODEL, resolution=resolution, draft=is_draft))
        for resolution, is_draft in (("480p", True), ("1080p", False))
    )
    assert draft == final


@pytest.mark.full
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_final_looks_like_its_draft_and_unlike_another_seeds(scenario):

    def shown(**more):
        return pictures(made(scenario, model=LONG_MODEL, frames=FPS // 2, **more).video, [3, FPS // 2 - 1])

    drafts, finals = shown(), shown(resolution="1080p")
    height_px, width_px = drafts[0].shape[:2]
    smaller = [cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA) for picture in finals]
    likeness = min(similarity(one, other) for one, other in zip(drafts, smaller, strict=True))
    # Fine grain of snow and rock is smaller in more pixels.
    assert likeness > 0.8
    if scenario in ("text", "images"):
        others = shown(seed=SEED + 5)
        assert min(similarity(one, other) for one, other in zip(drafts, others, strict=True)) < likeness - 0.1
    assert not np.array_equal(drafts[0], drafts[1])
