"""A person's head, seen from any side: skull, face, hair, and what is worn on it.

Everything lies on a ball: a feature has an azimuth against the face's front and a height, so that one drawing turns
from profile to front to back. Units are half the skull's height, about the skull's middle, y up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.hats import draw_hat, draw_hat_behind, room_of
from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon, smooth
from understudy.engines.previz.pictures.figures.pose import Pose
from understudy.engines.previz.pictures.light import dimmed, mix

_WIDE = 0.86
_BLACK: Rgb = (0.10, 0.08, 0.11)
# Below this many pixels a face is eyes, hair and skin only.
_DETAIL_PX = 9.0
# How low the hair reaches at azimuths from the front: heights on the ball, -1..1.
_AZIMUTHS = (0.0, 0.45, 0.80, 1.15, 1.5, 2.2, 3.15)
_HAIRLINES: dict[str, tuple[float, ...]] = {
    "short": (0.56, 0.52, 0.44, 0.02, -0.10, -0.52, -0.66),
    "cropped": (0.62, 0.60, 0.56, 0.22, 0.06, -0.36, -0.50),
    "fringe": (0.34, 0.32, 0.24, -0.12, -0.30, -0.62, -0.72),
    "long": (0.60, 0.54, 0.38, -0.06, -0.66, -0.98, -1.0),
    "bob": (0.42, 0.38, 0.26, -0.22, -0.74, -0.92, -0.94),
    "bun": (0.56, 0.50, 0.36, 0.04, -0.06, -0.48, -0.62),
    "pony": (0.54, 0.48, 0.36, 0.04, -0.06, -0.48, -0.62),
    "curly": (0.46, 0.42, 0.32, -0.16, -0.36, -0.66, -0.76),
    "receding": (0.98, 0.92, 0.74, 0.10, 0.0, -0.42, -0.56),
    "tuft": (0.80, 0.84, 0.94, 0.98, 0.98, 0.98, 0.98),
}
_LONG = frozenset({"long", "pony"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Skull:
    """What a head looks like. style: a key of the hairlines, or "bald". age: -1 child, 0 grown, 1 old.

    beard: 0 none, 1 stubble-short, 2 full. hat: a kind that `hats.py` draws, or "". eyewear: "", "glasses",
    "sunglasses", "goggles", "mask" (the lower face) or "band" (all but the eyes).
    """

    skin: Rgb
    hair: Rgb
    style: str = "short"
    iris: Rgb = (0.30, 0.20, 0.13)
    age: int = 0
    is_female: bool = False
    beard: int = 0
    hat: str = ""
    hat_colour: Rgb = (0.4, 0.3, 0.3)
    hat_trim: Rgb = (0.9, 0.8, 0.4)
    eyewear: str = ""
    eyewear_colour: Rgb = (0.12, 0.12, 0.14)
    has_red_nose: bool = False
    pointed_ears: bool = False

    @property
    def is_long(self) -> bool:
        """Whether hair hangs below the head."""
        return self.style in _LONG and self.hat not in ("space-helmet", "ninja-hood", "great-helm")

    @property
    def room(self) -> float:
        """How far a hat stands out, in half heights."""
        return room_of(self.hat)


class _Ball:
    """Places on the skull as it is turned."""

    def __init__(self, yaw: float) -> None:
        # A drawn face reads best between front and three quarters, so that it turns less than the skull until then.
        turn = float((yaw + np.pi) % (2 * np.pi) - np.pi)
        self.yaw = yaw = float(np.interp(abs(turn), (0.0, 1.3, 2.0, np.pi), (0.0, 0.88, 1.9, np.pi)) * np.sign(turn))
        self.sin, self.cos = float(np.sin(yaw)), float(np.cos(yaw))

    def at(self, azimuth: float, rise: float, *, out: float = 1.0) -> Point:
        """A place on the ball; azimuth above 0 is the figure's own left."""
        ring = float(np.sqrt(max(1 - rise * rise * 0.92, 0.05)))
        return float(np.sin(self.yaw + azimuth)) * _WIDE * ring * out, rise * out

    def front(self, azimuth: float) -> float:
        """1 where the place looks at the viewer, below 0 where it looks away."""
        return float(np.cos(self.yaw + azimuth))


def draw_head(canvas: skia.Canvas, ink: Ink, skull: Skull, *, pose: Pose) -> None:
    """Draw the head into units of half its height."""
    ball = _Ball(pose.yaw + pose.head_yaw)
    jaw = _jaw(skull, ball)
    for side in (-1.0, 1.0):
        if ball.front(side * 1.55) > -0.55:
            _draw_ear(canvas, ink, skull, ball=ball, side=side)
    path = smooth(jaw)
    canvas.drawPath(path, ink.round_shaded(skull.skin, (0.0, 0.0), radius=1.0))
    if ball.cos > -0.75:
        _draw_face(canvas, ink, skull, ball=ball, pose=pose, outline=path)
    if skull.hat not in ("ninja-hood", "great-helm"):
        _draw_hair(canvas, ink, skull, ball=ball)
    if skull.eyewear and ball.cos > -0.6:
        _draw_eyewear(canvas, ink, skull, ball=ball, outline=path)
    draw_hat(canvas, ink, skull.hat, colour=skull.hat_colour, trim=skull.hat_trim, yaw=ball.yaw)


def _jaw(skull: Skull, ball: _Ball) -> list[Point]:
    """The outline of skull and chin."""
    toward, flat = ball.sin, abs(ball.cos)
    # In profile the skull goes back and the chin forward.
    back = -0.10 * toward
    chin = 0.24 * toward
    cheek = 0.90 if skull.age < 0 else 0.80 if skull.is_female else 0.86
    wide = 0.84 + 0.05 * (1 - flat)
    drop = 0.94 if skull.age < 0 else 1.02
    narrow = 0.27 if skull.is_female or skull.age < 0 else 0.36
    return [
        (back, 1.0),
        (back + wide * 0.74, 0.74),
        (back + wide, 0.16),
        (wide * cheek + max(toward, 0) * 0.04 + min(toward, 0) * 0.10, -0.42),
        (chin + narrow, -drop * 0.90),
        (chin, -drop),
        (chin - narrow, -drop * 0.90),
        (-wide * cheek + min(toward, 0) * 0.04 + max(toward, 0) * 0.10, -0.42),
        (back - wide, 0.16),
        (back - wide * 0.74, 0.74),
    ]


def _draw_ear(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball, side: float) -> None:
    x, y = ball.at(side * 1.55, -0.10)
    shown = ball.front(side * 1.55)
    half = 0.10 + 0.07 * max(shown, 0.0)
    if skull.pointed_ears:
        way = 1.0 if x >= 0 else -1.0
        points = [(x - 0.1, y - 0.15), (x + way * 0.55, y + 0.5), (x - 0.05, y + 0.22)]
        canvas.drawPath(smooth(points, tension=0.5), ink.flat(dimmed(skull.skin, 0.95)))
        return
    ink.ball(canvas, (x, y), radius=half, colour=dimmed(skull.skin, 0.96), tall=1.55)
    if shown > 0.3:
        canvas.drawOval(oval((x, y - 0.01), half * 0.5, half * 0.9), ink.flat(dimmed(skull.skin, 0.78)))


def draw_behind_head(canvas: skia.Canvas, ink: Ink, skull: Skull, *, pose: Pose) -> None:
    """Draw what of hair and hat lies behind the head, and behind the neck too, into the same units."""
    ball = _Ball(pose.yaw + pose.head_yaw)
    draw_hat_behind(canvas, ink, skull.hat, colour=skull.hat_colour)
    if skull.style in ("bald", "receding", "tuft") or skull.hat in ("ninja-hood", "great-helm", "space-helmet"):
        return
    back = -0.13 * ball.sin
    shade = dimmed(skull.hair, 0.78)
    if skull.style == "curly":
        for x, y in ((-0.82, 0.3), (0.82, 0.3), (-0.9, -0.2), (0.9, -0.2), (0.0, 0.98), (-0.55, 0.84), (0.55, 0.84)):
            ink.ball(canvas, (x + back, y), radius=0.36, colour=shade)
        return
    if skull.style in ("long", "bob"):
        points = [
            (back, 1.08),
            (back + 0.92, 0.5),
            (back * 2 + 0.92, -0.5),
            (back * 3 + 0.74, -1.12),
            (back * 3 - 0.74, -1.12),
            (back * 2 - 0.92, -0.5),
            (back - 0.92, 0.5),
        ]
        ink.blob(canvas, points, colour=shade)
        return
    ink.ball(canvas, (back, 0.12), radius=0.93, colour=shade, tall=1.02)
    if skull.style == "bun" and not skull.hat:
        ink.ball(canvas, (-0.86 * ball.sin, 0.98 - 0.25 * abs(ball.sin)), radius=0.40, colour=skull.hair)


def draw_long_hair(  # tidy: a drawing needs all of these
    canvas: skia.Canvas, ink: Ink, skull: Skull, *, middle: Point, size: float, flow: float, turned: float
) -> None:
    """Hair that hangs onto the shoulders. flow: how far it blows back; turned: -1..1, the way it looks."""
    # Seen from the side it hangs behind.
    x, y = middle[0] - 0.26 * size * turned, middle[1]
    shade = dimmed(skull.hair, 0.74)
    away = -flow * 0.55 * size
    if skull.style == "pony":
        start = (x - 0.85 * size * (1 if flow >= 0 else -1), y + 0.35 * size)
        points = [start, (start[0] + away * 0.8 - 0.25 * size, y - 0.6 * size), (start[0] + away * 1.6, y - 1.6 * size)]
        ink.limb(canvas, points, widths=[size * 0.36, size * 0.46, size * 0.10], colour=shade)
        return
    points = [
        (x - 0.84 * size, y + 0.3 * size),
        (x + 0.84 * size, y + 0.3 * size),
        (x + 0.86 * size + away * 0.4, y - 1.0 * size),
        (x + 0.62 * size + away, y - 1.85 * size),
        (x + away, y - 2.0 * size),
        (x - 0.66 * size + away, y - 1.85 * size),
        (x - 0.90 * size + away * 0.4, y - 1.0 * size),
    ]
    ink.blob(canvas, points, colour=shade)


def _draw_hair(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball) -> None:
    """The part of the hair that lies on the visible half of the ball: from the hairline over the crown."""
    if skull.style == "bald":
        return
    lines = _HAIRLINES[skull.style]
    if skull.hat in ("space-helmet", "hood"):
        lines = tuple(min(line, 0.5) for line in lines)
    turns = np.linspace(-np.pi / 2, np.pi / 2, 19)
    relative = np.abs((turns - ball.yaw + np.pi) % (2 * np.pi) - np.pi)
    heights = np.interp(relative, _AZIMUTHS, lines)
    shift = -0.10 * ball.sin
    lower: list[Point] = []
    for turn, height in zip(turns, heights, strict=True):
        level = float(np.sqrt(max(1 - height * height * 0.92, 0.05)))
        lower.append(
            (float(np.sin(turn)) * (_WIDE + 0.05) * level + shift * float(np.cos(turn) * 0.3 + 0.5), float(height))
        )
    rise = 1.10 if skull.style != "cropped" else 1.04
    upper: list[Point] = []
    for angle in np.linspace(0, np.pi, 13):
        upper.append((float(np.cos(angle)) * 0.93 + shift, 0.06 + float(np.sin(angle)) * (rise - 0.06)))
    ends = [point for point in upper if point[1] >= min(lower[-1][1], lower[0][1]) - 0.05]
    path = polygon([*lower, *ends])
    paint = ink.round_shaded(skull.hair, (0.0, 0.25), radius=1.0)
    paint.setPathEffect(skia.CornerPathEffect.Make(0.16))
    canvas.drawPath(path, paint)
    if skull.style == "curly":
        for turn, height in list(zip(turns, heights, strict=True))[2:-2:3]:
            ink.ball(canvas, (float(np.sin(turn)) * 0.82 + shift, float(height) + 0.10), radius=0.22, colour=skull.hair)
    elif skull.style in ("short", "long", "fringe", "bob", "pony", "bun"):
        shine = ink.line(mix(skull.hair, (1, 1, 1), 0.35), 0.05, opacity=0.45)
        x = ink.side * ink.facing * 0.34
        canvas.drawArc(oval((shift + x * 0.4, 0.2), 0.62, 0.68), 60 if x > 0 else 90, 34, useCenter=False, paint=shine)


def _size_px(canvas: skia.Canvas) -> float:
    """Pixels per unit of the drawing."""
    matrix = canvas.getTotalMatrix()
    return float(np.hypot(matrix.getScaleX(), matrix.getSkewY()))


def _draw_face(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball, pose: Pose, outline: skia.Path) -> None:
    is_small = _size_px(canvas) < _DETAIL_PX
    canvas.save()
    canvas.clipPath(outline, doAntiAlias=True)
    blush = mix(skull.skin, (0.96, 0.36, 0.34), 0.42)
    for side in (-1.0, 1.0):
        if ball.front(side * 0.72) > 0.1 and not is_small:
            x, y = ball.at(side * 0.72, -0.34)
            canvas.drawOval(oval((x, y), 0.20 * ball.front(side * 0.72), 0.14), ink.flat(blush, 0.32))
    if skull.beard:
        _draw_beard(canvas, ink, skull, ball=ball)
    canvas.restore()
    for side in (-1.0, 1.0):
        _draw_eye(canvas, ink, skull, ball=ball, pose=pose, side=side)
    if not is_small:
        _draw_nose(canvas, ink, skull, ball=ball)
        if skull.age > 0:
            _draw_wrinkles(canvas, ink, skull, ball=ball)
    canvas.save()
    canvas.clipPath(outline, doAntiAlias=True)
    _draw_mouth(canvas, ink, skull, ball=ball, pose=pose)
    canvas.restore()


def _draw_eye(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball, pose: Pose, side: float) -> None:
    azimuth = side * 0.43
    shown = ball.front(azimuth)
    if shown < 0.2:
        return
    x, y = ball.at(azimuth, 0.02, out=0.96)
    # The far eye stays inside the face.
    x -= 0.13 * ball.sin * (1 - shown)
    large = 1.22 if skull.age < 0 else 1.08 if skull.is_female else 1.0
    wide, tall = 0.155 * large * (0.35 + 0.65 * shown), 0.165 * large
    opened = 1 - pose.blink
    lash = ink.line(mix(skull.hair, _BLACK, 0.7), 0.055 if skull.is_female else 0.042)
    if opened < 0.25:
        canvas.drawArc(oval((x, y + 0.03), wide, 0.09), 200, 140, useCenter=False, paint=lash)
    else:
        box = oval((x, y), wide, tall * opened)
        canvas.save()
        path = skia.Path()
        path.addOval(box)
        canvas.drawPath(path, ink.flat((0.98, 0.98, 0.97)))
        canvas.clipPath(path, doAntiAlias=True)
        look = 0.25 * ball.sin * wide
        canvas.drawOval(oval((x + look, y - 0.005), wide * 0.66, tall * 0.72), ink.flat(skull.iris))
        canvas.drawOval(oval((x + look, y - 0.005), wide * 0.38, tall * 0.42), ink.flat(_BLACK))
        canvas.drawCircle(x + look + 0.045 * ink.side * ink.facing, y + 0.055, 0.034, ink.flat((1.0, 1.0, 1.0)))
        canvas.restore()
        # The upper lid; skia counts angles the other way round in a drawing whose y goes up.
        canvas.drawArc(oval((x, y), wide * 1.06, tall * opened * 1.04), 18, 144, useCenter=False, paint=lash)
        if skull.is_female:
            out = 1.0 if np.sin(ball.yaw + azimuth) >= np.sin(ball.yaw) else -1.0
            canvas.drawLine(x + out * wide * 0.95, y + 0.06, x + out * (wide * 1.3), y + 0.13, lash)
    brow_y = 0.33 + 0.06 * pose.brow + 0.03 * (large - 1)
    inner, outer = ball.at(side * 0.22, brow_y - 0.03 - 0.05 * max(-pose.brow, 0)), ball.at(side * 0.68, brow_y - 0.02)
    middle = ball.at(side * 0.45, brow_y + 0.05)
    brow = skia.Path()
    brow.moveTo(*inner)
    brow.quadTo(*middle, *outer)
    canvas.drawPath(brow, ink.line(mix(skull.hair, _BLACK, 0.25), 0.055 if skull.is_female or skull.age < 0 else 0.085))


def _draw_nose(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball) -> None:
    long = 0.16 if skull.age < 0 else 0.21 if skull.is_female else 0.25
    shade = dimmed(mix(skull.skin, (0.85, 0.32, 0.26), 0.18), 0.90)
    x, _ = ball.at(0.0, -0.2)
    if skull.has_red_nose:
        ink.ball(canvas, (x * 1.08, -0.20), radius=0.20, colour=(0.90, 0.14, 0.16))
        return
    tip = (x * 1.06 + 0.10 * ball.sin, -0.26)
    if abs(ball.sin) > 0.55:
        # Towards profile the nose stands out from the face.
        way = 1.0 if ball.sin > 0 else -1.0
        base = x * 0.98
        points = [(base - way * 0.06, 0.06), (tip[0], -0.20), (tip[0] - way * 0.02, -0.29), (base - way * 0.10, -0.33)]
        canvas.drawPath(smooth(points, tension=0.7), ink.flat(mix(skull.skin, shade, 0.35)))
        canvas.drawOval(oval((base + way * 0.02, -0.31), 0.055, 0.03), ink.flat(dimmed(shade, 0.8)))
        return
    canvas.drawOval(oval((tip[0], -0.24), 0.115, long * 0.44), ink.flat(shade, 0.55))
    canvas.drawOval(oval((tip[0] + 0.03 * ink.side * ink.facing, -0.20), 0.05, 0.045), ink.flat((1.0, 1.0, 1.0), 0.30))


def _draw_mouth(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball, pose: Pose) -> None:
    shown = ball.front(0.0)
    if shown < -0.25 or skull.eyewear in ("mask", "band"):
        return
    x, y = ball.at(0.0, -0.58)
    x += 0.10 * ball.sin
    wide = 0.27 * (0.42 + 0.58 * max(shown, 0.0)) * (1.0 - 0.22 * pose.mouth)
    lip = mix(skull.skin, (0.74, 0.16, 0.22), 0.62 if skull.is_female else 0.40)
    if pose.mouth < 0.06:
        curve = 0.12 * pose.smile
        path = skia.Path()
        path.moveTo(x - wide, y + curve * 0.6)
        path.quadTo(x, y - curve, x + wide, y + curve * 0.6)
        canvas.drawPath(path, ink.line(dimmed(lip, 0.80), 0.06 if skull.is_female else 0.05))
        return
    tall = 0.05 + 0.20 * pose.mouth
    path = skia.Path()
    path.addOval(oval((x, y - tall * 0.25), wide, tall))
    canvas.save()
    canvas.clipPath(path, doAntiAlias=True)
    canvas.drawPaint(ink.flat((0.34, 0.06, 0.11)))
    canvas.drawOval(oval((x, y - tall * 1.15), wide * 0.8, tall * 0.6), ink.flat((0.90, 0.40, 0.42)))
    canvas.drawRect(skia.Rect.MakeLTRB(x - wide, y + tall * 0.36, x + wide, y + tall), ink.flat((0.97, 0.97, 0.95)))
    canvas.restore()
    canvas.drawPath(path, ink.line(lip, 0.045))


def _draw_beard(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball) -> None:
    x, _ = ball.at(0.0, -0.6)
    x += 0.06 * ball.sin
    low = -1.06 if skull.beard == 1 else -1.2
    left, right = ball.at(-1.3, -0.12), ball.at(1.3, -0.12)
    points = [
        left,
        ball.at(-0.75, -0.52),
        (x - 0.28, -0.40),
        (x, -0.37),
        (x + 0.28, -0.40),
        ball.at(0.75, -0.52),
        right,
        (right[0], -0.7),
        (x + 0.34, low),
        (x - 0.34, low),
        (left[0], -0.7),
    ]
    canvas.drawPath(smooth(points, tension=0.6), ink.flat(dimmed(skull.hair, 0.94)))


def _draw_wrinkles(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball) -> None:
    pen = ink.line(dimmed(skull.skin, 0.76), 0.025, opacity=0.8)
    for height in (0.50, 0.62):
        start, end = ball.at(-0.3, height), ball.at(0.3, height)
        canvas.drawLine(*start, *end, pen)
    for side in (-1.0, 1.0):
        if ball.front(side * 0.5) > 0.2:
            a, b = ball.at(side * 0.30, -0.28), ball.at(side * 0.46, -0.54)
            canvas.drawLine(*a, *b, pen)


def _draw_eyewear(canvas: skia.Canvas, ink: Ink, skull: Skull, *, ball: _Ball, outline: skia.Path) -> None:
    colour = skull.eyewear_colour
    if skull.eyewear in ("mask", "band"):
        canvas.save()
        canvas.clipPath(outline, doAntiAlias=True)
        top = -0.16 if skull.eyewear == "mask" else -0.12
        canvas.drawRect(skia.Rect.MakeLTRB(-1.2, -1.2, 1.2, top), ink.shaded(colour, (0.0, top), end=(0.0, -1.2)))
        canvas.restore()
        return
    pen = ink.line(colour, 0.06)
    _line(canvas, [ball.at(-1.5, 0.06), ball.at(-0.62, 0.05)], ball.front(-1.0), pen=pen)
    _line(canvas, [ball.at(1.5, 0.06), ball.at(0.62, 0.05)], ball.front(1.0), pen=pen)
    _line(canvas, [ball.at(-0.2, 0.05, out=1.04), ball.at(0.2, 0.05, out=1.04)], ball.cos, pen=pen)
    for side in (-1.0, 1.0):
        shown = ball.front(side * 0.43)
        if shown < 0.15:
            continue
        x, y = ball.at(side * 0.43, 0.0, out=1.03)
        box = oval((x, y), 0.27 * (0.3 + 0.7 * shown), 0.23)
        if skull.eyewear == "glasses":
            canvas.drawOval(box, ink.flat((0.85, 0.93, 1.0), 0.22))
        else:
            canvas.drawOval(box, ink.shaded(colour, (x, y + 0.3), end=(x, y - 0.2)))
            canvas.drawOval(oval((x - 0.06, y + 0.08), 0.08, 0.05), ink.flat((1.0, 1.0, 1.0), 0.35))
        canvas.drawOval(box, pen)


def _line(canvas: skia.Canvas, points: Sequence[Point], shown: float, *, pen: skia.Paint) -> None:
    if shown > 0:
        canvas.drawLine(*points[0], *points[1], pen)
