"""Given videos edited as the plan says: what is named changes, what is not stays, and nothing trembles."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import edit_judges as judges
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.engines.previz.board.edits import EditedVideo
from understudy.engines.previz.board.given import Footage, Given
from understudy.engines.previz.board.painter import Board
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.plan import CameraMove, Edit, EditKind
from understudy.media.decode_video import VideoReader
from unit.previz.moving import FPS, ROOT, SIZE, Picture, panned, photo, view, with_ball, written

NUM_FRAMES = 25
RADIUS_PX = 24
CANVAS = Canvas(width_px=SIZE[0], height_px=SIZE[1], fps=FPS, num_frames=NUM_FRAMES, seed=3)


def ball_at(index: int) -> tuple[float, float]:
    return 60 + index * 9.0, 150 - 30 * float(np.sin(index / 5))


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A green ball that flies through a photograph of a cup before a still camera."""
    path = tmp_path_factory.mktemp("edits") / "ball.mp4"
    ground = photo("coffee")
    written(path, [with_ball(ground, *ball_at(index), RADIUS_PX) for index in range(NUM_FRAMES)])
    return path


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person in an orange suit, whom the camera passes."""
    path = tmp_path_factory.mktemp("edits") / "person.mp4"
    large = cv2.copyMakeBorder(photo("astronaut", 300, 300), 0, 0, 180, 180, cv2.BORDER_REPLICATE)
    frames = [view(np.asarray(large, np.uint8), (i - 12) * 1.5, 10, growth=0.95) for i in range(NUM_FRAMES)]
    written(path, frames)
    return path


@cache
def source(path: Path) -> list[Picture]:
    with VideoReader(path, FPS) as reader:
        return [picture.copy() for picture in reader.pictures()]


@cache
def edited(path: Path, *edits: Edit) -> tuple[list[Picture], tuple[str, ...]]:
    """All pictures of a video with edits, made once however many tests look at them."""
    return drawn(path, *edits)


def drawn(
    path: Path, *edits: Edit, num_frames: int = NUM_FRAMES, images: Sequence[Path] = ()
) -> tuple[list[Picture], tuple[str, ...]]:
    """The first pictures of a video with edits."""
    stretch = Stretch(path=path, begins_with=0, num_frames=num_frames, fps=FPS, size_px=SIZE)
    video = EditedVideo(stretch, edits, CANVAS, images=images)
    frames = [video.picture(picture, index) for index, picture in enumerate(source(path)[:num_frames])]
    return frames, video.notes


def seen_at(path: Path, indices: Sequence[int], *edits: Edit) -> tuple[list[Picture], tuple[str, ...]]:
    """Some pictures of a video with edits that know nothing of the pictures before."""
    stretch = Stretch(path=path, begins_with=0, num_frames=NUM_FRAMES, fps=FPS, size_px=SIZE)
    video = EditedVideo(stretch, edits, CANVAS)
    return [video.picture(source(path)[index], index) for index in indices], video.notes


@cache
def around(index: int, reach: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    x, y = ball_at(index)
    return np.asarray(np.hypot(columns - x, rows - y) < reach * RADIUS_PX)


def as_film(frames: Sequence[Picture], path: Path) -> list[Picture]:
    written(path, frames)
    return source(path)


REMOVE = Edit(kind=EditKind.REMOVE, target="green ball")


def test_a_removed_thing_is_gone_and_what_was_behind_it_is_seen(rolling: Path) -> None:
    frames, notes = edited(rolling, REMOVE)
    true = photo("coffee")
    assert not notes
    for index in (0, 13, 24):
        assert judges.apart(true, frames[index], around(index, 0.9)) < 12
        assert judges.hue_share(frames[index], around(index, 1.2), 132) < 0.02


def test_what_is_not_named_stays_the_same_to_the_byte(rolling: Path) -> None:
    frames, _ = edited(rolling, REMOVE)
    for index, (before, after) in enumerate(zip(source(rolling), frames, strict=True)):
        elsewhere = ~around(index, 2.6)
        assert np.array_equal(before[elsewhere], after[elsewhere])


def test_what_is_not_named_stays_through_encoding(rolling: Path, tmp_path: Path) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.REPLACE, target="green ball", by="cat", art="cat"))
    before, after = as_film(source(rolling), tmp_path / "a.mp4"), as_film(frames, tmp_path / "b.mp4")
    for index in (2, 14, 22):
        assert judges.kept(before[index], after[index], ~around(index, 4.5)) >= 0.97


def test_a_plain_overlay_is_refused_by_the_judge(rolling: Path) -> None:
    before = source(rolling)[5]
    veiled = np.asarray(cv2.addWeighted(before, 0.6, np.full_like(before, 128), 0.4, 0), dtype=np.uint8)
    assert judges.kept(before, veiled, ~around(5, 2.6)) < 0.97


def test_a_replacement_is_where_the_thing_was(rolling: Path) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.REPLACE, target="green ball", by="cat", art="cat"))
    without, _ = edited(rolling, REMOVE)
    for index in (3, 14, 22):
        changed = np.abs(frames[index].astype(int) - without[index].astype(int)).max(axis=2) > 24
        rows, columns = np.nonzero(changed)
        x, y = ball_at(index)
        assert abs(columns.mean() - x) < 20
        assert abs(rows.mean() - y) < 24
        assert 0.3 < changed.sum() / (np.pi * RADIUS_PX**2) < 3


def test_a_thing_is_replaced_by_the_subject_of_an_image(rolling: Path) -> None:
    edit = Edit(kind=EditKind.REPLACE, target="green ball", image=1)
    (frame,), _ = drawn(rolling, edit, num_frames=1, images=(ROOT / "astronaut.jpg",))
    assert judges.apart(source(rolling)[0], frame, around(0, 0.9)) > 40


def test_a_recoloured_thing_has_the_colour_and_its_shades(rolling: Path) -> None:
    frames, _ = drawn(rolling, Edit(kind=EditKind.RECOLOUR, target="green ball", by="blue", value="blue"), num_frames=9)
    before = source(rolling)
    for index in (0, 4, 8):
        inside = around(index, 0.85)
        assert judges.hue_share(before[index], inside, 220) < 0.05
        assert judges.hue_share(frames[index], inside, 220) > 0.8
        ring = [picture[inside].astype(float).max(axis=1).std() for picture in (before[index], frames[index])]
        assert ring[1] > 0.4 * ring[0]


def test_clothes_are_recoloured_and_the_face_is_not(portrait: Path) -> None:
    frames, _ = drawn(portrait, Edit(kind=EditKind.RECOLOUR, target="jacket", by="green", value="green"), num_frames=13)
    before = source(portrait)
    for index in (0, 6, 12):
        orange = np.zeros(SIZE[::-1], dtype=bool)
        orange[150:230, 150:260] = True
        assert judges.hue_share(before[index], orange, 14) > 0.5
        assert judges.hue_share(frames[index], orange, 122) > 0.5
        assert judges.kept(before[index][:80], frames[index][:80], np.ones((80, SIZE[0]), dtype=bool)) > 0.97


def test_another_background_leaves_the_subject(portrait: Path) -> None:
    frames, _ = drawn(portrait, Edit(kind=EditKind.BACKGROUND, by="beach", value="beach"), num_frames=13)
    before = source(portrait)
    suit, corner = np.zeros(SIZE[::-1], dtype=bool), np.zeros(SIZE[::-1], dtype=bool)
    suit[170:220, 180:240], corner[:60, 380:] = True, True
    for index in (0, 6, 12):
        assert judges.apart(before[index], frames[index], corner) > 40
        assert judges.hue_share(frames[index], suit, 14) > 0.5


PAN_PX, FAST_PAN_PX = 3.0, 16.0


@pytest.fixture(scope="module")
def panning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera that goes right: what it sees goes left."""
    path = tmp_path_factory.mktemp("edits") / "pan.mp4"
    panned(path, PAN_PX, NUM_FRAMES)
    return path


@pytest.fixture(scope="module")
def panning_fast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera that goes right by most of a picture."""
    path = tmp_path_factory.mktemp("edits") / "fast.mp4"
    panned(path, FAST_PAN_PX, NUM_FRAMES)
    return path


def boxes_of_new(path: Path, edit: Edit, indices: Sequence[int]) -> list[tuple[float, float, float, float]]:
    """Where something was put in: left, top, right and bottom of what changed."""
    found = []
    for index, after in zip(indices, seen_at(path, indices, edit)[0], strict=True):
        changed = np.abs(after.astype(int) - source(path)[index].astype(int)).max(axis=2) > 30
        rows, columns = np.nonzero(changed)
        assert rows.size > 200
        found.append((float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())))
    return found


BALLOON = Edit(kind=EditKind.INSERT, by="red balloon", art="balloon", value="balloon", place="left")
INDICES = range(0, NUM_FRAMES, 4)


@pytest.mark.parametrize("edit", [BALLOON, Edit(kind=EditKind.INSERT, by="dog", art="dog", value="dog", place="right")])
def test_what_is_put_in_goes_with_the_world(panning: Path, edit: Edit) -> None:
    path_px = np.array([(left + right) / 2 for left, _, right, _ in boxes_of_new(panning, edit, INDICES)])
    world_px = np.array([-PAN_PX * index for index in INDICES])
    assert np.corrcoef(path_px, world_px)[0, 1] > 0.95
    # A balloon sways a little besides.
    assert path_px[-1] - path_px[0] == pytest.approx(world_px[-1], abs=20)


def test_what_is_put_in_on_the_left_is_on_the_left_while_the_camera_pans(panning: Path) -> None:
    for left, _, right, _ in boxes_of_new(panning, BALLOON, INDICES):
        assert 0 < (left + right) / 2 < 0.45 * SIZE[0]


def test_what_hangs_in_the_air_stays_in_the_frame_of_a_fast_pan(panning_fast: Path) -> None:
    boxes = boxes_of_new(panning_fast, BALLOON, INDICES)
    assert all(0 < (left + right) / 2 < SIZE[0] for left, _, right, _ in boxes)
    assert boxes[0][0] > boxes[-1][0]


def test_animals_stand_below_and_what_flies_is_above(panning: Path) -> None:
    def bottom_of(by: str, art: str) -> float:
        edit = Edit(kind=EditKind.INSERT, by=by, art=art, value=art, place="left")
        return boxes_of_new(panning, edit, (12,))[0][3] / SIZE[1]

    assert bottom_of("dog", "dog") > 0.85
    assert bottom_of("dog flying", "dog") < 0.7
    assert bottom_of("dragon flying", "dragon") < 0.7
    assert bottom_of("balloon", "balloon") < 0.7


def test_what_flies_flies_on_through_the_world(panning: Path) -> None:
    edit = Edit(kind=EditKind.INSERT, by="flying dragon", art="dragon", value="dragon", place="left")
    first, *_, last = ((left + right) / 2 for left, _, right, _ in boxes_of_new(panning, edit, INDICES))
    assert last - first > -PAN_PX * INDICES[-1] + 15


def test_night_is_darker_and_keeps_the_structure(portrait: Path) -> None:
    frames, _ = seen_at(portrait, (0, 12, 24), Edit(kind=EditKind.TIME, by="night", value="night"))
    for before, after in zip(source(portrait)[::12], frames, strict=True):
        assert judges.luma(after) < 0.6 * judges.luma(before)
        assert judges.structure(before, after) > 0.7
        assert after[..., 2].mean() > after[..., 0].mean()


SNOW = Edit(kind=EditKind.WEATHER, by="snow", value="snow")
NIGHT = Edit(kind=EditKind.TIME, by="night", value="night")


def test_a_snowy_night_is_dark_and_full_of_flakes(portrait: Path) -> None:
    (night,), _ = seen_at(portrait, (12,), NIGHT)
    (both,), _ = seen_at(portrait, (12,), SNOW, NIGHT)
    assert judges.luma(both) < 0.6 * judges.luma(source(portrait)[12])
    assert judges.flakes(both) > judges.flakes(night) + 40


@pytest.mark.parametrize("weather", ["rain", "snow", "fog"])
def test_weather_is_seen_and_so_is_the_video(portrait: Path, weather: str) -> None:
    frames, _ = seen_at(portrait, (0, 12, 24), Edit(kind=EditKind.WEATHER, by=weather, value=weather))
    whole = np.ones(SIZE[::-1], dtype=bool)
    for before, after in zip(source(portrait)[::12], frames, strict=True):
        assert judges.apart(before, after, whole) > 10
        assert judges.structure(before, after) > 0.4


STYLES = [
    "anime", "cartoon", "comic", "clay", "watercolor", "oil", "ink", "sketch", "noir", "monochrome", "vintage", "pixel",
    "cyberpunk", "cinematic", "pastel", "documentary", "horror", "fantasy",
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_a_style_changes_the_picture_and_keeps_what_it_shows(portrait: Path, style: str) -> None:
    (frame,), notes = seen_at(portrait, (14,), Edit(kind=EditKind.STYLE, by=style, value=style))
    before = source(portrait)[14]
    assert not notes
    assert judges.apart(before, frame, np.ones(SIZE[::-1], dtype=bool)) > 4
    assert judges.structure(before, frame) > 0.4


@pytest.mark.parametrize("style", ["cyberpunk", "fantasy", "sketch"])
def test_a_style_leaves_drawing_in_the_lights_and_in_the_shades(portrait: Path, style: str) -> None:
    (frame,), _ = seen_at(portrait, (14,), Edit(kind=EditKind.STYLE, by=style, value=style))
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    assert (grey > 252).mean() < 0.1
    assert grey.std() > 22


@pytest.mark.parametrize("style", ["anime", "cartoon", "watercolor", "pixel"])
def test_a_drawn_style_does_not_tremble_where_the_video_stands(rolling: Path, style: str) -> None:
    frames, _ = seen_at(rolling, range(8), Edit(kind=EditKind.STYLE, by=style, value=style))
    still = np.zeros(SIZE[::-1], dtype=bool)
    still[200:, :60] = True
    assert judges.flicker(frames, still) < 3 + 3 * judges.flicker(source(rolling)[:8], still)


def test_what_is_filled_in_does_not_tremble(rolling: Path) -> None:
    frames, _ = edited(rolling, REMOVE)
    was_crossed = around(14, 0.8)
    assert judges.flicker(frames, was_crossed) < 1.5


def test_words_are_written_on_it(rolling: Path) -> None:
    frames, _ = seen_at(rolling, (10,), Edit(kind=EditKind.TEXT, by="Summer", value="Summer", place="bottom"))
    low = np.zeros(SIZE[::-1], dtype=bool)
    low[205:240, 150:282] = True
    assert judges.apart(source(rolling)[10], frames[0], low) > 15


def test_equal_edits_give_equal_bytes(rolling: Path) -> None:
    one, other = (drawn(rolling, REMOVE, num_frames=3)[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_is_not_to_be_found_is_said_and_nothing_changes(rolling: Path) -> None:
    (frame,), notes = drawn(rolling, Edit(kind=EditKind.REMOVE, target="purple ball"), num_frames=1)
    assert any("purple ball" in note for note in notes)
    assert np.array_equal(source(rolling)[0], frame)


def test_the_board_shows_the_edits_of_its_own_video_only(rolling: Path) -> None:
    video = Footage(path=rolling, duration_s=NUM_FRAMES / FPS, number=2)
    night = replace(NIGHT, video=2)
    shown = []
    for edits in ((), (night,), (replace(night, video=1),)):
        board = Board(Given(videos=(video,)), CANVAS, CameraMove.STATIC, edits=edits)
        shown.append(board.paint(4)[..., :3].copy())
        board.close()
    assert judges.luma(shown[1]) < 0.6 * judges.luma(shown[0])
    assert np.array_equal(shown[0], shown[2])
