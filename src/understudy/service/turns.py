"""Turns at work that is short: one owner may have all of them, until somebody else comes.

`places` is for work that may stall, of which half is kept free for others. Here nothing stalls for long, so that a lone
owner need not wait for places that nobody wants, and others wait for no more than what is under way.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    owner: str
    granted: asyncio.Future[None]


class Turns:
    """So many turns at a time. The owner with the fewest goes first, and of equals who had one longest ago."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._taken: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []
        self._granted = 0
        # Of owners who have a turn or wait for one; who comes anew had none before.
        self._granted_at: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """Have a turn while the block runs; it is waited for as long as whoever waits will."""
        if self._free:
            self._grant(owner)
        else:
            await self._wait(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    async def _wait(self, owner: str) -> None:
        waiter = _Waiter(owner, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self._waiting.remove(waiter)
                self._forget(owner)
            else:
                # It was given a turn in the same moment.
                self._give_back(owner)
            raise

    def _grant(self, owner: str) -> None:
        self._free -= 1
        self._taken[owner] += 1
        self._granted += 1
        self._granted_at[owner] = self._granted

    def _give_back(self, owner: str) -> None:
        self._free += 1
        self._taken[owner] -= 1
        # Who was cancelled a moment ago has not left yet. The first of equals is who came first.
        waiting = [each for each in self._waiting if not each.granted.done()]
        if waiting:
            following = min(waiting, key=lambda each: (self._taken[each.owner], self._granted_at.get(each.owner, 0)))
            self._waiting.remove(following)
            self._grant(following.owner)
            following.granted.set_result(None)
        self._forget(owner)

    def _forget(self, owner: str) -> None:
        if not self._taken[owner] and all(each.owner != owner for each in self._waiting):
            del self._taken[owner]
            self._granted_at.pop(owner, None)
