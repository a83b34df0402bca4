"""Cars and bicycles seen from the side: wheels turn as far as the road goes by."""

from dataclasses import dataclass, replace

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon, smooth
from understudy.engines.previz.pictures.light import dimmed, mix

_RUBBER: Rgb = (0.11, 0.11, 0.13)
_GLASS: Rgb = (0.50, 0.68, 0.82)
_SKIN: Rgb = (0.80, 0.60, 0.48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """A vehicle at one instant. rolled: how far it has gone, in its heights. bounce: of the body on its springs."""

    rolled: float = 0.0
    bounce: float = 0.0
    turn: float = 0.0
    lift: float = 0.0
    is_dark: bool = False
    has_driver: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A car's side in its heights, nose to the right.

    outline and glass: points of smooth curves. wheels: where they are; tyre: their radius.
    """

    outline: tuple[Point, ...]
    glass: tuple[Point, ...]
    pillar: tuple[float, ...]
    wheels: tuple[float, float]
    tyre: float
    paint: Rgb
    door: tuple[float, ...]
    lamp: Point
    tail: Point
    sign: Rgb | None = None
    band: Rgb | None = None


_SEDAN = Body(
    outline=(
        (-1.72, 0.34),
        (-1.74, 0.62),
        (-1.58, 0.72),
        (-1.12, 0.76),
        (-0.78, 0.97),
        (-0.30, 1.06),
        (0.22, 1.05),
        (0.62, 0.92),
        (0.96, 0.71),
        (1.46, 0.63),
        (1.72, 0.50),
        (1.76, 0.30),
        (1.56, 0.20),
        (0.0, 0.17),
        (-1.56, 0.20),
    ),
    glass=((-1.02, 0.75), (-0.70, 0.92), (-0.28, 0.985), (0.20, 0.98), (0.52, 0.88), (0.78, 0.72), (0.0, 0.70)),
    pillar=(-0.14,),
    wheels=(-1.08, 1.10),
    tyre=0.30,
    paint=(0.80, 0.16, 0.18),
    door=(-0.72, -0.12, 0.62),
    lamp=(1.62, 0.50),
    tail=(-1.70, 0.58),
)
_SPORT = Body(
    outline=(
        (-2.02, 0.36),
        (-2.04, 0.68),
        (-1.84, 0.84),
        (-1.30, 0.88),
        (-0.72, 1.02),
        (-0.20, 1.06),
        (0.26, 0.98),
        (0.86, 0.74),
        (1.50, 0.66),
        (1.96, 0.48),
        (2.10, 0.26),
        (1.84, 0.17),
        (0.0, 0.14),
        (-1.84, 0.18),
    ),
    glass=((-1.06, 0.84), (-0.66, 0.95), (-0.20, 0.985), (0.20, 0.91), (0.66, 0.71), (-0.2, 0.69)),
    pillar=(-0.34,),
    wheels=(-1.30, 1.28),
    tyre=0.315,
    paint=(0.84, 0.12, 0.14),
    door=(-0.46, 0.52),
    lamp=(1.80, 0.48),
    tail=(-2.00, 0.66),
)
_TRUCKISH = Body(
    outline=(
        (-1.40, 0.34),
        (-1.44, 0.70),
        (-1.36, 0.96),
        (-1.12, 1.03),
        (-0.30, 1.05),
        (0.34, 1.02),
        (0.66, 0.90),
        (0.86, 0.68),
        (1.26, 0.62),
        (1.44, 0.50),
        (1.46, 0.30),
        (1.28, 0.22),
        (0.0, 0.20),
        (-1.28, 0.22),
    ),
    glass=((-1.26, 0.70), (-1.22, 0.92), (-0.30, 0.965), (0.28, 0.95), (0.52, 0.84), (0.68, 0.68), (0.0, 0.66)),
    pillar=(-0.72, -0.10),
    wheels=(-0.90, 0.92),
    tyre=0.285,
    paint=(0.20, 0.44, 0.66),
    door=(-0.70, -0.08, 0.52),
    lamp=(1.36, 0.50),
    tail=(-1.41, 0.60),
)
_CARS = {
    "automobile": _SEDAN,
    "oncoming-automobile": _SEDAN,
    "racing-car": _SPORT,
    "sport-utility-vehicle": _TRUCKISH,
    "taxi": replace(_SEDAN, paint=(0.97, 0.76, 0.16), sign=(1.0, 0.95, 0.75), band=(0.12, 0.12, 0.13)),
    "police-car": replace(_SEDAN, paint=(0.93, 0.94, 0.96), sign=(0.22, 0.40, 0.96), band=(0.12, 0.20, 0.48)),
}
_SPORTY = (
    "sport",
    "ferrari",
    "lamborghini",
    "porsche",
    "race",
    "racing",
    "跑车",
    "赛车",
    "スポーツカー",
    "supercar",
    "deportivo",
    "esportivo",
)


def is_car(art_id: str) -> bool:
    """Whether a car of this picture is drawn."""
    return art_id in _CARS


def car_of(art_id: str, word: str, tint: Rgb | None) -> Body:
    """The car of a picture, in the colour that the prompt names."""
    body = _SPORT if any(name in word.lower() for name in _SPORTY) else _CARS[art_id]
    return replace(body, paint=tint) if tint is not None else body


class Car:
    """Draws one car."""

    def __init__(self, body: Body) -> None:
        self.body = body

    def bounds(self, ride: Ride) -> tuple[float, float, float, float]:
        """A box that holds the car and its light."""
        xs = [x for x, _ in self.body.outline]
        ahead = 1.9 if ride.is_dark else 0.15
        return min(xs) - 0.15, -0.12 + min(ride.lift, 0), max(xs) + ahead, 1.35 + max(ride.lift, 0)

    def draw(self, canvas: skia.Canvas, ink: Ink, *, ride: Ride) -> None:
        """Draw in heights of the car, nose to the right, wheels on 0."""
        body = self.body
        canvas.translate(0.0, ride.lift)
        for x in body.wheels:
            canvas.drawOval(
                oval((x + 0.05, body.tyre * 0.98), body.tyre * 1.02, body.tyre), ink.flat(dimmed(_RUBBER, 0.6))
            )
        canvas.save()
        canvas.translate(0.0, 0.025 * ride.bounce)
        canvas.rotate(float(np.degrees(ride.turn)))
        self._draw_shell(canvas, ink, ride=ride)
        canvas.restore()
        for x in body.wheels:
            _draw_wheel(canvas, ink, (x, body.tyre), radius=body.tyre, turned=ride.rolled / body.tyre)

    def _draw_shell(self, canvas: skia.Canvas, ink: Ink, *, ride: Ride) -> None:
        body = self.body
        if body.sign is not None:
            canvas.drawRRect(
                skia.RRect.MakeRectXY(skia.Rect.MakeLTRB(-0.22, 1.02, 0.16, 1.17), 0.05, 0.05), ink.flat(body.sign)
            )
        path = smooth(body.outline, tension=0.9)
        canvas.drawPath(path, ink.shaded(body.paint, (0.0, 1.0), end=(0.0, 0.14)))
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        canvas.drawRect(skia.Rect.MakeLTRB(-3, 0.0, 3, 0.27), ink.flat(dimmed(body.paint, 0.42)))
        # The sky lies on the upper half of the doors, as a soft light band.
        shine = ink.line(mix(body.paint, (1, 1, 1), 0.55), 0.045, opacity=0.6)
        canvas.drawLine(-1.5, 0.635, 1.3, 0.575, shine)
        if body.band is not None:
            canvas.drawLine(-2.0, 0.46, 2.0, 0.46, ink.line(body.band, 0.11))
        for x in body.wheels:
            canvas.drawCircle(x, body.tyre * 1.02, body.tyre * 1.09, ink.flat(dimmed(body.paint, 0.22)))
        canvas.restore()
        glass = smooth(body.glass, tension=0.55)
        canvas.drawPath(glass, ink.shaded(mix(_GLASS, (0.1, 0.14, 0.2), 0.35), (-0.4, 1.0), end=(0.4, 0.62)))
        canvas.save()
        canvas.clipPath(glass, doAntiAlias=True)
        if ride.has_driver:
            x = 0.16
            ink.limb(canvas, [(x - 0.03, 0.50), (x, 0.70)], widths=[0.34, 0.20], colour=(0.20, 0.22, 0.30))
            ink.ball(canvas, (x + 0.02, 0.825), radius=0.10, colour=_SKIN, tall=1.1)
            canvas.drawArc(oval((x, 0.84), 0.105, 0.12), 30, 190, useCenter=True, paint=ink.flat((0.16, 0.11, 0.09)))
        canvas.drawPath(polygon([(-0.50, 1.1), (-0.18, 1.1), (-0.62, 0.6), (-0.94, 0.6)]), ink.flat((1, 1, 1), 0.22))
        canvas.restore()
        for x in body.pillar:
            canvas.drawLine(x, 0.69, x - 0.02, 1.0, ink.line(dimmed(body.paint, 0.85), 0.06))
        canvas.drawPath(glass, ink.line(dimmed(body.paint, 0.35), 0.022))
        for x in body.door:
            canvas.drawLine(x, 0.68, x + 0.02, 0.28, ink.line(dimmed(body.paint, 0.6), 0.016))
        for x in body.door[:-1]:
            canvas.drawLine(x + 0.10, 0.60, x + 0.22, 0.60, ink.line(dimmed(body.paint, 0.5), 0.026))
        canvas.drawOval(oval(body.lamp, 0.10, 0.055), ink.flat((1.0, 0.98, 0.86)))
        canvas.drawOval(oval(body.tail, 0.045, 0.075), ink.flat((0.92, 0.14, 0.12)))
        if ride.is_dark:
            _draw_beam(canvas, body)


def _draw_beam(canvas: skia.Canvas, body: Body) -> None:
    """Light of the head lamp: it is a light, so that the film's dimness does not touch it."""
    x, y = body.lamp
    colours = [skia.ColorSetARGB(alpha, 255, 244, 205) for alpha in (120, 0)]
    shader = skia.GradientShader.MakeLinear([(x, y), (x + 1.8, y - 0.3)], colours)
    canvas.drawPath(
        polygon([(x + 0.05, y + 0.05), (x + 1.8, y + 0.10), (x + 1.8, y - 0.62), (x + 0.05, y - 0.05)]),
        skia.Paint(Shader=shader, AntiAlias=True),
    )
    canvas.drawOval(oval((x, y), 0.11, 0.065), skia.Paint(Color=skia.ColorSetARGB(255, 255, 250, 225), AntiAlias=True))


def _draw_wheel(canvas: skia.Canvas, ink: Ink, middle: Point, *, radius: float, turned: float) -> None:
    canvas.drawCircle(*middle, radius, ink.round_shaded(_RUBBER, middle, radius=radius))
    canvas.drawCircle(*middle, radius * 0.66, ink.round_shaded((0.74, 0.76, 0.80), middle, radius=radius * 0.66))
    pen = ink.line((0.36, 0.38, 0.42), radius * 0.13)
    for spoke in range(5):
        angle = -turned + spoke * 2 * np.pi / 5
        x, y = float(np.cos(angle)), float(np.sin(angle))
        canvas.drawLine(
            middle[0] + x * radius * 0.16,
            middle[1] + y * radius * 0.16,
            middle[0] + x * radius * 0.56,
            middle[1] + y * radius * 0.56,
            pen,
        )
    canvas.drawCircle(*middle, radius * 0.15, ink.flat((0.30, 0.32, 0.36)))


class Bicycle:
    """Draws a bicycle, one height long wheels included; its saddle is where `saddle` says."""

    wheels = (-0.50, 0.56)
    radius = 0.33
    saddle = (-0.16, 0.86)
    crank = (-0.06, 0.32)

    def __init__(self, paint: Rgb) -> None:
        self.paint = paint

    def bounds(self, ride: Ride) -> tuple[float, float, float, float]:
        """A box that holds it."""
        return -0.95, -0.1, 1.02, 1.15

    def pedal(self, ride: Ride) -> float:
        """Angle of the cranks: one turn for nearly three of the wheels."""
        return ride.rolled / self.radius / 2.7

    def draw(self, canvas: skia.Canvas, ink: Ink, *, ride: Ride) -> None:
        """Draw in its heights, to the right, wheels on 0."""
        back, front = (self.wheels[0], self.radius), (self.wheels[1], self.radius)
        for middle in (back, front):
            canvas.drawCircle(*middle, self.radius - 0.02, ink.line(_RUBBER, 0.045))
            for spoke in range(8):
                angle = -ride.rolled / self.radius + spoke * np.pi / 4
                x, y = float(np.cos(angle)) * 0.3, float(np.sin(angle)) * 0.3
                canvas.drawLine(*middle, middle[0] + x, middle[1] + y, ink.line((0.72, 0.73, 0.76), 0.008))
            canvas.drawCircle(*middle, 0.035, ink.flat((0.4, 0.4, 0.44)))
        seat, head = (-0.14, 0.78), (0.40, 0.84)
        pen = ink.line(self.paint, 0.048)
        for start, end in (
            (back, self.crank),
            (self.crank, seat),
            (back, seat),
            (seat, head),
            (self.crank, (0.42, 0.74)),
            (head, front),
        ):
            canvas.drawLine(*start, *end, pen)
        canvas.drawLine(*head, 0.37, 0.98, ink.line((0.3, 0.3, 0.34), 0.036))
        canvas.drawLine(0.37, 0.98, 0.48, 1.0, ink.line(_RUBBER, 0.045))
        canvas.drawLine(-0.26, 0.84, -0.04, 0.85, ink.line(_RUBBER, 0.06))
        angle = self.pedal(ride)
        for turn in (angle, angle + np.pi):
            x, y = self.crank[0] + float(np.sin(turn)) * 0.13, self.crank[1] + float(np.cos(turn)) * 0.13
            canvas.drawLine(*self.crank, x, y, ink.line((0.4, 0.4, 0.44), 0.03))
            canvas.drawLine(x - 0.05, y, x + 0.05, y, ink.line(_RUBBER, 0.035))
        canvas.drawCircle(*self.crank, 0.06, ink.flat((0.5, 0.5, 0.54)))
