"""A four-legged animal seen from the side, drawn from its skeleton: cat, dog, horse and their like."""

from dataclasses import dataclass, field

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon, smooth
from understudy.engines.previz.pictures.figures.joints import reach
from understudy.engines.previz.pictures.figures.pose import Foot
from understudy.engines.previz.pictures.light import dimmed, mix

_BLACK: Rgb = (0.09, 0.07, 0.09)
_STALK: Rgb = (0.44, 0.62, 0.26)
_LEAF: Rgb = (0.32, 0.58, 0.24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breed:
    """Proportions in heights of the whole animal, which looks to the right; and its colours.

    chest, rump: where the fore and the hind legs hang from, (x, y). fore, hind: lengths of the two upper bones, then of
    the foot's bone. deep: half the depth of the chest; tuck: half that of the loin. neck: how far the head is from the
    chest, (x, y). skull: half the head's height; muzzle: length, and half its depth, in skulls. ears: "prick", "drop",
    "round" or "horse". tail: length, and thickness at root and end. thick: of the legs at top and bottom.
    """

    chest: Point
    rump: Point
    fore: tuple[float, float, float]
    hind: tuple[float, float, float]
    deep: float
    tuck: float
    neck: Point
    neck_wide: tuple[float, float]
    skull: float
    muzzle: tuple[float, float]
    ears: str
    tail: tuple[float, float, float]
    tail_up: float
    thick: tuple[float, float]
    fur: Rgb
    belly: Rgb | None = None
    mane: Rgb | None = None
    socks: Rgb | None = None
    iris: Rgb = (0.26, 0.16, 0.08)
    nose: Rgb = _BLACK
    stripes: Rgb | None = None
    spots: Rgb | None = None
    horn: Rgb | None = None
    hoofed: bool = False
    is_cat: bool = False
    tail_tip: Rgb | None = None
    ruff: Rgb | None = None
    limbs: Rgb | None = None
    """The legs and the shoulders, where they differ from the fur."""
    patches: Rgb | None = None
    """Around the eyes."""
    ear_fur: Rgb | None = None
    antlers: Rgb | None = None
    sits_to_eat: bool = False
    """It sits up and holds what it eats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """A four-legged animal at one instant, in its own heights and radians.

    chest, rump: how far these are moved from where they are when it stands, (x, y). head: the same of the head; nod:
    muzzle down above 0. feet: near fore, far fore, near hind, far hind, forward of where they stand. tail: turned up;
    tail_curl: how it bends. mouth, blink 0..1. yaw: the head towards the viewer, 0..1. ear: back above 0.
    """

    chest: Point = (0.0, 0.0)
    rump: Point = (0.0, 0.0)
    head: Point = (0.0, 0.0)
    nod: float = 0.0
    feet: tuple[Foot, Foot, Foot, Foot] = field(default_factory=lambda: (Foot(), Foot(), Foot(), Foot()))
    tail: float = 0.0
    tail_curl: float = 0.3
    mouth: float = 0.0
    blink: float = 0.0
    ear: float = 0.0
    turn: float = 0.0
    breath: float = 0.0
    lift: float = 0.0
    is_holding: bool = False
    """Whether it has a stalk in its near fore paw."""
    folds: float = 0.0
    """0..1: how much the hind legs are folded under it, as of one that sits."""


class Beast:
    """Draws one four-legged animal in any stance."""

    def __init__(self, breed: Breed) -> None:
        self.breed = breed

    def bounds(self, stance: Stance) -> tuple[float, float, float, float]:
        """A box that holds the figure: left, bottom, right, top."""
        breed = self.breed
        left = breed.rump[0] - breed.tail[0] - 0.22
        right = breed.chest[0] + breed.neck[0] + breed.skull * 3.2 + 0.24
        chest, rump = self._hung(stance)
        head = (
            chest[1]
            + breed.neck[1]
            + stance.head[1]
            + breed.skull * (3.3 if breed.antlers is not None else 2.6 if breed.horn is not None else 2.0)
        )
        tail = rump[1] + breed.tail[0] + 0.1
        # What turns as a whole needs room all round.
        room = 0.25 if stance.turn else 0.03
        low, high = -0.08 + min(stance.lift, 0.0), max(head, tail)
        return left + 0.06 - room, low - room, right - 0.08 + room, high + room

    def saddle(self, stance: Stance) -> Point:
        """Where a rider's hip is."""
        breed = self.breed
        chest, rump = self._hung(stance)
        return chest[0] * 0.56 + rump[0] * 0.44, max(chest[1], rump[1]) * 0.5 + min(
            chest[1], rump[1]
        ) * 0.5 + breed.deep * 0.92

    def _hung(self, stance: Stance) -> tuple[Point, Point]:
        breed = self.breed
        return (
            (breed.chest[0] + stance.chest[0], breed.chest[1] + stance.chest[1] + stance.lift),
            (breed.rump[0] + stance.rump[0], breed.rump[1] + stance.rump[1] + stance.lift),
        )

    def draw(self, canvas: skia.Canvas, ink: Ink, *, stance: Stance) -> None:
        """Draw in heights of the animal: x forward, y up, the ground at 0."""
        breed = self.breed
        if stance.turn:
            canvas.translate(0.0, 0.5 + stance.lift)
            canvas.rotate(float(np.degrees(-stance.turn)))
            canvas.translate(0.0, -0.5 - stance.lift)
        chest, rump = self._hung(stance)
        far = 0.72
        self._draw_tail(canvas, ink, stance=stance, rump=rump)
        self._draw_leg(canvas, ink, stance=stance, at=(rump, 3), is_fore=False, tone=far)
        self._draw_leg(canvas, ink, stance=stance, at=(chest, 1), is_fore=True, tone=far)
        head = (chest[0] + breed.neck[0] + stance.head[0], chest[1] + breed.neck[1] + stance.head[1])
        if breed.mane is not None:
            self._draw_mane(canvas, ink, chest=chest, head=head, is_behind=True)
        self._draw_body(canvas, ink, stance=stance, chest=chest, rump=rump)
        self._draw_neck(canvas, ink, chest=chest, head=head)
        self._draw_leg(canvas, ink, stance=stance, at=(rump, 2), is_fore=False, tone=1.0)
        self._draw_leg(canvas, ink, stance=stance, at=(chest, 0), is_fore=True, tone=1.0)
        if breed.mane is not None:
            self._draw_mane(canvas, ink, chest=chest, head=head, is_behind=False)
        self._draw_head(canvas, ink, stance=stance, head=head)
        if stance.is_holding:
            self._draw_stalk(canvas, ink, stance=stance)

    def _draw_stalk(self, canvas: skia.Canvas, ink: Ink, *, stance: Stance) -> None:
        """Draw a leafy stalk, and the paw around it."""
        x, y = self.breed.chest[0] + stance.feet[0].forward, stance.feet[0].up + stance.lift
        ink.limb(canvas, [(x + 0.16, y - 0.20), (x - 0.05, y + 0.17)], widths=[0.030, 0.024], colour=_STALK)
        for along, turn in ((0.02, 0.5), (0.10, -0.2), (0.15, 0.9)):
            base = (x + along, y - along * 1.4)
            tip = (base[0] + 0.11, base[1] + 0.06 * turn)
            ink.limb(
                canvas,
                [base, ((base[0] + tip[0]) / 2, base[1] + 0.012), tip],
                widths=[0.012, 0.034, 0.006],
                colour=_LEAF,
            )
        ink.ball(canvas, (x, y), radius=self.breed.thick[1] * 0.62, colour=self.breed.limbs or self.breed.fur)

    def _draw_body(self, canvas: skia.Canvas, ink: Ink, *, stance: Stance, chest: Point, rump: Point) -> None:
        breed = self.breed
        deep = breed.deep * (1 + 0.02 * stance.breath)
        dx, dy = chest[0] - rump[0], chest[1] - rump[1]
        length = float(np.hypot(dx, dy)) or 1e-6
        ax, ay = dx / length, dy / length

        def on(along: float, across: float) -> Point:
            return rump[0] + dx * along - ay * across, rump[1] + dy * along + ax * across

        loin = breed.tuck
        back = 1 - 0.10 * stance.folds
        points = [
            on(1.0 + deep * 0.62 / length, deep * 0.10),
            on(1.02, deep * 0.94),
            on(0.72, deep * 0.90 * back),
            on(0.36, loin * 1.16),
            on(0.02, loin * 1.22),
            on(-loin * 0.95 / length, loin * 0.45),
            on(-loin * 0.80 / length, -loin * 0.55),
            on(0.16, -loin * 0.86),
            on(0.44, -loin * 0.95),
            on(0.78, -deep * 1.02),
            on(1.04, -deep * 0.78),
        ]
        path = ink.blob(canvas, points, colour=breed.fur)
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        if breed.belly is not None:
            band = [
                on(1.2, -deep * 0.1),
                on(1.1, -deep * 0.62),
                on(0.75, -deep * 0.72),
                on(0.3, -loin * 0.70),
                on(-0.1, -loin * 0.55),
                on(-0.1, -deep * 2),
                on(1.3, -deep * 2),
            ]
            canvas.drawPath(smooth(band, tension=0.6), ink.flat(breed.belly, 0.5))
        if breed.limbs is not None:
            band = [on(0.80, deep * 1.3), on(1.16, deep * 1.3), on(1.2, -deep * 1.4), on(0.74, -deep * 1.4)]
            canvas.drawPath(polygon(band), ink.flat(breed.limbs))
        if breed.stripes is not None:
            for along in (0.08, 0.26, 0.44, 0.62, 0.80):
                pen = ink.line(breed.stripes, 0.028)
                canvas.drawLine(*on(along, deep * 1.2), *on(along - 0.05, deep * 0.12), pen)
        if breed.spots is not None:
            for along, across, size in ((0.15, 0.5, 0.09), (0.5, -0.2, 0.11), (0.82, 0.45, 0.08)):
                canvas.drawOval(oval(on(along, across * deep), size, size * 0.75), ink.flat(breed.spots))
        canvas.restore()

    def _draw_neck(self, canvas: skia.Canvas, ink: Ink, *, chest: Point, head: Point) -> None:
        breed = self.breed
        wide = breed.neck_wide
        start = (chest[0] + breed.deep * 0.10, chest[1] + breed.deep * 0.18)
        end = (head[0] - breed.skull * 0.25, head[1] - breed.skull * 0.15)
        middle = (start[0] * 0.5 + end[0] * 0.5 - 0.012, start[1] * 0.5 + end[1] * 0.5 + 0.008)
        ink.limb(canvas, [start, middle, end], widths=[wide[0], (wide[0] + wide[1]) / 2, wide[1]], colour=breed.fur)
        if breed.ruff is not None:
            ink.ball(
                canvas,
                (head[0] - breed.skull * 0.4, head[1] - breed.skull * 0.3),
                radius=breed.skull * 1.7,
                colour=breed.ruff,
            )

    def _draw_mane(self, canvas: skia.Canvas, ink: Ink, *, chest: Point, head: Point, is_behind: bool) -> None:
        breed = self.breed
        if breed.mane is None or not breed.hoofed:
            return
        start = (chest[0] - 0.06, chest[1] + breed.deep * 0.95)
        end = (head[0] - breed.skull * 0.35, head[1] + breed.skull * 0.95)
        if is_behind:
            points = [start, ((start[0] + end[0]) / 2 - 0.045, (start[1] + end[1]) / 2 + 0.03), end]
            ink.limb(canvas, points, widths=[0.05, 0.085, 0.06], colour=breed.mane)
            return
        # Locks fall over the near side.
        for part in (0.12, 0.36, 0.6, 0.84):
            x, y = start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
            ink.limb(canvas, [(x, y), (x + 0.03, y - 0.10)], widths=[0.07, 0.03], colour=breed.mane)

    def _draw_leg(
        self, canvas: skia.Canvas, ink: Ink, *, stance: Stance, at: tuple[Point, int], is_fore: bool, tone: float
    ) -> None:
        breed = self.breed
        (x, y), index = at
        foot = stance.feet[index]
        bones = breed.fore if is_fore else breed.hind
        home = breed.chest[0] if is_fore else breed.rump[0]
        fur = breed.fur if breed.limbs is None else breed.limbs
        colour = dimmed(fur, tone)
        top, low = breed.thick
        apart = 0.022 if index % 2 else -0.012
        ground = (home + foot.forward + apart, foot.up + stance.lift)
        pastern = foot.roll + (0.10 if is_fore else -0.35 if not breed.hoofed else -0.22)
        ankle = (
            ground[0] - bones[2] * float(np.sin(-pastern)) * 1.0,
            ground[1] + bones[2] * float(np.cos(pastern)),
        )
        hung = (x + apart, y - (0.03 if is_fore else 0.0))
        knee, ankle = reach(hung, ankle, (bones[0], bones[1]), bend=-1.0 if is_fore else 1.0)
        if not is_fore:
            # The haunch is part of the leg.
            ink.limb(
                canvas,
                [hung, knee],
                widths=[top * (2.0 + 0.5 * stance.folds), top * (1.05 + 0.7 * stance.folds)],
                colour=colour,
            )
            ink.limb(canvas, [knee, ankle, ground], widths=[top * 1.0, low * 1.05, low], colour=colour)
        else:
            ink.limb(canvas, [hung, knee, ankle, ground], widths=[top * 1.45, top, low * 1.05, low], colour=colour)
        paw = dimmed(breed.socks, tone) if breed.socks is not None else dimmed(fur, tone * 0.98)
        if breed.hoofed:
            hoof = [
                (ground[0] - low * 0.6, ground[1] + 0.04),
                (ground[0] + low * 0.6, ground[1] + 0.045),
                (ground[0] + low * 0.95, ground[1]),
                (ground[0] - low * 0.7, ground[1]),
            ]
            canvas.drawPath(polygon(hoof), ink.flat(dimmed((0.24, 0.19, 0.17), tone)))
            return
        canvas.drawOval(
            oval((ground[0] + low * 0.30, ground[1] + low * 0.46), low * 0.92, low * 0.50),
            ink.shaded(paw, (0.0, ground[1] + low), end=(0.0, ground[1] - low * 0.3)),
        )

    def _draw_tail(self, canvas: skia.Canvas, ink: Ink, *, stance: Stance, rump: Point) -> None:
        breed = self.breed
        length, root, end = breed.tail
        angle = np.pi - breed.tail_up - stance.tail
        x, y = rump[0] - breed.tuck * 0.75, rump[1] + breed.tuck * 0.55
        points: list[Point] = [(x, y)]
        steps = 6
        for step in range(steps):
            angle -= stance.tail_curl * (step / steps) * 1.2
            x, y = x + float(np.cos(angle)) * length / steps, y + float(np.sin(angle)) * length / steps
            points.append((x, max(y, end / 2)))
        widths = [root + (end - root) * step / steps for step in range(steps + 1)]
        colour = breed.mane if breed.hoofed and breed.mane is not None else dimmed(breed.fur, 0.9)
        ink.limb(canvas, points, widths=widths, colour=colour)
        if breed.tail_tip is not None:
            ink.limb(canvas, points[-2:], widths=widths[-2:], colour=breed.tail_tip)

    def _draw_head(self, canvas: skia.Canvas, ink: Ink, *, stance: Stance, head: Point) -> None:
        breed = self.breed
        canvas.save()
        canvas.translate(*head)
        canvas.rotate(float(np.degrees(-stance.nod)))
        canvas.scale(breed.skull, breed.skull)
        _draw_ear(canvas, ink, breed, stance=stance, is_far=True)
        long, deep = breed.muzzle
        fur, pale = breed.fur, breed.belly or mix(breed.fur, (1, 1, 1), 0.18)
        if stance.mouth > 0.04:
            _draw_jaw(canvas, ink, breed, gape=0.38 * stance.mouth)
        if breed.hoofed:
            tip = (0.62 + long, -0.62 - long * 0.42)
            ink.limb(canvas, [(0.0, 0.0), (0.5, -0.32), tip], widths=[1.9, 1.45, deep * 2.0], colour=fur)
            ink.ball(canvas, tip, radius=deep * 1.05, colour=mix(fur, (0.2, 0.15, 0.15), 0.30))
            if breed.socks is not None:
                ink.limb(
                    canvas,
                    [(0.42, 0.42), (0.55 + long * 0.72, -0.20 - long * 0.32)],
                    widths=[0.2, 0.12],
                    colour=breed.socks,
                )
            canvas.drawOval(oval((tip[0] + deep * 0.4, tip[1] + 0.15), 0.10, 0.14), ink.flat(_BLACK))
            canvas.drawArc(
                oval((tip[0] + 0.05, tip[1] - 0.28), 0.5, 0.22),
                20,
                120,
                useCenter=False,
                paint=ink.line(_BLACK, 0.06, opacity=0.6),
            )
        else:
            ink.ball(canvas, (0.0, 0.0), radius=1.0, colour=fur, tall=0.96)
            points = [
                (0.35, 0.18),
                (0.55 + long * 0.8, -0.05 + deep * 0.1),
                (0.62 + long, -0.22),
                (0.55 + long * 0.85, -0.36 - deep * 0.4),
                (0.2, -0.78),
            ]
            canvas.drawPath(smooth(points, tension=0.9), ink.across(mix(fur, pale, 0.72), (0.2, -0.8, 0.6 + long, 0.2)))
            nose = (0.60 + long, -0.13)
            canvas.drawOval(
                oval(nose, 0.15 if breed.is_cat else 0.20, 0.11 if breed.is_cat else 0.15), ink.flat(breed.nose)
            )
            if stance.mouth <= 0.04:
                path = skia.Path()
                path.moveTo(nose[0] - 0.02, nose[1] - 0.12)
                path.quadTo(nose[0] - 0.10, -0.52, 0.45 + long * 0.2, -0.46)
                canvas.drawPath(path, ink.line(dimmed(fur, 0.35), 0.055))
            elif breed.is_cat:
                _draw_short_jaw(canvas, ink, breed, nose=nose, gape=stance.mouth)
            if breed.is_cat:
                whisker = ink.line((0.96, 0.96, 0.94), 0.026, opacity=0.75)
                for rise in (-0.12, 0.02, 0.16):
                    canvas.drawLine(0.5 + long * 0.5, -0.32, -0.05 + long * 0.2, -0.36 + rise * 1.6, whisker)
        if breed.stripes is not None and not breed.hoofed:
            for x in (-0.2, 0.1, 0.36):
                canvas.drawLine(x, 0.92, x + 0.03, 0.60, ink.line(breed.stripes, 0.10))
        _draw_ear(canvas, ink, breed, stance=stance, is_far=False)
        _draw_eye(canvas, ink, breed, stance=stance)
        if breed.antlers is not None:
            _draw_antlers(canvas, ink, breed.antlers)
        if breed.horn is not None:
            ink.limb(canvas, [(0.25, 0.85), (0.75, 2.2)], widths=[0.34, 0.06], colour=breed.horn)
        canvas.restore()


def _draw_antlers(canvas: skia.Canvas, ink: Ink, colour: Rgb) -> None:
    """Draw two antlers, the far one darker."""
    for shift, tone in ((0.30, 0.72), (0.0, 1.0)):
        shade = dimmed(colour, tone)
        beam = [(-0.05 + shift, 0.70), (-0.55 + shift, 1.55), (-0.35 + shift, 2.35), (0.25 + shift, 2.95)]
        ink.limb(canvas, beam, widths=[0.24, 0.20, 0.16, 0.07], colour=shade)
        for base, tip in (((-0.40, 1.25), (0.35, 1.75)), ((-0.50, 1.85), (0.40, 2.35)), ((-0.35, 2.35), (-0.75, 3.0))):
            ink.limb(canvas, [(base[0] + shift, base[1]), (tip[0] + shift, tip[1])], widths=[0.16, 0.06], colour=shade)


def _draw_short_jaw(canvas: skia.Canvas, ink: Ink, breed: Breed, *, nose: Point, gape: float) -> None:
    """Open a mouth below the nose: a short jaw that turns down stays hidden behind a round head."""
    x, y, tall = nose[0] - 0.20, nose[1] - 0.30 - 0.20 * gape, 0.05 + 0.22 * gape
    canvas.drawOval(oval((x - 0.03, y - 0.05), 0.27, tall + 0.06), ink.flat(dimmed(breed.fur, 0.84)))
    canvas.drawOval(oval((x, y), 0.20, tall), ink.flat((0.30, 0.09, 0.12)))
    canvas.drawOval(oval((x - 0.02, y - 0.45 * tall), 0.14, 0.45 * tall), ink.flat((0.86, 0.36, 0.40)))


def _draw_jaw(canvas: skia.Canvas, ink: Ink, breed: Breed, *, gape: float) -> None:
    """Draw the lower jaw turned down by ``gape`` radians, with the tongue on it."""
    long, deep = breed.muzzle
    canvas.save()
    canvas.translate(0.35, -0.30)
    canvas.rotate(float(np.degrees(-gape)))
    jaw, tongue = [(0.0, -0.10), (long * 0.62, -0.14)], [(0.15, 0.05), (long * 0.6, -0.02)]
    ink.limb(canvas, jaw, widths=[deep * 1.3, deep * 0.75], colour=dimmed(breed.fur, 0.84))
    ink.limb(canvas, tongue, widths=[deep * 0.7, deep * 0.5], colour=(0.86, 0.36, 0.40))
    canvas.restore()


def _draw_eye(canvas: skia.Canvas, ink: Ink, breed: Breed, *, stance: Stance) -> None:
    x, y = (0.36, 0.18) if breed.hoofed else (0.42, 0.22)
    large = 0.20 if breed.hoofed else 0.27 if breed.is_cat else 0.22
    opened = 1 - stance.blink
    if opened < 0.25:
        canvas.drawArc(
            oval((x, y + 0.05), large, 0.14), 190, 160, useCenter=False, paint=ink.line(dimmed(breed.fur, 0.28), 0.08)
        )
        return
    if breed.patches is not None:
        canvas.drawOval(oval((x - 0.02, y - 0.06), large * 1.75, large * 1.95), ink.flat(breed.patches))
    box = oval((x, y), large, large * 1.06 * opened)
    canvas.drawOval(oval((x, y), large * 1.16, large * 1.2 * opened), ink.flat(dimmed(breed.fur, 0.45)))
    canvas.drawOval(box, ink.flat(breed.iris))
    slit = 0.34 if breed.is_cat else 0.66
    canvas.drawOval(oval((x + 0.02, y), large * slit, large * 0.82 * opened), ink.flat(_BLACK))
    canvas.drawCircle(x + 0.07, y + 0.09 * opened, 0.06, ink.flat((1.0, 1.0, 1.0)))


def _draw_ear(canvas: skia.Canvas, ink: Ink, breed: Breed, *, stance: Stance, is_far: bool) -> None:
    colour = dimmed(breed.ear_fur or breed.fur, 0.70 if is_far else 0.92)
    shift = 0.34 if is_far else 0.0
    back = stance.ear
    canvas.save()
    canvas.translate(-0.34 + shift, 0.62)
    canvas.rotate(float(np.degrees(0.5 * back)))
    if breed.ears == "drop":
        points = [(0.0, 0.20), (0.26, 0.02), (0.10, -0.95), (-0.36, -1.05), (-0.52, -0.35), (-0.26, 0.16)]
        if not is_far:
            ink.blob(canvas, points, colour=dimmed(breed.fur, 0.78))
    elif breed.ears == "round":
        ink.ball(canvas, (-0.05, 0.30), radius=0.42, colour=colour)
        if not is_far:
            canvas.drawCircle(-0.05, 0.28, 0.24, ink.flat(mix(colour, (0.9, 0.6, 0.6), 0.5)))
    elif breed.ears == "horse":
        ink.limb(canvas, [(0.02, 0.10), (0.06, 0.72)], widths=[0.40, 0.08], colour=colour)
    else:
        tall = 1.0 if breed.is_cat else 1.12
        points = [(-0.46, -0.12), (-0.22, tall), (0.40, 0.18)]
        path = polygon(points)
        paint = ink.across(colour, (-0.5, 0.0, 0.5, tall))
        paint.setPathEffect(skia.CornerPathEffect.Make(0.14))
        canvas.drawPath(path, paint)
        if not is_far:
            inner = polygon([(-0.30, 0.0), (-0.18, tall * 0.74), (0.20, 0.16)])
            canvas.drawPath(inner, ink.flat(mix(colour, (0.95, 0.62, 0.62), 0.55)))
    canvas.restore()
