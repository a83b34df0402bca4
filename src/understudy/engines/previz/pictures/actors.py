"""The subjects: who stands where, how each moves, and how it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.dressing import dressed, features_of
from understudy.engines.previz.pictures.light import Look, dimmed
from understudy.engines.previz.pictures.motions import ALOFT, Moment, Motion, motion_of
from understudy.engines.previz.pictures.puppets import (
    Biped,
    Joint,
    Quadruped,
    Wardrobe,
    dominant_colour,
    open_mouth,
    plain_head,
    soft_shadow,
    wardrobe,
)
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.rigs import Body, Rig, rig_of
from understudy.engines.previz.pictures.sprites import has_art, lit, silhouette, sprite, tinted, without_foot
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import NEAREST, View
from understudy.engines.previz.pictures.warp import Features, Placement, bend_sprite, forward
from understudy.engines.previz.plan import Action, Shot, Subject
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken

_MOST_ACTORS = 8
_HEAD = {Body.PERSON_HEAD: 0.43, Body.CREATURE_HEAD: 0.44, Body.NONE: 0.40, Body.BEAST_HEAD: 0.60, Body.BUST: 0.70}
_ASPECTS = {Body.PERSON_HEAD: 0.46, Body.CREATURE_HEAD: 0.48, Body.NONE: 0.44, Body.BEAST_HEAD: 1.24, Body.BUST: 0.52}
_PROBE_PX = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One figure before it is drawn: which subject, its rig, its size against the main one, and its place."""

    subject_index: int
    subject: Subject
    rig: Rig
    art: str
    aspect: float
    height: float
    x: float = 0.0
    depth: float = 1.0


def cast_of(shot: Shot) -> tuple[tuple[Role, ...], float]:
    """All figures side by side around x 0, the main one nearest the middle; and the group's width in units.

    Depths are factors of the main subject's distance.
    """
    roles: list[Role] = []
    for index, subject in enumerate(shot.subjects):
        art = subject.art if has_art(subject.art) else ""
        rig = rig_of(art)
        aspect = _ASPECTS.get(rig.body)
        if aspect is None:
            probe = sprite(art, _PROBE_PX)
            aspect = probe.shape[1] / probe.shape[0]
        if rig.is_puppet and subject.action in (Action.SIT, Action.SLEEP):
            # Sitting figures are not tall ones.
            aspect *= 1.4
        lead = roles[0].rig.height if roles else rig.height
        height = float(np.clip((rig.height / lead) ** 0.6, 0.42, 1.45))
        for copy in range(max(subject.count, 1)):
            size = height * (1.0 if copy == 0 else 0.90 + 0.05 * (copy % 3))
            roles.append(Role(subject_index=index, subject=subject, rig=rig, art=art, aspect=aspect, height=size))
    roles = roles[:_MOST_ACTORS]
    if not roles:
        return (), 1.0
    order = _from_the_middle(len(roles))
    widths = [max(role.aspect, 0.5) * role.height for role in roles]
    gap = 0.16
    places: dict[int, float] = {}
    cursor = 0.0
    for slot in order:
        places[slot] = cursor + widths[slot] / 2
        cursor += widths[slot] + gap
    total = cursor - gap
    # One or two actors are centred as a group; a crowd is centred on its lead, as far as it fits.
    placed = [
        replace(role, x=places[slot] - total / 2, depth=1.0 if slot == 0 else 1.0 + 0.10 * ((slot % 3) + 0.4))
        for slot, role in enumerate(roles)
    ]
    return tuple(placed), total


def _from_the_middle(count: int) -> list[int]:
    """Indices from left to right such that index 0 is in the middle."""
    order: list[int] = []
    for index in range(count):
        if index % 2:
            order.append(index)
        else:
            order.insert(0, index)
    return order


class Voice:
    """How loud a subject speaks at a time: the envelopes of its lines."""

    def __init__(self, speech: Sequence[Spoken], subject_index: int) -> None:
        self._spoken = [line for line in speech if line.speaker == subject_index and line.envelope]

    def level(self, time_s: float) -> float:
        """Loudness 0..1."""
        for line in self._spoken:
            place = (time_s - line.start_s) * ENVELOPE_RATE_HZ
            if -0.5 <= place <= len(line.envelope) - 0.5:
                return float(np.interp(place, np.arange(len(line.envelope)), line.envelope))
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an actor needs to know of its film."""

    shot: Shot
    look: Look
    rng: np.random.Generator
    pixels_per_unit: float
    distance: float
    duration_s: float
    heading: float
    speed: float
    start_x: float
    is_afloat: bool
    is_water: bool
    base_lift: float = 0.0


class Actor:
    """One figure on the set: a layer that moves."""

    def __init__(self, role: Role, setup: Setup, voice: Voice) -> None:
        self._role, self._setup, self._voice = role, setup, voice
        self.depth = role.depth * setup.distance
        self._phase = float(setup.rng.uniform(0, 2 * np.pi)) if role.subject_index or role.x else 0.0
        density = setup.pixels_per_unit * role.height
        self._features = Features()
        self._biped: Biped | None = None
        self._beast: Quadruped | None = None
        self._extra = 1.0
        self._bitmap = self._make(density)
        self._shadow = soft_shadow(96)
        self._mouth = open_mouth(max(int(density * 0.2), 8), setup.look) if role.rig.head else None
        self._cast = self._make_cast()
        self._flip = self._is_flipped()

    def _make(self, density: float) -> Bitmap:
        role, look, rng = self._role, self._setup.look, self._setup.rng
        body = role.rig.body
        if body is Body.WHOLE:
            art, self._extra = dressed(
                tinted(sprite(role.art, density), role.subject.tint), role.rig, role.subject.wears
            )
            return lit(without_foot(art) if role.rig.floats and self._setup.is_water else art, look)
        share = _HEAD[body]
        if body is Body.NONE:
            clay = dimmed((0.93, 0.80, 0.70), 1.0)
            wear = wardrobe(clay, tint=role.subject.tint, has_skirt=False, rng=rng)
            self._biped = Biped(density, wear, look)
            self._features = features_of(body, np.zeros((4, 4, 4), np.uint8))
            return plain_head(density, look, clay)
        head = sprite(role.art, density * share)
        colour = dominant_colour(head)
        self._features = features_of(body, head)
        if body is Body.BEAST_HEAD:
            head = tinted(head, role.subject.tint)
            self._beast = Quadruped(density, dominant_colour(head), look)
        elif body is Body.CREATURE_HEAD:
            head = tinted(head, role.subject.tint)
            colour = dominant_colour(head)
            wear = Wardrobe(skin=colour, top=colour, trousers=dimmed(colour, 0.9), shoes=dimmed(colour, 0.7))
            self._biped = Biped(density, wear, look, is_stocky=True)
        elif body is Body.BUST:
            cloth = dominant_colour(head, rows=(0.86, 1.0))
            wear = Wardrobe(skin=(1.0, 0.78, 0.22), top=cloth, trousers=dimmed(cloth, 0.82), has_skirt=False)
            self._biped = Biped(density, wear, look, is_stocky=True, has_arms=False)
        else:
            wear = wardrobe((1.0, 0.76, 0.20), tint=role.subject.tint, has_skirt=role.rig.has_skirt, rng=rng)
            self._biped = Biped(density, wear, look)
        before = head.shape[0]
        head, self._extra = dressed(head, role.rig, role.subject.wears)
        if self._extra > 1:
            scale = before / head.shape[0]
            self._features = replace(
                self._features,
                eyes=(0.0, self._features.eyes[1] * scale),
                mouth=(0.0, self._features.mouth[1] * scale),
                size=self._features.size * scale,
            )
        return lit(head, look)

    def _make_cast(self) -> Bitmap:
        """The outline that falls on the ground as this figure's shadow."""
        look = self._setup.look
        if not self._role.rig.is_puppet:
            small = cv2.resize(self._bitmap, (96, 96), interpolation=cv2.INTER_AREA)
            small = cv2.copyMakeBorder(small, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=0)
        else:
            small = np.zeros((112, 112, 4), np.uint8)
            if self._beast is not None:
                cv2.ellipse(small, (56, 60), (46, 24), 0, 0, 360, (255,) * 4, -1, cv2.LINE_AA)
                for x in (22, 40, 72, 90):
                    cv2.line(small, (x, 60), (x, 104), (255,) * 4, 10, cv2.LINE_AA)
                cv2.circle(small, (24, 40), 26, (255,) * 4, -1, cv2.LINE_AA)
            else:
                cv2.circle(small, (56, 30), 24, (255,) * 4, -1, cv2.LINE_AA)
                cv2.ellipse(small, (56, 66), (22, 30), 0, 0, 360, (255,) * 4, -1, cv2.LINE_AA)
                for x in (46, 66):
                    cv2.line(small, (x, 70), (x, 104), (255,) * 4, 13, cv2.LINE_AA)
        small = cv2.GaussianBlur(small, (0, 0), 2.6)
        return silhouette(small, (0.0, 0.0, 0.0), look.shadow * 0.8)

    def _is_flipped(self) -> bool:
        faces, heading = self._role.rig.faces, self._setup.heading
        return faces != 0 and heading != 0 and faces * heading < 0

    def _place(self, time_s: float) -> tuple[float, float]:
        setup = self._setup
        x = self._role.x + setup.start_x + setup.speed * time_s
        return x, setup.base_lift

    def motion(self, time_s: float) -> Motion:
        """How the figure moves at a time, in heights of its own."""
        setup, role = self._setup, self._role
        moment = Moment(
            time_s=time_s,
            part=min(time_s / max(setup.duration_s, 1e-6), 1.0),
            phase=self._phase,
            rig=role.rig,
            is_afloat=setup.is_afloat,
        )
        motion = motion_of(role.subject.action, moment, voice=self._voice.level(time_s))
        if setup.is_water:
            swell = float(np.sin(1.5 * time_s + self._phase + role.x))
            motion = replace(
                motion, lift=motion.lift + 0.03 * swell, turn=motion.turn + 0.045 * float(np.cos(1.5 * time_s))
            )
        if setup.heading > 0:
            # Motions are drawn for a figure that looks left.
            motion = replace(motion, lean=-motion.lean, nod=motion.nod)
        return motion

    def draw(self, raster: Raster, view: View) -> None:
        """Draw shadow and figure."""
        if self.depth - view.z < NEAREST:
            return
        time_s = view.time_s
        x, lift = self._place(time_s)
        scale = view.scale(self.depth)
        height_px = scale * self._role.height
        foot_x, foot_y = view.project(x, 0.0, self.depth)
        motion = self.motion(time_s)
        motion = replace(motion, lift=motion.lift + lift)
        if not self._setup.is_afloat and not self._setup.is_water:
            self._draw_shadow(raster, view, (foot_x, foot_y), height_px=height_px, motion=motion)
        sink = 0.0
        if self._setup.is_water and self._role.subject.action not in (Action.FLY, Action.FLOAT):
            sink = 0.13 if self._role.rig.floats else 0.24
        heading = self._setup.heading
        place = Placement(foot_x_px=foot_x, foot_y_px=foot_y + sink * height_px, height_px=height_px, flip=self._flip)
        if self._biped is None and self._beast is None:
            whole = replace(place, height_px=height_px * self._extra)
            shrunk = replace(motion, x=motion.x / self._extra, lift=motion.lift / self._extra)
            bend_sprite(raster, self._bitmap, whole, motion=shrunk, has_legs=self._role.rig.has_legs)
            self._draw_mouth(raster, place, motion)
            return
        spun = replace(motion, turn=0.0) if self._is_rolling() else motion
        joint = Joint(x_px=foot_x, y_px=place.foot_y_px, height_px=height_px)
        if self._beast is not None:
            neck = self._beast.draw(raster, joint, spun, heading=heading or -1.0)
            self._draw_head(raster, neck, spun, share=_HEAD[Body.BEAST_HEAD], drop=0.24)
        elif self._biped is not None:
            is_striding = spun.stride_reach > 0.05
            neck = self._biped.draw(raster, joint, spun, heading=heading if is_striding else 0.0)
            bust = self._role.rig.body is Body.BUST
            self._draw_head(raster, neck, spun, share=_HEAD[self._role.rig.body], drop=0.285 if bust else 0.03)

    def _draw_mouth(self, raster: Raster, place: Placement, motion: Motion) -> None:
        """Open the mouth of a whole figure whose head is known."""
        head = self._role.rig.head
        if self._mouth is None or motion.mouth < 0.06:
            return
        mirror = -1.0 if place.flip else 1.0
        x, y = forward((head[3] - self._role.aspect / 2) * mirror, 1 - head[4], motion)
        scale = place.height_px * motion.size
        # Seen from the side a mouth is half as wide.
        wide = head[2] * (0.30 if self._role.rig.faces == 0 else 0.24) * (0.55 + 0.45 * motion.mouth) * scale
        tall = head[2] * 0.46 * motion.mouth * scale
        size = self._mouth.shape[0]
        matrix = np.array(
            [
                [wide / size, 0.0, place.foot_x_px + x * scale - wide / 2],
                [0.0, tall / size, place.foot_y_px - y * scale - tall * 0.30],
            ]
        )
        raster.stamp(self._mouth, matrix)

    def _is_rolling(self) -> bool:
        return self._role.subject.action is Action.ROLL

    def _draw_head(self, raster: Raster, neck: Joint, motion: Motion, *, share: float, drop: float) -> None:
        tall = share * neck.height_px
        place = Placement(
            foot_x_px=neck.x_px,
            foot_y_px=neck.y_px + drop * neck.height_px,
            height_px=tall * self._extra,
            flip=self._flip,
        )
        head = Motion(
            turn=motion.turn * 0.8 + motion.nod * 0.5,
            mouth=motion.mouth,
            blink=motion.blink,
            stretch=1 + (motion.stretch - 1) * 0.6,
            turned=motion.turned,
            lean=-0.25 * motion.nod,
        )
        bend_sprite(raster, self._bitmap, place, motion=head, features=self._features)

    def _draw_shadow(
        self, raster: Raster, view: View, foot: tuple[float, float], *, height_px: float, motion: Motion
    ) -> None:
        look = self._setup.look
        if look.shadow <= 0.02:
            return
        wide = max(self._role.aspect, 0.36) * height_px * motion.size
        flat = float(np.clip(view.y / max(self.depth - view.z, NEAREST), 0.06, 0.4))
        away = max(motion.lift, 0.0)
        near = 1 / (1 + 2.2 * away)
        x, y = foot[0] + motion.x * height_px, foot[1]
        size = wide * 1.12 * (0.7 + 0.3 * near)
        matrix = np.array([[size / 96, 0.0, x - size / 2], [0.0, size * flat * 0.85 / 96, y - size * flat * 0.46]])
        raster.stamp(self._shadow, matrix, opacity=min(look.shadow * 1.55, 0.85) * near)
        reach = look.shadow_reach * height_px * motion.size
        lean = -np.sign(look.sun_x or 1) * reach * 0.8
        fall = reach * 0.35 * flat
        base = y + away * height_px * flat * 0.3
        cast = np.array(
            [
                [wide / 96, -lean / 112, x - wide * 56 / 96 + lean],
                [0.0, -fall / 112, base + fall],
            ]
        )
        raster.stamp(self._cast, cast, opacity=near)


def base_lift_of(role: Role, staging: Staging, rng: np.random.Generator) -> float:
    """How high above the ground an action keeps a figure, in its heights; a flock is spread over the sky."""
    action = role.subject.action
    if action not in ALOFT:
        return 0.0
    scatter = float(rng.uniform(-0.45, 0.55)) if role.x or role.subject_index else 0.0
    if staging.is_afloat:
        return scatter * 0.8
    row = {Action.FLY: 0.62, Action.FLOAT: 0.74}.get(action)
    if row is None:
        return 0.0
    return max((staging.feet_px - row * staging.canvas.height_px) / staging.hero_px, 0.08) + max(scatter, -0.2)
