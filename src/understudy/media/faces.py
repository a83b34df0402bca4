"""Find the faces of people in pictures: Google's MediaPipe full-range model, run by OpenCV on the CPU.

It tells faces of photographs, and of drawings that look like photographs, from everything else; a cartoon's face is
mostly none to it, a statue's may be one. Whether a face may pass is not decided here.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.core.media import Unreadable

MODEL = "face_detection_full_range.tflite"
SCORES = "reshaped_classifier_face_4"
"""The layer of the model that says for each place how likely a face lies there, as a logit."""

INPUT_SIDE_PX = 192
"""The model's input is a square of this side, RGB in -1..1. Source: MediaPipe, face_detection_full_range."""

LEAST_SCORE = 0.7
"""Our own: on photographs faces, one of them in profile, had 0.76 and more, and what had none at most 0.64."""

TILE_SHARES = (1.0, 0.5)
"""Squares that are looked at beside the whole picture, as shares of its shorter side: the model misses faces that are
much smaller than a twentieth of what it is shown."""

TILE_STEP = 0.6
"""From one square to the next, as a share of the square: a face on the border of one lies whole in its neighbour."""

TILES_MOST = 64
"""A very long picture has more squares; they are then spread."""

Picture = NDArray[np.uint8]


def has_face(rgb: Picture, tile_shares: tuple[float, ...] = TILE_SHARES) -> bool:
    """Say whether a picture, (height_px, width_px, 3) uint8 RGB, shows a face.

    tile_shares: squares to look at beside the whole; fewer are faster and miss smaller faces.

    Raises: Unreadable for an array that is no picture.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < 1:
        raise Unreadable("the file has no picture to look at")
    return any(score(square) >= LEAST_SCORE for square in squares(rgb, tile_shares))


def score(square: Picture) -> float:
    """Return how likely the likeliest face of a square picture is one, 0..1."""
    shown = cv2.resize(square, (INPUT_SIDE_PX, INPUT_SIDE_PX), interpolation=cv2.INTER_AREA)
    net = _net()
    net.setInput(cv2.dnn.blobFromImage(shown, 1 / 127.5, mean=(127.5, 127.5, 127.5)))
    likeliest = float(net.forward(SCORES).max())
    return 1 / (1 + float(np.exp(-np.clip(likeliest, -60, 60))))


def squares(rgb: Picture, tile_shares: tuple[float, ...]) -> Iterator[Picture]:
    """Yield the whole picture on a black square, then overlapping squares of it, the larger ones first."""
    height_px, width_px = rgb.shape[:2]
    side_px = max(height_px, width_px)
    whole = np.zeros((side_px, side_px, 3), dtype=np.uint8)
    top, left = (side_px - height_px) // 2, (side_px - width_px) // 2
    whole[top : top + height_px, left : left + width_px] = rgb
    yield whole
    shorter_px = min(height_px, width_px)
    for share in tile_shares:
        tile_px = max(1, int(shorter_px * share))
        if tile_px == side_px:
            continue
        corners = [(y, x) for y in _starts(height_px, tile_px) for x in _starts(width_px, tile_px)]
        for y, x in corners[:: -(-len(corners) // TILES_MOST)]:
            yield rgb[y : y + tile_px, x : x + tile_px]


def _starts(length_px: int, tile_px: int) -> list[int]:
    step_px = max(1, int(tile_px * TILE_STEP))
    return sorted({*range(0, length_px - tile_px, step_px), length_px - tile_px})


@cache
def _net() -> "cv2.dnn.Net":
    model = (files("understudy.media") / "assets" / "faces" / MODEL).read_bytes()
    return cv2.dnn.readNetFromTFLite(np.frombuffer(model, dtype=np.uint8))
