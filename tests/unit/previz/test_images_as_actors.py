"""Films made from reference images: each image is found in the film by its own details, where the prompt puts it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_judges import flow
from understudy.core.content import Modality
from understudy.engines.previz.board import cast
from understudy.engines.previz.board.cast import cast_images
from understudy.engines.previz.board.palette import carried
from understudy.engines.previz.board.scene_of_images import ImageScenes, framed_of
from understudy.engines.previz.board.studies import Study, study_of
from understudy.engines.previz.film import Film
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.pictures.photographs import Stance
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    FilmPlan,
    Framing,
    Reference,
    ReferenceUse,
    SettingKind,
    Shot,
    Subject,
    TimeOfDay,
)
from understudy.engines.previz.seeing import matte_of
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.decode import Picture, fitted, on_ground, read_image
from understudy.media.encode import write_png

PICTURES = Path(__file__).parents[2] / "assets" / "pictures"
WOMAN, CAT, CUP = (PICTURES / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee"))
SIZE = (960, 540)
FPS = 24
NUM_FRAMES = 96
MIDDLE = NUM_FRAMES // 2
LEAST_FOUND = 10
"""Details that must lie as in the image; pictures without it had 5 at most."""


def subject(*images: int, art: str = "", **wants) -> Subject:
    return Subject(art=art, word=wants.pop("word", art or "somebody"), images=images, **wants)


def plan_of(*subjects: Subject, references: tuple[Reference, ...] = (), shots: int = 1, **wants) -> FilmPlan:
    """A plan of equal shots in a studio before a camera at rest, as far as nothing else is wanted."""
    length_s = NUM_FRAMES / FPS / shots
    usual = {"setting": SettingKind.STUDIO, "framing": Framing.MEDIUM, "subjects": subjects}
    own = tuple(Shot(start_s=n * length_s, duration_s=length_s, **{**usual, **wants}) for n in range(shots))
    named = {number for one in subjects for number in one.images} | {shot.setting_image for shot in own} - {0}
    uses = {one.number for one in references}
    said = tuple(used(number, ReferenceUse.SUBJECT) for number in sorted(named - uses))
    return FilmPlan(prompt="", shots=own, lines=(), ratio="16:9", duration_s=4, references=(*references, *said))


def used(number: int, use: ReferenceUse, shot: int = 0) -> Reference:
    return Reference(modality=Modality.IMAGE, number=number, use=use, shot=shot)


def unnamed(*subjects: Subject, **wants) -> FilmPlan:
    """A plan whose prompt names no image."""
    return replace(plan_of(*subjects, **wants), references=())


def film_of(plan: FilmPlan, *images: Path, seed: int = 5, spoken: tuple[Spoken, ...] = ()) -> Film:
    scenes = ImageScenes(plan, images)
    canvas = Canvas(width_px=SIZE[0], height_px=SIZE[1], fps=FPS, num_frames=NUM_FRAMES, seed=seed)
    return Film(scenes.shots, canvas, scenes.open_shot, spoken=spoken)


def frames(plan: FilmPlan, *images: Path, at: tuple[int, ...] = (MIDDLE,), **wants) -> list[Picture]:
    film = film_of(plan, *images, **wants)
    return [film.paint(index)[..., :3].copy() for index in at]


@cache
def details(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Places, in pixels, and descriptions of an image's details."""
    picture = on_ground(read_image(path))
    points, described = cv2.SIFT_create(1200).detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None)
    return np.array([point.pt for point in points], dtype=np.float32), described


def matched(path: Path, frame: Picture) -> tuple[np.ndarray, np.ndarray]:
    """The details of an image, in its pixels, that lie in a frame as they lie in it; and the matrix to the frame."""
    places, described = details(path)
    points, seen = cv2.SIFT_create(4000, contrastThreshold=0.02).detectAndCompute(
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), None
    )
    pairs = cv2.BFMatcher().knnMatch(described, seen, k=2) if len(points) > 1 else []
    good = [one for one, other in pairs if one.distance < 0.78 * other.distance]
    before = places[[one.queryIdx for one in good]].reshape(-1, 2)
    after = np.array([points[one.trainIdx].pt for one in good], dtype=np.float32).reshape(-1, 2)
    matrix, inside = (
        (None, None)
        if len(good) < 4
        else cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=6.0)
    )
    return (before[:0], np.eye(2, 3)) if matrix is None else (before[inside[:, 0] > 0], matrix)


def where(path: Path, frame: Picture) -> tuple[int, float, float]:
    """How many details of an image lie in a frame as they do in it, and where its middle is, in parts of it."""
    kept, matrix = matched(path, frame)
    height_px, width_px = read_image(path).shape[:2]
    x, y = matrix @ np.array([width_px / 2, height_px / 2, 1.0])
    return len(kept), float(x / frame.shape[1]), float(y / frame.shape[0])


def found(path: Path, frame: Picture) -> bool:
    return where(path, frame)[0] >= LEAST_FOUND


@pytest.fixture
def fixtures(tmp_path) -> list[Path]:
    """Nine drawn things, each with a pattern of its own, on plain ground: easily cut out."""
    paths = []
    for number in range(9):
        rng = np.random.default_rng(number)
        hue = np.full((400, 400, 3), (number * 20, 0, 238), dtype=np.uint8)
        picture = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)
        thing = np.zeros((400, 400), dtype=np.uint8)
        cv2.circle(thing, (200, 200), 150, 255, -1, cv2.LINE_AA)
        pattern = np.full_like(picture, cv2.cvtColor(np.array([[[number * 20, 190, 150]]], np.uint8), 55)[0, 0])
        for _ in range(60):
            corner = rng.integers(0, 380, 2)
            colour = [int(value) for value in rng.integers(0, 255, 3)]
            cv2.rectangle(pattern, corner.tolist(), (corner + rng.integers(14, 60, 2)).tolist(), colour, -1)
        picture = np.where(thing[..., None] > 127, pattern, picture)
        paths.append(tmp_path / f"thing{number}")
        write_png(paths[-1], np.dstack([picture, np.full((400, 400), 255, np.uint8)]))
    return paths


# Who is seen.


def test_an_image_is_the_subject_and_without_it_it_is_not_seen():
    plan = plan_of(subject(1, art="woman"))
    assert found(WOMAN, frames(plan, WOMAN)[0])
    assert not found(WOMAN, frames(plan, CUP)[0])
    assert not found(CUP, frames(plan, WOMAN)[0])


def test_a_subject_is_cut_out_of_its_ground():
    own = cv2.dilate(matte_of(on_ground(read_image(WOMAN))), np.ones((15, 15), np.uint8)) > 0.1

    def details_of_the_ground(frame: Picture) -> int:
        places, _ = matched(WOMAN, frame)
        columns, rows = places.astype(int).T
        return int((~own[rows, columns]).sum())

    whole = fitted(on_ground(read_image(WOMAN)), *SIZE)
    assert details_of_the_ground(whole) > 20
    assert details_of_the_ground(frames(plan_of(subject(1, art="woman")), WOMAN)[0]) < 3


@pytest.mark.parametrize(("left", "right"), [(WOMAN, CUP), (CUP, WOMAN)])
def test_who_is_said_to_be_left_is_left(left, right):
    plan = plan_of(subject(1, place="right"), subject(2, place="left"))
    shown = frames(plan, right, left)[0]
    assert min(where(left, shown)[0], where(right, shown)[0]) >= LEAST_FOUND
    assert where(left, shown)[1] + 0.1 < where(right, shown)[1]


@pytest.mark.parametrize("count", [*(pytest.param(few, marks=pytest.mark.long) for few in (1, 4)), 9])
def test_each_image_appears_however_many_they_are(fixtures, count):
    images = fixtures[:count]
    film = film_of(plan_of(*(subject(number) for number in range(1, count + 1))), *images)
    seen = [film.paint(index)[..., :3].copy() for index in (6, MIDDLE, NUM_FRAMES - 6)]
    missing = [path.name for path in images if not any(found(path, frame) for frame in seen)]
    assert missing == []
    assert not any(found(WOMAN, frame) for frame in seen)


@pytest.mark.parametrize("named", [False, True])
def test_images_that_no_word_names_are_all_seen(named, fixtures):
    images = [WOMAN, *fixtures[:2], CAT]
    references = (used(1, ReferenceUse.SUBJECT),) if named else ()
    people = (subject(*((1,) if named else ()), art="woman"),)
    plan = replace(plan_of(*people), references=references)
    seen = frames(plan, *images, at=(8, 40, 88))
    assert all(any(found(path, frame) for frame in seen) for path in images)


def test_a_face_stands_in_for_a_person_and_a_thing_for_a_thing():
    plan = unnamed(subject(art="hot-beverage"), subject(art="woman"))
    parts = cast_images(plan, {1: study(WOMAN, 1), 2: study(CUP, 2)}).parts
    assert parts[0].subjects == {0: (2,), 1: (1,)}


@cache
def study(path: Path, number: int) -> Study:
    return study_of(path, number)


def test_views_of_one_subject_follow_each_other(fixtures):
    early, late = frames(plan_of(subject(1, 2, art="robot")), *fixtures[:2], at=(10, NUM_FRAMES - 10))
    assert [found(path, early) for path in fixtures[:2]] == [True, False]
    assert [found(path, late) for path in fixtures[:2]] == [False, True]


def test_views_are_shared_out_over_the_shots(fixtures):
    plan = plan_of(subject(1, 2, art="robot"), shots=2)
    first, second = frames(plan, *fixtures[:2], at=(20, MIDDLE + 20))
    assert (found(fixtures[0], first), found(fixtures[1], second)) == (True, True)


# What cannot be cut out.


def test_a_picture_of_nothing_in_particular_is_seen_whole(tmp_path):
    wall = tmp_path / "wall"
    rng = np.random.default_rng(1)
    noise = cv2.resize(rng.integers(0, 255, (54, 96, 3), dtype=np.uint8), (960, 540), interpolation=cv2.INTER_NEAREST)
    write_png(wall, np.dstack([noise, np.full((540, 960), 255, np.uint8)]))
    assert study_of(wall, 1).stance is None
    alone = frames(plan_of(subject(1, art="dog")), wall)[0]
    beside = frames(plan_of(subject(2, art="woman"), subject(1, art="dog")), wall, WOMAN)[0]
    assert found(wall, alone)
    assert found(wall, beside)
    assert found(WOMAN, beside)


def test_who_is_cut_off_below_rises_from_the_edge_of_the_frame():
    assert study(WOMAN, 1).stance is Stance.RISES
    film = film_of(plan_of(subject(1, art="woman"), camera=CameraMove.CRANE_UP), WOMAN)
    for index in (0, MIDDLE, NUM_FRAMES - 1):
        frame = film.paint(index)[..., :3]
        # Her orange suit goes on down to the last row.
        hue = cv2.cvtColor(np.ascontiguousarray(frame[-3:]), cv2.COLOR_RGB2HSV)
        assert ((hue[..., 0] < 12) & (hue[..., 1] > 120)).mean() > 0.05


def test_pictures_shown_whole_take_turns_when_there_are_many():
    framed = framed_of([np.zeros((4, 4, 3), np.uint8)] * 7, duration_s=4.0)
    assert sorted({(one.start, one.end) for one in framed})[0][0] == 0.0
    assert max(one.of for one in framed) <= 3
    assert len(framed_of([np.zeros((4, 4, 3), np.uint8)] * 7, duration_s=0.5)) == 7


# Where it happens.


def test_an_image_is_the_place_behind_who_acts(fixtures):
    plan = plan_of(subject(1, art="robot"), setting_image=2)
    shown = frames(plan, fixtures[0], CUP)[0]
    assert found(fixtures[0], shown)
    assert found(CUP, shown)
    assert not found(CUP, frames(plan_of(subject(1, art="robot")), fixtures[0])[0])


def test_the_place_is_empty_of_who_stands_before_it():
    plan = plan_of(subject(1, art="woman", place="right"), setting_image=1)
    scenes = ImageScenes(plan, [WOMAN])
    kept, emptied = (study(WOMAN, 1).place(is_emptied=is_emptied)[0] for is_emptied in (False, True))
    assert where(WOMAN, kept)[0] > 3 * where(WOMAN, emptied)[0]
    assert scenes.cast.parts[0].setting == 1
    assert scenes.cast.parts[0].subjects == {0: (1,)}


def test_the_camera_moves_through_the_place_in_depth(fixtures):
    plan = plan_of(subject(1, art="robot"), setting_image=2, camera=CameraMove.TRACK)
    moved = flow(*frames(plan, fixtures[0], CUP, at=(40, 50)))[..., 0]
    rows, columns = moved.shape
    far, near = moved[: rows // 5, : columns // 3], moved[-rows // 5 :, : columns // 3]
    # The table's near edge goes by faster than its far one.
    assert abs(np.median(near)) > 2 * abs(np.median(far))


# What they do.


def test_a_subject_moves_as_the_prompt_says(fixtures):
    still, floats, jumps = (
        [
            where(fixtures[0], frame)[1:]
            for frame in frames(plan_of(subject(1, art="robot", action=action)), fixtures[0], at=(0, 8, 16, 24, 90))
        ]
        for action in (Action.IDLE, Action.FLOAT, Action.JUMP)
    )
    assert np.ptp([y for _, y in still]) < 0.02
    assert np.ptp([y for _, y in jumps]) > 0.08
    assert np.ptp([y for _, y in floats]) > 0.02


def test_who_speaks_moves_with_the_voice():
    loud = (Spoken(line=0, start_s=1.0, end_s=3.0, envelope=(0.0, 1.0) * 24, shot=0, speaker=0),)
    plan = plan_of(subject(1, art="woman"))
    (quiet, other), (speaking, _) = (frames(plan, WOMAN, at=(37, 38), spoken=spoken) for spoken in ((), loud))
    moved = np.abs(quiet.astype(int) - speaking).mean()
    at_rest = np.abs(quiet.astype(int) - other).mean()
    assert moved > 2 * at_rest


def test_a_subject_is_in_the_light_of_its_scene():
    night, day = (
        frames(plan_of(subject(1, art="robot"), setting=SettingKind.MEADOW, time_of_day=time), CUP)[0]
        for time in (TimeOfDay.NIGHT, TimeOfDay.DAY)
    )
    x, y = (int(part * size) for part, size in zip(where(CUP, day)[1:], SIZE, strict=True))
    patch = (slice(y - 40, y + 40), slice(x - 40, x + 40))
    assert night[patch].mean() < 0.85 * day[patch].mean()
    assert found(CUP, night)


def test_a_thing_is_beside_its_subject_or_upon_it(fixtures):
    beside, worn = (
        frames(plan_of(subject(1, art="woman"), references=(used(2, use),)), WOMAN, fixtures[3])[0]
        for use in (ReferenceUse.PROP, ReferenceUse.WORN)
    )
    assert found(fixtures[3], beside)
    assert found(fixtures[3], worn)
    apart = [abs(where(fixtures[3], frame)[1] - where(WOMAN, frame)[1]) for frame in (beside, worn)]
    assert apart[0] > 0.12 > apart[1]


def test_a_style_image_gives_the_film_its_colours(fixtures):
    plan = plan_of(subject(art="cat"), setting=SettingKind.MEADOW)
    styled = replace(plan, references=(used(1, ReferenceUse.STYLE),))
    plain, graded = frames(replace(plan, references=(used(1, ReferenceUse.FIRST_FRAME),)), CUP), frames(styled, CUP)
    wanted = on_ground(read_image(CUP)).reshape(-1, 3).mean(axis=0)
    before, after = (np.abs(frame[0].reshape(-1, 3).mean(axis=0) - wanted).sum() for frame in (plain, graded))
    assert after < before / 2


def test_colours_are_carried_over_to_those_of_the_picture():
    rng = np.random.default_rng(3)
    own = np.clip(rng.normal((90, 120, 60), 25, (96, 96, 3)), 0, 255).astype(np.uint8)
    wanted = np.clip(rng.normal((180, 90, 110), 35, (96, 96, 3)), 0, 255).astype(np.uint8)
    changed = cv2.transform(np.dstack([own, own[..., :1]]), carried(own, wanted))[..., :3]
    assert np.abs(changed.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() < 30
    assert np.abs(own.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() > 45


# Repetition, frames, notes.


def test_equal_films_are_equal_to_the_byte(fixtures):
    plan = plan_of(subject(1, art="robot", action=Action.WALK), setting_image=2, camera=CameraMove.PUSH_IN)
    one, other = (frames(plan, fixtures[0], CUP, at=(0, MIDDLE)) for _ in range(2))
    assert all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))


def test_images_named_as_frames_are_left_to_who_draws_those():
    plan = plan_of(subject(2, art="woman"), references=(used(1, ReferenceUse.FIRST_FRAME),))
    made = cast_images(plan, {1: study(CUP, 1), 2: study(WOMAN, 2)})
    assert made.parts[0].numbers == {2}


def test_what_was_done_is_told_in_plain_words():
    plan = plan_of(subject(1, art="woman"), subject(2, art="cat"), setting_image=3)
    made = cast_images(plan, {1: study(WOMAN, 1), 2: study(CAT, 2), 3: study(CUP, 3)})
    assert set(made.notes) == {
        cast.AS_SUBJECTS.format(images="Image 1 is"),
        cast.AS_PLACE.format(images="Image 3 is"),
        cast.NOT_CUT.format(images="Image 2 is", fault=cast.BEYOND),
    }
    assert cast.named({1, 2, 4}) == "Images 1, 2 and 4 are"
