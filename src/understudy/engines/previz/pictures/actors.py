"""The subjects: who stands where, how each moves, and how it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.dressing import dressed, features_of
from understudy.engines.previz.pictures.figures.figure import (
    PersonFigure,
    Scene,
    figure_of,
)
from understudy.engines.previz.pictures.figures.ink import Ink
from understudy.engines.previz.pictures.figures.performer import Mounted, Performer
from understudy.engines.previz.pictures.figures.person_poses import Instant
from understudy.engines.previz.pictures.figures.tile import Spot, tile_of
from understudy.engines.previz.pictures.light import Look, dimmed
from understudy.engines.previz.pictures.motions import ALOFT, TRAVEL, Moment, Motion, motion_of
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
from understudy.engines.previz.pictures.rigs import Body, saddle_of
from understudy.engines.previz.pictures.roles import Role, cast_of
from understudy.engines.previz.pictures.seasons import is_snowy, snowed
from understudy.engines.previz.pictures.sprites import lit, silhouette, sprite, tinted, without_foot
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import NEAREST, View
from understudy.engines.previz.pictures.warp import Features, Placement, bend_sprite, forward
from understudy.engines.previz.plan import INDOORS, Action, Shot
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken

_HEAD = {Body.PERSON_HEAD: 0.43, Body.CREATURE_HEAD: 0.44, Body.NONE: 0.40, Body.BEAST_HEAD: 0.60, Body.BUST: 0.70}
__all__ = ["Actor", "Role", "Setup", "Voice", "base_lift_of", "cast_of"]

# Way of a wheel or a foot where the figure itself goes nowhere, units per second.
_TREADMILL = {Action.WALK: 0.55, Action.RUN: 1.5, Action.DRIVE: 1.5}
# What a figure does with its whole body as well as with its limbs.
_WHOLE_MOVES = frozenset(
    {Action.FLY, Action.FLOAT, Action.SWIM, Action.RISE, Action.FALL, Action.ROLL, Action.GROW, Action.SHAKE}
)
_SMALLEST_RIDER = 0.28
# How thick snow lies on a house, as a share of its height.
_SNOW_SHARE = 0.04
_FLATTEST, _STEEPEST = 0.06, 0.4


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
        self._time_s = 0.0
        self._phase = float(setup.rng.uniform(0, 2 * np.pi)) if role.subject_index or role.x else 0.0
        density = setup.pixels_per_unit * role.height
        self._features = Features()
        self._biped: Biped | None = None
        self._beast: Quadruped | None = None
        self._extra = 1.0
        self._shadow = soft_shadow(96)
        self._ink = Ink(setup.look)
        self._rider = self._seat_rider()
        self._performer = self._perform()
        if self._performer is not None:
            return
        self._bitmap = self._make(density)
        self._mouth = open_mouth(max(int(density * 0.2), 8), setup.look) if role.rig.head else None
        self._cast = self._make_cast()
        self._flip = self._is_flipped()

    def _seat_rider(self) -> Mounted | None:
        """Who rides, drawn by hand."""
        rider, setup = self._role.rider, self._setup
        if rider is None:
            return None
        figure = figure_of(rider.art, rider.rig, rider.subject, look=setup.look, rng=setup.rng)
        if not isinstance(figure, PersonFigure):
            return None
        # Of a true size, a sailor would hardly be seen on his ship.
        return Mounted(figure=figure, tall=max(rider.rig.height / max(self._role.rig.height, 0.2), _SMALLEST_RIDER))

    def _perform(self) -> Performer | None:
        role, setup = self._role, self._setup
        # A stream of its own for each subject: who else is there does not change a face.
        rng = np.random.default_rng([int(setup.rng.integers(1 << 30)), role.subject_index])
        figure = figure_of(role.art, role.rig, role.subject, look=setup.look, rng=rng)
        if figure is None:
            return None
        return Performer(figure, setup.look, shadow=self._shadow, rider=self._rider)

    def _make(self, density: float) -> Bitmap:
        role, look, rng = self._role, self._setup.look, self._setup.rng
        body = role.rig.body
        if body is Body.WHOLE:
            art, self._extra = dressed(
                tinted(sprite(role.art, density), role.subject.tint), role.rig, role.subject.wears
            )
            if is_snowy(self._setup.shot) and kind_of(role.art).name == "place":
                art = snowed(art, ambient=(1.0, 1.0, 1.0), thick_px=_SNOW_SHARE * art.shape[0])
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
        faces, heading = self._role.rig.faces, self._facing()
        return faces != 0 and heading != 0 and faces * heading < 0

    def _facing(self) -> float:
        """-1 or 1: the way it looks; 0 where its picture looks at the viewer."""
        return self._setup.heading if self._travels() or not self._role.looks else float(self._role.looks)

    def _travels(self) -> bool:
        """Whether it goes where the film goes; who only stands there stays behind."""
        return self._role.action in TRAVEL or not self._role.is_figure

    def _place(self, time_s: float) -> tuple[float, float]:
        setup = self._setup
        # Who stays is in the picture in the middle of the film.
        gone_s = time_s if self._travels() else setup.duration_s / 2
        return self._role.x + setup.start_x + setup.speed * gone_s, setup.base_lift

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
        motion = motion_of(role.action, moment, voice=self._voice.level(time_s))
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
        time_s = self._time_s = view.time_s
        x, lift = self._place(time_s)
        scale = view.scale(self.depth)
        height_px = scale * self._role.height
        foot_x, foot_y = view.project(x, 0.0, self.depth)
        motion = self.motion(time_s)
        motion = replace(motion, lift=motion.lift + lift)
        if self._performer is not None:
            self._draw_figure(raster, view, (foot_x, foot_y), motion=motion)
            return
        if not self._setup.is_afloat and not self._setup.is_water:
            self._draw_shadow(raster, view, (foot_x, foot_y), height_px=height_px, motion=motion)
        sink = 0.0
        if self._setup.is_water and self._role.action not in (Action.FLY, Action.FLOAT):
            sink = 0.13 if self._role.rig.floats else 0.24
        heading = self._setup.heading
        place = Placement(foot_x_px=foot_x, foot_y_px=foot_y + sink * height_px, height_px=height_px, flip=self._flip)
        if self._biped is None and self._beast is None:
            whole = replace(place, height_px=height_px * self._extra)
            shrunk = replace(motion, x=motion.x / self._extra, lift=motion.lift / self._extra)
            bend_sprite(raster, self._bitmap, whole, motion=shrunk, has_legs=self._role.rig.has_legs)
            self._draw_mouth(raster, place, motion)
            self._draw_aboard(raster, place, motion)
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

    def _scene(self, role: Role, time_s: float) -> Scene:
        """What a drawn figure is to show at a time."""
        setup = self._setup
        travels = setup.speed != 0 and role.action in TRAVEL
        speed = abs(setup.speed) / role.height if travels else _TREADMILL.get(role.action, 0.0)
        now = Instant(
            time_s=time_s,
            phase=self._phase,
            speed=speed,
            travels=travels,
            voice=self._voice.level(time_s) if role is self._role or not self._role.is_figure else 0.0,
        )
        is_dark = setup.look.is_dark and setup.shot.setting not in INDOORS
        return Scene(
            action=role.action, now=now, rolled=speed * time_s, is_dark=is_dark, carries=self._role.rider is not None
        )

    def _draw_figure(self, raster: Raster, view: View, foot: tuple[float, float], *, motion: Motion) -> None:
        """Draw a figure that is made by hand, and who rides it."""
        performer, setup, role = self._performer, self._setup, self._role
        if performer is None:
            return
        scene = self._scene(role, view.time_s)
        riding = self._scene(role.rider, view.time_s) if role.rider is not None else None
        scale = view.scale(self.depth) * role.height * motion.size
        is_whole = role.action in _WHOLE_MOVES or setup.is_afloat or setup.is_water
        lift = motion.lift if is_whole else setup.base_lift
        aside = motion.x if is_whole else 0.0
        turn = motion.turn if is_whole else 0.0
        is_in_water = setup.is_water and role.action not in (Action.FLY, Action.FLOAT)
        sink = (0.36 if role.action is Action.SWIM else 0.46) if is_in_water else 0.0
        facing = self._facing() or 1.0
        widen = 1.0
        if role.action is Action.SPIN and not isinstance(performer.figure, PersonFigure):
            facing, widen = facing * (1.0 if motion.turned >= 0 else -1.0), max(abs(motion.turned), 0.05)
        spot = Spot(
            x_px=foot[0] + aside * scale,
            y_px=foot[1] - (lift - sink) * scale,
            scale_px=scale,
            facing=facing,
            turn=turn,
            widen=widen,
            water_px=foot[1] if is_in_water else None,
        )
        flat = float(np.clip(view.y / max(self.depth - view.z, NEAREST), _FLATTEST, _STEEPEST))
        ground = None if setup.is_afloat or setup.is_water else (foot[1], flat)
        performer.draw(raster, spot, drawn=performer.drawn(scene, riding), ground=ground)

    def _draw_aboard(self, raster: Raster, place: Placement, motion: Motion) -> None:
        """Draw who rides what is shown by its picture."""
        rider, saddle = self._role.rider, saddle_of(self._role.art)
        if self._rider is None or rider is None:
            return
        facing = self._facing() or 1.0
        x, y = forward(saddle.x * facing, saddle.y, motion)
        scale = place.height_px * motion.size
        spot = Spot(
            x_px=place.foot_x_px + x * scale,
            y_px=place.foot_y_px - y * scale,
            scale_px=scale * self._rider.tall,
            facing=facing,
            turn=motion.turn,
            pivot=0.0,
        )
        scene = self._scene(rider, self._time_s)
        tile = tile_of(raster, self._ink, spot, drawn=self._rider.figure.seated(scene, way=saddle.way))
        if tile is not None:
            raster.blit(tile.pixels, tile.left_px, tile.top_px)

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
        return self._role.action is Action.ROLL

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
    action = role.action
    if action not in ALOFT:
        return 0.0
    scatter = float(rng.uniform(-0.45, 0.55)) if role.x or role.subject_index else 0.0
    if staging.is_afloat:
        return scatter * 0.8
    row = {Action.FLY: 0.62, Action.FLOAT: 0.74}.get(action)
    if row is None:
        return 0.0
    return max((staging.feet_px - row * staging.canvas.height_px) / staging.hero_px, 0.08) + max(scatter, -0.2)
