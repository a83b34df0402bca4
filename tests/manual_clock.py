"""A clock that tests move by hand, and a randomness that repeats what it is told."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)


class TestRandomness:
    """Gives the suffixes it was given, then counted ones; every seed is 7."""

    __test__ = False

    def __init__(self, suffixes: Iterable[str] = ()) -> None:
        self._suffixes: Iterator[str] = iter([*suffixes, *(f"{number:05d}" for number in range(100_000))])

    def task_suffix(self) -> str:
        return next(self._suffixes)

    def seed(self) -> int:
        return 7
