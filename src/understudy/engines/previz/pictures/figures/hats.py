"""What is worn on a head: drawn in half heights of the skull about its middle, y up."""

from typing import Protocol

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon, smooth
from understudy.engines.previz.pictures.light import dimmed, mix


class _Draw(Protocol):
    def __call__(self, canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None: ...


def _cut(canvas: skia.Canvas, ink: Ink, points: list[Point], *, colour: Rgb, round_by: float = 0.12) -> None:
    path = polygon(points)
    box = path.getBounds()
    paint = ink.across(colour, (box.left(), box.top(), box.right(), box.bottom()))
    paint.setPathEffect(skia.CornerPathEffect.Make(round_by))
    canvas.drawPath(path, paint)


def _brim(canvas: skia.Canvas, ink: Ink, colour: Rgb, *, wide: float, y: float = 0.50, tall: float = 0.17) -> None:
    canvas.drawOval(oval((0.0, y), wide, tall), ink.shaded(colour, (0.0, y + tall), end=(0.0, y - tall)))


def _dome(canvas: skia.Canvas, ink: Ink, colour: Rgb, *, low: float = 0.36, high: float = 1.32) -> None:
    points = [(-0.95, low), (-0.90, high * 0.62), (-0.45, high), (0.45, high), (0.90, high * 0.62), (0.95, low)]
    ink.blob(canvas, [*points, (0.5, low - 0.07), (-0.5, low - 0.07)], colour=colour, tension=0.9)


def _brim_hat(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _brim(canvas, ink, dimmed(colour, 0.92), wide=1.55)
    _cut(canvas, ink, [(-0.80, 0.50), (-0.70, 1.36), (0.70, 1.36), (0.80, 0.50)], colour=colour, round_by=0.25)
    canvas.drawLine(-0.78, 0.64, 0.78, 0.64, ink.line(trim, 0.17))


def _straw_hat(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    ink.blob(
        canvas,
        [(-1.7, 0.36), (-0.7, 0.86), (0.0, 1.42), (0.7, 0.86), (1.7, 0.36), (0.0, 0.26)],
        colour=colour,
        tension=0.5,
    )


def _top_hat(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _brim(canvas, ink, colour, wide=1.30, y=0.54)
    _cut(canvas, ink, [(-0.76, 0.52), (-0.80, 1.95), (0.80, 1.95), (0.76, 0.52)], colour=colour, round_by=0.1)
    canvas.drawLine(-0.74, 0.72, 0.74, 0.72, ink.line(trim, 0.20))


def _cap(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _dome(canvas, ink, colour, low=0.40, high=1.18)
    toward = float(np.sin(yaw))
    middle, wide = toward * 0.92, 0.42 + 0.45 * abs(float(np.cos(yaw)))
    if np.cos(yaw) > -0.5:
        canvas.drawOval(oval((middle, 0.40), wide, 0.14), ink.flat(dimmed(colour, 0.78)))


def _peaked_cap(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    toward = float(np.sin(yaw))
    _cut(
        canvas,
        ink,
        [(-0.88, 0.42), (-1.12, 1.05), (0.0, 1.30), (1.12, 1.05), (0.88, 0.42)],
        colour=colour,
        round_by=0.2,
    )
    canvas.drawLine(-0.84, 0.50, 0.84, 0.50, ink.line(dimmed(colour, 0.55), 0.16))
    if np.cos(yaw) > -0.5:
        canvas.drawOval(
            oval((toward * 0.75, 0.38), 0.5 + 0.3 * abs(float(np.cos(yaw))), 0.12), ink.flat((0.08, 0.08, 0.10))
        )
        canvas.drawCircle(toward * 0.62, 0.84, 0.15, ink.flat(trim))


def _beanie(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _dome(canvas, ink, colour, low=0.34, high=1.34)
    _cut(
        canvas,
        ink,
        [(-0.95, 0.26), (-0.95, 0.58), (0.95, 0.58), (0.95, 0.26)],
        colour=dimmed(colour, 0.86),
        round_by=0.12,
    )


def _beret(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    ink.blob(
        canvas, [(-0.86, 0.52), (-1.10, 0.96), (-0.2, 1.36), (0.95, 1.06), (0.90, 0.54), (0.0, 0.50)], colour=colour
    )


def _helmet(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _dome(canvas, ink, colour, low=0.36, high=1.36)
    _brim(canvas, ink, dimmed(colour, 0.85), wide=1.12, y=0.42, tall=0.11)
    canvas.drawLine(0.0, 0.56, 0.0, 1.28, ink.line(mix(colour, (1, 1, 1), 0.25), 0.14))


def _crown(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    points = [(-0.84, 0.56), (-0.98, 1.34), (-0.48, 0.98), (0.0, 1.48), (0.48, 0.98), (0.98, 1.34), (0.84, 0.56)]
    _cut(canvas, ink, points, colour=(0.96, 0.76, 0.24), round_by=0.05)
    for x, y in ((0.0, 0.78), (-0.5, 0.74), (0.5, 0.74)):
        canvas.drawCircle(x, y, 0.10, ink.flat((0.84, 0.14, 0.24)))


def _toque(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    for x, y, size in ((-0.62, 1.42, 0.50), (0.62, 1.42, 0.50), (0.0, 1.62, 0.62), (-0.3, 1.34, 0.5), (0.3, 1.34, 0.5)):
        ink.ball(canvas, (x, y), radius=size, colour=colour)
    _cut(
        canvas,
        ink,
        [(-0.86, 0.46), (-0.82, 1.20), (0.82, 1.20), (0.86, 0.46)],
        colour=dimmed(colour, 0.97),
        round_by=0.08,
    )


def _headscarf(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    middle = 0.30 * float(np.sin(yaw))
    outer = smooth([(0.0, 1.22), (0.98, 0.6), (1.0, -0.4), (0.6, -1.25), (-0.6, -1.25), (-1.0, -0.4), (-0.98, 0.6)])
    hole = skia.Path()
    if np.cos(yaw) > -0.3:
        hole.addOval(oval((middle, -0.12), 0.62 * (0.5 + 0.5 * max(float(np.cos(yaw)), 0.0)), 0.80))
    outer.addPath(hole)
    outer.setFillType(skia.PathFillType.kEvenOdd)
    canvas.drawPath(outer, ink.across(colour, (-1.0, -1.25, 1.0, 1.2)))


def _ninja_hood(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    outer = smooth([(0.0, 1.10), (0.92, 0.5), (0.92, -0.4), (0.5, -1.08), (-0.5, -1.08), (-0.92, -0.4), (-0.92, 0.5)])
    if np.cos(yaw) > -0.3:
        outer.addOval(
            oval((0.45 * float(np.sin(yaw)), 0.04), 0.66 * (0.45 + 0.55 * max(float(np.cos(yaw)), 0.0)), 0.27)
        )
    outer.setFillType(skia.PathFillType.kEvenOdd)
    canvas.drawPath(outer, ink.across(colour, (-1.0, -1.1, 1.0, 1.1)))


def _great_helm(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    """A knight's helmet with its visor up, so that there is a face."""
    toward, front = float(np.sin(yaw)), max(float(np.cos(yaw)), 0.0)
    outer = smooth([(0.0, 1.26), (0.98, 0.62), (1.0, -0.5), (0.72, -1.12), (-0.72, -1.12), (-1.0, -0.5), (-0.98, 0.62)])
    if np.cos(yaw) > -0.3:
        outer.addOval(oval((0.40 * toward, -0.16), 0.60 * (0.5 + 0.5 * front), 0.62))
    outer.setFillType(skia.PathFillType.kEvenOdd)
    canvas.drawPath(outer, ink.across(colour, (-1.0, -1.1, 1.0, 1.25)))
    visor = [
        (toward * 0.35 - 0.72, 0.42),
        (toward * 0.75, 0.30),
        (toward * 0.35 + 0.72, 0.42),
        (0.66, 0.98),
        (-0.66, 0.98),
    ]
    _cut(canvas, ink, visor, colour=dimmed(colour, 0.86), round_by=0.1)
    for x in (-0.3, 0.0, 0.3):
        canvas.drawLine(toward * 0.3 + x, 0.54, toward * 0.25 + x, 0.78, ink.line(dimmed(colour, 0.35), 0.06))
    ink.limb(
        canvas,
        [(0.0, 1.24), (-0.5 * (toward or 1), 1.66), (-1.2 * (toward or 1), 1.30)],
        widths=[0.2, 0.36, 0.10],
        colour=trim,
    )


def _kabuto(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _cut(
        canvas,
        ink,
        [(-1.3, -0.35), (-0.9, 0.6), (0.9, 0.6), (1.3, -0.35), (0.78, -0.2), (0.78, 0.3), (-0.78, 0.3), (-0.78, -0.2)],
        colour=dimmed(colour, 0.82),
    )
    _dome(canvas, ink, colour, low=0.40, high=1.28)
    x = 0.45 * float(np.sin(yaw))
    horn = ink.line(trim, 0.12)
    canvas.drawArc(oval((x, 1.30), 0.72, 0.72), 180, 180, useCenter=False, paint=horn)
    canvas.drawCircle(x, 0.62, 0.13, ink.flat(trim))


def _space_helmet(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    canvas.drawOval(oval((0.0, 0.0), 1.36, 1.36), ink.flat((0.75, 0.88, 1.0), 0.16))
    canvas.drawOval(oval((0.0, 0.0), 1.36, 1.36), ink.line(colour, 0.20))
    canvas.drawArc(
        oval((0.0, 0.0), 1.08, 1.08),
        25 if ink.side * ink.facing > 0 else 115,
        45,
        useCenter=False,
        paint=ink.line((1, 1, 1), 0.12, opacity=0.75),
    )
    for x in (-1.34, 1.34):
        ink.ball(canvas, (x, -0.05), radius=0.20, colour=dimmed(colour, 0.9), tall=1.7)


def _headphone(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    canvas.drawArc(oval((0.0, 0.05), 0.98, 1.14), 0, 180, useCenter=False, paint=ink.line(colour, 0.12))
    for side in (-1.0, 1.0):
        if np.cos(yaw + side * 1.55) > -0.4:
            ink.ball(canvas, (float(np.sin(yaw + side * 1.55)) * 0.92, -0.08), radius=0.24, colour=colour, tall=1.3)


def _pointed(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    away = -0.5 * float(np.sin(yaw) or 0.5)
    _cut(
        canvas,
        ink,
        [(-0.95, 0.46), (away * 0.5 - 0.35, 1.5), (away * 1.4, 2.2), (away * 0.5 + 0.4, 1.5), (0.95, 0.46)],
        colour=colour,
    )
    _cut(canvas, ink, [(-1.0, 0.34), (-1.0, 0.66), (1.0, 0.66), (1.0, 0.34)], colour=trim)


def _mortarboard(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _dome(canvas, ink, colour, low=0.42, high=1.02)
    _cut(
        canvas, ink, [(-1.35, 1.02), (0.0, 1.36), (1.35, 1.02), (0.0, 0.76)], colour=dimmed(colour, 1.1), round_by=0.03
    )
    canvas.drawLine(0.0, 1.04, 0.95, 0.62, ink.line(trim, 0.07))


def _conical(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    _straw_hat(canvas, ink, colour=colour, trim=trim, yaw=yaw)


def _turban(canvas: skia.Canvas, ink: Ink, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    ink.blob(
        canvas,
        [(-1.0, 0.42), (-1.08, 0.92), (-0.5, 1.42), (0.5, 1.42), (1.08, 0.92), (1.0, 0.42), (0.0, 0.26)],
        colour=colour,
    )
    for drop in (0.0, 0.26, 0.52):
        canvas.drawArc(
            oval((0.3, 0.36 + drop), 1.1, 0.5), 40, 90, useCenter=False, paint=ink.line(dimmed(colour, 0.72), 0.05)
        )


_HATS: dict[str, tuple[_Draw, float]] = {
    "brim-hat": (_brim_hat, 0.5),
    "straw-hat": (_straw_hat, 0.6),
    "top-hat": (_top_hat, 1.0),
    "cap": (_cap, 0.35),
    "peaked-cap": (_peaked_cap, 0.4),
    "beanie": (_beanie, 0.4),
    "beret": (_beret, 0.4),
    "helmet": (_helmet, 0.4),
    "crown": (_crown, 0.5),
    "toque": (_toque, 1.2),
    "headscarf": (_headscarf, 0.3),
    "ninja-hood": (_ninja_hood, 0.2),
    "great-helm": (_great_helm, 0.7),
    "kabuto": (_kabuto, 1.1),
    "space-helmet": (_space_helmet, 0.5),
    "headphone": (_headphone, 0.3),
    "pointed-hat": (_pointed, 1.2),
    "mortarboard": (_mortarboard, 0.5),
    "conical-hat": (_conical, 0.6),
    "turban": (_turban, 0.5),
}


def room_of(kind: str) -> float:
    """How far a hat stands above the head."""
    return _HATS[kind][1] if kind in _HATS else 0.1


def draw_hat_behind(canvas: skia.Canvas, ink: Ink, kind: str, *, colour: Rgb) -> None:
    """Draw what of a hat lies behind the head."""
    if kind == "space-helmet":
        canvas.drawOval(oval((0.0, 0.0), 1.30, 1.30), ink.flat((0.16, 0.20, 0.30), 0.75))


def draw_hat(canvas: skia.Canvas, ink: Ink, kind: str, *, colour: Rgb, trim: Rgb, yaw: float) -> None:
    """Draw a hat on a head turned by ``yaw``."""
    if kind in _HATS:
        _HATS[kind][0](canvas, ink, colour=colour, trim=trim, yaw=yaw)
