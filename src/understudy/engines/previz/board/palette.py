"""A film in the colours of a given picture: one matrix that carries its colours over to the picture's.

Source: Pitié, Kokaram: The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer, 2007.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.film import Painter
from understudy.engines.previz.pictures.canvas import Bitmap

_STRENGTH = 0.75
"""Of the way to the picture's colours: further, and what the film is about would lose its own."""

_STRETCH = (0.45, 1.9)
"""The least and the most that colours are spread: a plain picture would leave nothing to see, a loud one noise."""

_SEEN_PX = 96
_FLOOR = 4.0


class Graded:
    """A painter whose frames have the colours of a picture. own: a frame with the colours that they have by nature."""

    def __init__(self, painter: Painter, *, own: Bitmap, picture: NDArray[np.uint8]) -> None:
        self._painter = painter
        self._matrix = carried(own[..., :3], picture[..., :3])
        self._frame: Bitmap | None = None

    def paint(self, index: int) -> Bitmap:
        """Draw a frame, as `Painter` says."""
        self._frame = np.asarray(cv2.transform(self._painter.paint(index), self._matrix, dst=self._frame))
        self._frame[..., 3] = 255
        return self._frame

    def close(self) -> None:
        """Let go of what the painter has open."""
        self._painter.close()


def carried(own: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the 4x5 matrix that carries the colours of a picture to those of another, most of the way."""
    (mean, spread), (mean_wanted, spread_wanted) = _statistics(own), _statistics(wanted)
    root = _power(spread, 0.5)
    back = _power(spread, -0.5)
    turned = back @ _power(root @ spread_wanted @ root, 0.5) @ back
    values, vectors = np.linalg.eigh((turned + turned.T) / 2)
    turned = vectors @ np.diag(np.clip(values, *_STRETCH)) @ vectors.T
    part = (1 - _STRENGTH) * np.eye(3) + _STRENGTH * turned
    matrix = np.zeros((4, 5))
    matrix[:3, :3] = part
    matrix[:3, 4] = (1 - _STRENGTH) * mean + _STRENGTH * mean_wanted - part @ mean
    matrix[3, 3] = 1.0
    return matrix


def _statistics(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    small = cv2.resize(np.ascontiguousarray(picture), (_SEEN_PX, _SEEN_PX), interpolation=cv2.INTER_AREA)
    colours = small.reshape(-1, 3).astype(np.float64)
    return colours.mean(axis=0), np.cov(colours.T) + _FLOOR * np.eye(3)


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    powered: NDArray[np.float64] = vectors @ np.diag(np.maximum(values, 1e-6) ** exponent) @ vectors.T
    return powered
