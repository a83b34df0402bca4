"""A bird seen from the side: it perches, hops and flies."""

from dataclasses import dataclass, replace

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon, smooth
from understudy.engines.previz.pictures.figures.joints import walking
from understudy.engines.previz.pictures.figures.person_poses import Instant
from understudy.engines.previz.pictures.light import dimmed, mix
from understudy.engines.previz.plan import Action

_BLACK: Rgb = (0.08, 0.07, 0.09)
_TURN = 2 * np.pi
_WING_HZ = 3.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plumage:
    """Colours and shape of a bird. span: length of a wing in its heights. hook: whether its beak is bent."""

    back: Rgb
    belly: Rgb
    head: Rgb
    beak: Rgb = (0.95, 0.66, 0.20)
    wing: Rgb = (0.3, 0.3, 0.4)
    span: float = 0.85
    hook: bool = False
    rate_hz: float = _WING_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Flutter:
    """A bird at one instant. flap -1..1; open: how far the wings are spread, 0 folded; turn: beak down above 0."""

    flap: float = 0.0
    open: float = 0.0
    turn: float = 0.0
    lift: float = 0.0
    nod: float = 0.0
    beak: float = 0.0
    blink: float = 0.0
    feet: tuple[Point, Point] = ((0.02, 0.0), (-0.04, 0.0))
    legs_out: float = 1.0
    crouch: float = 0.0


_PLUMAGES = {
    "bird": Plumage(
        back=(0.28, 0.50, 0.86), belly=(0.98, 0.66, 0.40), head=(0.25, 0.46, 0.84), wing=(0.20, 0.38, 0.72)
    ),
    "dove": Plumage(
        back=(0.95, 0.95, 0.97), belly=(0.99, 0.99, 1.0), head=(0.96, 0.96, 0.98), wing=(0.88, 0.89, 0.93), span=0.95
    ),
    "black-bird": Plumage(
        back=(0.14, 0.14, 0.18), belly=(0.18, 0.18, 0.22), head=(0.13, 0.13, 0.17), wing=(0.10, 0.10, 0.14)
    ),
    "eagle": Plumage(
        back=(0.38, 0.25, 0.16),
        belly=(0.42, 0.28, 0.18),
        head=(0.97, 0.96, 0.93),
        wing=(0.30, 0.19, 0.12),
        span=1.35,
        hook=True,
        rate_hz=1.5,
    ),
    "parrot": Plumage(
        back=(0.84, 0.16, 0.16), belly=(0.90, 0.26, 0.20), head=(0.86, 0.14, 0.15), wing=(0.16, 0.46, 0.80), hook=True
    ),
}


def is_plumed(art_id: str) -> bool:
    """Whether a bird of this picture is drawn."""
    return art_id in _PLUMAGES


def plumage_of(art_id: str, tint: Rgb | None) -> Plumage:
    """The colours of a bird, or those of a tint."""
    plumage = _PLUMAGES[art_id]
    if tint is None:
        return plumage
    return replace(plumage, back=tint, head=tint, wing=dimmed(tint, 0.78), belly=mix(tint, (1.0, 1.0, 1.0), 0.4))


def flutter_of(action: Action, now: Instant, rate_hz: float) -> Flutter:
    """How a bird holds itself while it does something."""
    bob = now.swing(0.7)
    sharp = max(now.swing(0.31), 0.0) ** 6
    pose = Flutter(nod=0.10 * sharp - 0.05 * max(now.swing(0.23, 2.0), 0.0) ** 4, crouch=0.01 * bob)
    if action in (Action.FLY, Action.FLOAT, Action.RISE, Action.FALL, Action.SWIM, Action.DRIVE):
        glide = 0.35 + 0.65 * float(np.clip(0.5 + now.swing(0.22) * 1.6, 0, 1))
        beat = now.swing(rate_hz)
        pose = Flutter(
            flap=beat * glide, open=1.0, turn=0.06 * now.swing(0.22), lift=-0.04 * beat * glide, legs_out=0.0
        )
    elif action in (Action.WALK, Action.RUN):
        gait = walking(now.speed or 0.6, span=0.22, at=0.6)
        steps = [gait.foot(now.time_s + now.phase, offset) for offset in (0.0, 0.5)]
        cycle = _TURN * (now.time_s + now.phase) / gait.period_s
        pose = Flutter(
            feet=((steps[0][0], steps[0][1]), (steps[1][0], steps[1][1])), nod=0.10 * float(np.sin(2 * cycle))
        )
    elif action in (Action.JUMP, Action.DANCE, Action.WAVE, Action.SHAKE):
        hop = abs(now.swing(1.1))
        pose = Flutter(lift=0.16 * hop, flap=now.swing(4.0) * 0.7, open=0.75 * hop + 0.2, turn=-0.15 * hop)
    elif action is Action.EAT:
        peck = max(now.swing(1.1), 0.0) ** 2
        pose = Flutter(turn=0.55 * peck, nod=0.6 * peck, beak=0.4 * peck)
    elif action is Action.SLEEP:
        pose = Flutter(blink=1.0, nod=0.35, crouch=0.07 + 0.008 * now.swing(0.3))
    elif action is Action.SIT:
        pose = replace(pose, crouch=0.07)
    elif action is Action.SING:
        pose = replace(pose, nod=-0.35, beak=0.5 + 0.5 * now.swing(2.3))
    if (now.time_s + now.phase * 1.3) % 2.6 < 0.12:
        pose = replace(pose, blink=1.0)
    if now.voice > 0.02:
        pose = replace(pose, beak=max(pose.beak, min(now.voice, 1.0)), nod=pose.nod - 0.15 * now.voice)
    return pose


class Bird:
    """Draws one bird in heights of its own: beak to the right, feet at 0."""

    def __init__(self, plumage: Plumage) -> None:
        self.plumage = plumage

    def bounds(self, pose: Flutter) -> tuple[float, float, float, float]:
        """A box that holds the figure."""
        span = self.plumage.span * (0.25 + pose.open)
        return -0.95 - 0.2 * span, min(pose.lift, 0.0) - span * 0.75 - 0.1, 0.95, 1.2 + max(pose.lift, 0.0) + span * 0.9

    def draw(self, canvas: skia.Canvas, ink: Ink, *, pose: Flutter) -> None:
        """Draw far wing, body, head, near wing."""
        plumage = self.plumage
        low = pose.lift - pose.crouch
        if pose.legs_out > 0:
            for (x, y), tone in zip(pose.feet, (0.8, 1.0), strict=True):
                self._draw_leg(canvas, ink, foot=(x, y + max(pose.lift, 0.0)), low=low, tone=tone)
        canvas.save()
        canvas.translate(0.0, 0.45 + low)
        flat = 0.40 if pose.legs_out <= 0 else 0.0
        canvas.rotate(float(np.degrees(-pose.turn - flat)))
        if pose.open > 0.05:
            self._draw_wing(canvas, ink, pose=pose, tone=0.74, shift=0.05)
        tail = polygon([(-0.28, 0.02), (-0.86, -0.20), (-0.90, -0.06), (-0.80, 0.02), (-0.28, 0.16)])
        canvas.drawPath(tail, ink.shaded(dimmed(plumage.wing, 0.92), (-0.5, 0.1), end=(-0.5, -0.25)))
        body = [
            (0.34, 0.24),
            (0.10, 0.30),
            (-0.24, 0.20),
            (-0.52, -0.02),
            (-0.30, -0.20),
            (0.04, -0.30),
            (0.32, -0.14),
            (0.42, 0.06),
        ]
        path = ink.blob(canvas, body, colour=plumage.back)
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        belly = [(0.50, 0.16), (0.30, 0.02), (0.0, -0.10), (-0.42, -0.16), (-0.3, -0.4), (0.5, -0.4)]
        canvas.drawPath(smooth(belly), ink.across(plumage.belly, (-0.4, -0.35, 0.45, 0.2)))
        canvas.restore()
        self._draw_head(canvas, ink, pose=pose, level=flat + pose.turn)
        if pose.open > 0.05:
            self._draw_wing(canvas, ink, pose=pose, tone=1.0, shift=-0.03)
        else:
            folded = [(0.20, 0.16), (-0.12, 0.20), (-0.66, -0.10), (-0.30, -0.12), (0.08, -0.08)]
            canvas.drawPath(smooth(folded, tension=0.8), ink.across(plumage.wing, (-0.6, -0.15, 0.2, 0.2)))
            for shift in (0.0, 0.08):
                canvas.drawArc(
                    oval((-0.18, 0.02 - shift), 0.34, 0.10),
                    190,
                    90,
                    useCenter=False,
                    paint=ink.line(dimmed(plumage.wing, 0.7), 0.014),
                )
        canvas.restore()

    def _draw_wing(self, canvas: skia.Canvas, ink: Ink, *, pose: Flutter, tone: float, shift: float) -> None:
        span = self.plumage.span * pose.open
        # Seen from a little above, the near wing hangs lower than the far one, so that neither is ever edge on.
        lower = -0.30 if tone == 1.0 else 0.26
        up = float(np.sin(pose.flap * 1.15 + 0.15)) + lower
        # The outer half lags behind the inner one.
        tip_up = float(np.sin(np.clip(pose.flap * 1.15 - 0.25 * np.sign(pose.flap), -1.3, 1.3))) + lower
        root_front, root_back = (0.20 + shift, 0.14), (-0.26 + shift, 0.08)
        wrist = (0.14 + shift, 0.14 + span * 0.46 * up)
        tip = (-0.26 - span * 0.22 * (1 - abs(tip_up)), 0.14 + span * 0.46 * up + span * 0.56 * tip_up)
        back = (-0.40 + shift, 0.10 + span * 0.40 * up)
        points = [root_front, wrist, tip, ((tip[0] + back[0]) / 2 - 0.06, (tip[1] + back[1]) / 2), back, root_back]
        colour = dimmed(self.plumage.wing, tone)
        path = polygon(points)
        box = path.getBounds()
        paint = ink.across(colour, (box.left(), box.top(), box.right(), box.bottom()))
        paint.setPathEffect(skia.CornerPathEffect.Make(0.10))
        canvas.drawPath(path, paint)
        for part in (0.35, 0.65):
            start = (root_back[0] + (root_front[0] - root_back[0]) * (1 - part), 0.12 + 0.2 * span * up)
            end = (tip[0] * part + back[0] * (1 - part), tip[1] * part + back[1] * (1 - part))
            canvas.drawLine(*start, *end, ink.line(dimmed(colour, 0.72), 0.014))

    def _draw_head(self, canvas: skia.Canvas, ink: Ink, *, pose: Flutter, level: float) -> None:
        plumage = self.plumage
        canvas.save()
        canvas.translate(0.36, 0.32)
        canvas.rotate(float(np.degrees(level * 0.8 - pose.nod)))
        for side, turn in ((-1, -pose.beak * 26), (1, pose.beak * 14)):
            canvas.save()
            canvas.translate(0.16, 0.0)
            canvas.rotate(turn)
            droop = -0.10 if plumage.hook and side > 0 else 0.0
            beak = polygon([(0.0, 0.075 * side), (0.24, 0.0 + droop), (0.0, -0.012 * side)])
            canvas.drawPath(beak, ink.flat(dimmed(plumage.beak, 1.0 if side > 0 else 0.78)))
            canvas.restore()
        ink.ball(canvas, (0.0, 0.02), radius=0.225, colour=plumage.head)
        eye = (0.09, 0.07)
        if pose.blink > 0.7:
            canvas.drawArc(
                oval(eye, 0.045, 0.03), 190, 160, useCenter=False, paint=ink.line(dimmed(plumage.head, 0.3), 0.018)
            )
        else:
            canvas.drawCircle(*eye, 0.044, ink.flat((0.98, 0.96, 0.90)))
            canvas.drawCircle(*eye, 0.036, ink.flat(_BLACK))
            canvas.drawCircle(eye[0] + 0.014, eye[1] + 0.018, 0.013, ink.flat((1.0, 1.0, 1.0)))
        canvas.restore()

    def _draw_leg(self, canvas: skia.Canvas, ink: Ink, *, foot: Point, low: float, tone: float) -> None:
        colour = dimmed(mix(self.plumage.beak, (0.5, 0.3, 0.2), 0.4), tone)
        pen = ink.line(colour, 0.034)
        x, y = foot[0] + 0.02, foot[1]
        canvas.drawLine(0.0, 0.26 + low, x - 0.02, y + 0.10, pen)
        canvas.drawLine(x - 0.02, y + 0.10, x, y + 0.015, pen)
        for toe in (0.11, 0.07, -0.07):
            canvas.drawLine(x, y + 0.015, x + toe, y + 0.012, pen)
