"""What each action looks like on a four-legged animal. Pure."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from understudy.engines.previz.pictures.figures.beast import Breed, Stance
from understudy.engines.previz.pictures.figures.joints import Gait, walking
from understudy.engines.previz.pictures.figures.person_poses import Instant
from understudy.engines.previz.pictures.figures.pose import Foot
from understudy.engines.previz.plan import Action

_TURN = 2 * np.pi
# When each foot follows in a walk and in a gallop: near fore, far fore, near hind, far hind.
_WALK_BEATS = (0.25, 0.75, 0.0, 0.5)
_RUN_BEATS = (0.46, 0.58, 0.0, 0.10)


def gait_of(action: Action, speed: float) -> Gait | None:
    """The steps of an action at a speed, or None where it takes none."""
    if action is Action.WALK:
        return walking(speed or 0.6, span=0.34, at=0.6)
    if action is Action.RUN:
        return Gait(speed=max(speed or 1.8, 0.4), period_s=0.48, stance=0.34, lift=0.13)
    return None


def _idle(now: Instant, breed: Breed) -> Stance:
    breath = now.swing(0.35)
    return Stance(
        breath=breath,
        head=(0.012 * now.swing(0.13), 0.014 * now.swing(0.21) + 0.004 * breath),
        nod=0.05 * now.swing(0.17),
        tail=0.20 * now.swing(0.45 if breed.is_cat or breed.hoofed else 1.7),
        tail_curl=-0.45 + 0.12 * now.swing(0.3) if breed.hoofed else 0.35 + 0.20 * now.swing(0.3, 0.9),
        ear=0.3 * max(now.swing(0.23), 0.0) ** 4,
        feet=(Foot(forward=0.03), Foot(forward=-0.02), Foot(forward=-0.03), Foot(forward=0.04)),
    )


def _stepping(now: Instant, action: Action) -> tuple[Foot, Foot, Foot, Foot]:
    gait = gait_of(action, now.speed)
    beats = _WALK_BEATS if action is Action.WALK else _RUN_BEATS
    feet = []
    for index, beat in enumerate(beats):
        forward, up, roll = gait.foot(now.time_s + now.phase, beat) if gait is not None else (0.0, 0.0, 0.0)
        feet.append(Foot(forward=forward, up=up, roll=roll * (0.7 if index < 2 else 0.9)))
    return feet[0], feet[1], feet[2], feet[3]


def _walk(now: Instant, breed: Breed) -> Stance:
    gait = gait_of(Action.WALK, now.speed)
    cycle = _TURN * (now.time_s + now.phase) / (gait.period_s if gait else 1.0)
    return replace(
        _idle(now, breed),
        feet=_stepping(now, Action.WALK),
        chest=(0.0, 0.008 * float(np.cos(2 * cycle)) - 0.012),
        rump=(0.0, 0.008 * float(np.cos(2 * cycle + 1.6)) - 0.012),
        head=(0.012 * float(np.sin(2 * cycle)), 0.014 * float(np.cos(2 * cycle + 0.8)) - 0.01),
        nod=0.04 * float(np.cos(2 * cycle)),
    )


def _run(now: Instant, breed: Breed) -> Stance:
    gait = gait_of(Action.RUN, now.speed)
    cycle = _TURN * (now.time_s + now.phase) / (gait.period_s if gait else 0.5)
    gather = float(np.sin(cycle + 0.6))
    return replace(
        _idle(now, breed),
        feet=_stepping(now, Action.RUN),
        lift=0.035 + 0.035 * float(np.cos(cycle - 0.5)),
        chest=(0.035 * gather, 0.035 * float(np.cos(cycle - 1.2)) - 0.045),
        rump=(-0.045 * gather, -0.035 * float(np.cos(cycle - 1.2)) - 0.045),
        head=(0.05, -0.05 + 0.02 * float(np.cos(cycle))),
        nod=-0.06,
        tail=0.12 + 0.25 * float(np.sin(cycle + 1.0)) if not breed.hoofed else 0.75,
        tail_curl=-0.15,
        ear=0.9,
        mouth=0.0 if breed.is_cat or breed.hoofed else 0.35,
    )


def _sit(now: Instant, breed: Breed) -> Stance:
    breath = now.swing(0.30)
    base = _idle(now, breed)
    if breed.hoofed:
        return replace(_lie(now, breed), blink=0.0)
    low = 0.14 - breed.rump[1]
    return replace(
        base,
        rump=(0.17, low),
        chest=(-0.02, 0.0 + 0.004 * breath),
        head=(-0.07 + base.head[0], 0.05 + base.head[1]),
        feet=(Foot(forward=0.02), Foot(forward=0.05), Foot(forward=0.30), Foot(forward=0.34)),
        folds=1.0,
        tail=-0.40 + 0.10 * now.swing(0.5),
        tail_curl=-0.42 + 0.10 * now.swing(0.33),
    )


def _lie(now: Instant, breed: Breed) -> Stance:
    breath = now.swing(0.24)
    down = breed.deep * 0.98 - breed.chest[1]
    # Hoofed animals fold their fore legs under the chest.
    ahead = 0.05 if breed.hoofed else 0.20
    return replace(
        _idle(now, breed),
        chest=(0.0, down + 0.004 * breath),
        rump=(0.04, breed.tuck * 1.05 - breed.rump[1]),
        head=(0.02, -0.10 + 0.006 * breath),
        feet=(Foot(forward=ahead), Foot(forward=ahead + 0.04), Foot(forward=0.17), Foot(forward=0.20)),
        folds=0.9,
        tail=-0.5,
        tail_curl=-0.2,
        breath=breath * 2.4,
    )


def _sleep(now: Instant, breed: Breed) -> Stance:
    lying = _lie(now, breed)
    down = breed.skull * 0.86 - (breed.chest[1] + lying.chest[1] + breed.neck[1])
    return replace(lying, head=(0.05, down + 0.004 * now.swing(0.24)), nod=0.10, blink=1.0, ear=0.5, tail_curl=-0.3)


def _jump(now: Instant, breed: Breed) -> Stance:
    beat = (now.time_s * 0.85 + now.phase / _TURN) % 1.0
    base = _idle(now, breed)
    if beat < 0.30:
        press = float(np.sin(np.pi * beat / 0.30))
        return replace(
            base, chest=(-0.02 * press, -0.08 * press), rump=(0.03 * press, -0.15 * press), nod=-0.15 * press
        )
    rise = (beat - 0.30) / 0.70
    arc = 4 * rise * (1 - rise)
    tucked = 0.11 * arc
    return replace(
        base,
        lift=0.40 * arc,
        turn=-0.55 * (0.5 - rise) * min(arc * 2, 1.0),
        feet=(
            Foot(forward=0.16 * arc, up=tucked, roll=-0.2),
            Foot(forward=0.20 * arc, up=tucked * 0.8, roll=-0.2),
            Foot(forward=-0.16 * arc, up=tucked, roll=0.8 * arc),
            Foot(forward=-0.20 * arc, up=tucked, roll=0.8 * arc),
        ),
        nod=-0.1,
        tail=0.3 * arc,
        ear=0.5 * arc,
    )


def _eat(now: Instant, breed: Breed) -> Stance:
    chew = now.swing(2.2)
    if breed.sits_to_eat:
        base = _sit(now, breed)
        mouth_x = breed.neck[0] + base.head[0] + breed.skull * (0.75 + breed.muzzle[0])
        mouth_y = breed.chest[1] + breed.neck[1] + base.head[1] - breed.skull * 0.75
        # Up to the mouth for a bite, then a little away while it chews.
        bite = 0.5 + 0.5 * now.swing(0.45)
        paw = Foot(forward=mouth_x + 0.02 - 0.03 * bite, up=mouth_y - 0.10 * (1 - bite), roll=-0.8)
        return replace(base, feet=(paw, *base.feet[1:]), is_holding=True, mouth=0.12 + 0.16 * chew, nod=0.10 * bite)
    reach_down = breed.skull * (1.0 if not breed.hoofed else 1.9) - (breed.chest[1] + breed.neck[1])
    ahead = 0.20 if breed.hoofed else 0.12
    return replace(
        _idle(now, breed),
        chest=(0.02, -0.05),
        head=(ahead - breed.neck[0] * 0.15, reach_down + 0.08 + 0.006 * chew),
        nod=0.50 + 0.03 * chew,
        mouth=0.18 + 0.16 * chew,
        feet=(Foot(forward=0.10), Foot(forward=0.0), Foot(forward=-0.03), Foot(forward=0.04)),
    )


def _yawn(now: Instant, breed: Breed) -> Stance:
    beat = (now.time_s / 3.4 + now.phase / (8 * _TURN)) % 1.0
    wide = float(np.clip(np.sin(np.pi * np.clip((beat - 0.12) / 0.66, 0, 1)) * 1.35, 0, 1))
    # It stretches as it yawns: chest low, fore feet ahead.
    ahead = (Foot(forward=0.03 + 0.16 * wide), Foot(forward=-0.02 + 0.22 * wide))
    return replace(
        _idle(now, breed),
        chest=(-0.04 * wide, -0.15 * wide),
        head=(0.03 * wide, 0.08 * wide),
        feet=(*ahead, Foot(forward=-0.03), Foot(forward=0.04)),
        mouth=wide,
        blink=min(1.4 * wide, 1.0),
        nod=-0.45 * wide,
        ear=0.8 * wide,
        tail=0.5 * wide,
    )


def _sing(now: Instant, breed: Breed) -> Stance:
    return replace(_sit(now, breed), mouth=0.45 + 0.35 * now.swing(0.8), nod=-0.75 + 0.06 * now.swing(0.6), blink=0.8)


def _dance(now: Instant, breed: Breed) -> Stance:
    beat, side = abs(now.swing(0.95)), now.swing(0.95)
    return replace(
        _idle(now, breed),
        lift=0.05 * beat,
        turn=-0.10 - 0.14 * side,
        feet=(
            Foot(forward=0.10, up=0.16 + 0.10 * side, roll=0.4),
            Foot(forward=0.06, up=0.16 - 0.10 * side, roll=0.4),
            Foot(forward=-0.02, up=0.04 * max(side, 0)),
            Foot(forward=0.02, up=0.04 * max(-side, 0)),
        ),
        head=(0.0, 0.03 * beat),
        nod=0.12 * side,
        tail=0.4 * side,
        mouth=0.2 * beat,
    )


def _wave(now: Instant, breed: Breed) -> Stance:
    base = _sit(now, breed)
    paw = Foot(forward=0.20, up=0.34 + 0.07 * now.swing(1.5), roll=-0.6)
    return replace(base, feet=(paw, *base.feet[1:]), nod=-0.05)


def _shake(now: Instant, breed: Breed) -> Stance:
    fast = now.swing(5.5)
    base = _idle(now, breed)
    return replace(
        base,
        chest=(0.008 * fast, 0.0),
        head=(0.02 * fast, 0.0),
        nod=0.10 * fast,
        tail=0.5 * now.swing(4.3),
        turn=0.02 * fast,
    )


def _aloft(now: Instant, breed: Breed) -> Stance:
    return replace(
        _idle(now, breed),
        feet=(
            Foot(forward=0.14 + 0.05 * now.swing(0.4), up=0.12),
            Foot(forward=0.20 + 0.05 * now.swing(0.37), up=0.16),
            Foot(forward=-0.15 + 0.05 * now.swing(0.35), up=0.10, roll=0.6),
            Foot(forward=-0.20 + 0.05 * now.swing(0.41), up=0.13, roll=0.6),
        ),
        ear=-0.3,
    )


def _swim(now: Instant, breed: Breed) -> Stance:
    paddle = [
        Foot(forward=0.10 * now.swing(1.1, k * 1.7), up=0.06 + 0.05 * now.swing(1.1, k * 1.7 + 1.5)) for k in range(4)
    ]
    return replace(_idle(now, breed), feet=(paddle[0], paddle[1], paddle[2], paddle[3]), head=(0.0, 0.06), nod=-0.1)


_STANCES: dict[Action, Callable[[Instant, Breed], Stance]] = {
    Action.WALK: _walk,
    Action.RUN: _run,
    Action.JUMP: _jump,
    Action.FLY: _aloft,
    Action.SWIM: _swim,
    Action.ROLL: _aloft,
    Action.DANCE: _dance,
    Action.SIT: _sit,
    Action.SLEEP: _sleep,
    Action.YAWN: _yawn,
    Action.SING: _sing,
    Action.EAT: _eat,
    Action.WAVE: _wave,
    Action.FLOAT: _aloft,
    Action.FALL: _aloft,
    Action.SHAKE: _shake,
}


def stance_of(action: Action, now: Instant, breed: Breed) -> Stance:
    """How a four-legged animal stands while it does something."""
    stance = _STANCES.get(action, _idle)(now, breed)
    beat = (now.time_s + now.phase * 1.3) % 3.4
    if beat < 0.15:
        stance = replace(stance, blink=max(stance.blink, float(np.sin(np.pi * beat / 0.15))))
    if now.voice > 0.02:
        stance = replace(
            stance,
            mouth=max(stance.mouth, min(now.voice * 1.1, 1.0)),
            nod=stance.nod - 0.22 * now.voice,
            head=(stance.head[0] + 0.02 * now.voice, stance.head[1] + 0.03 * now.voice),
            tail=stance.tail + 0.25 * now.voice * now.swing(2.4),
        )
    return stance
