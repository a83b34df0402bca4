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


def tile_of(raster: Raster, ink: Ink, spot: Spot, drawn: tuple[Box, Draw]) -> Tile | None:
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
    pixels = np.zeros((bottom - top, right - left, 4), np.uint8)
    ink.facing = spot.facing
    with drawing(pixels) as canvas:
        canvas.translate(spot.x_px - left, spot.y_px - top - spot.pivot * spot.scale_px)
        canvas.rotate(float(np.degrees(spot.turn)))
        canvas.scale(spot.scale_px * spot.facing * spot.widen, -spot.scale_px)
        canvas.translate(0.0, -spot.pivot)
        draw(canvas, ink)
    ink.rim(pixels)
    return Tile(pixels=pixels, left_px=left, top_px=top)


def lay_shadow(raster: Raster, tile: Tile, look: Look, *, ground_px: float, height_px: float, flat: float) -> None:
    """Lay the outline of what stands on the ground as its shadow. flat: height over width of a circle on the ground."""
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
