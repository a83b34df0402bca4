"""A clock that never goes back in one process, for what waits until a moment that was written down before."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from understudy.core.ports import Clock


class OnwardClock:
    """The clock it is made of, as long as that goes on; where time was set back, it goes on from what was reached.

    What is due at a moment that an earlier look at the clock gave is due soon after, whatever the clock does meanwhile.
    steady: seconds that nobody can set.
    """

    def __init__(self, clock: Clock, *, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steady = steady
        self._reached = clock.now()
        self._reached_s = steady()

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        now, steady_s = self._clock.now(), self._steady()
        if now < self._reached:
            now = self._reached + timedelta(seconds=steady_s - self._reached_s)
        self._reached, self._reached_s = now, steady_s
        return now
