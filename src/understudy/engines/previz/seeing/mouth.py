"""Where the mouth of the largest face of a picture is, by the key points of MediaPipe's face detection.

It knows people, and drawings that look like people; an animal's or a cartoon's face is mostly none to it.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.nets import Picture
from understudy.media.faces import INPUT_SIDE_PX, LEAST_SCORE, MODEL, SCORES

_PLACES = "reshaped_regressor_face_4"
"""The layer that says where a face lies and its key points, in pixels of the input from the middle of its cell."""

_CELL_PX = 4
_RIGHT_EYE, _LEFT_EYE, _MOUTH = 4, 6, 10
"""Where the x of a key point stands in the layer's 16 values, before its y. Source: MediaPipe, face_detection."""

_CLOSER = 3.0
"""A face is looked at again in a square of so many times its width: from afar its points are coarse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mouth:
    """The middle of a mouth, in pixels. eyes_px: from one eye to the other. tilt_rad: turned clockwise."""

    x_px: float
    y_px: float
    eyes_px: float
    tilt_rad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    middle_px: tuple[float, float]
    width_px: float
    mouth: Mouth


def mouth_of(picture: Picture) -> Mouth | None:
    """Find the mouth of the likeliest face, (height_px, width_px, 3) uint8 RGB; None where there is no face."""
    height_px, width_px = picture.shape[:2]
    side_px = float(max(height_px, width_px))
    far = _face_in(picture, (width_px / 2, height_px / 2), side_px)
    if far is None and min(height_px, width_px) < side_px:
        # The upper middle of an upright picture, the middle of a wide one: there a face is, if it is small.
        shorter_px = float(min(height_px, width_px))
        far = _face_in(picture, (width_px / 2, shorter_px / 2), shorter_px)
    if far is None:
        return None
    near = _face_in(picture, far.middle_px, _CLOSER * far.width_px)
    return (near or far).mouth


def _face_in(picture: Picture, middle_px: tuple[float, float], side_px: float) -> _Face | None:
    """Look for a face in the square around a place; what lies beyond the picture is black."""
    x_px, y_px = middle_px
    scale = INPUT_SIDE_PX / side_px
    shift = np.array(
        [[scale, 0, INPUT_SIDE_PX / 2 - x_px * scale], [0, scale, INPUT_SIDE_PX / 2 - y_px * scale]], dtype=np.float64
    )
    reduced, shift = _reduced(picture, shift, scale)
    square = cv2.warpAffine(reduced, shift, (INPUT_SIDE_PX, INPUT_SIDE_PX), flags=cv2.INTER_LINEAR)
    scores = _answered(square, SCORES).reshape(-1)
    cell = int(scores.argmax())
    if 1 / (1 + float(np.exp(-np.clip(scores[cell], -60, 60)))) < LEAST_SCORE:
        return None
    return _face_of(_answered(square, _PLACES).reshape(-1, 16)[cell], cell, middle_px=middle_px, per_pixel=1 / scale)


def _answered(square: NDArray[np.generic], layer: str) -> NDArray[np.float32]:
    """Return what one layer answers; OpenCV gives only one of them at a time."""
    net = _net()
    net.setInput(cv2.dnn.blobFromImage(np.asarray(square, dtype=np.uint8), 1 / 127.5, mean=(127.5, 127.5, 127.5)))
    return np.asarray(net.forward(layer), dtype=np.float32)


def _reduced(picture: Picture, shift: NDArray[np.float64], scale: float) -> tuple[Picture, NDArray[np.float64]]:
    """Return a smaller picture and the shift for it, where a large one would be sampled with gaps."""
    if scale >= 0.5:
        return picture, shift
    part = 2 * scale
    size = (max(1, round(picture.shape[1] * part)), max(1, round(picture.shape[0] * part)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    ratio = np.array([picture.shape[1] / size[0], picture.shape[0] / size[1], 1.0])
    return small, shift * ratio


def _face_of(values: NDArray[np.float32], cell: int, *, middle_px: tuple[float, float], per_pixel: float) -> _Face:
    """Read a face's values. middle_px: of the square, in the picture. per_pixel: the picture's pixels for one of it."""
    cells = INPUT_SIDE_PX // _CELL_PX
    row, column = divmod(cell, cells)
    at_x, at_y = (column + 0.5) * _CELL_PX - INPUT_SIDE_PX / 2, (row + 0.5) * _CELL_PX - INPUT_SIDE_PX / 2

    def point(place: int) -> tuple[float, float]:
        return (
            middle_px[0] + (at_x + float(values[place])) * per_pixel,
            middle_px[1] + (at_y + float(values[place + 1])) * per_pixel,
        )

    right, left, mouth = point(_RIGHT_EYE), point(_LEFT_EYE), point(_MOUTH)
    return _Face(
        middle_px=point(0),
        width_px=max(8.0, float(values[2]) * per_pixel),
        mouth=Mouth(
            x_px=mouth[0],
            y_px=mouth[1],
            eyes_px=max(1.0, float(np.hypot(left[0] - right[0], left[1] - right[1]))),
            tilt_rad=float(np.arctan2(left[1] - right[1], left[0] - right[0])),
        ),
    )


@cache
def _net() -> "cv2.dnn.Net":
    model = (files("understudy.media") / "assets" / "faces" / MODEL).read_bytes()
    return cv2.dnn.readNetFromTFLite(np.frombuffer(model, dtype=np.uint8))
