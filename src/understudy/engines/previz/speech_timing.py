"""When each spoken line sounds, and how strongly: what the sound tells the pictures.

The sound writes these values while it lays out the speech; the pictures move the speaking subject by them.
"""

from dataclasses import dataclass

ENVELOPE_RATE_HZ = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One line as it was really voiced.

    line: index into ``FilmPlan.lines``. start_s, end_s: seconds from the start of the film.
    envelope: loudness 0..1, ``ENVELOPE_RATE_HZ`` values per second, the first one at ``start_s``.
    """

    line: int
    start_s: float
    end_s: float
    envelope: tuple[float, ...]
