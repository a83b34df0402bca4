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


_SPREAD = 0.1
"""How far beyond the lips their darkness is looked for, in the same parts: it is softened at its edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaw:
    """What changes in a picture when its mouth opens. left, top: of the changed part, in pixels.

    across, down: where each of its pixels lies from the middle of the mouth, along and across it, in eye distances.
    wide: how near the middle between the corners of the mouth, 0..1. reach: how far each place opens with the mouth;
    lasting: how much of that it moves, in pixels per eye distance. lips: the rows and columns that turn dark.
    """

    mouth: Mouth
    left: int
    top: int
    across: Values
    down: Values
    wide: Values
    reach: Values
    lasting: Values
    lips: tuple[slice, slice]


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
    across, down = (cos * x + sin * y) * scale, (cos * y - sin * x) * scale
    wide = np.clip(1 - (across / np.float32(_HALF_WIDTH)) ** 2, 0, 1)
    hangs = np.clip(1 - (across / np.float32(_JAW)) ** 2, 0, 1)
    fades = np.clip((np.float32(_REACH[2]) - down) / np.float32(_REACH[2] - 0.9), 0, 1)
    between = (np.abs(across) < _HALF_WIDTH + _SPREAD) & (down > -_SPREAD) & (down < _WIDEST + _SPREAD)
    return Jaw(
        mouth=mouth,
        left=left,
        top=top,
        across=across,
        down=down,
        wide=wide,
        # The jaw hangs as one; only between the lips it parts from what is above.
        reach=0.35 * hangs + 0.65 * np.sqrt(wide) * hangs,
        lasting=fades * fades * (3 - 2 * fades) * np.float32(mouth.eyes_px),
        lips=(_span(between.any(axis=1)), _span(between.any(axis=0))),
    )


def opened(layer: Picture, jaw: Jaw, voice: float, *, is_dark: bool = True) -> Picture:
    """Return the part of a layer that a mouth changes, with the mouth open as far as the voice is loud, 0..1.

    layer: a cover, or colours, the fourth of which may be their cover. is_dark: False for what is no colour.
    """
    part = np.ascontiguousarray(layer[jaw.top : jaw.top + jaw.down.shape[0], jaw.left : jaw.left + jaw.down.shape[1]])
    gap = np.float32(_WIDEST * voice)
    opening = gap * jaw.reach
    begun = np.clip((jaw.down + np.float32(_SEAM)) / (np.float32(2 * _SEAM) + opening), 0, 1)
    moved = opening * begun * jaw.lasting
    columns = np.arange(moved.shape[1], dtype=np.float32)
    rows = np.arange(moved.shape[0], dtype=np.float32)[:, None]
    cos, sin = np.float32(np.cos(jaw.mouth.tilt_rad)), np.float32(np.sin(jaw.mouth.tilt_rad))
    found = np.asarray(
        cv2.remap(part, columns + sin * moved, rows - cos * moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
    if is_dark and gap >= 0.01:
        _darken(found[jaw.lips], jaw, gap=float(gap), opening=opening[jaw.lips])
    return found


def _darken(lips: Picture, jaw: Jaw, *, gap: float, opening: Values) -> None:
    """Make what is seen between the lips dark, in place; a fourth channel stays as it is."""
    half = opening / 2
    inside = 1 - ((jaw.down[jaw.lips] - half) / np.maximum(half, np.float32(0.02))) ** 2
    edge = np.clip(3 * np.minimum(inside, 2 * jaw.wide[jaw.lips]), 0, 1)
    soft = np.asarray(cv2.GaussianBlur(edge, (0, 0), max(0.6, 0.015 * jaw.mouth.eyes_px)), dtype=np.float32)
    share = (soft * np.float32(min(1.0, gap / 0.08) * 0.8))[:, :, None]
    colours = lips[:, :, :3].astype(np.float32)
    lips[:, :, :3] = np.rint(colours + share * (np.array(_DARK, dtype=np.float32) - colours)).astype(np.uint8)


def _span(held: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(held)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
