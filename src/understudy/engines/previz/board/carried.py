"""Things that two pictures of one view both show, in different places: found where the pictures differ, and paired.

A network that follows small steps loses what has gone half across the frame. Where the rest of the view is known from
the other picture, such a thing can be carried over as a whole.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import Similarity, similarity_of
from understudy.media.decode import Picture

Floats = NDArray[np.float32]

_DIFFERS = 16.0
_SMALLEST, _LARGEST = 0.002, 0.2
"""The size of a thing in parts of the view."""

_THINGS_MOST = 6
_ALIKE_LEAST = 0.55
_GROWTH_MOST = 2.2
_BINS = (6, 6, 6)
_ROUNDS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
_PIXEL = np.ones((3, 3), np.uint8)
_RIM_PX = 4
"""So much of the ground around a thing is a mixture of both: it is taken from the other picture as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A thing that is carried over. first, last: (height, width) float32 0..1, where it is in the two pictures.

    move: from the first place to the last, in a picture of that size.
    """

    first: Floats
    last: Floats
    move: Similarity

    def place(self, part: float) -> Floats:
        """Where the thing is after a part of the way, 0..1."""
        height, width = self.first.shape
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = [
            cv2.warpAffine(mask, self.move.part(own - part).matrix(width, height), (width, height), flags=flags)
            for own, mask in enumerate((self.first, self.last))
        ]
        return np.asarray(drawn[0] * (1 - part) + drawn[1] * part, dtype=np.float32)

    def ground(self, mask: Floats) -> Floats:
        """Where the ground is not to be taken from the picture that shows the thing there, 0..1."""
        return np.asarray(cv2.dilate(mask, np.ones((2 * _RIM_PX + 1,) * 2, np.uint8)), dtype=np.float32)


def carried_over(first: Picture, last: Picture, both: NDArray[np.bool_]) -> tuple[Carried, ...]:
    """Pair what is seen in one place in the first and in another in the last. both: where both show the view."""
    apart = np.abs(first.astype(np.float32) - last).max(axis=2) * both
    apart = cv2.GaussianBlur(apart, (0, 0), 1.5)
    places = _places(apart > _DIFFERS)
    pairs: list[tuple[float, int, int]] = []
    for start, mask in enumerate(places):
        for end, other in enumerate(places):
            if start != end and 1 / _GROWTH_MOST**2 < other.sum() / mask.sum() < _GROWTH_MOST**2:
                alike = _alike((first, mask), (last, other))
                # It is not there any more, and was not here before.
                left, come = _alike((first, mask), (last, mask)), _alike((first, other), (last, other))
                if alike > max(_ALIKE_LEAST, left, come):
                    pairs.append((alike, start, end))
    taken: set[int] = set()
    found: list[Carried] = []
    for _, start, end in sorted(pairs, reverse=True):
        if taken.isdisjoint({start, end}):
            taken |= {start, end}
            found.append(_paired((first, places[start]), (last, places[end])))
    return tuple(found)


def _places(differs: NDArray[np.bool_]) -> list[NDArray[np.uint8]]:
    """The places where the pictures differ, each as a mask of 0 and 1 without holes, the largest first."""
    plain = differs.astype(np.uint8)
    plain = cv2.morphologyEx(plain, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8)
    plain = cv2.morphologyEx(plain, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)).astype(np.uint8)
    outlines, _ = cv2.findContours(plain, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    masks = [cv2.drawContours(np.zeros_like(plain), [outline], -1, 1, cv2.FILLED) for outline in outlines]
    masks = [mask for mask in masks if _SMALLEST < float(mask.mean()) < _LARGEST]
    masks.sort(key=lambda mask: -int(mask.sum()))
    return [np.asarray(mask, dtype=np.uint8) for mask in masks[:_THINGS_MOST]]


def _alike(*places: tuple[Picture, NDArray[np.uint8]]) -> float:
    """How much of the colours of two places is the same, 0..1. places: a picture and a mask each."""
    shares = []
    for picture, where in places:
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        counts = cv2.calcHist([lab], [0, 1, 2], where, _BINS, [0, 256, 60, 200, 60, 200])
        counts = cv2.GaussianBlur(counts.reshape(_BINS[0], -1), (1, 3), 0.6)
        shares.append(counts / max(1.0, float(counts.sum())))
    return float(np.minimum(*shares).sum())


def _paired(first: tuple[Picture, NDArray[np.uint8]], last: tuple[Picture, NDArray[np.uint8]]) -> Carried:
    """Find out how a thing goes from its first place to its last."""
    (picture, mask), (other, there) = first, last
    height, width = mask.shape
    growth = float(np.sqrt(there.sum() / mask.sum()))
    start, end = (np.argwhere(one).mean(axis=0)[::-1] for one in (mask, there))
    # From the last picture's places to the first's, as the alignment below wants it.
    back = np.array([[1 / growth, 0, start[0] - end[0] / growth], [0, 1 / growth, start[1] - end[1] / growth]])
    greys = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (picture, other)]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    brought = cv2.warpAffine(greys[0], back, (width, height), flags=flags)
    try:
        start_from: NDArray[Any] = np.eye(2, 3, dtype=np.float32)
        _, settled = cv2.findTransformECC(
            greys[1], brought, start_from, cv2.MOTION_EUCLIDEAN, _ROUNDS, inputMask=there, gaussFiltSize=3
        )
        if np.abs(settled - np.eye(2, 3)).max() < max(height, width) / 24:
            back = (np.vstack([back, [0, 0, 1]]) @ np.vstack([settled, [0, 0, 1]]))[:2]
    except cv2.error:
        # What has nothing to be aligned by, a ball of one colour, is carried from middle to middle.
        pass
    there_from_here = np.linalg.inv(np.vstack([back, [0, 0, 1]]))[:2]
    # The outermost pixels are the ground's as much as the thing's, and it leaves that behind.
    soft = [cv2.GaussianBlur(cv2.erode(one, _PIXEL).astype(np.float32), (0, 0), 0.8) for one in (mask, there)]
    return Carried(
        first=np.asarray(soft[0], dtype=np.float32),
        last=np.asarray(soft[1], dtype=np.float32),
        move=similarity_of(there_from_here, width, height),
    )
