"""What goes on where a given video ends, or leads to where it begins: its motion is kept, and comes to rest.

The frame's own move is told as a drift, for whoever draws the scene. What moves in the frame besides is moved here:
things as a whole (`movers`), and what has no shape, water or leaves, by bending the picture a little.
"""

import cmath
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
from understudy.engines.previz.board.movers import Carrier, Mover, movers_in, without_movers
from understudy.engines.previz.board.moves import Pose
from understudy.engines.previz.board.parallax import Drift
from understudy.media.decode import Picture, fitted
from understudy.media.decode_video import VideoReader

Floats = NDArray[np.float32]
NO_DRIFT = Drift()

_MEASURED = 10
"""So many pictures at the end are followed, a bit less than half a second: a motion is what lasts."""

_DRIFT_S = 0.5
"""By this time constant the frame's motion comes to rest, as in `parallax`, while the camera's own move begins."""

_GOING_ON_S = 0.3
"""What bends goes on for less, or it would be torn."""

_CARRIED_S = 1.6
"""Things go on for longer: nothing tears, and who walked would not stop at once."""

_NEAR = 0.6
"""How near, from 0 to 1, a thing that moves is taken to be."""

_FIELD_PX = 256
_STANDING = 0.0012
"""What moves by less than this part of the frame from picture to picture stands; it is the measurement that moves."""

_STEP_MOST = 0.06
_SOFT = 1 / 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """How a video moves at its end: the frame, from one picture to the next, and besides, things and what bends.

    bent: (height, width, 2) float32, right and down in parts of the longer side, on a small picture of the frame.
    """

    frame: Similarity
    bent: Floats
    movers: tuple[Mover, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether anything moves."""
        return self.frame != STAYING or bool(self.movers) or bool(self.bent.any())


def momentum_of(video: Path, fps: int, *, at: int, size_px: tuple[int, int], is_start: bool = False) -> Momentum:
    """Measure how a video moves at one of its pictures, up to it or, at a start, from it on and back in time.

    at: counted at the rate fps. size_px: width and height of the film, to whose shape it is cut. Raises: Unreadable.
    """
    first = at if is_start else max(0, at - _MEASURED)
    count = _MEASURED + 1 if is_start else at - first + 1
    scale = _FIELD_PX / max(size_px)
    small = max(16, round(size_px[0] * scale)), max(16, round(size_px[1] * scale))
    with VideoReader(video, fps) as reader:
        pictures = [fitted(picture, *small) for picture in islice(reader.pictures(first / fps), count)]
    if is_start:
        pictures.reverse()
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
    if len(greys) < 2:
        return Momentum(frame=STAYING, bent=np.zeros((16, 16, 2), dtype=np.float32))
    steps = [followed(before, after) for before, after in pairwise(greys)]
    frame = _lasting([step for step in steps if step is not None])
    field = _besides(greys, frame)
    movers = movers_in(pictures, field, frame)
    # What goes faster takes its nearest surroundings along: a torn edge is worse than a stretched one.
    bent = cv2.GaussianBlur(without_movers(field, movers), (0, 0), max(greys[-1].shape) * _SOFT)
    return Momentum(frame=frame, bent=np.asarray(bent, dtype=np.float32), movers=movers)


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
    return np.asarray(field, dtype=np.float32)


class Onward:
    """Lends a scene the motion of the video before it. The scene's own picture 0 is the first new one.

    scene: drawn from the video's last picture without its movers, with the frame's motion as a drift. last: that
    picture, (height_px, width_px, 3), with them. pose: where the scene's camera is in each of its pictures.
    """

    def __init__(
        self,
        scene: Callable[[int], Picture],
        momentum: Momentum,
        last: Picture,
        *,
        pose: Callable[[int], Pose],
        fps: int,
    ) -> None:
        self._scene, self._pose, self._momentum, self._fps = scene, pose, momentum, fps
        self._carrier = Carrier(last, momentum.movers) if momentum.movers else None
        self._bends = bool(momentum.bent.any())

    def picture(self, index: int) -> Picture:
        """Return the picture that comes index + 1 pictures after the video's last; (height_px, width_px, 3)."""
        drawn = self._scene(index)
        if self._bends:
            drawn = self._bent(drawn, _way(index + 1, _GOING_ON_S * self._fps))
        if self._carrier is not None:
            drifted = self._momentum.frame.part(_way(index + 1, _DRIFT_S * self._fps))
            view = drifted.then(_seen_from(self._pose(index), drawn.shape[:2]))
            drawn = self._carrier.draw(drawn, view, _way(index + 1, _CARRIED_S * self._fps))
        return drawn

    def _bent(self, drawn: Picture, steps: float) -> Picture:
        height_px, width_px = drawn.shape[:2]
        side, bent = max(height_px, width_px), self._momentum.bent
        cell_px = max(1, round(side / _FIELD_PX))
        columns, rows = -(-width_px // cell_px) + 2, -(-height_px // cell_px) + 2
        goals = (_grid(columns, rows) - np.float32(0.5)) * np.float32(cell_px) - np.float32(0.5)
        scale = np.array([bent.shape[1] / width_px, bent.shape[0] / height_px], dtype=np.float32)
        # Where a thing is by now, seen from where it was: two rounds find it, as the field is smooth.
        places = goals
        for _ in range(2):
            at = (places + np.float32(0.5)) * scale - np.float32(0.5)
            places = np.asarray(goals - _sampled(bent, at) * np.float32(steps * side), dtype=np.float32)
        large = cv2.resize(places, (columns * cell_px, rows * cell_px), interpolation=cv2.INTER_LINEAR)
        return _sampled(drawn, large[cell_px : cell_px + height_px, cell_px : cell_px + width_px])


def _sampled(values: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    # OpenCV's own stubs do not know that both coordinates may be in one array.
    return np.asarray(cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))  # type: ignore[call-overload]


def _seen_from(pose: Pose, shape: tuple[int, ...]) -> Similarity:
    """What a camera's pose does to a thing at a usual distance, as `parallax` has it."""
    height_px, width_px = shape
    wide = width_px / max(height_px, width_px)
    near = _NEAR * (1 - pose.hold)
    growth = pose.zoom / (1 - pose.z * _NEAR)
    factor = growth * cmath.exp(-1j * math.radians(pose.roll_deg))
    aside = complex(pose.yaw + pose.x * near, pose.pitch + pose.y * near) * wide
    return Similarity(factor=factor, shift=-aside * factor)


def _way(count: float, constant: float) -> float:
    """How many steps of the first length are gone after so many that fade by a time constant."""
    return constant * (1 - math.exp(-count / constant))


@cache
def _grid(columns: int, rows: int) -> Floats:
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return np.dstack([xs, ys])
