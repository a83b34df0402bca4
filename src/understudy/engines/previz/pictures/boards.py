"""Furniture, stalls and buildings drawn in units onto one upright panel."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.layers import Panel, crown_of
from understudy.engines.previz.pictures.light import recolour
from understudy.engines.previz.pictures.scene import Stagehand

_WIDEST_PX = 9000
_SHIFT = 3
# Colours up to a little above white are only bright paint.
_SHINES = 1.8


class Pen:
    """Draws in units: x as in the world, y up from the ground. low, high: the x that there is room for."""

    def __init__(self, span: tuple[float, float], top: float, density: float) -> None:
        """top: height of the panel, units; density: pixels per unit."""
        self.low, self.high = span
        self.top, self.density = top, density
        width, height = max(int((self.high - self.low) * density), 4), max(int(top * density), 4)
        self.bitmap: Bitmap = np.zeros((height, width, 4), np.uint8)
        self.lights: Bitmap = np.zeros((height, width, 4), np.uint8)

    def _sheet(self, colour: Rgb) -> tuple[Bitmap, tuple[float, float, float, float]]:
        """What a colour is drawn on, and its ink: a colour brighter than white shines by itself."""
        brightest = max(colour)
        shines = brightest > _SHINES
        scale = 255 / brightest if shines else 255.0
        ink = tuple(min(channel * scale, 255.0) for channel in colour)
        return (self.lights if shines else self.bitmap), (ink[0], ink[1], ink[2], 255.0)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        scale = self.density * (1 << _SHIFT)
        return round((x - self.low) * scale), round((self.top - y) * scale)

    def poly(self, points: Sequence[tuple[float, float]], colour: Rgb) -> None:
        """Fill a polygon."""
        corners = np.array([self._at(x, y) for x, y in points], np.int32)
        sheet, ink = self._sheet(colour)
        cv2.fillPoly(sheet, [corners], ink, cv2.LINE_AA, _SHIFT)

    def rect(self, box: tuple[float, float, float, float], colour: Rgb) -> None:
        """Fill a rectangle: left, foot, right, top."""
        left, foot, right, top = box
        self.poly([(left, foot), (right, foot), (right, top), (left, top)], colour)

    def round(self, box: tuple[float, float, float, float], radius: float, colour: Rgb) -> None:
        """Fill a rectangle with round corners."""
        left, foot, right, top = box
        self.rect((left + radius, foot, right - radius, top), colour)
        self.rect((left, foot + radius, right, top - radius), colour)
        for x in (left + radius, right - radius):
            for y in (foot + radius, top - radius):
                self.disc((x, y), radius, colour)

    def disc(self, centre: tuple[float, float], radius: float, colour: Rgb) -> None:
        """Fill a circle."""
        size = round(radius * self.density * (1 << _SHIFT))
        sheet, ink = self._sheet(colour)
        cv2.circle(sheet, self._at(*centre), size, ink, -1, cv2.LINE_AA, _SHIFT)

    def line(self, start: tuple[float, float], end: tuple[float, float], *, thick: float, colour: Rgb) -> None:
        """Draw a line, thick units wide."""
        width_px = max(round(thick * self.density), 1)
        sheet, ink = self._sheet(colour)
        cv2.line(sheet, self._at(*start), self._at(*end), ink, width_px, cv2.LINE_AA, _SHIFT)


def board_panel(
    stagehand: Stagehand,
    place: tuple[float, float],
    draw: Callable[[Pen], None],
    *,
    span: tuple[float, float] | None = None,
) -> Panel:
    """What a function draws, lit and hazed, as a panel that stands at a depth.

    place: its depth and the height of its upper edge, units. span: least and greatest x of what is drawn; without it,
    all that the move sees at this depth.
    """
    look, reach = stagehand.look, stagehand.reach
    depth, top = place
    low, high = span or reach.x_range(depth)
    density = min(reach.finest_scale(depth) * max(stagehand.detail, 0.6), _WIDEST_PX / (high - low))
    pen = Pen((low, high), top, density)
    draw(pen)
    haze = look.haze_at(depth, stagehand.distance)
    bitmap = recolour(pen.bitmap, look.lit_matrix(gain=look.ambient, haze=haze))
    if pen.lights.any():
        shining = pen.lights[..., 3:].astype(np.float32) / 255
        bitmap = (bitmap * (1 - shining) + look.graded(pen.lights) * shining).astype(np.uint8)
    return Panel(
        bitmap=bitmap, crown=None if span else crown_of(bitmap), left=low, top=top, depth=depth, density=pen.density
    )
