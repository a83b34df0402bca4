"""How the subject of a given picture moves by itself: little, for it is one picture, and as the prompt says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.engines.previz.board.moves import Beat, eased
from understudy.engines.previz.plan import Action
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken

_BEGUN_S = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """How a subject stands, in parts of its height; all 0 = as in the picture.

    sway: its top to the right. lift: all of it upwards. stretch: its top upwards. nod: its head downwards.
    """

    sway: float = 0.0
    lift: float = 0.0
    stretch: float = 0.0
    nod: float = 0.0


AT_REST = Bearing()
Acting = Callable[[Beat], Bearing]


def _wave(beat: Beat, hz: float, axis: int = 5) -> float:
    """A swing of -1..1; the seed says where it begins."""
    return float(np.sin(2 * np.pi * hz * beat.time_s + beat.phases[axis]))


def _swaying(sway: float, hz: float, *, lift: float = 0.0, stretch: float = 0.0) -> Acting:
    """Sway, and lift with every half of a sway, as steps do."""

    def acting(beat: Beat) -> Bearing:
        step = abs(_wave(beat, hz))
        return Bearing(sway=sway * _wave(beat, hz), lift=lift * step, stretch=stretch * _wave(beat, 0.28, 6))

    return acting


def _hovering(lift: float, hz: float) -> Acting:
    def acting(beat: Beat) -> Bearing:
        return Bearing(lift=lift * _wave(beat, hz), sway=0.4 * lift * _wave(beat, hz * 0.7, 6))

    return acting


def _jumping(beat: Beat) -> Bearing:
    height = max(0.0, float(np.sin(2 * np.pi * 0.8 * beat.time_s)))
    return Bearing(lift=0.1 * height, stretch=0.03 * (height - 0.3))


def _nodding(beat: Beat) -> Bearing:
    return Bearing(nod=0.012 * (1 + _wave(beat, 1.6)) / 2, stretch=0.004 * _wave(beat, 0.28, 6))


def _growing(beat: Beat) -> Bearing:
    return Bearing(stretch=0.1 * beat.eased)


_BREATHING = _swaying(0.004, 0.13, stretch=0.006)

ACTS: Mapping[Action, Acting] = {
    Action.WALK: _swaying(0.012, 1.0, lift=0.012),
    Action.RUN: _swaying(0.016, 1.5, lift=0.025),
    Action.JUMP: _jumping,
    Action.FLY: _hovering(0.03, 0.45),
    Action.SWIM: _hovering(0.02, 0.35),
    Action.FLOAT: _hovering(0.025, 0.25),
    Action.RISE: _hovering(0.02, 0.2),
    Action.ROLL: _swaying(0.02, 0.6),
    Action.DANCE: _swaying(0.035, 1.0, lift=0.015),
    Action.SPIN: _swaying(0.03, 0.7),
    Action.SIT: _BREATHING,
    Action.SLEEP: _swaying(0.0, 0.2, stretch=0.01),
    Action.YAWN: _nodding,
    Action.SPEAK: _BREATHING,
    Action.SING: _swaying(0.015, 0.5, stretch=0.006),
    Action.EAT: _nodding,
    Action.WAVE: _swaying(0.02, 0.9),
    Action.DRIVE: _swaying(0.003, 2.2, lift=0.004),
    Action.SHAKE: _swaying(0.006, 8.0),
    Action.GROW: _growing,
}
"""What is not in it does not move by itself: nobody knows whether a thing at rest breathes."""


def bearing_at(beat: Beat, action: Action, voice: float = 0.0) -> Bearing:
    """Return how the subject stands. voice: how loud it speaks now, 0..1; a speaker nods with it."""
    acting = ACTS.get(action)
    if acting is None and not voice:
        return AT_REST
    begun = eased(min(1.0, beat.time_s / _BEGUN_S))
    own = acting(beat) if acting is not None else AT_REST
    return Bearing(
        sway=own.sway * begun,
        lift=own.lift * begun,
        stretch=own.stretch * begun,
        nod=(own.nod + 0.012 * voice) * begun,
    )


def voice_at(spoken: Sequence[Spoken], time_s: float) -> float:
    """Return how loud a line is said at a time, 0..1; 0 where nobody speaks."""
    for line in spoken:
        if line.start_s <= time_s < line.end_s and line.envelope:
            place = (time_s - line.start_s) * ENVELOPE_RATE_HZ
            return float(np.interp(place, np.arange(len(line.envelope)), line.envelope))
    return 0.0
