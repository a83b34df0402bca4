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
