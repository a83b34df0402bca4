"""What each action looks like on a person: from an action and a time to a pose. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.pictures.figures.joints import Gait, running, walking
from understudy.engines.previz.pictures.figures.pose import Arm, Foot, Pose
from understudy.engines.previz.plan import Action

_TURN = 2 * np.pi
_SEAT = 0.26


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """When a pose is asked, and of whom. speed: in own heights per second. travels: whether it goes somewhere.

    phase: the figure's own, radians. voice: loudness 0..1. grip: how the near hand holds a thing: "", "hand", "over".
    """

    time_s: float
    phase: float = 0.0
    speed: float = 0.0
    travels: bool = False
    voice: float = 0.0
    grip: str = ""

    def swing(self, rate_hz: float, offset: float = 0.0) -> float:
        """-1..1 at a rate."""
        return float(np.sin(_TURN * rate_hz * self.time_s + self.phase + offset))


def _idle(now: Instant) -> Pose:
    breath, shift = now.swing(0.28), now.swing(0.11)
    return Pose(
        yaw=0.55,
        hip=0.474 + 0.0015 * breath,
        breath=breath,
        sway=0.03 * shift,
        near_arm=Arm(pitch=0.06 + 0.03 * now.swing(0.21), out=0.15, bend=0.26),
        far_arm=Arm(pitch=0.02 + 0.03 * now.swing(0.19, 1.0), out=0.15, bend=0.22),
        near_foot=Foot(forward=0.02),
        far_foot=Foot(forward=-0.015),
        head_yaw=0.22 * now.swing(0.09, 0.7),
        nod=0.03 * now.swing(0.17),
        tilt=0.03 * now.swing(0.13, 2.0),
        flow=0.1 * now.swing(0.4),
    )


def gait_of(action: Action, speed: float) -> Gait | None:
    """The steps of an action at a speed, or None where it takes none."""
    if action is Action.WALK:
        return walking(speed or 0.55)
    if action is Action.RUN:
        return running(speed or 1.5)
    return None


def _walk(now: Instant) -> Pose:
    gait = walking(now.speed or 0.55)
    time_s = now.time_s + now.phase
    cycle = _TURN * time_s / gait.period_s
    near, far = gait.foot(time_s, 0.0), gait.foot(time_s, 0.5)
    swing = float(np.cos(cycle)) * min(gait.stride / 0.4, 1.15)
    # Highest when one leg is straight under the body.
    bob = 0.010 * float(np.cos(2 * cycle + np.pi * 0.76))
    return Pose(
        yaw=1.12,
        hip=0.462 + bob,
        lean=0.055,
        twist=0.20 * swing,
        near_arm=Arm(pitch=-0.52 * swing + 0.04, out=0.10, bend=0.30 + 0.18 * max(-swing, 0)),
        far_arm=Arm(pitch=0.52 * swing + 0.04, out=0.10, bend=0.30 + 0.18 * max(swing, 0)),
        near_foot=Foot(forward=near[0], up=near[1], roll=near[2]),
        far_foot=Foot(forward=far[0], up=far[1], roll=far[2]),
        head_yaw=-0.22 + 0.10 * now.swing(0.1),
        nod=0.03 * float(np.cos(2 * cycle)),
        flow=0.35 + 0.15 * float(np.sin(2 * cycle)),
    )


def _run(now: Instant) -> Pose:
    gait = running(now.speed or 1.5)
    time_s = now.time_s + now.phase
    cycle = _TURN * time_s / gait.period_s
    near, far = gait.foot(time_s, 0.0), gait.foot(time_s, 0.5)
    swing = float(np.cos(cycle - 0.3))
    bob = 0.030 * float(np.cos(2 * cycle + np.pi * 0.66 + np.pi))
    return Pose(
        yaw=1.26,
        hip=0.466 + bob,
        lean=0.20,
        twist=0.26 * swing,
        near_arm=Arm(pitch=-0.85 * swing, out=0.12, bend=1.55 - 0.25 * swing),
        far_arm=Arm(pitch=0.85 * swing, out=0.12, bend=1.55 + 0.25 * swing),
        near_foot=Foot(forward=near[0], up=near[1], roll=near[2] * 1.8),
        far_foot=Foot(forward=far[0], up=far[1], roll=far[2] * 1.8),
        head_yaw=-0.15,
        nod=-0.10,
        mouth=0.12,
        flow=0.9 + 0.1 * float(np.sin(2 * cycle)),
    )


def _jump(now: Instant) -> Pose:
    beat = (now.time_s * 0.85 + now.phase / _TURN) % 1.0
    if beat < 0.30:
        press = float(np.sin(np.pi * beat / 0.30))
        arm = Arm(pitch=-0.9 * press, out=0.25, bend=0.3)
        return Pose(
            yaw=0.7,
            hip=0.474 - 0.12 * press,
            lean=0.38 * press,
            near_arm=arm,
            far_arm=arm,
            knees_out=0.3 * press,
            nod=-0.2 * press,
        )
    rise = (beat - 0.30) / 0.70
    arc = 4 * rise * (1 - rise)
    up = 0.34 * arc
    arm = Arm(pitch=2.5 * arc**0.6, out=0.45, bend=0.35)
    return Pose(
        yaw=0.7,
        hip=0.476 + up,
        lean=-0.05 * arc,
        near_arm=arm,
        far_arm=replace(arm, pitch=arm.pitch * 0.92),
        near_foot=Foot(forward=0.06 * arc, up=up * 0.98 + 0.10 * arc, roll=0.7 * arc),
        far_foot=Foot(forward=-0.12 * arc, up=up * 1.0 + 0.12 * arc, roll=0.9 * arc),
        smile=1.0,
        mouth=0.45 * arc,
        flow=0.3,
    )


def _sit(now: Instant) -> Pose:
    breath = now.swing(0.26)
    return Pose(
        yaw=0.86,
        forward=-0.10,
        hip=_SEAT + 0.048,
        breath=breath,
        lean=-0.03 + 0.008 * breath,
        near_arm=Arm(pitch=0.48, out=0.10, bend=0.75),
        far_arm=Arm(pitch=0.44, out=0.10, bend=0.80),
        near_foot=Foot(forward=0.12),
        far_foot=Foot(forward=0.16),
        head_yaw=-0.15 + 0.25 * now.swing(0.08),
        nod=0.04 * now.swing(0.15),
        seat=_SEAT,
    )


def _sleep(now: Instant) -> Pose:
    breath = now.swing(0.20)
    return Pose(
        yaw=1.30,
        forward=0.06,
        hip=0.075,
        lean=-1.50 + 0.012 * breath,
        breath=breath * 3,
        near_arm=Arm(pitch=0.62, out=0.1, bend=0.95),
        far_arm=Arm(pitch=0.2, out=0.1, bend=0.5),
        near_foot=Foot(forward=0.42, up=0.02, roll=-1.2),
        far_foot=Foot(forward=0.46, up=0.01, roll=-1.2),
        head_yaw=-0.75,
        nod=0.10,
        blink=1.0,
        smile=0.3,
        mouth=0.05 + 0.04 * breath,
        has_pillow=True,
    )


def _yawn(now: Instant) -> Pose:
    beat = (now.time_s / 3.4 + now.phase / (8 * _TURN)) % 1.0
    wide = float(np.clip(np.sin(np.pi * np.clip((beat - 0.12) / 0.66, 0, 1)) * 1.35, 0, 1))
    pose = _idle(now)
    return replace(
        pose,
        lean=-0.10 * wide,
        nod=-0.30 * wide,
        mouth=wide,
        blink=min(wide * 1.4, 1.0),
        near_arm=Arm(pitch=0.1 + 2.2 * wide, out=0.3 + 0.3 * wide, bend=0.3 + 1.5 * wide),
        far_arm=Arm(pitch=0.1 + 2.5 * wide, out=0.4 + 0.2 * wide, bend=0.3 + 0.5 * wide),
    )


def _speak(now: Instant) -> Pose:
    pose = _idle(now)
    level = now.voice
    first, second = 0.5 + 0.5 * now.swing(0.55), 0.5 + 0.5 * now.swing(0.43, 2.1)
    return replace(
        pose,
        yaw=0.42,
        head_yaw=-0.10 + 0.16 * now.swing(0.23),
        nod=0.03 * now.swing(0.31) - 0.08 * level,
        brow=0.2 + 0.6 * level,
        near_arm=Arm(
            pitch=0.12 + level * (0.30 + 0.5 * first),
            out=0.16 + 0.22 * level,
            bend=0.45 + level * (0.7 + 0.5 * first),
            inward=0.2,
        ),
        far_arm=Arm(
            pitch=0.08 + level * 0.5 * second, out=0.15 + 0.18 * level, bend=0.35 + level * 0.9 * second, inward=0.2
        ),
    )


def _sing(now: Instant) -> Pose:
    opened = 0.35 + 0.35 * now.swing(1.6) * (0.6 + 0.4 * now.swing(0.4))
    return replace(
        _idle(now),
        yaw=0.42,
        sway=0.10 * now.swing(0.5),
        hip=0.468 - 0.008 * abs(now.swing(0.5)),
        nod=-0.14 + 0.06 * now.swing(0.5, 0.9),
        tilt=0.08 * now.swing(0.5),
        mouth=max(opened, 0.1),
        brow=0.6,
        blink=0.5 + 0.5 * now.swing(0.12) if now.swing(0.12) > 0.6 else 0.0,
        near_arm=Arm(pitch=1.05, out=0.18, bend=1.55, inward=0.55),
        far_arm=Arm(pitch=0.7 + 0.4 * now.swing(0.25), out=0.55, bend=0.6),
    )


def _eat(now: Instant) -> Pose:
    bite = max(now.swing(0.42), 0.0) ** 0.7
    chew = now.swing(2.1)
    return replace(
        _idle(now),
        yaw=0.66,
        near_arm=Arm(pitch=0.55 + 0.62 * bite, out=0.16, bend=1.05 + 0.98 * bite, inward=0.42),
        far_arm=Arm(pitch=0.50, out=0.14, bend=1.15, inward=0.3),
        nod=0.12 * bite,
        mouth=max(0.5 * bite * bite, 0.10 + 0.10 * chew),
        smile=0.8,
    )


def _wave(now: Instant) -> Pose:
    return replace(
        _idle(now),
        yaw=0.40,
        near_arm=Arm(pitch=0.25, out=2.15, bend=0.10, inward=-0.42 - 0.42 * now.swing(1.5)),
        tilt=0.07 * now.swing(0.75),
        sway=-0.03,
        smile=1.0,
        mouth=0.16,
        brow=0.5,
    )


def _dance(now: Instant) -> Pose:
    beat, side, slow = abs(now.swing(0.95)), now.swing(0.95), now.swing(0.475, 0.4)
    kick = max(side, 0.0)
    return Pose(
        yaw=0.45 + 0.55 * slow,
        forward=0.03 * side,
        hip=0.470 - 0.055 * (1 - beat),
        lean=0.05 * side,
        sway=0.20 * side,
        twist=0.35 * side,
        near_arm=Arm(pitch=0.6 + 0.7 * side, out=0.9 + 0.7 * slow, bend=0.9 - 0.4 * side),
        far_arm=Arm(pitch=0.6 - 0.7 * side, out=0.9 - 0.7 * slow, bend=0.9 + 0.4 * side),
        near_foot=Foot(forward=0.07 * side, up=0.10 * kick, roll=0.5 * kick),
        far_foot=Foot(forward=-0.06, up=0.09 * max(-side, 0.0), roll=0.5 * max(-side, 0)),
        head_yaw=-0.3 * slow,
        tilt=0.12 * side,
        nod=0.06 * beat,
        knees_out=0.5,
        smile=1.0,
        mouth=0.12 + 0.12 * beat,
        flow=0.5 * side,
    )


def _spin(now: Instant) -> Pose:
    turn = _TURN * 0.55 * now.time_s + now.phase
    arm = Arm(pitch=0.25, out=1.25, bend=0.25)
    return Pose(
        yaw=float((turn + np.pi) % _TURN - np.pi),
        hip=0.470 + 0.008 * now.swing(1.1),
        near_arm=arm,
        far_arm=arm,
        near_foot=Foot(forward=0.05, up=0.02, roll=0.5),
        far_foot=Foot(forward=-0.03, up=0.0, roll=0.3),
        smile=1.0,
        flow=0.55,
    )


def _aloft(now: Instant) -> Pose:
    """Weightless: limbs drift."""
    return Pose(
        yaw=0.75,
        hip=0.478,
        lean=0.08 * now.swing(0.2),
        near_arm=Arm(pitch=0.7 + 0.25 * now.swing(0.23), out=0.75 + 0.15 * now.swing(0.17), bend=0.6),
        far_arm=Arm(pitch=0.5 - 0.25 * now.swing(0.19), out=0.80, bend=0.7),
        near_foot=Foot(forward=0.10 + 0.05 * now.swing(0.21), up=0.06, roll=0.7),
        far_foot=Foot(forward=-0.10 - 0.05 * now.swing(0.18), up=0.10, roll=0.9),
        head_yaw=0.2 * now.swing(0.11),
        flow=0.5 * now.swing(0.25),
    )


def _fly(now: Instant) -> Pose:
    """Laid forward, one arm ahead."""
    return Pose(
        yaw=1.30,
        hip=0.40,
        lean=1.15 + 0.05 * now.swing(0.4),
        near_arm=Arm(pitch=3.2, out=0.1, bend=0.1),
        far_arm=Arm(pitch=0.5, out=0.2, bend=0.4),
        near_foot=Foot(forward=-0.38, up=0.24 + 0.02 * now.swing(0.5), roll=1.4),
        far_foot=Foot(forward=-0.36, up=0.20, roll=1.4),
        head_yaw=-0.3,
        nod=-0.75,
        flow=1.0,
    )


def _swim(now: Instant) -> Pose:
    stroke = _TURN * 0.55 * now.time_s + now.phase
    kick = float(np.sin(stroke * 3))
    return Pose(
        yaw=1.30,
        hip=0.40,
        lean=1.32,
        near_arm=Arm(pitch=1.5 + float(stroke % _TURN), out=0.2, bend=0.25),
        far_arm=Arm(pitch=1.5 + float((stroke + np.pi) % _TURN), out=0.2, bend=0.25),
        near_foot=Foot(forward=-0.40, up=0.30 + 0.06 * kick, roll=1.3),
        far_foot=Foot(forward=-0.40, up=0.30 - 0.06 * kick, roll=1.3),
        head_yaw=-0.35,
        nod=-0.85,
        flow=0.8,
    )


def _shake(now: Instant) -> Pose:
    """Busy with both hands before the body."""
    fast = now.swing(2.6)
    return replace(
        _idle(now),
        yaw=0.72,
        lean=0.07 + 0.012 * fast,
        near_arm=Arm(pitch=0.55 + 0.16 * fast, out=0.14, bend=1.25 - 0.16 * fast, inward=0.35),
        far_arm=Arm(pitch=0.60 - 0.16 * fast, out=0.14, bend=1.15 + 0.16 * fast, inward=0.35),
        nod=0.20,
        brow=-0.2,
    )


def riding(now: Instant, *, knee: float = 0.25, pedal: float | None = None) -> Pose:
    """Astride: hip on the saddle, which is at the figure's place at hip height. pedal: angle of the cranks."""
    if pedal is not None:
        near = (float(np.sin(pedal)) * 0.075, float(np.cos(pedal)) * 0.075)
        return Pose(
            yaw=1.22,
            hip=0.478,
            lean=0.38,
            near_arm=Arm(pitch=1.12, out=0.1, bend=0.22),
            far_arm=Arm(pitch=1.16, out=0.1, bend=0.22),
            near_foot=Foot(forward=0.07 + near[0], up=0.075 + near[1]),
            far_foot=Foot(forward=0.07 - near[0], up=0.075 - near[1]),
            head_yaw=-0.3,
            nod=-0.25,
            flow=0.6,
        )
    return Pose(
        yaw=1.18,
        hip=0.478,
        lean=0.06 + 0.03 * now.swing(1.2),
        near_arm=Arm(pitch=0.55 + 0.06 * now.swing(1.2), out=0.10, bend=0.95, inward=0.15),
        far_arm=Arm(pitch=0.60, out=0.10, bend=0.95, inward=0.15),
        near_foot=Foot(forward=knee * 0.55, up=0.13, roll=-0.15),
        far_foot=Foot(forward=knee * 0.6, up=0.13, roll=-0.15),
        head_yaw=-0.25 + 0.12 * now.swing(0.1),
        flow=0.5 + 0.2 * now.swing(1.2),
    )


def rowing(now: Instant) -> Pose:
    """Sitting in a boat and pulling, with the hip where it is when it stands."""
    pull = now.swing(0.42)
    return Pose(
        yaw=1.15,
        hip=0.478,
        lean=0.12 + 0.26 * pull,
        near_arm=Arm(pitch=0.85 + 0.30 * pull, out=0.1, bend=0.75 - 0.5 * pull),
        far_arm=Arm(pitch=0.85 + 0.30 * pull, out=0.1, bend=0.75 - 0.5 * pull),
        near_foot=Foot(forward=0.28, up=0.36),
        far_foot=Foot(forward=0.28, up=0.36),
        head_yaw=-0.3,
        flow=0.3,
    )


_POSES: dict[Action, Callable[[Instant], Pose]] = {
    Action.IDLE: _idle,
    Action.WALK: _walk,
    Action.RUN: _run,
    Action.JUMP: _jump,
    Action.FLY: _fly,
    Action.SWIM: _swim,
    Action.ROLL: _aloft,
    Action.DANCE: _dance,
    Action.SPIN: _spin,
    Action.SIT: _sit,
    Action.SLEEP: _sleep,
    Action.YAWN: _yawn,
    Action.SPEAK: _speak,
    Action.SING: _sing,
    Action.EAT: _eat,
    Action.WAVE: _wave,
    Action.DRIVE: _idle,
    Action.FLOAT: _aloft,
    Action.FALL: _aloft,
    Action.RISE: _idle,
    Action.SHAKE: _shake,
    Action.GROW: _idle,
}
_HANDS_FREE = frozenset({Action.IDLE, Action.WALK, Action.SIT, Action.SPEAK, Action.GROW, Action.RISE, Action.DRIVE})


def pose_of(action: Action, now: Instant) -> Pose:
    """How a person stands while it does something."""
    pose = _POSES[action](now)
    if now.grip == "over" and action not in (Action.SLEEP, Action.WAVE):
        pose = replace(pose, near_arm=Arm(pitch=0.75, out=0.14, bend=1.75 + 0.03 * now.swing(0.5)))
    elif now.grip == "hand" and action in _HANDS_FREE:
        pose = replace(pose, near_arm=Arm(pitch=0.45, out=0.16, bend=1.15 + 0.04 * now.swing(0.4)))
    return lively(pose, now)


def lively(pose: Pose, now: Instant) -> Pose:
    """The same pose with blinking eyes, and a mouth that follows the voice."""
    beat = (now.time_s + now.phase * 1.3) % 3.4
    if beat < 0.16:
        pose = replace(pose, blink=max(pose.blink, float(np.sin(np.pi * beat / 0.16))))
    if now.voice > 0.02:
        mouth = max(pose.mouth, min(0.12 + now.voice * (0.72 + 0.2 * now.swing(3.1)), 1.0))
        pose = replace(pose, mouth=mouth, nod=pose.nod - 0.05 * now.voice, brow=max(pose.brow, 0.5 * now.voice))
    return pose
