"""Pictures of one rate as pictures of another: exact times, even motion, cuts that stay cuts."""

import itertools
import os
import weakref
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from understudy.media.retime import retimed

WIDTH_PX, HEIGHT_PX = 192, 96
SOURCE_FPS, FPS = 16, 24
STEP_PX = 3.0
"""How far the ball moves from one frame of the source to the next."""


class Counted(np.ndarray):
    """A picture that can be referred to weakly and compared by identity."""

    __hash__ = object.__hash__


def ground() -> np.ndarray:
    """Something that stands still, with soft detail everywhere."""
    x, y = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    waves = [60 + 25 * np.sin(x / 9 + k) * np.cos(y / 7 - k) for k in range(3)]
    return np.dstack(waves).astype(np.uint8)


def with_ball(at_px: float) -> np.ndarray:
    """A bright ball with a soft edge on the ground; at_px: its middle, in columns."""
    x, y = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    far = np.hypot(x - at_px, y - HEIGHT_PX / 2)
    cover = np.clip(16.5 - far, 0, 1)[..., None]
    return np.round(ground() * (1 - cover) + np.array([250, 230, 90]) * cover).astype(np.uint8)


def ball_at(picture: np.ndarray) -> float:
    """The middle of what is bright, in columns."""
    bright = np.clip(picture[..., 0].astype(float) - 120, 0, None).sum(axis=0)
    return float((bright * np.arange(WIDTH_PX)).sum() / bright.sum())


def moving(count: int) -> list[np.ndarray]:
    return [with_ball(40 + STEP_PX * index) for index in range(count)]


def repeated(frames: list[np.ndarray], count: int) -> list[np.ndarray]:
    """What a player does that knows nothing better: each moment shows the newest picture."""
    return [frames[min(len(frames) - 1, index * SOURCE_FPS // FPS)] for index in range(count)]


def judder(pictures: list[np.ndarray]) -> float:
    """How uneven the ball's steps are, in pixels."""
    return float(np.std(np.diff([ball_at(picture) for picture in pictures])))


def test_even_motion_stays_even_within_a_pixel():
    frames = moving(17)
    found = list(retimed(frames, fps=SOURCE_FPS, wanted_fps=FPS, num_frames=24))
    places = [ball_at(picture) for picture in found]
    assert places == pytest.approx([40 + STEP_PX * index * SOURCE_FPS / FPS for index in range(24)], abs=0.5)
    # Repetition, which is what it is for to avoid, stands for a frame and then leaps.
    assert judder(repeated(frames, 24)) > 1.3
    assert judder(found) < 0.3


def test_each_frame_lies_at_its_own_time_and_those_that_are_there_are_passed_on():
    frames = moving(9)
    found = list(retimed(frames, fps=SOURCE_FPS, wanted_fps=FPS, num_frames=12))
    assert len(found) == 12
    for index, picture in enumerate(found):
        own = Fraction(index * SOURCE_FPS, FPS)
        is_own = any(picture is frame for frame in frames)
        assert is_own == (own.denominator == 1)
        if is_own:
            assert picture is frames[int(own)]


def test_what_stands_still_stands_still():
    found = list(retimed([with_ball(80).copy() for _ in range(5)], fps=SOURCE_FPS, wanted_fps=FPS, num_frames=6))
    assert all(np.array_equal(picture, with_ball(80)) for picture in found)


def test_the_ground_behind_what_moves_keeps_its_detail():
    found = list(retimed(moving(4), fps=SOURCE_FPS, wanted_fps=FPS, num_frames=4))
    far = np.s_[:, 120:]
    assert all(np.abs(picture[far].astype(int) - ground()[far]).mean() < 1.5 for picture in found)


def test_across_a_cut_nothing_is_mixed():
    before, after = with_ball(60), np.ascontiguousarray(255 - with_ball(130)[::-1, :, ::-1])
    found = list(retimed([before, after, after], fps=SOURCE_FPS, wanted_fps=FPS, num_frames=4))
    apart = [min(np.abs(picture.astype(int) - side).mean() for side in (before, after)) for picture in found]
    assert max(apart) < 0.01
    assert np.array_equal(found[0], before)
    assert np.array_equal(found[-1], after)


def test_the_rate_that_is_wanted_already_changes_nothing_and_reads_no_more_than_is_needed():
    endless = itertools.count()
    found = list(
        retimed((with_ball(20 + next(endless)) for _ in itertools.count()), fps=24, wanted_fps=24, num_frames=5)
    )
    assert [round(ball_at(picture)) for picture in found] == [20, 21, 22, 23, 24]
    assert next(endless) <= 6


def test_after_the_last_picture_it_stays():
    frames = moving(3)
    found = list(retimed(frames, fps=SOURCE_FPS, wanted_fps=FPS, num_frames=9))
    assert len(found) == 9
    assert all(picture is frames[-1] for picture in found[3:])


def test_a_rate_that_is_higher_is_brought_down_evenly():
    found = list(retimed(moving(26), fps=25, wanted_fps=24, num_frames=24))
    assert len(found) == 24
    assert judder(found) < 0.3


def test_what_comes_out_does_not_depend_on_the_machines_processors(monkeypatch):
    def made(processors: int) -> list[np.ndarray]:
        monkeypatch.setattr(os, "cpu_count", lambda: processors)
        return list(retimed(moving(5), fps=SOURCE_FPS, wanted_fps=FPS, num_frames=6))

    assert all(np.array_equal(one, other) for one, other in zip(made(1), made(5), strict=True))


def test_a_long_film_is_never_in_memory_as_a_whole(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    alive: weakref.WeakSet[Counted] = weakref.WeakSet()
    most = 0

    def source() -> Iterator[np.ndarray]:
        for index in range(60):
            picture = np.roll(with_ball(90)[::2, ::2], index, axis=1).view(Counted)
            alive.add(picture)
            yield picture

    for _ in retimed(source(), fps=SOURCE_FPS, wanted_fps=FPS, num_frames=90):
        most = max(most, len(alive))
    assert most <= 8


def test_no_pictures_and_no_rate_are_refused():
    with pytest.raises(ValueError, match="no pictures"):
        list(retimed([], fps=16, wanted_fps=24, num_frames=3))
    with pytest.raises(ValueError, match="cannot be brought"):
        list(retimed(moving(2), fps=0, wanted_fps=24, num_frames=3))
