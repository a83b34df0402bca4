"""Things that move through a video as a whole, and go on doing so after its end: cut out, and carried over the rest.

What was behind them is drawn anew (`seeing.plate`), where they stood at the end.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import Similarity
from understudy.engines.previz.seeing.plate import without
from understudy.media.decode import Picture

Floats = NDArray[np.float32]

_MOVERS_MOST = 3
_SMALLEST, _LARGEST = 0.002, 0.16
"""The size of a mover in parts of the frame. What is larger is the scene, or the sea; what is smaller is noise."""

_OF_ONE_MIND = 0.35
"""A whole moves alike: so much, in parts of its speed, may its points differ from it, by the usual one."""

_INNER = 80
_DIFFERS = 18.0
_AGO_LEAST, _AGO_STEP = 2, 2
"""With which of the pictures before the last one is compared, counted back."""

_GROWN = 5
_BRUSH = np.ones((_GROWN, _GROWN), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A thing that moves as a whole. mask: (height, width) float32 0..1, where it is, on a small picture.

    velocity: right and down from one picture to the next, in parts of the longer side, besides the frame's own move.
    """

    mask: Floats
    hole: Floats
    velocity: complex


def movers_in(pictures: list[Picture], field: Floats, frame: Similarity) -> tuple[Mover, ...]:
    """Find the movers in the last of some small pictures, (height, width, 3).

    field: (height, width, 2), what moves besides the frame, as of `extension.Momentum`. frame: the frame's own step.
    """
    height, width = pictures[-1].shape[:2]
    still = _unlike_ground(pictures, frame)
    # A flow is broader than what flows: the thing is where the ground is not seen.
    changed = still > _DIFFERS
    moving = np.linalg.norm(field, axis=2) > 0
    plain = cv2.morphologyEx((changed & moving).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(plain, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found: list[tuple[float, Mover]] = []
    for outline in outlines:
        mask = cv2.drawContours(np.zeros((height, width), np.uint8), [outline], -1, 1, cv2.FILLED)
        size = float(mask.mean())
        if not _SMALLEST < size < _LARGEST:
            continue
        inside = field[(mask > 0) & moving]
        if not len(inside):
            continue
        usual = np.median(inside, axis=0)
        speed = float(np.linalg.norm(usual))
        if speed > 0 and float(np.median(np.linalg.norm(inside - usual, axis=1))) < _OF_ONE_MIND * speed:
            # Flow fades towards the edges of what flows.
            usual *= float(np.percentile(np.linalg.norm(inside, axis=1), _INNER)) / speed
            velocity = complex(float(usual[0]), float(usual[1]))
            near = cv2.dilate(mask, _BRUSH) > 0
            own = _filled(near & changed & (_unlike_itself(pictures, frame, velocity) < still))
            soft = cv2.GaussianBlur(own.astype(np.float32), (0, 0), 0.8)
            hole = np.asarray(cv2.dilate(np.maximum(own, mask), _BRUSH), dtype=np.float32)
            found.append((size, Mover(mask=np.asarray(soft, dtype=np.float32), hole=hole, velocity=velocity)))
    found.sort(key=lambda pair: -pair[0])
    return tuple(mover for _, mover in found[:_MOVERS_MOST])


def _unlike_ground(pictures: list[Picture], frame: Similarity) -> Floats:
    """How far the last picture is from what stood there before, in levels: from the nearest of several moments."""
    height, width = pictures[-1].shape[:2]
    apart: list[NDArray[Any]] = []
    for ago in range(_AGO_LEAST, len(pictures), _AGO_STEP):
        move = frame.part(ago).matrix(width, height)
        before = cv2.warpAffine(pictures[-1 - ago], move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        apart.append(_apart(pictures[-1], before))
    return np.min(np.stack(apart), axis=0) if apart else np.zeros((height, width), dtype=np.float32)


def _unlike_itself(pictures: list[Picture], frame: Similarity, velocity: complex) -> Floats:
    """How far the last picture is from one before that has gone as the thing has, in levels."""
    height, width = pictures[-1].shape[:2]
    ago = min(_AGO_LEAST, len(pictures) - 1)
    move = frame.part(ago).then(Similarity(shift=velocity * ago)).matrix(width, height)
    before = cv2.warpAffine(pictures[-1 - ago], move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return _apart(pictures[-1], before)


def _apart(one: Picture, other: NDArray[Any]) -> Floats:
    """How far two pictures are apart, in levels of the colour that tells them best."""
    return np.asarray(cv2.GaussianBlur(cv2.absdiff(one, other).max(axis=2), (0, 0), 1.0), dtype=np.float32)


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The largest piece of a mask, without holes; 0 and 1."""
    plain = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(plain, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask.shape, dtype=np.uint8)
    if outlines:
        cv2.drawContours(whole, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    # What hangs on by little is ground between where the thing was and where it is.
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _GROWN - 1,) * 2)
    opened = np.asarray(cv2.morphologyEx(whole, cv2.MORPH_OPEN, brush), dtype=np.uint8)
    return opened if opened.sum() > whole.sum() / 2 else whole


def without_movers(field: Floats, movers: tuple[Mover, ...]) -> Floats:
    """Return the field of what moves, without that of the movers and their surroundings."""
    left = field
    for mover in movers:
        around = cv2.dilate((mover.mask > 0).astype(np.float32), np.ones((8 * _GROWN + 1,) * 2, np.uint8))
        left = np.asarray(left * (1 - around[..., None]), dtype=np.float32)
    return left


def ground_of(picture: Picture, movers: tuple[Mover, ...]) -> Picture:
    """Return the picture as it is without the movers."""
    if not movers:
        return picture
    return without(picture, _large(np.max(np.stack([mover.hole for mover in movers]), axis=0), picture))


class Carrier:
    """Draws the movers of a video's last picture, (height_px, width_px, 3), where they have gone since."""

    def __init__(self, picture: Picture, movers: tuple[Mover, ...]) -> None:
        self._picture, self._movers = picture, movers
        self._masks = tuple(_large(mover.mask, picture) for mover in movers)

    def draw(self, ground: Picture, view: Similarity, steps: float) -> Picture:
        """Return the ground with the movers. view: where the camera has gone. steps: how many of theirs they took."""
        height_px, width_px = self._picture.shape[:2]
        drawn = ground
        for mover, mask in zip(self._movers, self._masks, strict=True):
            move = Similarity(shift=mover.velocity * steps).then(view)
            matrix, size = move.matrix(width_px, height_px), (width_px, height_px)
            cover = cv2.warpAffine(mask, matrix, size)
            if not cover.any():
                continue
            thing = cv2.warpAffine(self._picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
            drawn = np.asarray(cv2.blendLinear(thing, drawn, cover, 1 - cover), dtype=np.uint8)
        return drawn


def _large(mask: Floats, picture: Picture) -> Floats:
    """A small mask in the picture's size, its edge as sharp as may be."""
    large = cv2.resize(mask, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((large - 0.5) * 3 + 0.5, 0, 1), dtype=np.float32)
