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
from unit.previz.moving import FPS, ROOT, SIZE, Picture, photo, view, with_ball, written

NUM_FRAMES = 28
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
    frames = [view(np.asarray(large, np.uint8), (i - 14) * 1.5, 10, growth=0.95) for i in range(NUM_FRAMES)]
    written(path, frames)
    return path


@cache
def source(path: Path) -> list[Picture]:
    with VideoReader(path, FPS) as reader:
        return [picture.copy() for picture in reader.pictures()]


@cache
def edited(path: Path, *edits: Edit, images: tuple[Path, ...] = ()) -> tuple[list[Picture], tuple[str, ...]]:
    """All pictures of a video with edits, made once however many tests look at them."""
    return drawn(path, *edits, images=images)


def drawn(path: Path, *edits: Edit, images: Sequence[Path] = ()) -> tuple[list[Picture], tuple[str, ...]]:
    stretch = Stretch(path=path, begins_with=0, num_frames=NUM_FRAMES, fps=FPS, size_px=SIZE)
    video = EditedVideo(stretch, edits, CANVAS, images=images)
    frames = [video.picture(picture, index) for index, picture in enumerate(source(path))]
    return frames, video.notes


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
    for index in (0, 13, 27):
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
    for index in (2, 14, 25):
        assert judges.kept(before[index], after[index], ~around(index, 4.5)) >= 0.97


def test_a_plain_overlay_is_refused_by_the_judge(rolling: Path) -> None:
    before = source(rolling)[5]
    veiled = np.asarray(cv2.addWeighted(before, 0.6, np.full_like(before, 128), 0.4, 0), dtype=np.uint8)
    assert judges.kept(before, veiled, ~around(5, 2.6)) < 0.97


def test_a_replacement_is_where_the_thing_was(rolling: Path) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.REPLACE, target="green ball", by="cat", art="cat"))
    without, _ = edited(rolling, REMOVE)
    for index in (3, 14, 25):
        changed = np.abs(frames[index].astype(int) - without[index].astype(int)).max(axis=2) > 24
        rows, columns = np.nonzero(changed)
        x, y = ball_at(index)
        assert abs(columns.mean() - x) < 20
        assert abs(rows.mean() - y) < 24
        assert 0.3 < changed.sum() / (np.pi * RADIUS_PX**2) < 3


def test_a_thing_is_replaced_by_the_subject_of_an_image(rolling: Path) -> None:
    edit = Edit(kind=EditKind.REPLACE, target="green ball", image=1)
    frames, _ = edited(rolling, edit, images=(ROOT / "astronaut.jpg",))
    before = source(rolling)
    for index in (3, 25):
        assert judges.apart(before[index], frames[index], around(index, 0.9)) > 40


def test_a_recoloured_thing_has_the_colour_and_its_shades(rolling: Path) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.RECOLOUR, target="green ball", by="blue", value="blue"))
    before = source(rolling)
    for index in (0, 13, 27):
        inside = around(index, 0.85)
        assert judges.hue_share(before[index], inside, 220) < 0.05
        assert judges.hue_share(frames[index], inside, 220) > 0.8
        ring = [picture[inside].astype(float).max(axis=1).std() for picture in (before[index], frames[index])]
        assert ring[1] > 0.4 * ring[0]


def test_clothes_are_recoloured_and_the_face_is_not(portrait: Path) -> None:
    frames, _ = edited(portrait, Edit(kind=EditKind.RECOLOUR, target="jacket", by="green", value="green"))
    before = source(portrait)
    for index in (0, 14, 27):
        orange = np.zeros(SIZE[::-1], dtype=bool)
        orange[150:230, 150:260] = True
        assert judges.hue_share(before[index], orange, 14) > 0.5
        assert judges.hue_share(frames[index], orange, 122) > 0.5
        assert judges.kept(before[index][:80], frames[index][:80], np.ones((80, SIZE[0]), dtype=bool)) > 0.97


def test_another_background_leaves_the_subject(portrait: Path) -> None:
    frames, _ = edited(portrait, Edit(kind=EditKind.BACKGROUND, by="beach", value="beach"))
    before = source(portrait)
    suit, corner = np.zeros(SIZE[::-1], dtype=bool), np.zeros(SIZE[::-1], dtype=bool)
    suit[170:220, 180:240], corner[:60, 380:] = True, True
    for index in (0, 14, 27):
        assert judges.apart(before[index], frames[index], corner) > 40
        assert judges.hue_share(frames[index], suit, 14) > 0.5


def test_what_is_put_in_goes_with_the_world(portrait: Path) -> None:
    frames, _ = edited(portrait, Edit(kind=EditKind.INSERT, by="dog", art="dog", value="dog", place="right"))
    places = []
    for index, before in zip((0, 27), (source(portrait)[0], source(portrait)[27]), strict=True):
        changed = np.abs(frames[index].astype(int) - before.astype(int)).max(axis=2) > 30
        places.append(float(np.nonzero(changed)[1].mean()))
    # The camera goes right by 1.5 pixels a picture, at a growth of 0.95.
    assert places[0] - places[1] == pytest.approx(27 * 1.5 * 0.95, abs=8)


def test_night_is_darker_and_keeps_the_structure(portrait: Path) -> None:
    frames, _ = edited(portrait, Edit(kind=EditKind.TIME, by="night", value="night"))
    for before, after in zip(source(portrait)[::9], frames[::9], strict=True):
        assert judges.luma(after) < 0.6 * judges.luma(before)
        assert judges.structure(before, after) > 0.7
        assert after[..., 2].mean() > after[..., 0].mean()


@pytest.mark.parametrize("weather", ["rain", "snow", "fog"])
def test_weather_is_seen_and_so_is_the_video(portrait: Path, weather: str) -> None:
    frames, _ = edited(portrait, Edit(kind=EditKind.WEATHER, by=weather, value=weather))
    whole = np.ones(SIZE[::-1], dtype=bool)
    for before, after in zip(source(portrait)[::9], frames[::9], strict=True):
        assert judges.apart(before, after, whole) > 10
        assert judges.structure(before, after) > 0.4


@pytest.mark.parametrize("style", ["anime", "cartoon", "noir", "watercolor", "pixel", "vintage", "cyberpunk", "horror"])
def test_a_style_changes_the_picture_and_keeps_what_it_shows(portrait: Path, style: str) -> None:
    frames, notes = edited(portrait, Edit(kind=EditKind.STYLE, by=style, value=style))
    before = source(portrait)[14]
    assert not notes
    assert judges.apart(before, frames[14], np.ones(SIZE[::-1], dtype=bool)) > 6
    assert judges.structure(before, frames[14]) > 0.4


@pytest.mark.parametrize("style", ["anime", "cartoon", "watercolor", "pixel"])
def test_a_drawn_style_does_not_tremble_where_the_video_stands(rolling: Path, style: str) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.STYLE, by=style, value=style))
    still = np.zeros(SIZE[::-1], dtype=bool)
    still[200:, :60] = True
    assert judges.flicker(frames, still) < 3 + 3 * judges.flicker(source(rolling), still)


def test_what_is_filled_in_does_not_tremble(rolling: Path) -> None:
    frames, _ = edited(rolling, REMOVE)
    was_crossed = around(14, 0.8)
    assert judges.flicker(frames, was_crossed) < 1.5


def test_words_are_written_on_it(rolling: Path) -> None:
    frames, _ = edited(rolling, Edit(kind=EditKind.TEXT, by="Summer", value="Summer", place="bottom"))
    low = np.zeros(SIZE[::-1], dtype=bool)
    low[205:240, 150:282] = True
    assert judges.apart(source(rolling)[10], frames[10], low) > 15


def test_equal_edits_give_equal_bytes(rolling: Path) -> None:
    one, other = edited(rolling, REMOVE)[0], drawn(rolling, REMOVE)[0]
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_is_not_to_be_found_is_said_and_nothing_changes(rolling: Path) -> None:
    frames, notes = edited(rolling, Edit(kind=EditKind.REMOVE, target="purple ball"))
    assert any("purple ball" in note for note in notes)
    assert all(np.array_equal(a, b) for a, b in zip(source(rolling), frames, strict=True))


def test_the_board_shows_the_edits_of_its_own_video_only(rolling: Path) -> None:
    video = Footage(path=rolling, duration_s=NUM_FRAMES / FPS, number=2)
    night = Edit(kind=EditKind.TIME, video=2, by="night", value="night")
    shown = []
    for edits in ((), (night,), (replace(night, video=1),)):
        board = Board(Given(videos=(video,)), CANVAS, CameraMove.STATIC, edits=edits)
        shown.append(board.paint(4)[..., :3].copy())
        board.close()
    assert judges.luma(shown[1]) < 0.6 * judges.luma(shown[0])
    assert np.array_equal(shown[0], shown[2])
