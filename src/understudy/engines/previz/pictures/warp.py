"""Bending a sprite: a coarse grid of where each part comes from, resampled smoothly, blended into the frame."""

from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats
from understudy.engines.previz.pictures.motions import Motion
from understudy.engines.previz.pictures.raster import Raster

_CELL_PX = 16
# How far a bent sprite may leave its own box, in its heights.
_MARGIN = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Where the face is, in parts of the sprite: x from the middle, heights above its foot; size in heights.

    relief: how far each part bulges towards the viewer, 0..1, over the whole sprite and of any size; yaw: how far what
    bulges most is moved to the left, in heights, as by turning the figure.
    """

    eyes: tuple[float, float] = (0.0, 0.5)
    mouth: tuple[float, float] = (0.0, 0.3)
    size: float = 0.2
    has_face: bool = False
    relief: Floats | None = None
    yaw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a sprite stands in the frame: its foot, and its height in pixels; flip mirrors it."""

    foot_x_px: float
    foot_y_px: float
    height_px: float
    flip: bool = False


def bend_sprite(
    raster: Raster,
    bitmap: Bitmap,
    place: Placement,
    *,
    motion: Motion,
    features: Features | None = None,
    has_legs: bool = False,
) -> None:
    """Draw a sprite bent by a motion."""
    rows, columns = bitmap.shape[:2]
    aspect = columns / rows
    scale = place.height_px * motion.size
    if scale < 3 or abs(motion.turned) < 0.02:
        return
    box = _reach(raster, place, motion, aspect=aspect, scale=scale)
    if box is None:
        return
    left, top, right, bottom = box
    across, down = -(-(right - left) // _CELL_PX), -(-(bottom - top) // _CELL_PX)
    # One node beyond each edge, so that the linear resampling of the grid is exact inside.
    xs = left + (np.arange(-1, across + 1, dtype=np.float32) + 0.5) * _CELL_PX - place.foot_x_px
    ys = place.foot_y_px - (top + (np.arange(-1, down + 1, dtype=np.float32) + 0.5) * _CELL_PX)
    grid_x, grid_y = np.meshgrid((xs / scale).astype(np.float32), (ys / scale).astype(np.float32))
    p, q = _source(grid_x, grid_y, motion=motion, aspect=aspect, has_legs=has_legs)
    if features is not None and features.has_face:
        q = _faced(p, q, motion=motion, features=features)
    if features is not None and features.relief is not None and features.yaw:
        p = p + np.float32(features.yaw) * _bulge(features.relief, p / np.float32(aspect), q)
    flipped = -1.0 if place.flip else 1.0
    source_x = (p * np.float32(flipped / aspect) + np.float32(0.5)) * columns - np.float32(0.5)
    source_y = (1 - q) * rows - np.float32(0.5)
    size = ((across + 2) * _CELL_PX, (down + 2) * _CELL_PX)
    height, width = bottom - top, right - left
    map_x = cv2.resize(source_x, size, interpolation=cv2.INTER_LINEAR)
    map_y = cv2.resize(source_y, size, interpolation=cv2.INTER_LINEAR)
    cut = (slice(_CELL_PX, _CELL_PX + height), slice(_CELL_PX, _CELL_PX + width))
    tile = cv2.remap(bitmap, map_x[cut], map_y[cut], cv2.INTER_LINEAR)
    raster.blit(tile, left, top)


def forward(p: float, q: float, motion: Motion) -> tuple[float, float]:
    """Where a place of the unbent sprite goes: the other way round from bending, near enough for small parts."""
    upper = min(max((q - 0.45) / 0.55, 0.0), 1.0)
    p -= upper * upper * motion.nod * 0.20
    q -= upper * motion.nod * 0.07
    x = p * motion.turned / motion.stretch**0.5 + motion.lean * q + motion.bend * q * q
    y = q * motion.stretch
    middle = 0.5 * motion.stretch
    cosine, sine = float(np.cos(motion.turn)), float(np.sin(motion.turn))
    x, y = x * cosine + (y - middle) * sine, -x * sine + (y - middle) * cosine + middle
    return x + motion.x, y + motion.lift


def _reach(
    raster: Raster, place: Placement, motion: Motion, *, aspect: float, scale: float
) -> tuple[int, int, int, int] | None:
    """Frame box of everything the bent sprite can touch."""
    half = aspect / 2 * max(abs(motion.turned), 0.05) + _MARGIN * 0.5 + abs(motion.lean) + abs(motion.bend)
    tall = motion.stretch + 0.08
    low = -0.08
    middle = 0.5 * motion.stretch
    corners = np.array([[-half, half, -half, half], [low, low, tall, tall]])
    cosine, sine = np.cos(motion.turn), np.sin(motion.turn)
    x = corners[0] * cosine + (corners[1] - middle) * sine + motion.x
    y = -corners[0] * sine + (corners[1] - middle) * cosine + middle + motion.lift
    left = max(int(np.floor(place.foot_x_px + x.min() * scale)), 0)
    right = min(int(np.ceil(place.foot_x_px + x.max() * scale)), raster.width_px)
    top = max(int(np.floor(place.foot_y_px - y.max() * scale)), 0)
    bottom = min(int(np.ceil(place.foot_y_px - y.min() * scale)), raster.height_px)
    if right - left < 2 or bottom - top < 2:
        return None
    return left, top, right, bottom


def _source(x: Floats, y: Floats, *, motion: Motion, aspect: float, has_legs: bool) -> tuple[Floats, Floats]:
    """From a place in the frame (heights from the foot) back to the place in the unbent sprite."""
    x = x - np.float32(motion.x)
    y = y - np.float32(motion.lift)
    if motion.turn:
        middle = np.float32(0.5 * motion.stretch)
        cosine, sine = np.float32(np.cos(motion.turn)), np.float32(np.sin(motion.turn))
        x, y = x * cosine - (y - middle) * sine, x * sine + (y - middle) * cosine + middle
    q = y / np.float32(motion.stretch)
    p = x - np.float32(motion.lean) * q - np.float32(motion.bend) * q * q
    # What gains height loses width.
    p = p * np.float32(motion.stretch**0.5 / motion.turned)
    if motion.flap:
        out = np.minimum(np.abs(p) / np.float32(aspect / 2), 1.3)
        q = q - np.float32(0.13 * motion.flap) * (out**1.6 - np.float32(0.15))
    if motion.ripple:
        along = p / np.float32(aspect)
        tail = np.clip(along + np.float32(0.5), 0, 1)
        q = q - np.float32(motion.ripple) * tail * np.sin(np.float32(motion.ripple_phase) - along * np.float32(5.0))
    if motion.stride_reach and has_legs:
        p, q = _stepped(p, q, motion=motion, aspect=aspect)
    if motion.nod:
        # Only the upper part nods, about the middle.
        upper = np.clip((q - np.float32(0.45)) / np.float32(0.55), 0, 1)
        p = p + upper * upper * np.float32(motion.nod * 0.20)
        q = q + upper * np.float32(motion.nod * 0.07)
    return p, q


def _stepped(p: Floats, q: Floats, *, motion: Motion, aspect: float) -> tuple[Floats, Floats]:
    """Legs swing from the hips: each quarter of the body's length in its own phase, feet lifted on the way forward."""
    leg = np.clip(1 - q / np.float32(0.40), 0, 1)
    along = p / np.float32(aspect)
    phase = np.float32(motion.stride) + np.floor((along + np.float32(0.5)) * 4) * np.float32(np.pi * 0.92)
    reach = np.float32(0.085 * motion.stride_reach)
    swung = p - leg * reach * np.sin(phase)
    lifted = q - leg * np.maximum(np.cos(phase), 0) * np.float32(0.055 * motion.stride_reach)
    return swung, lifted


def _faced(p: Floats, q: Floats, *, motion: Motion, features: Features) -> Floats:
    """Open the mouth and close the eyes by stretching and squeezing the face where they are."""
    result = q
    if motion.mouth > 0.02:
        x, y = features.mouth
        near = np.exp(-(((p - np.float32(x)) / np.float32(features.size)) ** 2))
        below = q - np.float32(y)
        window = np.exp(-((below / np.float32(features.size * 0.62)) ** 2))
        result = result - np.float32(0.72 * motion.mouth) * below * near * window
    if motion.blink > 0.02:
        x, y = features.eyes
        near = np.exp(-(((p - np.float32(x)) / np.float32(features.size * 1.7)) ** 4))
        above = q - np.float32(y)
        window = np.exp(-((above / np.float32(features.size * 0.46)) ** 2))
        result = result + np.float32(4.2 * motion.blink) * above * near * window
    return result


def _bulge(relief: Floats, along: Floats, q: Floats) -> Floats:
    """The relief at places of the sprite: along its width from the middle, and up its height; both in parts of it."""
    rows, columns = relief.shape
    x = (along + np.float32(0.5)) * np.float32(columns) - np.float32(0.5)
    y = (1 - q) * np.float32(rows) - np.float32(0.5)
    return np.asarray(cv2.remap(relief, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), dtype=np.float32)
