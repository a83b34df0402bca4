"""What goes on where a given video ends, or leads to where it begins: its motion is kept, and comes to rest.

The frame's own move is told as a drift, for whoever draws the scene; what moves in the frame besides is moved here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import STAYING, Similarity, followed
from understudy.engines.previz.board.parallax import Drift
from understudy.media.decode import Picture, fitted
from understudy.media.decode_video import VideoReader

Floats = NDArray[np.float32]
NO_DRIFT = Drift()

_MEASURED = 10
"""So many pictures at the end are followed, a bit less than half a second: a motion is what lasts."""

_DRIFT_S = 0.7
"""By this time constant the frame's motion comes to rest, and its own move has begun."""

_GOING_ON_S = 0.45
"""Things keep going for less: what they would uncover was never seen."""

_FIELD_PX = 256
_STANDING = 0.0012
"""What moves by less than this part of the frame from picture to picture stands; it is the measurement that moves."""

_STEP_MOST = 0.06
_SOFT = 1 / 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """How a video moves at its end: the frame, from one picture to the next, and the things in it besides.

    things: (height, width, 2) float32, right and down in parts of the longer side, a small picture of the frame.
    """

    frame: Similarity
    things: Floats

    @property
    def is_any(self) -> bool:
        """Whether anything moves."""
        return self.frame != STAYING or bool(self.things.any())


def momentum_of(video: Path, fps: int, *, at: int, size_px: tuple[int, int], is_start: bool = False) -> Momentum:
    """Measure how a video moves at one of its pictures, up to it or, at a start, from it on and back in time.

    at: counted at the rate fps. size_px: width and height of the film, to whose shape it is cut. Raises: Unreadable.
    """
    first = at if is_start else max(0, at - _MEASURED)
    count = _MEASURED + 1 if is_start else at - first + 1
    scale = _FIELD_PX / max(size_px)
    small = max(16, round(size_px[0] * scale)), max(16, round(size_px[1] * scale))
    with VideoReader(video, fps) as reader:
        pictures = islice(reader.pictures(first / fps), count)
        greys = [cv2.cvtColor(fitted(picture, *small), cv2.COLOR_RGB2GRAY) for picture in pictures]
    if is_start:
        greys.reverse()
    if len(greys) < 2:
        return Momentum(frame=STAYING, things=np.zeros((16, 16, 2), dtype=np.float32))
    steps = [followed(before, after) for before, after in pairwise(greys)]
    frame = _lasting([step for step in steps if step is not None])
    return Momentum(frame=frame, things=_besides(greys, frame))


def drift_of(momentum: Momentum, size_px: tuple[int, int]) -> Drift:
    """Tell the frame's motion to a scene in depth of a size in pixels."""
    wide = max(size_px) / size_px[0]
    shift = momentum.frame.shift * wide
    return Drift(x=shift.real, y=shift.imag, zoom=math.log(momentum.frame.growth))


def _lasting(steps: list[Similarity]) -> Similarity:
    """The step that is usual at the end: a cut or a blur among them does not count."""
    if not steps:
        return STAYING
    last = steps[-_MEASURED // 2 :]
    growth, turn = (median(values) for values in ([math.log(s.growth) for s in last], [s.turn_rad for s in last]))
    shift = complex(median(s.shift.real for s in last), median(s.shift.imag for s in last))
    if max(abs(shift), abs(growth), abs(turn)) < _STANDING:
        return STAYING
    shift *= min(1.0, _STEP_MOST / max(abs(shift), 1e-9))
    return Similarity(factor=complex(math.exp(growth) * math.cos(turn), math.exp(growth) * math.sin(turn)), shift=shift)


def _besides(greys: list[NDArray[Any]], frame: Similarity) -> Floats:
    """The field of what moves besides the frame, in the last picture."""
    height, width = greys[-1].shape
    side = max(height, width)
    # OpenCV's own stubs do not know it.
    engine: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    pairs = list(pairwise(greys))[-3:]
    # From the later to the earlier, and turned round: so each point of the last picture knows how it came there.
    fields = [-np.asarray(engine.calc(after, before, None)) for before, after in pairs]
    flow = np.median(np.stack(fields), axis=0).astype(np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    grid = np.dstack([columns, rows])
    expected = grid - cv2.transform(grid, frame.part(-1).matrix(width, height))
    field = (flow - expected) / np.float32(side)
    field = np.dstack([cv2.medianBlur(np.ascontiguousarray(field[..., axis], dtype=np.float32), 5) for axis in (0, 1)])
    size = np.linalg.norm(field, axis=2)
    field *= np.clip((size - _STANDING) / _STANDING, 0, 1)[..., None]
    field *= np.minimum(1, _STEP_MOST / np.maximum(size, 1e-9))[..., None]
    # What goes faster takes its nearest surroundings along: a torn edge is worse than a stretched one.
    return np.asarray(cv2.GaussianBlur(field, (0, 0), side * _SOFT), dtype=np.float32)


class Onward:
    """Lends a scene the motion of the video before it. The scene's own picture 0 is the first new one.

    moves_frame: whether the frame's motion is to be added here too; else the scene has it in itself.
    """

    def __init__(
        self, scene: Callable[[int], Picture], momentum: Momentum, *, fps: int, moves_frame: bool = True
    ) -> None:
        self._scene, self._momentum, self._fps = scene, momentum, fps
        self._frame = momentum.frame if moves_frame else STAYING
        self._has_things = bool(momentum.things.any())

    def picture(self, index: int) -> Picture:
        """Return the picture that comes index + 1 pictures after the video's last; (height_px, width_px, 3)."""
        drawn = self._scene(index)
        frame, things = _way(index + 1, _DRIFT_S * self._fps), _way(index + 1, _GOING_ON_S * self._fps)
        if not self._has_things and self._frame == STAYING:
            return drawn
        height_px, width_px = drawn.shape[:2]
        small_height, small_width = self._momentum.things.shape[:2]
        cell_px = max(1, round(max(height_px, width_px) / _FIELD_PX))
        columns, rows = -(-width_px // cell_px) + 2, -(-height_px // cell_px) + 2
        middles = (_grid(columns, rows) - np.float32(0.5)) * np.float32(cell_px) - np.float32(0.5)
        back = self._frame.part(-frame).matrix(width_px, height_px)
        places = np.asarray(cv2.transform(middles, back), dtype=np.float32)
        if self._has_things:
            # Where a thing is by now, seen from where it was: two rounds find it, as the field is smooth.
            scale = np.array([small_width / width_px, small_height / height_px], dtype=np.float32)
            goals = places
            for _ in range(2):
                at = (places + np.float32(0.5)) * scale - np.float32(0.5)
                field = cv2.remap(self._momentum.things, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
                places = np.asarray(goals - field * np.float32(things * max(height_px, width_px)), dtype=np.float32)
        large = cv2.resize(places, (columns * cell_px, rows * cell_px), interpolation=cv2.INTER_LINEAR)
        large = large[cell_px : cell_px + height_px, cell_px : cell_px + width_px]
        moved = cv2.remap(drawn, large, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload]
        return np.asarray(moved, dtype=np.uint8)


def _way(count: float, constant: float) -> float:
    """How many steps of the first length are gone after so many that fade by a time constant."""
    return constant * (1 - math.exp(-count / constant))


@cache
def _grid(columns: int, rows: int) -> Floats:
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return np.dstack([xs, ys])
