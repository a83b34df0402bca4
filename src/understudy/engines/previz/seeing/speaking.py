"""A mouth in a picture that opens: the jaw goes down, the line between the lips widens and is dark."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.mouth import Mouth
from understudy.media.decode import Picture

Values = NDArray[np.float32]

_WIDEST = 0.26
"""How far a mouth opens for the loudest sound, in parts of the distance of the eyes."""

_HALF_WIDTH = 0.42
_SEAM = 0.06
_JAW = 1.15
_REACH = (1.3, 0.5, 1.9)
"""What may change around the middle of the mouth: to each side, upwards, downwards; in the same parts."""

_DARK = (62.0, 22.0, 20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaw:
    """What changes in a picture when its mouth opens. left, top: of the changed part, in pixels.

    across, down: where each of its pixels lies from the middle of the mouth, along and across it, in eye distances.
    """

    mouth: Mouth
    left: int
    top: int
    across: Values
    down: Values


def jaw_of(mouth: Mouth, shape: tuple[int, ...]) -> Jaw | None:
    """Return what of a picture of this shape a mouth changes; None where it lies outside or is too small to be seen."""
    side, above, below = (part * mouth.eyes_px for part in _REACH)
    left, right = max(0, int(mouth.x_px - side)), min(shape[1], int(mouth.x_px + side) + 1)
    top, bottom = max(0, int(mouth.y_px - above)), min(shape[0], int(mouth.y_px + below) + 1)
    if right - left < 4 or bottom - top < 4:
        return None
    x, y = np.meshgrid(
        np.arange(left, right, dtype=np.float32) - np.float32(mouth.x_px),
        np.arange(top, bottom, dtype=np.float32) - np.float32(mouth.y_px),
    )
    cos, sin = np.float32(np.cos(mouth.tilt_rad)), np.float32(np.sin(mouth.tilt_rad))
    scale = np.float32(1 / mouth.eyes_px)
    return Jaw(mouth=mouth, left=left, top=top, across=(cos * x + sin * y) * scale, down=(cos * y - sin * x) * scale)


def opened(layer: Picture, jaw: Jaw, voice: float, *, is_dark: bool = True) -> Picture:
    """Return the part of a layer that a mouth changes, with the mouth open as far as the voice is loud, 0..1.

    is_dark: False for what is no colour, such as a cover.
    """
    part = np.ascontiguousarray(layer[jaw.top : jaw.top + jaw.down.shape[0], jaw.left : jaw.left + jaw.down.shape[1]])
    gap = np.float32(_WIDEST * voice)
    wide = np.clip(1 - (jaw.across / np.float32(_HALF_WIDTH)) ** 2, 0, 1)
    hangs = np.clip(1 - (jaw.across / np.float32(_JAW)) ** 2, 0, 1)
    # The jaw hangs as one; only between the lips it parts from what is above.
    opening = gap * (0.35 * hangs + 0.65 * np.sqrt(wide) * hangs)
    begun = np.clip((jaw.down + np.float32(_SEAM)) / (np.float32(2 * _SEAM) + opening), 0, 1)
    fades = np.clip((np.float32(_REACH[2]) - jaw.down) / np.float32(_REACH[2] - 0.9), 0, 1)
    moved = opening * begun * fades * fades * (3 - 2 * fades) * np.float32(jaw.mouth.eyes_px)
    rows, columns = np.indices(jaw.down.shape, dtype=np.float32)
    cos, sin = np.float32(np.cos(jaw.mouth.tilt_rad)), np.float32(np.sin(jaw.mouth.tilt_rad))
    found = cv2.remap(
        part, columns + sin * moved, rows - cos * moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if not is_dark or gap < 0.01:
        return np.asarray(found, dtype=np.uint8)
    half = opening / 2
    inside = 1 - ((jaw.down - half) / np.maximum(half, np.float32(0.02))) ** 2
    edge = np.clip(3 * np.minimum(inside, 2 * wide), 0, 1)
    soft = np.asarray(cv2.GaussianBlur(edge, (0, 0), max(0.6, 0.015 * jaw.mouth.eyes_px)), dtype=np.float32)
    share = (soft * np.minimum(1, gap / np.float32(0.08)) * np.float32(0.8))[:, :, None]
    dark = np.array(_DARK, dtype=np.float32)
    return np.asarray(np.rint(found + share * (dark - found)), dtype=np.uint8)
