"""What the machine lends: its clock and its randomness."""

import random
import secrets
import string
import time
from datetime import UTC, datetime, timedelta

SECOND_NS = 1_000_000_000
SUFFIX_CHARS = string.digits + string.ascii_lowercase
PAIRS = tuple(first + second for first in SUFFIX_CHARS for second in SUFFIX_CHARS)
SUFFIXES = len(SUFFIX_CHARS) ** 5
SEED_BITS = 31


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        return datetime.now(UTC)


class SteadyClock:
    """The machine's clock as it was when this was made, and what has passed since: it does not jump when time is set.

    For measuring what passes between two moments in one process, never for telling anybody the time.
    """

    def __init__(self) -> None:
        self._began_at = datetime.now(UTC)
        self._began_ns = time.monotonic_ns()

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        return self._began_at + timedelta(microseconds=(time.monotonic_ns() - self._began_ns) // 1000)


class SystemRandomness:
    """The operating system's randomness and, for ids, its clock."""

    def task_suffix(self) -> str:
        """Return five characters of a-z0-9 that sort by time within the second and last 16 nanoseconds each.

        Drawn, they would scatter the rows of one second over the store's whole index, several pages to write for each
        task. An id need not be secret: nobody reads a task without its owner's key.
        """
        part = time.time_ns() % SECOND_NS * SUFFIXES // SECOND_NS
        first, last = divmod(part, len(SUFFIX_CHARS))
        return PAIRS[first // len(PAIRS)] + PAIRS[first % len(PAIRS)] + SUFFIX_CHARS[last]

    def __init__(self) -> None:
        # A seed is shown to the caller, so it need not be secret: no system call for each.
        self._seeds = random.Random(secrets.randbits(128))  # noqa: S311

    def seed(self) -> int:
        """Return a seed, 0..2^31-1."""
        return self._seeds.getrandbits(SEED_BITS)
