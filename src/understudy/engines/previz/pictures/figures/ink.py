"""Drawing by hand: tapered limbs, smooth outlines and their shading, under the light of a film."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.light import Look, dimmed, mix

Point = tuple[float, float]

_WHITE: Rgb = (1.0, 1.0, 1.0)
# What lies in shadow is cooler, as in the art library.
_SHADE: Rgb = (0.26, 0.15, 0.42)
_KEPT_COLOURS = 512
_DIM, _NIGHT_FILL = 0.9, 0.20
# The light edge is soft, so that it is computed on a smaller picture.
_RIM_SCALE = 3
_RIM_PX = 260


class Ink:
    """Paints under one film's light. facing: +1 or -1; a mirrored figure has the sun on its other side."""

    def __init__(self, look: Look) -> None:
        self._look = look
        # Whom a film is about is lit a little more than the night is: a face must be read.
        gain = mix(look.key, _WHITE, _NIGHT_FILL) if max(look.key) < _DIM else look.key
        self._light = look.lit_matrix(gain=gain, haze=0.0)
        self.side = float(np.sign(look.sun_x) or 1.0)
        self.facing = 1.0
        # Gradients cost fifty times what one colour does, so that large figures are shaded at a smaller size.
        self.is_flat = False
        self._colour = lru_cache(maxsize=_KEPT_COLOURS)(self._lit)
        self._stops = lru_cache(maxsize=_KEPT_COLOURS)(self._shades)

    def _lit(self, colour: Rgb, opacity: float = 1.0) -> int:
        red, green, blue, _ = np.clip(self._light @ np.array([*colour, 1.0]), 0, 1) * 255
        return int(skia.ColorSetARGB(int(opacity * 255), int(red), int(green), int(blue)))

    def _shades(self, colour: Rgb) -> list[int]:
        light = mix(colour, _WHITE, 0.14)
        dark = mix(dimmed(colour, 0.66), _SHADE, 0.13)
        return [self._colour(light), self._colour(colour), self._colour(dark)]

    def flat(self, colour: Rgb, opacity: float = 1.0) -> skia.Paint:
        """Paint of one colour."""
        return skia.Paint(Color=self._colour(colour, opacity), AntiAlias=True)

    def line(self, colour: Rgb, pen: float, *, opacity: float = 1.0) -> skia.Paint:
        """A round pen; pen in the units of the drawing."""
        return skia.Paint(
            Color=self._colour(colour, opacity),
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=pen,
            StrokeCap=skia.Paint.kRound_Cap,
            StrokeJoin=skia.Paint.kRound_Join,
        )

    def shaded(self, colour: Rgb, start: Point, *, end: Point) -> skia.Paint:
        """Paint that goes from light at one point to dark at another."""
        if self.is_flat:
            return self.flat(colour)
        shader = skia.GradientShader.MakeLinear([start, end], self._stops(colour), [0.0, 0.42, 1.0])
        return skia.Paint(Shader=shader, AntiAlias=True)

    def round_shaded(self, colour: Rgb, middle: Point, *, radius: float) -> skia.Paint:
        """Paint of a ball that is lit from above on the sun's side."""
        if self.is_flat:
            return self.flat(colour)
        x = middle[0] + self.side * self.facing * radius * 0.30
        shader = skia.GradientShader.MakeRadial(
            (x, middle[1] + radius * 0.38), radius * 1.55, self._stops(colour), [0.0, 0.45, 1.0]
        )
        return skia.Paint(Shader=shader, AntiAlias=True)

    def across(self, colour: Rgb, box: tuple[float, float, float, float]) -> skia.Paint:
        """Shading from the sun's upper side of a box (left, bottom, right, top) to the lower other one."""
        left, bottom, right, top = box
        if self.side * self.facing > 0:
            left, right = right, left
        return self.shaded(colour, (left * 0.85 + right * 0.15, top), end=(right, bottom))

    def limb(self, canvas: skia.Canvas, points: Sequence[Point], *, widths: Sequence[float], colour: Rgb) -> None:
        """A tapered limb through joints; widths: how thick it is at each of them."""
        path = skia.Path()
        path.setFillType(skia.PathFillType.kWinding)
        for (x, y), width in zip(points, widths, strict=True):
            path.addCircle(x, y, width / 2, skia.PathDirection.kCW)
        for index in range(len(points) - 1):
            _add_side(path, points[index : index + 2], widths[index : index + 2])
        if self.is_flat:
            canvas.drawPath(path, self.flat(colour))
            return
        (x0, y0), (x1, y1) = points[0], points[-1]
        along = max(abs(x1 - x0), abs(y1 - y0), 1e-6)
        length = float(np.hypot(x1 - x0, y1 - y0)) or along
        # Across the limb, light on the side of the sun.
        normal = ((y1 - y0) / length, -(x1 - x0) / length)
        if normal[0] * self.side * self.facing + normal[1] * 0.9 < 0:
            normal = (-normal[0], -normal[1])
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        half = max(widths) / 2
        paint = self.shaded(
            colour,
            (middle[0] + normal[0] * half, middle[1] + normal[1] * half),
            end=(middle[0] - normal[0] * half * 1.25, middle[1] - normal[1] * half * 1.25),
        )
        canvas.drawPath(path, paint)

    def blob(self, canvas: skia.Canvas, points: Sequence[Point], *, colour: Rgb, tension: float = 1.0) -> skia.Path:
        """A smooth closed outline through points; returns its path."""
        path = smooth(points, tension=tension)
        box = path.getBounds()
        canvas.drawPath(path, self.across(colour, (box.left(), box.top(), box.right(), box.bottom())))
        return path

    def ball(self, canvas: skia.Canvas, middle: Point, *, radius: float, colour: Rgb, tall: float = 1.0) -> None:
        """A shaded ellipse; tall: its height over its width."""
        canvas.drawOval(
            oval(middle, radius, radius * tall), self.round_shaded(colour, middle, radius=radius * max(tall, 1.0))
        )

    def rim(self, tile: Bitmap) -> None:
        """Give a drawn tile the light edge of what stands against the sun, in place."""
        look = self._look
        height, width = tile.shape[:2]
        alpha = cv2.extractChannel(tile, 3)
        if look.rim <= 0.02 or min(height, width) < 4 * _RIM_SCALE:
            cv2.min(tile, cv2.merge([alpha] * 4), dst=tile)
            return
        step = max(_RIM_SCALE, max(height, width) // _RIM_PX)
        small = cv2.resize(alpha, (width // step, height // step), interpolation=cv2.INTER_AREA)
        reach = max(max(small.shape) * 0.016, 1.0)
        shift = np.array([[1.0, 0, -self.side * reach], [0, 1.0, reach * (0.4 + look.sun_y)]])
        inside = cv2.warpAffine(small, shift, (small.shape[1], small.shape[0]))
        inside = cv2.GaussianBlur(inside, (0, 0), reach * 0.55)
        edge = cv2.subtract(small, inside)
        red, green, blue, _ = (np.array(look.grade) @ np.array([*look.sun, 1.0])).clip(0, 1) * look.rim * 0.6
        light = cv2.merge(
            [cv2.convertScaleAbs(edge, alpha=float(part)) for part in (red, green, blue)] + [np.zeros_like(edge)]
        )
        cv2.add(tile, cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), dst=tile)
        cv2.min(tile, cv2.merge([alpha] * 4), dst=tile)


def oval(middle: Point, half_wide: float, half_tall: float) -> skia.Rect:
    """The box of an ellipse."""
    return skia.Rect.MakeLTRB(
        middle[0] - half_wide, middle[1] - half_tall, middle[0] + half_wide, middle[1] + half_tall
    )


def smooth(points: Sequence[Point], *, tension: float = 1.0) -> skia.Path:
    """A closed Catmull-Rom curve through points as a path of cubics."""
    path = skia.Path()
    count = len(points)
    path.moveTo(*points[0])
    part = tension / 6
    for index in range(count):
        before, here = points[index - 1], points[index]
        there, after = points[(index + 1) % count], points[(index + 2) % count]
        path.cubicTo(
            here[0] + (there[0] - before[0]) * part,
            here[1] + (there[1] - before[1]) * part,
            there[0] - (after[0] - here[0]) * part,
            there[1] - (after[1] - here[1]) * part,
            *there,
        )
    path.close()
    return path


def polygon(points: Sequence[Point]) -> skia.Path:
    """A closed path of straight sides."""
    path = skia.Path()
    path.addPoly([skia.Point(*point) for point in points], close=True)
    return path


def _add_side(path: skia.Path, points: Sequence[Point], widths: Sequence[float]) -> None:
    (x0, y0), (x1, y1) = points
    length = float(np.hypot(x1 - x0, y1 - y0))
    if length < 1e-5:
        return
    # Clockwise as the circles are, so that overlapping parts add up instead of cancelling out.
    nx, ny = (y1 - y0) / length, -(x1 - x0) / length
    a, b = widths[0] / 2, widths[1] / 2
    corners = [
        skia.Point(x0 + nx * a, y0 + ny * a),
        skia.Point(x1 + nx * b, y1 + ny * b),
        skia.Point(x1 - nx * b, y1 - ny * b),
        skia.Point(x0 - nx * a, y0 - ny * a),
    ]
    path.addPoly(corners, close=True)
