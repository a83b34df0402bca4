"""A figure's picture in the frame: drawn into a tile of its own, edged with light, its shadow laid on the ground."""

from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.figures.figure import Box, Draw
from understudy.engines.previz.pictures.figures.ink import Ink
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.raster import Raster, drawing

_SHADOW_PX = 120
# Tiles of more pixels are shaded at a smaller size; from there on, larger ones are shaded ever smaller.
_SHADED_PX = 120_000
_LARGE_PX = 900_000
_SHRINK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a figure's origin is in the frame. scale_px: pixels per height of the figure. facing: +1 right, -1 left.

    turn: radians clockwise about ``pivot`` heights above the origin. widen: factor on its width. water_px: the row
    below which it is under water, or None.
    """

    x_px: float
    y_px: float
    scale_px: float
    facing: float
    turn: float = 0.0
    pivot: float = 0.5
    widen: float = 1.0
    water_px: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Premultiplied pixels and the frame position of their corner."""

    pixels: Bitmap
    left_px: int
    top_px: int


def tile_of(raster: Raster, ink: Ink, spot: Spot, *, drawn: tuple[Box, Draw]) -> Tile | None:
    """Draw a figure at a spot; None where it is out of the frame."""
    (low_x, low_y, high_x, high_y), draw = drawn
    corners = np.array([[x, y] for x in (low_x, high_x) for y in (low_y, high_y)])
    cosine, sine = float(np.cos(spot.turn)), float(np.sin(spot.turn))
    x = corners[:, 0] * spot.facing * spot.widen
    y = corners[:, 1] - spot.pivot
    xs = spot.x_px + (x * cosine + y * sine) * spot.scale_px
    ys = spot.y_px - (spot.pivot + y * cosine - x * sine) * spot.scale_px
    left, right = max(int(xs.min()) - 2, 0), min(int(xs.max()) + 3, raster.width_px)
    top, bottom = max(int(ys.min()) - 2, 0), min(int(ys.max()) + 3, raster.height_px)
    if spot.water_px is not None:
        bottom = min(bottom, int(spot.water_px))
    if right - left < 2 or bottom - top < 2:
        return None
    ink.facing = spot.facing
    box = (left, top, right, bottom)
    if (right - left) * (bottom - top) > _SHADED_PX:
        return _shaded_small(ink, spot, draw, box=box)
    pixels = _drawn(ink, spot, draw, box=box, shrink=1)
    ink.rim(pixels)
    return Tile(pixels=pixels, left_px=left, top_px=top)


def _drawn(ink: Ink, spot: Spot, draw: Draw, *, box: tuple[int, int, int, int], shrink: int) -> Bitmap:
    """Draw what a frame box shows of a figure, ``shrink`` times smaller."""
    left, top, right, bottom = box
    pixels = np.zeros((-(-(bottom - top) // shrink), -(-(right - left) // shrink), 4), np.uint8)
    with drawing(pixels) as canvas:
        canvas.scale(1 / shrink, 1 / shrink)
        canvas.translate(spot.x_px - left, spot.y_px - top - spot.pivot * spot.scale_px)
        canvas.rotate(float(np.degrees(spot.turn)))
        canvas.scale(spot.scale_px * spot.facing * spot.widen, -spot.scale_px)
        canvas.translate(0.0, -spot.pivot)
        draw(canvas, ink)
    return pixels


def _shaded_small(ink: Ink, spot: Spot, draw: Draw, *, box: tuple[int, int, int, int]) -> Tile | None:
    """Draw sharp in plain colours, and take light and shade from a smaller drawing of the same."""
    left, top, right, bottom = box
    shrink = _SHRINK * max(round(((right - left) * (bottom - top) / _LARGE_PX) ** 0.5), 1)
    shaded = _drawn(ink, spot, draw, box=box, shrink=shrink)
    x, y, columns, rows = cv2.boundingRect(cv2.extractChannel(shaded, 3))
    if columns < 2 or rows < 2:
        return None
    # Only what the figure covers is drawn at full size, in whole steps so that both drawings lie on each other.
    shaded = shaded[y : y + rows, x : x + columns]
    left, top = left + x * shrink, top + y * shrink
    ink.is_flat = True
    pixels = _drawn(ink, spot, draw, box=(left, top, left + columns * shrink, top + rows * shrink), shrink=1)
    ink.is_flat = False
    flat = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    # The mean of neighbours carries the shade a little beyond the outline, where it is resampled from.
    above, below = cv2.blur(shaded, (3, 3)), cv2.blur(flat, (3, 3))
    ratio = cv2.divide(np.maximum(above, 2), np.maximum(below, 2), scale=128)
    ratio[..., 3] = 128
    full = cv2.resize(ratio, (columns * shrink, rows * shrink), interpolation=cv2.INTER_LINEAR)
    lit: Bitmap = cv2.multiply(pixels, full, scale=1 / 128)
    # What is lighter than its cover would shine through it; `rim` holds that down together with its own light.
    ink.rim(lit)
    return Tile(pixels=lit, left_px=left, top_px=top)


def lay_shadow(raster: Raster, tile: Tile, look: Look, *, ground_px: float, height_px: float, flat: float) -> None:
    """Lay the outline of what stands on the ground as its shadow. flat: height over width of a circle on the ground."""
    if ground_px >= raster.height_px:
        return
    rows, columns = tile.pixels.shape[:2]
    step = max(max(rows, columns) / _SHADOW_PX, 1.0)
    size = (max(int(columns / step), 2), max(int(rows / step), 2))
    alpha = cv2.resize(cv2.extractChannel(tile.pixels, 3), size, interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2.0)
    reach = look.shadow_reach * height_px
    lean = -float(np.sign(look.sun_x) or 1) * reach * 0.8 / height_px
    fall = reach * 0.35 * flat / height_px
    step_x, step_y = columns / size[0], rows / size[1]
    height_at_top = ground_px - tile.top_px
    # Column and row of the small outline to the frame: what is higher falls farther.
    matrix = np.array(
        [
            [step_x, -lean * step_y, tile.left_px + lean * height_at_top],
            [0.0, -fall * step_y, ground_px + fall * height_at_top],
        ]
    )
    box = raster.box_of(size, matrix)
    if box is None or fall <= 0:
        return
    left, top, right, bottom = box
    top = max(top, int(ground_px) - 1)
    if bottom - top < 1:
        return
    matrix[0, 2] -= left
    matrix[1, 2] -= top
    shadow = cv2.warpAffine(alpha, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    cover = np.zeros((*shadow.shape, 4), np.uint8)
    cover[..., 3] = cv2.convertScaleAbs(shadow, alpha=look.shadow * 0.8)
    raster.blit(cover, left, top)
