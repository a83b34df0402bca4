"""Composition: where the horizon lies, how large the subject stands, and how far away the camera is."""

from dataclasses import dataclass

from understudy.engines.previz.pictures.canvas import Canvas
from understudy.engines.previz.plan import Framing, SettingKind

AFLOAT = frozenset({SettingKind.UNDERWATER, SettingKind.SKY, SettingKind.SPACE})

# Height of the subject as part of the frame, row of its feet, row of the horizon.
_FRAMINGS = {
    Framing.WIDE: (0.38, 0.82, 0.57),
    Framing.MEDIUM: (0.60, 0.91, 0.56),
    Framing.CLOSE_UP: (0.86, 0.985, 0.50),
}
# In a close-up of a tall figure the frame ends below the chest.
_TALL_CLOSE_UP = (2.30, 2.42, 0.44)
_TALL_ASPECT = 0.62


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """How the scene stands before the camera when it does not move.

    focal_px: pixels per unit at depth 1. distance: depth of the main subject. eye: height of the camera.
    horizon_px, centre_x_px: frame position of the vanishing point. hero_px: height of the subject in the frame.
    half_width: half the width of the frame in units at the subject's depth.
    """

    canvas: Canvas
    focal_px: float
    distance: float
    eye: float
    horizon_px: float
    centre_x_px: float
    hero_px: float
    is_afloat: bool

    @property
    def half_width(self) -> float:
        """Half the frame's width at the subject's depth, in units."""
        return self.canvas.width_px / 2 / self.hero_px

    @property
    def feet_px(self) -> float:
        """Row of the ground at the subject's depth."""
        return self.horizon_px + self.eye * self.hero_px


def stage(canvas: Canvas, framing: Framing, setting: SettingKind, *, aspect: float, group_span: float) -> Staging:
    """Compose a scene.

    aspect: width over height of the main subject. group_width: width of all subjects together, in heights.
    """
    width, height = canvas.width_px, canvas.height_px
    is_tall_close_up = framing is Framing.CLOSE_UP and aspect < _TALL_ASPECT and group_span < 1.2
    part, feet, horizon = _TALL_CLOSE_UP if is_tall_close_up else _FRAMINGS[framing]
    hero_px = part * min(height, 1.5 * width)
    # A group, or a long subject in a narrow frame, must fit across; a close-up may touch the edges.
    room = {Framing.WIDE: 0.62, Framing.MEDIUM: 0.80, Framing.CLOSE_UP: 0.96}[framing]
    hero_px = min(hero_px, room * width / max(group_span, 0.3))
    is_afloat = setting in AFLOAT
    if is_afloat:
        feet, horizon = 0.5 + hero_px / height / 2, 0.5
        hero_px *= 0.86
    elif setting is SettingKind.SEA:
        feet, horizon = feet - 0.06, horizon - 0.08
    # In a tall frame a small subject at the bottom edge leaves the picture empty, so both move up.
    slack = max(part - hero_px / height, 0.0)
    feet -= 0.34 * slack
    horizon -= 0.20 * slack
    focal_px = 0.80 * (width**2 + height**2) ** 0.5
    horizon_px = horizon * height
    return Staging(
        canvas=canvas,
        focal_px=focal_px,
        distance=focal_px / hero_px,
        eye=(feet * height - horizon_px) / hero_px,
        horizon_px=horizon_px,
        centre_x_px=width / 2,
        hero_px=hero_px,
        is_afloat=is_afloat,
    )
