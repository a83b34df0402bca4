"""Shots one after the other: which painter draws which frame, how a shot comes in, and what is said in it."""

from collections.abc import Sequence

import numpy as np
import pytest

from understudy.engines.previz.film import Film, Lettered, starts_of
from understudy.engines.previz.lettering import Lettering
from understudy.engines.previz.pictures.canvas import Bitmap, Canvas
from understudy.engines.previz.plan import Cut, FilmPlan, ScreenText, Shot, TextKind
from understudy.engines.previz.speech_timing import Spoken

FPS = 24
SIZE = (64, 36)
LEVELS = (40, 120, 200)


class Slide:
    """A painter of one grey, whose first pixel counts the shot's own frames."""

    def __init__(self, level: int, log: list[str], name: str) -> None:
        self._level, self._log, self._name = level, log, name
        self._rgba = np.full((SIZE[1], SIZE[0], 4), 255, dtype=np.uint8)

    def paint(self, index: int) -> Bitmap:
        self._rgba[:, :, :3] = self._level
        self._rgba[0, 0, :3] = index
        return self._rgba

    def close(self) -> None:
        self._log.append(self._name)


class Theatre:
    """Opens slides, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.canvases: list[Canvas] = []
        self.said: list[Sequence[Spoken]] = []

    def open(self, number: int, canvas: Canvas, said: Sequence[Spoken]) -> Slide:
        self.canvases.append(canvas)
        self.said.append(said)
        return Slide(LEVELS[number], self.closed, f"shot {number}")


def shots(*lengths_s: float, cut: Cut = Cut.HARD) -> tuple[Shot, ...]:
    starts_s = [sum(lengths_s[:number]) for number in range(len(lengths_s))]
    return tuple(Shot(start_s=at, duration_s=long, cut=cut) for at, long in zip(starts_s, lengths_s, strict=True))


def canvas_of(seconds: float) -> Canvas:
    return Canvas(width_px=SIZE[0], height_px=SIZE[1], fps=FPS, num_frames=round(seconds * FPS), seed=1)


def greys(film: Film, num_frames: int) -> list[int]:
    return [int(film.paint(index)[-1, -1, 0]) for index in range(num_frames)]


def test_each_shot_is_seen_in_its_own_time() -> None:
    theatre = Theatre()
    film = Film(shots(1, 2, 0.5), canvas_of(3.5), theatre.open)
    assert greys(film, 84) == [40] * 24 + [120] * 48 + [200] * 12


def test_a_shot_counts_its_frames_from_its_own_beginning() -> None:
    film = Film(shots(1, 2), canvas_of(3), Theatre().open)
    own = [int(film.paint(index)[0, 0, 0]) for index in range(72)]
    assert own == [*range(24), *range(48)]


def test_a_shot_is_given_a_canvas_of_its_length() -> None:
    theatre = Theatre()
    greys(Film(shots(1, 2), canvas_of(3), theatre.open), 72)
    assert [canvas.num_frames for canvas in theatre.canvases] == [24, 48]


def test_a_shot_that_was_seen_is_let_go_and_the_last_one_at_the_end() -> None:
    theatre = Theatre()
    film = Film(shots(1, 1), canvas_of(2), theatre.open)
    greys(film, 25)
    assert theatre.closed == ["shot 0"]
    film.close()
    assert theatre.closed == ["shot 0", "shot 1"]


def test_what_is_said_is_told_to_its_shot_in_the_shots_time() -> None:
    theatre = Theatre()
    spoken = (
        Spoken(line=0, start_s=0.2, end_s=0.8, envelope=(1.0,), shot=0, speaker=0),
        Spoken(line=1, start_s=1.5, end_s=2.5, envelope=(1.0,), shot=1, speaker=0),
    )
    greys(Film(shots(1, 2), canvas_of(3), theatre.open, spoken=spoken), 72)
    assert [[(line.line, line.start_s) for line in said] for said in theatre.said] == [[(0, 0.2)], [(1, 0.5)]]


def test_a_dissolve_goes_from_one_shot_to_the_next_without_a_jump() -> None:
    seen = greys(Film(shots(1, 2, cut=Cut.DISSOLVE), canvas_of(3), Theatre().open), 72)
    steps = np.diff(seen)
    assert (seen[23], seen[-1]) == (40, 120)
    assert steps.min() >= 0
    assert steps.max() <= 12


def test_a_fade_goes_through_black() -> None:
    seen = greys(Film(shots(1, 2, cut=Cut.FADE), canvas_of(3), Theatre().open), 72)
    assert min(seen[24:48]) <= 6
    assert (seen[23], seen[-1]) == (40, 120)


@pytest.mark.parametrize("num_frames", [3, 30, 72])
def test_a_film_that_breaks_off_early_still_has_all_its_shots(num_frames: int) -> None:
    starts = starts_of(shots(1, 1, 1), fps=FPS, num_frames=num_frames)
    assert list(starts) == sorted(set(starts))
    assert starts[-1] < num_frames


def test_the_texts_of_a_plan_are_on_its_frames_and_only_while_they_last() -> None:
    text = ScreenText(text="HELLO", kind=TextKind.TITLE, start_s=0.5, end_s=1.5)
    plan = FilmPlan(prompt="", shots=(Shot(duration_s=2, texts=(text,)),), lines=(), ratio="16:9", duration_s=2)
    canvas = canvas_of(2)
    plain = Film(plan.shots, canvas, Theatre().open)
    lettered = Lettered(Film(plan.shots, canvas, Theatre().open), Lettering(plan, canvas))
    differ = [not np.array_equal(plain.paint(index), lettered.paint(index)) for index in range(48)]
    assert differ == [False] * 12 + [True] * 24 + [False] * 12
