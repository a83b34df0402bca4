"""When each spoken line sounds, and how strongly: what the sound tells the pictures.

The sound writes these values while it lays out the speech; the pictures move the speaking subject by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from understudy.engines.previz.plan import Shot

ENVELOPE_RATE_HZ = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One line as it was really voiced.

    line: index into ``FilmPlan.lines``; -1 for speech that was given as audio. start_s, end_s: seconds from the start
    of the film. envelope: loudness 0..1, ``ENVELOPE_RATE_HZ`` values per second, the first one at ``start_s``.
    shot, speaker: who says it, as of `Line`.
    """

    line: int
    start_s: float
    end_s: float
    envelope: tuple[float, ...]
    shot: int = 0
    speaker: int | None = None


def heard_in(shots: Sequence[Shot], index: int, spoken: Sequence[Spoken]) -> tuple[Spoken, ...]:
    """Return what is said in one shot, with times from the start of that shot."""
    start_s = shots[index].start_s
    return tuple(
        replace(line, start_s=line.start_s - start_s, end_s=line.end_s - start_s)
        for line in spoken
        if line.shot == index
    )
