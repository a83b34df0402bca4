"""A bounded number of places, of which one owner never has all: who waits is served in turn."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from understudy.core.errors import RateLimited, Violation


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    owner: str
    granted: asyncio.Future[None]


class Places:
    """Places for work that costs memory, disk or other machines' time.

    One owner has half of them at most, rounded up, so that whoever stalls holds up the others never, and himself first.
    """

    def __init__(self, places: int, *, wait_s: float | None = None) -> None:
        """Make so many. wait_s: how long one is waited for; None = as long as whoever waits will."""
        self._free = places
        self._each = (places + 1) // 2
        self._wait_s = wait_s
        self._taken: Counter[str] = Counter()
        self._waiting: deque[_Waiter] = deque()

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises: RateLimited: none became free in time.
        """
        await self._take(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    async def _take(self, owner: str) -> None:
        if self._has_room(owner):
            self._grant(owner)
            return
        waiter = _Waiter(owner, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait_s):
                await waiter.granted
        except TimeoutError:
            self._leave(waiter)
            message = "The server is reading too many large requests at once. Send media as URLs, or try again later."
            raise RateLimited(Violation("ServerOverloaded", "body", message)) from None
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def _leave(self, waiter: _Waiter) -> None:
        """Take a waiter out; the place it was given in the same moment goes to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.granted.done() and not waiter.granted.cancelled():
            self._give_back(waiter.owner)

    def _has_room(self, owner: str) -> bool:
        return self._free > 0 and self._taken[owner] < self._each

    def _grant(self, owner: str) -> None:
        self._free -= 1
        self._taken[owner] += 1

    def _give_back(self, owner: str) -> None:
        self._free += 1
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        for waiter in list(self._waiting):
            if not self._free:
                return
            if self._has_room(waiter.owner) and not waiter.granted.done():
                self._waiting.remove(waiter)
                self._grant(waiter.owner)
                waiter.granted.set_result(None)
