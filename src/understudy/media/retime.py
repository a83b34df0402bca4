"""Pictures of one rate as pictures of another: what lies between two of them is found by RIFE and drawn from both.

The network says where each point of the middle is in the two pictures (`between`), on a small copy of them. Any other
moment is taken from that middle: things are thought to move evenly on the short way from one picture to the next.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.media.between import GRAIN_PX, Middle, middle_of
from understudy.media.decode import Picture

Floats = NDArray[np.float32]

FLOW_PX = 384
"""The longer side of the copy that the network sees; its time grows with the area. Measured on views of photographs at
832 x 480 with a thing moving before them, against the true picture: with 384 39 to 50 dB in 0.36 s of one core, with
512 36 to 50 in 0.63, with 832, which loses large motion, 31 to 51 in 1.7. A blend of both pictures has 17 to 31.
"""

WORKERS_MAX = 8
"""Pairs that are looked at together at most: with each come two maps of places of the picture's size."""

NEAR = Fraction(1, 48)
"""In parts of the way from one picture to the next: so near to one of them, it is shown as it is."""

STEPS_OF_TRACING = 3
"""How often a place in the middle picture is found again from the motion found there; motion changes little nearby."""

CUT_SHARE = 0.5
CUT_LEVELS_LEAST = 4.0
"""Between two pictures is a cut where the middle, looked up in both, differs by more than this part of their contrast,
and by more levels than that. Measured on photographs: 0.8 to 1.1 of different ones; of one that was shifted by a
quarter of its width 0.2.
"""

CUBIC = cv2.INTER_CUBIC
"""Linear sampling blurs a picture the more, the farther its pixels are shifted by halves: two of three frames would."""


def retimed(frames: Iterable[Picture], *, fps: float, wanted_fps: int, num_frames: int) -> Iterator[Picture]:
    """Yield exactly so many pictures at the wanted rate, frame k as it is at k / wanted_fps seconds.

    frames: (height_px, width_px, 3) uint8 RGB, one each 1/fps seconds, read as they are needed; at least one. After the
    last one it stays. A picture that is already there is passed on as it is and must not be written to. Pictures on
    both sides of a cut are not mixed. A few pairs are looked at together; what comes out does not depend on how many.

    Raises: ValueError: no pictures, or a rate that is none.
    """
    if fps <= 0 or wanted_fps <= 0:
        raise ValueError(f"pictures at {fps} per second cannot be brought to {wanted_fps}")
    step = Fraction(fps).limit_denominator(1001) / wanted_fps
    source = iter(frames)
    with _Workers() as workers:
        waiting: deque[Future[Picture] | Picture] = deque()
        for index, part, pair in _paired(source, step, num_frames):
            first, second = pair
            if part and second is not None:
                waiting.append(workers.submit(index, (first, second), part))
            else:
                waiting.append(first)
            while len(waiting) > workers.ahead:
                yield _done(waiting.popleft())
        while waiting:
            yield _done(waiting.popleft())


def _done(one: "Future[Picture] | Picture") -> Picture:
    return one.result() if isinstance(one, Future) else one


def _paired(
    source: Iterator[Picture], step: Fraction, num_frames: int
) -> Iterator[tuple[int, Fraction, tuple[Picture, Picture | None]]]:
    """Yield for each frame: the index of the picture before it, how far it is from that to the next, both pictures.

    Two pictures are held at a time. The next is None where there is none, or where it is not needed.
    """
    at = 0
    first = next(source, None)
    if first is None:
        raise ValueError("there are no pictures")
    second: Picture | None = None
    for number in range(num_frames):
        index, part = _place(number * step)
        while at < index:
            second = next(source, None) if second is None else second
            if second is None:
                break
            first, second, at = second, None, at + 1
        if part and second is None and at == index:
            second = next(source, None)
        yield at, part, (first, second if at == index else None)


def _place(position: Fraction) -> tuple[int, Fraction]:
    """Split a position into a picture's index and the part of the way to the next, 0 where a picture is near."""
    index = int(position)
    part = position - index
    if part < NEAR:
        return index, Fraction(0)
    return (index + 1, Fraction(0)) if part > 1 - NEAR else (index, part)


class _Workers:
    """Threads that look at pairs of pictures; a pair that two frames need is looked at once."""

    def __init__(self) -> None:
        self._count = max(1, min(WORKERS_MAX, os.cpu_count() or 1))
        self.ahead = self._count
        """Frames that may be waited for."""
        self._pool: ThreadPoolExecutor | None = None
        self._last: tuple[int, Future[Between]] | None = None

    def submit(self, index: int, pair: tuple[Picture, Picture], part: Fraction) -> "Future[Picture]":
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="retime")
        if self._last is None or self._last[0] != index:
            self._last = index, self._pool.submit(Between, *pair)
        between = self._last[1]
        # The pool takes its work in order, so what is waited for here is already being done.
        return self._pool.submit(lambda: between.result().picture(float(part)))

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


class Between:
    """What lies between two pictures of one size, (height_px, width_px, 3) uint8 RGB, that follow each other."""

    def __init__(self, first: Picture, second: Picture) -> None:
        self._first, self._second = first, second
        self.is_cut = False
        self._is_still = np.array_equal(first, second)
        if self._is_still:
            return
        small = _small(first), _small(second)
        self._middle = middle_of(*small)
        height, width = small[0].shape[:2]
        self._grid = _grid(width, height)
        self._motion = self._middle.to_second - self._middle.to_first
        self.is_cut = self._differs(*small)

    def picture(self, part: float) -> Picture:
        """Return the picture at 0..1 of the way; across a cut the nearer one."""
        if self._is_still or part <= 0:
            return self._first
        if part >= 1:
            return self._second
        if self.is_cut:
            return self._first if part < 0.5 else self._second
        moment = self._moment(part)
        height, width = self._first.shape[:2]
        grid = _grid(width, height)
        first = _looked_up(self._first, grid + self._enlarged(moment.to_first), CUBIC)
        second = _looked_up(self._second, grid + self._enlarged(moment.to_second), CUBIC)
        share = np.clip(cv2.resize(moment.first, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
        return np.asarray(cv2.blendLinear(first, second, share, 1 - share), dtype=np.uint8)

    def _moment(self, part: float) -> Middle:
        """The moment as the middle knows it: each point of it is where its own motion brings it from the middle."""
        place = self._grid
        for _ in range(STEPS_OF_TRACING):
            motion = np.asarray(_looked_up(self._motion, place, cv2.INTER_LINEAR), dtype=np.float32)
            place = self._grid + np.float32(0.5 - part) * motion
        moved = place - self._grid
        first = _looked_up(self._middle.first, place, cv2.INTER_LINEAR)
        # The nearer picture is seen more, and alone at the ends of the way.
        weight, rest = first * np.float32(1 - part), (1 - first) * np.float32(part)
        return Middle(
            to_first=_looked_up(self._middle.to_first, place, cv2.INTER_LINEAR) + moved,
            to_second=_looked_up(self._middle.to_second, place, cv2.INTER_LINEAR) + moved,
            first=np.asarray(weight / np.maximum(weight + rest, np.float32(1e-6)), dtype=np.float32),
        )

    def _enlarged(self, flow: Floats) -> Floats:
        """Motion in pixels of the small copy as motion in pixels of the picture."""
        height, width = self._first.shape[:2]
        scale = np.array([width / flow.shape[1], height / flow.shape[0]], dtype=np.float32)
        return np.asarray(cv2.resize(flow * scale, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)

    def _differs(self, first: Picture, second: Picture) -> bool:
        """Whether the two show nothing of each other."""
        seen = (
            _looked_up(first, self._grid + self._middle.to_first, cv2.INTER_LINEAR).astype(np.float32),
            _looked_up(second, self._grid + self._middle.to_second, cv2.INTER_LINEAR).astype(np.float32),
        )
        apart = float(np.abs(seen[0] - seen[1]).mean())
        contrast = float(np.std(np.stack([first, second]).astype(np.float32)))
        return apart > max(CUT_LEVELS_LEAST, CUT_SHARE * contrast)


def _small(picture: Picture) -> Picture:
    """The copy that the network sees, as it wants its sides; never larger than the picture needs."""
    height, width = picture.shape[:2]
    scale = min(1.0, FLOW_PX / max(height, width))
    columns, rows = (max(2, round(side * scale / GRAIN_PX)) * GRAIN_PX for side in (width, height))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (columns, rows), interpolation=way), dtype=np.uint8)


def _grid(width_px: int, height_px: int) -> Floats:
    rows, columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    return np.dstack([columns, rows])


def _looked_up(values: NDArray[Any], places: Floats, way: int) -> NDArray[Any]:
    # OpenCV's own stubs do not know that both coordinates may be in one array.
    found = cv2.remap(values, places, None, way, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(found)
