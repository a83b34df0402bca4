"""Names to addresses, off the event loop and beside every other thread of the server."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port -> all its addresses. Raises: OSError."""

NAMES_AT_ONCE = 32
"""A name whose servers do not answer holds a thread for half a minute: such names must not hold up the rest of the
server, which is why these threads are their own, nor each other, which is why they are many."""


class SystemResolver:
    """Asks the machine's own resolver: hosts file, search domains and all."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return every address of a host, also those this machine has no route to.

        Raises: OSError.
        """
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return tuple(str(address[0]) for *_, address in found)

    def close(self) -> None:
        """Let go of the threads, without waiting for names that are being asked for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class JoinedNames:
    """Asks for a name once at a time: who asks for it meanwhile waits for the same answer.

    A name whose servers are silent then holds one thread, however often somebody loses patience with it and asks again.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._asked: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """See `Resolve`. Who is cancelled ends nobody else's question.

        Raises: OSError.
        """
        name = (host, port)
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.ensure_future(self._ask(host, port))
            asked.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(asked)

    async def _ask(self, host: str, port: int) -> Sequence[str]:
        return await self._resolve(host, port)

    def _answered(self, name: tuple[str, int], done: asyncio.Future[Sequence[str]]) -> None:
        del self._asked[name]
        if not done.cancelled():
            # Read also where nobody waits any more: a fault that nobody reads is logged as a bug.
            done.exception()
