"""A film as one painter: its shots one after the other, each drawn by a painter of its own."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np

from understudy.engines.previz.lettering import Lettering
from understudy.engines.previz.pictures.canvas import Bitmap, Canvas
from understudy.engines.previz.plan import Cut, Shot
from understudy.engines.previz.speech_timing import Spoken, heard_in

DISSOLVE_S = 0.5
FADE_S = 0.8
"""How long a shot takes to come in, half of a fade being the way to black and half the way back."""


class Painter(Protocol):
    """Draws the frames of a film or a shot, which are asked for in order."""

    def paint(self, index: int) -> Bitmap:
        """Draw a frame; (height_px, width_px, 4) uint8 RGBA, opaque; the buffer is reused by the next call."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


OpenShot = Callable[[int, Canvas, Sequence[Spoken]], Painter]
"""Opens the painter of a shot: its number in the plan, a canvas with the shot's frames, and what is said in it."""


class Film:
    """Draws the shots of a film; only the painter of the shot that is seen is held."""

    def __init__(
        self, shots: Sequence[Shot], canvas: Canvas, open_shot: OpenShot, *, spoken: Sequence[Spoken] = ()
    ) -> None:
        self._shots, self._canvas, self._open_shot, self._spoken = shots, canvas, open_shot, spoken
        self._starts = starts_of(shots, fps=canvas.fps, num_frames=canvas.num_frames)
        self._opened = ExitStack()
        self._number = -1
        self._painter: Painter | None = None
        self._before: Bitmap | None = None
        self._shown: Bitmap | None = None

    def paint(self, index: int) -> Bitmap:
        """Draw a frame of the film, as `Painter` says."""
        number = max(place for place, start in enumerate(self._starts) if start <= index)
        if number != self._number or self._painter is None:
            self._open(number)
        assert self._painter is not None
        own = index - self._starts[number]
        self._shown = self._painter.paint(own)
        if self._before is not None:
            self._come_in(self._shots[number].cut, own, self._shown)
        return self._shown

    def close(self) -> None:
        """Let go of the shot that is seen."""
        self._opened.close()

    def _open(self, number: int) -> None:
        is_next = self._shown is not None and number == self._number + 1
        is_soft = self._shots[number].cut is not Cut.HARD
        self._before = self._shown.copy() if is_next and is_soft and self._shown is not None else None
        self._opened.close()
        self._opened = ExitStack()
        ends = [*self._starts[1:], self._canvas.num_frames]
        canvas = replace(self._canvas, num_frames=ends[number] - self._starts[number])
        said = heard_in(self._shots, number, self._spoken)
        self._painter = self._opened.enter_context(closing(self._open_shot(number, canvas, said)))
        self._number = number

    def _come_in(self, cut: Cut, own: int, shown: Bitmap) -> None:
        """Mix the end of the shot before into a frame of this one."""
        assert self._before is not None
        length = max(2, round((DISSOLVE_S if cut is Cut.DISSOLVE else FADE_S) * self._canvas.fps))
        way = (own + 1) / (length + 1)
        if way >= 1:
            self._before = None
        elif cut is Cut.DISSOLVE:
            cv2.addWeighted(self._before, 1 - way, shown, way, 0, dst=shown)
        else:
            seen = self._before if way < 0.5 else shown
            np.copyto(shown, cv2.convertScaleAbs(seen, alpha=abs(1 - 2 * way)))
        shown[:, :, 3] = 255


class Lettered:
    """A painter whose frames have the texts of the film on them."""

    def __init__(self, painter: Painter, lettering: Lettering) -> None:
        self._painter, self._lettering = painter, lettering

    def paint(self, index: int) -> Bitmap:
        """Draw a frame of the film, as `Painter` says."""
        rgba = self._painter.paint(index)
        self._lettering.stamp(rgba, index)
        return rgba

    def close(self) -> None:
        """Let go of what the painter has open."""
        self._painter.close()


def starts_of(shots: Sequence[Shot], *, fps: int, num_frames: int) -> tuple[int, ...]:
    """Return the frame of the film in which each shot begins; a film that breaks off early still has all its shots."""
    latest = [num_frames - (len(shots) - number) for number in range(len(shots))]
    starts = [round(shot.start_s * fps) for shot in shots]
    return tuple(max(0, min(start, last)) for start, last in zip(starts, latest, strict=True))
