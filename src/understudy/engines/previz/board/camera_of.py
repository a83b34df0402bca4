"""The motion of a given video's camera: the frame's move from picture to picture, added up and smoothed.

One small picture of the video is held at a time, whatever its size and length.
"""

import cmath
import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import STAYING, Similarity, followed, reduced
from understudy.engines.previz.board.moves import Beat, Flight, Pose
from understudy.engines.previz.camera_path import CameraPath, Offset
from understudy.media.decode_video import VideoReader

_FOLLOWED_PX = 320
"""The longer side of what is followed: a camera's move is seen in the large."""

_LONGEST_S = 30.0
_SMOOTHED_S = 0.12
"""A measured curve trembles a little; what is shorter than this is not the camera's."""

_STEPPED = 0.6
_MIDDLE = 0.5
"""How near, from 0 to 1, what lies in the middle of a scene is taken to be."""

_FARTHEST, _LARGEST = 0.14, 1.5
"""How far, in parts of the width, and how much nearer a camera gets before one picture has nothing more to show."""

_UNLIKELY = 0.2
"""A step of so much of the frame between two pictures is a cut in the video, not a move."""


def camera_path_of(video: Path, fps: int, *, longest_s: float = _LONGEST_S) -> CameraPath:
    """Measure how the camera of a video moves, at a rate of so many pictures a second. Raises: Unreadable."""
    steps = [_likely(step) for step in moves_in(video, fps, most=round(longest_s * fps))]
    return CameraPath(fps=fps, offsets=_added_up(steps, fps))


def flight_along(path: CameraPath, *, size_px: tuple[int, int], duration_s: float) -> Flight:
    """Let the camera of a scene in depth move as a measured one did, through a film of a duration.

    A curve that is shorter is stretched; one that goes farther than a picture bears goes as far as it does.
    """
    wide = max(size_px) / size_px[0]
    pace = min(1.0, path.duration_s / duration_s) if duration_s else 1.0
    farthest = max(math.hypot(offset.x, offset.y) for offset in path.offsets) * wide
    largest = max(abs(math.log(offset.growth)) for offset in path.offsets)
    reach = min(1.0, _FARTHEST / max(farthest, 1e-9))
    grown = min(1.0, math.log(_LARGEST) / max(largest, 1e-9))

    def flight(beat: Beat) -> Pose:
        offset = path.at(beat.time_s * pace)
        x, y = offset.x * wide * reach, offset.y * wide * reach
        # Half by coming nearer, half by the lens; of a way to the side more by turning: so near and far go apart, and
        # things in the middle go as they went in the video.
        growth = offset.growth ** (grown / 2)
        return Pose(
            x=-_STEPPED * x,
            y=-_STEPPED * y,
            yaw=-(1 - _STEPPED * _MIDDLE) * x,
            pitch=-(1 - _STEPPED * _MIDDLE) * y,
            z=(1 - 1 / growth) / _MIDDLE,
            zoom=growth,
            roll_deg=-math.degrees(offset.turn_rad),
        )

    return flight


def moves_in(video: Path, fps: int, *, from_s: float = 0.0, most: int) -> Iterator[Similarity | None]:
    """Follow the frame from each picture to the next; None where nothing can be followed. Raises: Unreadable."""
    for before, after in pairwise(_greys_in(video, fps, from_s=from_s, most=most + 1)):
        yield followed(before, after)


def _greys_in(video: Path, fps: int, *, from_s: float, most: int) -> Iterator[NDArray[Any]]:
    with VideoReader(video, fps) as reader:
        for picture in islice(reader.pictures(from_s), most):
            yield cv2.cvtColor(reduced(picture, _FOLLOWED_PX), cv2.COLOR_RGB2GRAY)


def _likely(step: Similarity | None) -> Similarity:
    if step is None or abs(step.shift) > _UNLIKELY or abs(math.log(step.growth)) > _UNLIKELY:
        return STAYING
    return step


def _added_up(steps: Sequence[Similarity], fps: int) -> tuple[Offset, ...]:
    rates = np.array([(step.shift.real, step.shift.imag, math.log(step.growth), step.turn_rad) for step in steps])
    rates = _smoothed(rates.reshape(-1, 4), _SMOOTHED_S * fps)
    move = STAYING
    offsets = [Offset()]
    turn_rad = 0.0
    for x, y, growth, turn in rates:
        move = move.then(Similarity(factor=cmath.exp(complex(growth, turn)), shift=complex(x, y)))
        # The turn is added up by itself: a camera may turn round more than once.
        turn_rad += float(turn)
        offsets.append(Offset(x=move.shift.real, y=move.shift.imag, growth=move.growth, turn_rad=turn_rad))
    return tuple(offsets)


def _smoothed(rates: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Smooth each column; towards the ends over less, so that the first and the last rates are not made up."""
    count = len(rates)
    if count < 2:
        return rates
    apart = np.subtract.outer(np.arange(count), np.arange(count)) / max(sigma, 1e-6)
    weights = np.exp(-0.5 * apart**2)
    # No matrix product: a BLAS may split it over threads, and the last bit would then depend on the machine's load.
    sums = (weights[:, :, None] * rates[None]).sum(axis=1)
    return np.asarray(sums / weights.sum(axis=1, keepdims=True), dtype=np.float64)
