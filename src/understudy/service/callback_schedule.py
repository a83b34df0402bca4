"""When a callback that was not taken is told again: soon at first, then, if the operator wishes, for days."""

import math
import zlib
from dataclasses import dataclass

from understudy.core.callbacks import Callback
from understudy.core.task import Status

FIRST_GAP_S = 1.0
GAP_GROWTH = 2.0
"""1, 2, 4 seconds: the vendor's gaps are not documented. A receiver that restarts is back in that time, and what waits
behind a change that nobody takes waits for seconds only."""

JITTER = 0.2
"""Each gap grows by up to a fifth: what failed together does not come back together."""

LATER_MOST = 50
"""Gaps of the longer schedule; far above any that is of use."""

GAP_MOST_S = 30 * 86_400.0
"""Far above how long films are kept."""

_INSISTENT = frozenset({Status.SUCCEEDED, Status.FAILED, Status.EXPIRED})
"""What callers act upon. The other changes are news: a later one makes them worthless, and must not wait for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """retries: how often a change is told again soon. later_s: the gaps after that, for a task's end alone."""

    retries: int
    later_s: tuple[float, ...] = ()

    def gap_s(self, callback: Callback) -> float | None:
        """Return how long after a failed try the next one is due, or None when this was the last.

        The same callback and try give the same gap.
        """
        soon_s = tuple(FIRST_GAP_S * GAP_GROWTH**number for number in range(self.retries))
        gaps_s = soon_s + self.later_s if callback.task.status in _INSISTENT else soon_s
        if callback.tries > len(gaps_s):
            return None
        share = zlib.crc32(f"{callback.id}/{callback.tries}".encode()) / 2**32
        return gaps_s[callback.tries - 1] * (1 + JITTER * share)


def later_gaps_s(said: str) -> tuple[float, ...]:
    """Read the setting of the longer schedule: seconds, with spaces or commas between them; empty = none.

    Raises: ValueError, with half a sentence for the operator.
    """
    parts = said.replace(",", " ").split()
    if len(parts) > LATER_MOST:
        raise ValueError(f"it has {len(parts)} gaps, at most {LATER_MOST} are read")
    gaps_s = []
    for part in parts:
        try:
            gap_s = float(part)
        except ValueError:
            raise ValueError(f"{part!r} is no number of seconds") from None
        if not (math.isfinite(gap_s) and 0 < gap_s <= GAP_MOST_S):
            raise ValueError(f"{part} s is not between 0 and {GAP_MOST_S:g} s")
        gaps_s.append(gap_s)
    return tuple(gaps_s)
