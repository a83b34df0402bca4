"""Request ids: one per answer, in Ark's look, so that a message can be found again in the log."""

from itertools import count

from understudy.core.ports import Clock


class RequestIds:
    """Makes ids: "02", epoch milliseconds (13 digits), the process's nonce, and a counter.

    Unique, not secret. nonce: lower-case hex, made anew at each start.
    """

    def __init__(self, clock: Clock, nonce: str) -> None:
        self._clock = clock
        self._nonce = nonce
        self._count = count(1)

    def __call__(self) -> str:
        """Return a fresh id."""
        return f"02{int(self._clock.now().timestamp() * 1000):013d}{self._nonce}{next(self._count):08x}"
