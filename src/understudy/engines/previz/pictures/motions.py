"""What each action looks like: from an action and a time to how a figure is placed, bent and stepped. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.pictures.rigs import Rig
from understudy.engines.previz.plan import Action

_TURN = 2 * np.pi


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """A figure at one instant, in units of its own height.

    x, lift: offset from its place. turn: radians, clockwise. stretch: factor on its height (its width gives way).
    lean: how far the top is moved sideways; bend: the same, but curved. stride: step phase in radians, with
    stride_reach 0..1. flap -1..1. wave 0..1: how high the near arm is raised, arm_swing -1..1 moves it. mouth 0..1,
    blink 0..1 (closed). turned -1..1: width factor, below 0 shows the other side. size: overall factor.
    ripple: strength of a wave along the body, with the time's phase.
    """

    x: float = 0.0
    lift: float = 0.0
    turn: float = 0.0
    stretch: float = 1.0
    lean: float = 0.0
    bend: float = 0.0
    stride: float = 0.0
    stride_reach: float = 0.0
    flap: float = 0.0
    wave: float = 0.0
    arm_swing: float = 0.0
    nod: float = 0.0
    mouth: float = 0.0
    blink: float = 0.0
    turned: float = 1.0
    size: float = 1.0
    ripple: float = 0.0
    ripple_phase: float = 0.0
    crouch: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and for whom a motion is asked. part: 0..1 of the film. phase: the figure's own, radians."""

    time_s: float
    part: float
    phase: float
    rig: Rig
    is_afloat: bool


# Speed of travel in units per second.
TRAVEL = {
    Action.WALK: 0.62,
    Action.RUN: 1.70,
    Action.DRIVE: 2.4,
    Action.SWIM: 0.30,
    Action.FLY: 0.55,
    Action.ROLL: 0.55,
}
# Actions that the camera keeps up with, whatever its own move.
FOLLOWED = frozenset({Action.WALK, Action.RUN, Action.DRIVE})
# Actions off the ground.
ALOFT = frozenset({Action.FLY, Action.FLOAT, Action.SWIM, Action.RISE, Action.FALL})
# Steps (both feet) per second.
_WALKING_HZ = 1.05
_RUNNING_HZ = 1.9


def _swing(moment: Moment, rate_hz: float, offset: float = 0.0) -> float:
    return float(np.sin(_TURN * rate_hz * moment.time_s + moment.phase + offset))


def _idle(moment: Moment) -> Motion:
    breath = _swing(moment, 0.42)
    return Motion(
        stretch=1 + 0.016 * breath,
        lean=0.012 * _swing(moment, 0.19),
        bend=0.014 * _swing(moment, 0.27, 1.0),
        nod=0.05 * _swing(moment, 0.31),
        arm_swing=0.06 * breath,
    )


def _stepping(rate_hz: float, *, reach: float, bounce: float, lean: float) -> Callable[[Moment], Motion]:
    def motion(moment: Moment) -> Motion:
        stride = _TURN * rate_hz * moment.time_s + moment.phase
        up = abs(float(np.sin(stride)))
        has_feet = moment.rig.has_legs or moment.rig.is_puppet
        hop = up if has_feet else up**0.7
        return Motion(
            lift=bounce * hop * (1.0 if has_feet else 1.8),
            stretch=1 + bounce * 0.7 * (up - 0.5),
            turn=0.022 * float(np.sin(stride)) if has_feet else 0.05 * float(np.sin(stride)),
            lean=lean,
            bend=0.02 * float(np.sin(stride + 0.6)),
            stride=stride,
            stride_reach=reach,
            nod=0.05 * float(np.sin(2 * stride)),
            arm_swing=reach * float(np.sin(stride)),
        )

    return motion


def _jump(moment: Moment) -> Motion:
    beat = (moment.time_s * 0.85 + moment.phase / _TURN) % 1.0
    if beat < 0.26:
        press = float(np.sin(np.pi * beat / 0.26))
        return Motion(stretch=1 - 0.17 * press, crouch=press, arm_swing=-0.6 * press)
    rise = (beat - 0.26) / 0.74
    arc = 4 * rise * (1 - rise)
    return Motion(
        lift=0.42 * arc,
        stretch=1 + 0.12 * (1 - arc) * float(np.sin(np.pi * rise)) + 0.04 * arc,
        turn=0.05 * (0.5 - rise),
        wave=0.35 * arc,
        stride=np.pi / 2,
        stride_reach=0.4 * arc,
    )


def _fly(moment: Moment) -> Motion:
    beat_hz = 2.6 if moment.rig.has_wings else 0.7
    return Motion(
        lift=0.10 * _swing(moment, 0.38) + 0.03 * _swing(moment, beat_hz, 1.4),
        turn=0.07 * _swing(moment, 0.30),
        flap=_swing(moment, beat_hz) if moment.rig.has_wings else 0.0,
        stretch=1 + 0.02 * _swing(moment, beat_hz, 0.8),
        lean=0.03 * _swing(moment, 0.38, 0.5),
        stride=np.pi / 2,
        stride_reach=0.25,
        wave=0.0 if moment.rig.has_wings else 0.5,
    )


def _swim(moment: Moment) -> Motion:
    return Motion(
        lift=0.05 * _swing(moment, 0.5),
        turn=0.07 * _swing(moment, 0.5, 0.9),
        x=0.03 * _swing(moment, 0.9),
        ripple=0.035,
        ripple_phase=_TURN * 1.1 * moment.time_s + moment.phase,
        arm_swing=0.9 * _swing(moment, 0.9),
        stride=_TURN * 0.9 * moment.time_s,
        stride_reach=0.5,
    )


def _roll(moment: Moment) -> Motion:
    return Motion(turn=_TURN * 0.42 * moment.time_s + moment.phase, lift=0.03 * abs(_swing(moment, 0.84)))


def _dance(moment: Moment) -> Motion:
    beat = abs(_swing(moment, 0.95))
    side = _swing(moment, 0.95)
    return Motion(
        lift=0.055 * beat,
        stretch=1 + 0.06 * (beat - 0.5),
        turn=0.13 * side,
        lean=0.10 * side,
        bend=-0.12 * side,
        x=0.10 * _swing(moment, 0.475),
        wave=0.55 + 0.35 * _swing(moment, 0.475, 1.2),
        arm_swing=side,
        stride=_TURN * 0.95 * moment.time_s,
        stride_reach=0.5,
        nod=0.12 * side,
        mouth=0.15 * beat,
    )


def _spin(moment: Moment) -> Motion:
    angle = _TURN * 0.55 * moment.time_s + moment.phase
    return Motion(
        turned=float(np.cos(angle)),
        lift=0.02 * abs(float(np.sin(angle))),
        stretch=1.01,
        wave=0.35,
        arm_swing=float(np.sin(angle)),
    )


def _sit(moment: Moment) -> Motion:
    return replace(_idle(moment), crouch=1.0, stretch=0.97 + 0.014 * _swing(moment, 0.35))


def _sleep(moment: Moment) -> Motion:
    breath = _swing(moment, 0.24)
    return Motion(stretch=0.86 + 0.035 * breath, lean=0.03, bend=0.07, nod=0.40 + 0.04 * breath, blink=1.0, crouch=1.0)


def _yawn(moment: Moment) -> Motion:
    beat = (moment.time_s / 3.4 + moment.phase / (8 * _TURN)) % 1.0
    openness = float(np.clip(np.sin(np.pi * np.clip((beat - 0.12) / 0.66, 0, 1)) * 1.35, 0, 1))
    return Motion(
        stretch=1 + 0.11 * openness,
        mouth=openness,
        blink=min(openness * 1.4, 1.0),
        nod=-0.24 * openness,
        bend=-0.05 * openness,
        lean=-0.02 * openness,
        wave=0.25 * openness,
    )


def _sing(moment: Moment) -> Motion:
    return Motion(
        lean=0.05 * _swing(moment, 0.5),
        bend=0.05 * _swing(moment, 0.5, 0.4),
        turn=0.03 * _swing(moment, 0.5),
        nod=0.10 * _swing(moment, 0.5, 0.9),
        mouth=0.35 + 0.35 * _swing(moment, 1.6),
        stretch=1 + 0.03 * _swing(moment, 1.0),
        wave=0.35 + 0.2 * _swing(moment, 0.25),
    )


def _eat(moment: Moment) -> Motion:
    chew = _swing(moment, 2.3)
    dip = max(_swing(moment, 0.5), 0.0)
    return Motion(
        stretch=1 + 0.028 * chew - 0.03 * dip,
        nod=0.16 * dip + 0.03 * chew,
        mouth=0.28 + 0.28 * chew,
        bend=0.05 * dip,
        wave=0.38 + 0.08 * chew,
    )


def _wave(moment: Moment) -> Motion:
    return Motion(
        turn=0.055 * _swing(moment, 1.2),
        lean=0.03 * _swing(moment, 1.2),
        bend=0.035 * _swing(moment, 1.2, 0.7),
        wave=1.0,
        arm_swing=_swing(moment, 1.7),
        nod=0.05 * _swing(moment, 0.6),
        stretch=1 + 0.015 * _swing(moment, 1.2),
    )


def _drive(moment: Moment) -> Motion:
    return Motion(
        lift=0.010 * abs(_swing(moment, 3.1)) + 0.006 * abs(_swing(moment, 5.3)),
        turn=0.010 * _swing(moment, 1.55),
        stretch=1 + 0.010 * _swing(moment, 3.1, 0.6),
        lean=-0.010,
    )


def _float(moment: Moment) -> Motion:
    return Motion(
        lift=0.07 * _swing(moment, 0.27),
        turn=0.11 * _swing(moment, 0.19),
        x=0.05 * _swing(moment, 0.16, 1.1),
        bend=0.03 * _swing(moment, 0.3),
        arm_swing=0.4 * _swing(moment, 0.3),
        wave=0.22,
        stride=np.pi / 3,
        stride_reach=0.3,
    )


def _fall(moment: Moment) -> Motion:
    beat = (moment.time_s * 0.42 + moment.phase / _TURN) % 1.0
    return Motion(
        lift=0.80 * (1 - beat * beat),
        turn=0.9 * _swing(moment, 0.42),
        wave=0.9,
        arm_swing=_swing(moment, 2.0),
        stretch=1.05,
        stride=np.pi / 2,
        stride_reach=0.5,
    )


def _rise(moment: Moment) -> Motion:
    return Motion(
        lift=-0.22 + 0.85 * moment.part,
        turn=0.035 * _swing(moment, 0.4),
        stretch=1 + 0.03 * _swing(moment, 0.6),
        x=0.02 * _swing(moment, 0.7),
    )


def _shake(moment: Moment) -> Motion:
    return Motion(
        x=0.022 * _swing(moment, 6.1),
        turn=0.05 * _swing(moment, 5.3, 0.7),
        bend=0.03 * _swing(moment, 6.7),
        stretch=1 + 0.012 * _swing(moment, 7.0),
    )


def _grow(moment: Moment) -> Motion:
    part = moment.part * moment.part * (3 - 2 * moment.part)
    return replace(_idle(moment), size=0.34 + 0.72 * part, lean=0.03 * _swing(moment, 0.5))


_MOTIONS: dict[Action, Callable[[Moment], Motion]] = {
    Action.IDLE: _idle,
    Action.WALK: _stepping(_WALKING_HZ, reach=0.62, bounce=0.030, lean=0.015),
    Action.RUN: _stepping(_RUNNING_HZ, reach=1.0, bounce=0.075, lean=0.06),
    Action.JUMP: _jump,
    Action.FLY: _fly,
    Action.SWIM: _swim,
    Action.ROLL: _roll,
    Action.DANCE: _dance,
    Action.SPIN: _spin,
    Action.SIT: _sit,
    Action.SLEEP: _sleep,
    Action.YAWN: _yawn,
    Action.SPEAK: _idle,
    Action.SING: _sing,
    Action.EAT: _eat,
    Action.WAVE: _wave,
    Action.DRIVE: _drive,
    Action.FLOAT: _float,
    Action.FALL: _fall,
    Action.RISE: _rise,
    Action.SHAKE: _shake,
    Action.GROW: _grow,
}


def motion_of(action: Action, moment: Moment, *, voice: float = 0.0) -> Motion:
    """A figure's motion. voice: loudness 0..1 of what it says right now; 0 when it is silent."""
    motion = _MOTIONS[action](moment)
    if moment.is_afloat and action not in ALOFT:
        drift = _float(moment)
        motion = replace(motion, lift=motion.lift + drift.lift * 0.8, turn=motion.turn + drift.turn * 0.6)
    # A blink of a seventh of a second every three to four seconds.
    beat = (moment.time_s + moment.phase * 1.3) % 3.4
    if beat < 0.15:
        motion = replace(motion, blink=max(motion.blink, float(np.sin(np.pi * beat / 0.15))))
    if voice > 0.02:
        motion = replace(
            motion,
            mouth=max(motion.mouth, min(voice * 1.15, 1.0)),
            stretch=motion.stretch * (1 + 0.055 * voice),
            nod=motion.nod - 0.10 * voice,
            bend=motion.bend + 0.02 * voice * _swing(moment, 1.1),
            wave=max(motion.wave, 0.22 * voice),
        )
    return motion
