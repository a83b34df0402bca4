"""Subjects shown by given pictures: cut-outs that stand, breathe, walk, turn a little and speak in a drawn scene."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from understudy.engines.previz.pictures.actors import Setup, Voice
from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.light import Look, mix
from understudy.engines.previz.pictures.motions import TRAVEL, Moment, Motion, motion_of
from understudy.engines.previz.pictures.photographs import Likeness, Stance
from understudy.engines.previz.pictures.puppets import soft_shadow
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.roles import Role
from understudy.engines.previz.pictures.sprites import lit, premultiplied, silhouette
from understudy.engines.previz.pictures.view import NEAREST, View
from understudy.engines.previz.pictures.warp import Features, Placement, bend_sprite
from understudy.engines.previz.plan import Action
from understudy.engines.previz.seeing.speaking import Jaw, jaw_of, opened

_SUPPLE = 0.55
"""How much of a drawn figure's bending a photograph takes on; with more it looks like rubber."""

_TURN_S = 0.45
"""How long one side of a subject takes to become the next."""

_SQUEEZED = 0.14
"""By how much a subject is narrower in the middle of such a turn."""

_LARGEST_PX = 1400
_KEY_SHARE = 0.85
"""How much of the scene's light colours a photograph, which has a light of its own already."""

_DARKEST = 0.46
_RELIEF_PX = 64
_YAW_MOST = 0.09
"""How far the middle of a subject moves across its outline when the camera goes round it, in parts of its width."""

_FEATHER = 0.05
_BELOW_PX = 3
_TALLEST = 0.95
"""The most of the frame's height that rises from its lower edge."""

_OVER = 1.04
"""How much larger than the frame a picture is laid over it whose subject goes on beyond its sides."""

_FOOT_ROWS = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One likeness made ready: in the film's light, and what its mouth needs.

    speaking: a copy, if it has a mouth, around which the next frame draws the mouth anew.
    """

    bitmap: Bitmap
    speaking: Bitmap | None
    relief: Floats
    jaw: Jaw | None
    foot: tuple[float, float]


class PhotoActor:
    """A subject that is shown by pictures: a layer that moves. likenesses: seen one after the other."""

    def __init__(
        self,
        role: Role,
        setup: Setup,
        voice: Voice,
        *,
        likenesses: Sequence[Likeness],
        step: float = 0.0,
        is_carried: bool = False,
    ) -> None:  # tidy: what every actor is given, its pictures and what it stands on
        """Make the pictures ready.

        step: height of what it stands on, units. is_carried: that moves, and hides its foot.
        """
        self._role, self._setup, self._voice = role, setup, voice
        self.depth = role.depth * setup.distance
        self._step = step
        self._is_carried = is_carried
        self._stance = max((one.stance for one in likenesses), key=list(Stance).index)
        if is_carried:
            self._stance = Stance.STANDS
        self._first = likenesses[0]
        self._phase = 1.7 * role.subject_index + float(setup.rng.uniform(0, 1))
        tall = min(setup.pixels_per_unit * role.height, _LARGEST_PX)
        height = max(round(tall), 8)
        width = max(round(height * max(one.aspect for one in likenesses)), 4)
        self._sides = [_side_of(one, (width, height), setup.look) for one in likenesses]
        self._aspect = width / height
        self._shadow = soft_shadow(96)
        self._cast = _cast_of(self._sides[0].bitmap, setup.look)
        self.foot_px: tuple[float, float, float] | None = None
        """Where it stood when it was last drawn, x and y, and how tall it was: for what it wears."""

    def motion(self, time_s: float) -> Motion:
        """How it moves at a time, in heights of its own."""
        setup, role = self._setup, self._role
        moment = Moment(
            time_s=time_s,
            part=min(time_s / max(setup.duration_s, 1e-6), 1.0),
            phase=self._phase,
            rig=role.rig,
            is_afloat=setup.is_afloat,
        )
        action = Action.IDLE if role.action is Action.SPIN else role.action
        motion = motion_of(action, moment, voice=self._voice.level(time_s))
        return replace(
            motion,
            stretch=1 + _SUPPLE * (motion.stretch - 1),
            lean=_SUPPLE * motion.lean,
            bend=_SUPPLE * motion.bend,
            nod=_SUPPLE * motion.nod,
            ripple=_SUPPLE * motion.ripple,
            flap=0.0,
            turn=motion.turn if role.action in (Action.ROLL, Action.FALL) else _SUPPLE * motion.turn,
        )

    def draw(self, raster: Raster, view: View) -> None:
        """Draw shadow and figure."""
        if self.depth - view.z < NEAREST:
            return
        time_s, setup = view.time_s, self._setup
        travels = self._role.action in TRAVEL
        gone_s = time_s if travels else setup.duration_s / 2
        x = self._role.x + setup.start_x + setup.speed * gone_s
        height_px = view.scale(self.depth) * self._role.height
        foot_x, foot_y = view.project(x, self._step, self.depth)
        motion = self.motion(time_s)
        if self._stance is Stance.FILLS:
            foot_x, foot_y, height_px = self._over_the_frame(raster, view)
        elif self._stance is Stance.RISES:
            # What is cut off stays below the frame's edge, whatever the camera and the body do.
            foot_y = max(foot_y, raster.height_px + _BELOW_PX) + max(motion.lift, 0.0) * height_px
            # However near the camera comes, the head stays in the frame.
            height_px = min(height_px, _TALLEST * raster.height_px + foot_y - raster.height_px)
        else:
            motion = replace(motion, lift=motion.lift + setup.base_lift)
            if not (setup.is_afloat or setup.is_water or self._is_carried):
                self._draw_shadow(raster, view, (foot_x, foot_y), height_px=height_px, motion=motion)
        sink = 0.2 if setup.is_water and self._role.action not in (Action.FLY, Action.FLOAT) else 0.0
        place = Placement(foot_x_px=foot_x, foot_y_px=foot_y + sink * height_px, height_px=height_px)
        self.foot_px = (place.foot_x_px, place.foot_y_px, height_px)
        bitmap, turned = self._seen(time_s)
        features = Features(relief=self._sides[0].relief, yaw=self._yaw(view, x, time_s))
        bend_sprite(raster, bitmap, place, motion=replace(motion, turned=turned), features=features)

    def _yaw(self, view: View, x: float, time_s: float) -> float:
        """How far its middle moves across its outline, in heights: as the camera sees it from a side, and by itself."""
        aside = float(np.clip((view.x - x) / max(self.depth - view.z, NEAREST) * 2.2, -1, 1))
        spin = 0.9 * np.sin(2 * np.pi * 0.25 * time_s) if self._role.action is Action.SPIN else 0.0
        sway = 0.16 * np.sin(2 * np.pi * 0.16 * time_s + self._phase)
        speaks = 0.3 * self._voice.level(time_s) * np.sin(2 * np.pi * 0.6 * time_s)
        return float(np.clip(aside + spin + sway + speaks, -1, 1)) * _YAW_MOST * self._aspect

    def _over_the_frame(self, raster: Raster, view: View) -> tuple[float, float, float]:
        """Place the likeness where it is in its picture, the picture being laid over the whole frame."""
        left, top, width, height = self._first.box
        shape = self._first.shape
        nearer = max(view.scale(self.depth) / (self._setup.pixels_per_unit or 1.0), 0.8)
        wide_px = max(raster.width_px, raster.height_px * shape) * _OVER * (0.92 + 0.08 * nearer)
        tall_px = wide_px / shape
        corner_x = (raster.width_px - wide_px) / 2
        # Of a tall picture in a wide frame the upper part is kept: there are the faces.
        corner_y = (raster.height_px - tall_px) * (0.35 if tall_px > raster.height_px else 0.5)
        foot_y = corner_y + (top + height) * tall_px
        if top + height > 0.98:
            foot_y = max(foot_y, raster.height_px + _BELOW_PX)
        return corner_x + (left + width / 2) * wide_px, foot_y, height * tall_px

    @property
    def _each_s(self) -> float:
        """How long each side is seen."""
        return max(self._setup.duration_s / len(self._sides), 1e-6)

    def _number(self, time_s: float) -> int:
        return min(int(time_s / self._each_s), len(self._sides) - 1)

    def _seen(self, time_s: float) -> tuple[Bitmap, float]:
        """The side that is seen, its mouth as it speaks, and how narrow it is while one becomes the next."""
        number, each_s = self._number(time_s), self._each_s
        voice = self._voice.level(time_s)
        shown = _speaking(self._sides[number], voice)
        into_s = time_s - number * each_s
        turn_s = min(_TURN_S, each_s / 2)
        if number == 0 or into_s >= turn_s:
            return shown, 1.0
        way = into_s / turn_s
        way = way * way * (3 - 2 * way)
        before = _speaking(self._sides[number - 1], voice)
        mixed = np.asarray(cv2.addWeighted(before, 1 - way, shown, way, 0), dtype=np.uint8)
        return mixed, 1 - _SQUEEZED * float(np.sin(np.pi * way))

    def _draw_shadow(
        self, raster: Raster, view: View, foot: tuple[float, float], *, height_px: float, motion: Motion
    ) -> None:
        look = self._setup.look
        if look.shadow <= 0.02:
            return
        flat = float(np.clip(view.y / max(self.depth - view.z, NEAREST), 0.06, 0.4))
        away = max(motion.lift, 0.0)
        near = 1 / (1 + 2.2 * away)
        x, y = foot[0] + motion.x * height_px, foot[1]
        wide = self._aspect * height_px
        reach = look.shadow_reach * height_px
        lean = -np.sign(look.sun_x or 1) * reach * 0.7
        fall = reach * 0.35 * flat
        cast = np.array([[wide / 96, -lean / 112, x - wide * 56 / 96 + lean], [0.0, -fall / 112, y + fall]])
        raster.stamp(self._cast, cast, opacity=near)
        # Where it touches the ground no light comes in.
        left, right = self._sides[self._number(view.time_s)].foot
        size = max((right - left) * height_px * 1.25, 0.16 * height_px) * (0.75 + 0.25 * near)
        middle = x + (left + right) / 2 * height_px
        contact = np.array([[size / 96, 0.0, middle - size / 2], [0.0, size * flat * 0.9 / 96, y - size * flat * 0.47]])
        raster.stamp(self._shadow, contact, opacity=min(0.25 + look.shadow * 1.4, 0.9) * near)


def photo_light(look: Look) -> Rgb:
    """The light on a photograph: softer than on drawings, and never so dark that nobody knows it."""
    soft = mix((1.0, 1.0, 1.0), look.key, _KEY_SHARE)
    red, green, blue = (max(value, _DARKEST) for value in soft)
    return red, green, blue


def ready(rgba: Bitmap, size_px: tuple[int, int], look: Look) -> Bitmap:
    """Return a cut-out at a size (width, height), premultiplied and lit, in the middle if it is narrower than that."""
    width, height = size_px
    own = max(min(round(rgba.shape[1] * height / rgba.shape[0]), width), 1)
    pixels = premultiplied(rgba)
    how = cv2.INTER_AREA if height < rgba.shape[0] else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(pixels, (own, height), interpolation=how), dtype=np.uint8)
    small = np.minimum(small, small[..., 3:])
    left = (width - own) // 2
    wide = cv2.copyMakeBorder(small, 0, 0, left, width - own - left, cv2.BORDER_CONSTANT, value=0)
    return lit(np.asarray(wide, dtype=np.uint8), look, gain=photo_light(look), form=0.35)


def _side_of(likeness: Likeness, size_px: tuple[int, int], look: Look) -> _Side:
    width, height = size_px
    rgba = _feathered(likeness)
    bitmap = ready(rgba, size_px, look)
    solid = (bitmap[..., 3] > 127).astype(np.uint8)
    jaw = None
    if likeness.mouth is not None:
        scale = height / rgba.shape[0]
        left = (width - round(rgba.shape[1] * scale)) // 2
        mouth = likeness.mouth
        jaw = jaw_of(
            replace(
                mouth, x_px=mouth.x_px * scale + left, y_px=mouth.y_px * scale, eyes_px=max(mouth.eyes_px * scale, 1.0)
            ),
            bitmap.shape,
        )
    columns = np.flatnonzero(solid[-max(round(height * _FOOT_ROWS), 1) :].any(axis=0))
    foot = (float(columns[0]), float(columns[-1] + 1)) if columns.size else (width * 0.3, width * 0.7)
    return _Side(
        bitmap=bitmap,
        speaking=None if jaw is None else bitmap.copy(),
        relief=_relief(solid),
        jaw=jaw,
        foot=((foot[0] - width / 2) / height, (foot[1] - width / 2) / height),
    )


def _feathered(likeness: Likeness) -> Bitmap:
    """Soften where a subject that stands or rises was cut off at a side of its picture."""
    rgba = likeness.rgba
    if likeness.stance is Stance.FILLS:
        return rgba
    left, _, width, _ = likeness.box
    reach = max(round(_FEATHER * rgba.shape[1]), 2)
    ramp = np.linspace(0, 1, reach, dtype=np.float32)
    alpha = rgba[..., 3].astype(np.float32)
    if left < 0.004:
        alpha[:, :reach] *= ramp
    if left + width > 0.996:
        alpha[:, -reach:] *= ramp[::-1]
    soft = rgba.copy()
    soft[..., 3] = alpha.astype(np.uint8)
    return soft


def _relief(solid: Bitmap) -> Floats:
    """How far the middle of a figure bulges towards the viewer, 0 at its outline..1; small, for it turns slowly."""
    padded = cv2.copyMakeBorder(solid, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    inside = np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3), dtype=np.float32)[2:-2, 2:-2]
    round_ = np.sqrt(inside / max(float(inside.max()), 1.0))
    small = cv2.resize(round_, (_RELIEF_PX, _RELIEF_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 2.5), dtype=np.float32)


def _cast_of(bitmap: Bitmap, look: Look) -> Bitmap:
    """The outline that falls on the ground as a shadow."""
    small = cv2.resize(bitmap, (96, 96), interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(small, 16, 0, 8, 8, cv2.BORDER_CONSTANT, value=0)
    return silhouette(np.asarray(cv2.GaussianBlur(small, (0, 0), 2.6)), (0.0, 0.0, 0.0), look.shadow * 0.7)


def _speaking(side: _Side, voice: float) -> Bitmap:
    """The side with its mouth open as far as the voice is loud."""
    if side.jaw is None or side.speaking is None or voice < 0.02:
        return side.bitmap
    jaw, shown = side.jaw, side.speaking
    rows = slice(jaw.top, jaw.top + jaw.down.shape[0])
    columns = slice(jaw.left, jaw.left + jaw.down.shape[1])
    part = opened(side.bitmap, jaw, voice)
    # Colours are premultiplied, and the dark of a mouth is no part of what is clear.
    np.minimum(part, part[..., 3:], out=shown[rows, columns])
    return shown
