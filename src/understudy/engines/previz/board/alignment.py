"""How one picture lies in another: one turn, growth and shift of the whole frame, as a camera's move makes them.

Places are complex numbers, x + iy from the frame's middle, right and down, in parts of the frame's longer side: so a
turn with a growth is one factor, and what is said of a small picture holds for a large one.
"""

import cmath
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.media.decode import Picture, fitted

ANALYSED_PX = 512
"""The longer side of what is compared: the same whatever the film's size, so that a draft moves as its final does."""

_FEATURES_MOST = 1500
_RATIO = 0.75
"""A match counts if it is so much better than the next best. Source: Lowe, 2004, section 7.1."""

_OFF_MOST_PX = 3.0
_MATCHES_LEAST = 14
_SHARE_LEAST = 0.35
"""Of the matches, so many must tell of one and the same move: else it is no move of the frame."""

_GROWTH_MOST = 4.0
_OVERLAP_LEAST = 0.12

_CORNERS_MOST = 400
_CORNER_QUALITY = 0.01
_CORNER_APART_PX = 7
_CORNERS_LEAST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """A move of the plane: where a point of the one picture is in the other. factor: growth and turn; shift: after."""

    factor: complex = 1 + 0j
    shift: complex = 0j

    @property
    def growth(self) -> float:
        """How much larger things become."""
        return abs(self.factor)

    @property
    def turn_rad(self) -> float:
        """By how much things turn, clockwise as y goes down."""
        return cmath.phase(self.factor)

    def at(self, place: complex) -> complex:
        """Where a point goes."""
        return self.factor * place + self.shift

    def then(self, after: "Similarity") -> "Similarity":
        """This move, and another after it."""
        return Similarity(factor=after.factor * self.factor, shift=after.at(self.shift))

    def part(self, part: float) -> "Similarity":
        """Make a part of the move, or more than it: 0 is none, 1 the whole, -1 the way back.

        Even in time: twice the half is the whole, so that it grows by the same factor in each moment.
        """
        rate = cmath.log(self.factor)
        # The integral of exp(rate * s) over 0..part, against that over 0..1; near no growth, where both vanish, their
        # series is exact enough.
        if abs(rate) < 1e-6:
            reached = part * (1 + rate * (part - 1) / 2)
        else:
            reached = (cmath.exp(rate * part) - 1) / (self.factor - 1)
        return Similarity(factor=cmath.exp(rate * part), shift=self.shift * reached)

    def matrix(self, width_px: int, height_px: int) -> NDArray[np.float64]:
        """(2, 3): the move in pixels of a picture."""
        side = max(width_px, height_px)
        middle = complex((width_px - 1) / 2, (height_px - 1) / 2)
        shift = middle + self.shift * side - self.factor * middle
        real, imaginary = self.factor.real, self.factor.imag
        return np.array([[real, -imaginary, shift.real], [imaginary, real, shift.imag]])


STAYING = Similarity()


def similarity_of(matrix: NDArray[Any], width_px: int, height_px: int) -> Similarity:
    """Read a (2, 3) matrix in pixels, of a turn with a growth and a shift."""
    side = max(width_px, height_px)
    middle = complex((width_px - 1) / 2, (height_px - 1) / 2)
    factor = complex(matrix[0, 0], matrix[1, 0])
    return Similarity(factor=factor, shift=(complex(matrix[0, 2], matrix[1, 2]) + factor * middle - middle) / side)


def reduced(picture: Picture, side_px: int = ANALYSED_PX) -> Picture:
    """Return the picture with a longer side of so many pixels."""
    scale = side_px / max(picture.shape[:2])
    return fitted(picture, max(16, round(picture.shape[1] * scale)), max(16, round(picture.shape[0] * scale)))


def aligned(first: Picture, second: Picture) -> Similarity | None:
    """Find what both pictures, of one size, show, however far apart; None where no move of the frame explains it."""
    small = [cv2.cvtColor(reduced(picture), cv2.COLOR_RGB2GRAY) for picture in (first, second)]
    # OpenCV's own stubs do not know it.
    finder: Any = cv2.SIFT_create(nfeatures=_FEATURES_MOST)  # type: ignore[attr-defined]
    found = [finder.detectAndCompute(grey, None) for grey in small]
    if any(words is None or len(words) < 2 for _, words in found):
        return None
    (points, words), (other_points, other_words) = found
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words, other_words, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < _MATCHES_LEAST:
        return None
    there = np.array([points[match.queryIdx].pt for match in good], dtype=np.float32)
    here = np.array([other_points[match.trainIdx].pt for match in good], dtype=np.float32)
    matrix, kept = cv2.estimateAffinePartial2D(there, here, ransacReprojThreshold=_OFF_MOST_PX, maxIters=4000)
    if matrix is None or int(kept.sum()) < max(_MATCHES_LEAST, _SHARE_LEAST * len(good)):
        return None
    height, width = small[0].shape
    move = similarity_of(matrix, width, height)
    if not 1 / _GROWTH_MOST < move.growth < _GROWTH_MOST or _overlap(move, width, height) < _OVERLAP_LEAST:
        return None
    return move


def _overlap(move: Similarity, width_px: int, height_px: int) -> float:
    """The part of the frame, of the larger one if it grows, that both pictures show."""
    white = np.full((height_px, width_px), 255, dtype=np.uint8)
    seen = float(cv2.warpAffine(white, move.matrix(width_px, height_px), (width_px, height_px)).mean()) / 255
    return max(seen, seen / move.growth**2)


def followed(before: NDArray[Any], after: NDArray[Any]) -> Similarity | None:
    """Find the frame's move between two grey pictures that follow each other; None where nothing can be followed.

    What moves by itself is outvoted by what stands, if that is more of the picture.
    """
    corners = cv2.goodFeaturesToTrack(before, _CORNERS_MOST, _CORNER_QUALITY, _CORNER_APART_PX)
    if corners is None or len(corners) < _CORNERS_LEAST:
        return None
    # OpenCV's stubs want a place to write to, which it makes itself.
    reached, is_found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)  # type: ignore[call-overload]
    is_kept = is_found.ravel() == 1
    if int(is_kept.sum()) < _CORNERS_LEAST:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(corners[is_kept], reached[is_kept], ransacReprojThreshold=1.0)
    if matrix is None or not math.isfinite(float(np.abs(matrix).sum())):
        return None
    height, width = before.shape
    return similarity_of(matrix, width, height)
