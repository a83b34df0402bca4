"""A person drawn from its skeleton: trunk, limbs and clothes; the head is `head.py`'s."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.figures.details import On, draw_details
from understudy.engines.previz.pictures.figures.head import Skull, draw_behind_head, draw_head, draw_long_hair
from understudy.engines.previz.pictures.figures.ink import Ink, Point, polygon, smooth
from understudy.engines.previz.pictures.figures.joints import reach
from understudy.engines.previz.pictures.figures.pose import Arm, Foot, Pose
from understudy.engines.previz.pictures.figures.wardrobe import Costume
from understudy.engines.previz.pictures.light import dimmed, mix

_ANKLE = 0.042
# Hip, knee and ankle, or shoulder, elbow and wrist, and how near the end is.
# Forward, up, and to the near side.
Spatial = tuple[float, float, float]
Bones = tuple[Point, Point, Point, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Proportions in heights of the figure. head: half the skull's height; thick: factor on limbs; belly: 0..1."""

    head: float = 0.107
    neck: float = 0.770
    hip: float = 0.478
    thigh: float = 0.222
    shin: float = 0.220
    upper_arm: float = 0.152
    forearm: float = 0.140
    shoulders: float = 0.104
    hips: float = 0.062
    thick: float = 1.0
    waist: float = 0.075
    stoop: float = 0.0

    @property
    def trunk(self) -> float:
        """From hip to neck."""
        return self.neck - self.hip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A picture in a hand. tall: its height in heights; grip: where it is held, 0 foot .. 1 top."""

    bitmap: Bitmap
    tall: float
    grip: float = 0.5
    is_over_head: bool = False


class _Joints:
    """A pose as points of the picture: x along the travel, y up, with how near each is."""

    def __init__(self, build: Build, pose: Pose) -> None:
        self.build, self.pose = build, pose
        self.sin, self.cos = float(np.sin(pose.yaw)), float(np.cos(pose.yaw))
        self.hip = (pose.forward, pose.hip)
        lean = pose.lean + build.stoop
        self.up = (float(np.sin(lean)), float(np.cos(lean)))
        length = build.trunk * (1 + 0.012 * pose.breath)
        self.neck = (self.hip[0] + self.up[0] * length, self.hip[1] + self.up[1] * length)
        self.lean = lean

    def at(self, forward: float, up: float, *, side: float) -> Point:
        """A place of the body in the picture; side: towards the near side of a travelling figure."""
        return forward * self.sin - side * self.cos, up

    def nearness(self, forward: float, side: float) -> float:
        """How much nearer to the viewer than the figure's middle."""
        return forward * self.cos + side * self.sin

    def leg(self, side: float, foot: Foot) -> Bones:
        """Hip, knee, ankle, and how near the knee is."""
        build, pose = self.build, self.pose
        ankle = (foot.forward, foot.up + _ANKLE + 0.05 * max(foot.roll, 0.0))
        knee, ankle = reach(self.hip, ankle, (build.thigh, build.shin), bend=1.0)
        spread = build.hips * side
        # Knees give way to the sides of who squats facing the viewer.
        out = spread * (1.0 + 1.6 * pose.knees_out)
        return (
            self.at(self.hip[0], self.hip[1], side=spread),
            self.at(knee[0], knee[1], side=out),
            self.at(ankle[0], ankle[1], side=spread * (1.0 + 0.5 * pose.knees_out)),
            self.nearness(knee[0] - self.hip[0], spread),
        )

    def arm(self, side: float, arm: Arm) -> Bones:
        """Shoulder, elbow, wrist, and how near the wrist is."""
        build = self.build
        twist = self.pose.twist * side
        down = -0.048
        base = (
            self.neck[0] + self.up[0] * down + build.shoulders * 0.5 * np.sin(twist),
            self.neck[1] + self.up[1] * down,
            build.shoulders * side * float(np.cos(twist)),
        )
        tilt = self.pose.sway
        pitch = arm.pitch - self.lean * 0.5
        first = _direction(pitch, arm.out * side + tilt)
        second = _direction(pitch + arm.bend, (arm.out - arm.inward) * side + tilt)
        elbow = _beyond(base, first, build.upper_arm)
        wrist = _beyond(elbow, second, build.forearm)
        shown = [self.at(forward, up, side=out) for forward, up, out in (base, elbow, wrist)]
        return shown[0], shown[1], shown[2], self.nearness(wrist[0] - self.neck[0], wrist[2])


def _beyond(start: Spatial, way: Spatial, bone: float) -> Spatial:
    """The other end of a bone."""
    return start[0] + way[0] * bone, start[1] + way[1] * bone, start[2] + way[2] * bone


def _direction(pitch: float, out: float) -> Spatial:
    """Forward, up and side of a bone that hangs down, is swung forward and then out."""
    return (
        float(np.sin(pitch) * np.cos(out)),
        float(-np.cos(pitch) * np.cos(out)),
        float(np.sin(out)),
    )


class Person:
    """Draws one person in any pose."""

    def __init__(self, build: Build, costume: Costume, *, skull: Skull, held: tuple[Held, ...] = ()) -> None:
        self.build, self.costume, self.skull, self.held = build, costume, skull, held

    def bounds(self, pose: Pose) -> tuple[float, float, float, float]:
        """A box that holds the figure: left, bottom, right, top."""
        joints = _Joints(self.build, pose)
        points: list[Point] = [joints.at(*joints.hip, side=0.0), joints.at(*joints.neck, side=0.0)]
        head = self._head_at(joints)
        reach_of_head = self.build.head * (1.5 + self.skull.room)
        points += [
            (head[0] - reach_of_head, head[1] - reach_of_head),
            (head[0] + reach_of_head, head[1] + reach_of_head),
        ]
        for side, foot, arm in ((1.0, pose.near_foot, pose.near_arm), (-1.0, pose.far_foot, pose.far_arm)):
            points += [*joints.leg(side, foot)[:3], *joints.arm(side, arm)[:3]]
            if self.held:
                wrist = joints.arm(side, arm)[2]
                size = max(thing.tall for thing in self.held)
                points += [(wrist[0] - size, wrist[1] - size), (wrist[0] + size, wrist[1] + size)]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        margin = 0.10 + 0.06 * self.build.thick
        return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin

    def draw(self, canvas: skia.Canvas, ink: Ink, *, pose: Pose, hides_far_leg: bool = False) -> None:
        """Draw in heights: x along the travel, y up, feet at 0."""
        joints = _Joints(self.build, pose)
        if pose.seat >= 0:
            _draw_seat(canvas, ink, joints, top=pose.seat)
        if pose.has_pillow:
            _draw_pillow(canvas, ink, self._head_at(joints))
        faces_viewer = joints.cos >= -0.15
        legs = [
            (joints.leg(-1.0, pose.far_foot), pose.far_foot, 0.80),
            (joints.leg(1.0, pose.near_foot), pose.near_foot, 1.0),
        ]
        arms = [(joints.arm(-1.0, pose.far_arm), 0.84, -1.0), (joints.arm(1.0, pose.near_arm), 1.0, 1.0)]
        if joints.sin < 0:
            legs.reverse()
            arms.reverse()
        behind = [entry for entry in arms if entry[0][3] < 0.01]
        before = [entry for entry in arms if entry[0][3] >= 0.01]
        if self.costume.cape is not None and faces_viewer:
            self._draw_cape(canvas, ink, joints=joints)
        if self.skull.is_long and faces_viewer:
            self._draw_long_hair(canvas, ink, joints=joints)
        for entry in behind:
            self._draw_arm(canvas, ink, entry=entry)
        if faces_viewer:
            self._in_head(canvas, ink, joints=joints, draw=draw_behind_head)
        for index, (leg, foot, tone) in enumerate(legs):
            if index == 0 and hides_far_leg:
                continue
            self._draw_leg(canvas, ink, joints=joints, leg=leg, foot=foot, tone=tone)
        self._draw_trunk(canvas, ink, joints=joints, legs=legs)
        if self.costume.cape is not None and not faces_viewer:
            self._draw_cape(canvas, ink, joints=joints)
        self._draw_head(canvas, ink, joints=joints, faces_viewer=faces_viewer)
        for entry in before:
            self._draw_arm(canvas, ink, entry=entry)

    def _head_at(self, joints: _Joints) -> Point:
        size, pose = self.build.head, joints.pose
        lean = joints.lean + 0.5 * pose.nod
        up = (float(np.sin(lean)), float(np.cos(lean)))
        rise = size * 1.16
        side = joints.pose.sway
        x, y = joints.at(joints.neck[0] + up[0] * rise + 0.012, joints.neck[1] + up[1] * rise, side=side * 0.12)
        return x, y

    def _draw_head(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, faces_viewer: bool) -> None:
        middle = self._head_at(joints)
        neck = joints.at(joints.neck[0] - 0.02 * joints.up[0], joints.neck[1] - 0.028, side=0.0)
        size = self.build.head
        skin = dimmed(self.skull.skin, 0.90)
        ink.limb(
            canvas,
            [neck, (middle[0] * 0.6 + neck[0] * 0.4, middle[1] * 0.6 + neck[1] * 0.4)],
            widths=[size * 0.66] * 2,
            colour=skin,
        )
        if self.costume.collar is not None and faces_viewer:
            self._draw_collar(canvas, ink, joints=joints, neck=neck)
        if not faces_viewer:
            self._in_head(canvas, ink, joints=joints, draw=draw_behind_head)
        self._in_head(canvas, ink, joints=joints, draw=draw_head)
        if self.skull.is_long and not faces_viewer:
            self._draw_long_hair(canvas, ink, joints=joints)

    def _draw_long_hair(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints) -> None:
        pose, size = joints.pose, self.build.head
        middle = self._head_at(joints)
        flow, turned = pose.flow * joints.sin, joints.sin
        draw_long_hair(canvas, ink, self.skull, middle=middle, size=size, flow=flow, turned=turned)

    def _in_head(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, draw: Callable[..., None]) -> None:
        """Draw in the head's own units, turned with it."""
        pose, size = joints.pose, self.build.head
        canvas.save()
        canvas.translate(*self._head_at(joints))
        canvas.rotate(float(np.degrees(-(joints.lean + pose.nod * 0.8) * joints.sin + pose.tilt)))
        canvas.scale(size, size)
        draw(canvas, ink, self.skull, pose=pose)
        canvas.restore()

    def _draw_collar(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, neck: Point) -> None:
        colour, wide = self.costume.collar, self.build.head * (0.62 + 0.20 * abs(joints.cos))
        if colour is None:
            return
        if self.costume.is_scarf:
            ink.ball(canvas, (neck[0], neck[1] + 0.004), radius=wide * 1.12, colour=colour, tall=0.42)
            end = joints.at(joints.neck[0] - 0.10 * (0.3 + joints.pose.flow), joints.neck[1] - 0.17, side=0.03)
            ink.limb(canvas, [(neck[0] + wide * 0.3, neck[1]), end], widths=[0.05, 0.06], colour=colour)
            return
        front = joints.at(joints.neck[0] + 0.055, joints.neck[1] - 0.075, side=0.0)
        left, right = (neck[0] - wide, neck[1] + 0.012), (neck[0] + wide, neck[1] + 0.012)
        canvas.drawPath(polygon([left, front, right, (neck[0], neck[1] - 0.005)]), ink.flat(colour))

    def _draw_leg(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, leg: Bones, foot: Foot, tone: float) -> None:
        hip, knee, ankle, _ = leg
        wear, thick = self.costume, self.build.thick
        cloth = dimmed(wear.legs if wear.legs is not None else self.skull.skin, tone)
        is_loose = wear.legs is not None and not wear.is_tight
        low = (0.062 if is_loose else 0.046) * thick
        shoe_high = wear.boots
        self._draw_shoe(canvas, ink, joints=joints, ankle=ankle, foot=foot, colour=dimmed(wear.shoes, tone))
        ink.limb(canvas, [hip, knee, ankle], widths=[0.108 * thick, 0.080 * thick, low], colour=cloth)
        if wear.is_short and wear.legs is not None:
            part = 0.15
            below = (knee[0] + (ankle[0] - knee[0]) * part, knee[1] + (ankle[1] - knee[1]) * part)
            skin = dimmed(self.skull.skin, tone)
            ink.limb(canvas, [below, ankle], widths=[0.068 * thick, 0.046 * thick], colour=skin)
            ink.limb(canvas, [hip, knee], widths=[0.112 * thick, 0.092 * thick], colour=cloth)
        if shoe_high > 0:
            top = (ankle[0] + (knee[0] - ankle[0]) * shoe_high, ankle[1] + (knee[1] - ankle[1]) * shoe_high)
            ink.limb(canvas, [top, ankle], widths=[0.076 * thick, 0.062 * thick], colour=dimmed(wear.shoes, tone))

    def _draw_shoe(
        self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, ankle: Point, foot: Foot, colour: Rgb
    ) -> None:
        # A foot points forward: seen from the front it is short and round.
        long = 0.040 + 0.052 * abs(joints.sin)
        way = 1.0 if joints.sin >= 0 else -1.0
        roll = foot.roll * way * abs(joints.sin)
        canvas.save()
        canvas.translate(ankle[0], ankle[1])
        canvas.rotate(float(np.degrees(-roll)))
        back, front, sole = -0.036 * way, long * way, -_ANKLE
        points = [
            (back, sole + 0.004),
            (back, 0.006),
            (0.022 * way, 0.016),
            (front * 0.85, sole + 0.034),
            (front, sole + 0.006),
        ]
        canvas.drawPath(smooth(points, tension=0.8), ink.shaded(colour, (0.0, 0.015), end=(0.0, sole)))
        sole_paint = ink.line(dimmed(colour, 0.6), 0.008)
        canvas.drawLine(back * 0.9, sole + 0.003, front * 0.92, sole + 0.003, sole_paint)
        canvas.restore()

    def _draw_trunk(
        self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints, legs: list[tuple[Bones, Foot, float]]
    ) -> None:
        wear, build = self.costume, self.build
        front, side = abs(joints.sin), abs(joints.cos)
        chest = (build.shoulders + 0.022) * side + 0.082 * front
        waist = build.waist * (0.95 * side + 0.92 * front) * build.thick
        seat = (build.hips + 0.036) * side + 0.080 * front
        ux, uy = joints.up[0] * joints.sin, joints.up[1]
        hip = joints.at(*joints.hip, side=0.0)

        def on(along: float, across: float) -> Point:
            length = along * build.trunk
            sway = -joints.pose.sway * along * joints.cos * 0.5
            return hip[0] + ux * length + uy * across + sway, hip[1] + uy * length - ux * across

        if wear.hem > 0:
            self._draw_skirt(canvas, ink, joints=joints, legs=legs, on=on)
        bust = 0.016 * front * (1 if wear.has_bust else 0) * (1 if joints.sin > 0 else -1)
        outline = [
            on(-0.13, -seat * 0.86),
            on(0.05, -seat),
            on(0.42, -waist),
            on(0.80, -chest * 0.98),
            on(0.97, -chest * 0.78),
            on(1.06, -build.head * 0.36),
            on(1.06, build.head * 0.36),
            on(0.97, chest * 0.78),
            on(0.74, chest * 0.98 + bust),
            on(0.42, waist + bust * 0.3),
            on(0.05, seat),
            on(-0.13, seat * 0.86),
        ]
        path = ink.blob(canvas, outline, colour=wear.top, tension=0.9)
        canvas.save()
        canvas.clipPath(path, doAntiAlias=True)
        draw_details(canvas, ink, wear, on=on, sin=joints.sin, cos=joints.cos)
        canvas.restore()

    def _draw_skirt(
        self,
        canvas: skia.Canvas,
        ink: Ink,
        *,
        joints: _Joints,
        legs: list[tuple[Bones, Foot, float]],
        on: On,
    ) -> None:
        """A hem that hangs from the hips over both legs."""
        wear, build = self.costume, self.build
        hem: list[Point] = []
        for (hip, knee, ankle, _), _, _ in legs:
            part = wear.hem * 2
            if part <= 1:
                hem.append((hip[0] + (knee[0] - hip[0]) * part, hip[1] + (knee[1] - hip[1]) * part))
            else:
                hem.append((knee[0] + (ankle[0] - knee[0]) * (part - 1), knee[1] + (ankle[1] - knee[1]) * (part - 1)))
        half = (build.hips + 0.036) * abs(joints.cos) + 0.080 * abs(joints.sin)
        flare = wear.flare * (0.7 + 0.3 * abs(joints.cos)) + 0.052 * build.thick
        low = min(y for _, y in hem)
        left, right = min(x for x, _ in hem) - flare, max(x for x, _ in hem) + flare
        blow = -joints.pose.flow * 0.05 * joints.sin
        middle = (left + right) / 2 + blow
        points = [
            on(0.40, -half * 0.84),
            on(0.40, half * 0.84),
            on(0.0, half * 1.04),
            (right + blow * 0.5, low + 0.012),
            (middle + (right - left) * 0.2, low - 0.012),
            (middle - (right - left) * 0.2, low - 0.008),
            (left + blow, low + 0.014),
            on(0.0, -half * 1.04),
        ]
        path = ink.blob(canvas, points, colour=wear.skirt or wear.top, tension=0.62)
        if wear.is_coat and joints.cos > -0.2:
            canvas.save()
            canvas.clipPath(path, doAntiAlias=True)
            front = (0.10 if joints.sin >= 0 else -0.10) * abs(joints.sin) * 0.72
            x = middle + front * 0.6
            start = on(0.2, front)
            canvas.drawLine(*start, x, low - 0.02, ink.line(dimmed(wear.top, 0.66), 0.008))
            canvas.restore()

    def _draw_arm(self, canvas: skia.Canvas, ink: Ink, *, entry: tuple[Bones, float, float]) -> None:
        (shoulder, elbow, wrist, _), tone, side = entry
        wear, thick = self.costume, self.build.thick
        skin, cloth = dimmed(self.skull.skin, tone), dimmed(wear.sleeves or wear.top, tone * 0.97)
        length = float(np.hypot(wrist[0] - elbow[0], wrist[1] - elbow[1])) or 1e-6
        way = ((wrist[0] - elbow[0]) / length, (wrist[1] - elbow[1]) / length)
        hand = (wrist[0] + way[0] * 0.022, wrist[1] + way[1] * 0.022)
        is_holder = side > 0 and bool(self.held)
        glove = dimmed(wear.gloves, tone) if wear.gloves is not None else skin
        if wear.sleeve < 0.9:
            ink.limb(
                canvas, [shoulder, elbow, wrist], widths=[0.066 * thick, 0.056 * thick, 0.042 * thick], colour=skin
            )
        if is_holder and self.held[0].is_over_head:
            self._draw_held(canvas, hand)
        ink.ball(canvas, hand, radius=0.030 * (0.9 + 0.1 * thick), colour=glove, tall=1.08)
        wide = 1.0 + 0.35 * wear.is_wide
        if wear.sleeve >= 0.9:
            ink.limb(
                canvas,
                [shoulder, elbow, wrist],
                widths=[0.076 * thick, 0.068 * thick, 0.056 * thick * wide],
                colour=cloth,
            )
        elif wear.sleeve > 0:
            part = wear.sleeve * 1.5
            end = (
                shoulder[0] + (elbow[0] - shoulder[0]) * min(part, 1),
                shoulder[1] + (elbow[1] - shoulder[1]) * min(part, 1),
            )
            ink.limb(canvas, [shoulder, end], widths=[0.084 * thick, 0.078 * thick], colour=cloth)
        if is_holder and not self.held[0].is_over_head:
            self._draw_held(canvas, hand)
            ink.ball(canvas, (hand[0] - 0.006, hand[1] - 0.006), radius=0.022, colour=glove)

    def _draw_held(self, canvas: skia.Canvas, hand: Point) -> None:
        thing = self.held[0]
        rows, columns = thing.bitmap.shape[:2]
        tall, wide = thing.tall, thing.tall * columns / rows
        image = skia.Image.fromarray(
            thing.bitmap, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType, copy=False
        )
        canvas.save()
        canvas.translate(hand[0] - wide / 2, hand[1] + tall * (1 - thing.grip))
        canvas.scale(wide / columns, -tall / rows)
        canvas.drawImage(image, 0, 0, skia.SamplingOptions(skia.FilterMode.kLinear))
        canvas.restore()

    def _draw_cape(self, canvas: skia.Canvas, ink: Ink, *, joints: _Joints) -> None:
        colour = self.costume.cape
        if colour is None:
            return
        wide = self.build.shoulders * (0.5 + 0.6 * abs(joints.cos))
        top = joints.at(joints.neck[0] - 0.03, joints.neck[1] - 0.01, side=0.0)
        low = joints.at(joints.hip[0] - 0.10 - 0.14 * joints.pose.flow, 0.14 + 0.07 * joints.pose.flow, side=0.0)
        points = [
            (top[0] - wide, top[1]),
            (top[0] + wide, top[1]),
            (low[0] + wide * 1.5, low[1] + 0.02),
            (low[0], low[1] - 0.015),
            (low[0] - wide * 1.6, low[1] + 0.02),
        ]
        ink.blob(canvas, points, colour=colour, tension=0.5)


def _draw_seat(canvas: skia.Canvas, ink: Ink, joints: _Joints, *, top: float) -> None:
    """A plain wooden bench under who sits."""
    wood: Rgb = (0.62, 0.43, 0.27)
    x, _ = joints.at(joints.hip[0] - 0.02, 0.0, side=0.0)
    half = 0.16
    for leg_x in (x - half * 0.78, x + half * 0.78):
        ink.limb(
            canvas,
            [(leg_x, top - 0.02), (leg_x, 0.01)],
            widths=[0.034, 0.030],
            colour=mix(wood, (0.2, 0.1, 0.1), 0.3),
        )
    board = skia.RRect.MakeRectXY(skia.Rect.MakeLTRB(x - half, top - 0.042, x + half, top + 0.004), 0.016, 0.016)
    canvas.drawRRect(board, ink.shaded(wood, (x, top), end=(x, top - 0.05)))


def _draw_pillow(canvas: skia.Canvas, ink: Ink, head: Point) -> None:
    ink.blob(
        canvas,
        [(head[0] - 0.17, 0.0), (head[0] - 0.17, 0.10), (head[0] + 0.12, 0.09), (head[0] + 0.13, 0.0)],
        colour=(0.93, 0.93, 0.97),
        tension=1.2,
    )
