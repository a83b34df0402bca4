"""A bounded number of places of which nobody can have more than half, so that one caller's slow hosts stop no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Shares:
    """Places for work on behalf of owners; whoever finds none free waits for one, first come, first served."""

    def __init__(self, most: int) -> None:
        self._each = max(1, most // 2)
        self._free = asyncio.Semaphore(most)
        # An owner's share is kept while somebody has it or waits for it.
        self._free_of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def taken(self, owner: str) -> AsyncIterator[None]:
        """Have a place while the block lasts."""
        free_of_owner = self._free_of.setdefault(owner, asyncio.Semaphore(self._each))
        async with free_of_owner, self._free:
            yield
