"""A road between a client and a server that can be slow, broken or closed: bytes in both directions, any protocol."""

import asyncio
import contextlib
from enum import StrEnum

CHUNK_BYTES = 65536


class Road(StrEnum):
    """How it is. slow: each piece waits. cut: new connections are reset, those there are are broken off.

    swallowed: pieces vanish, and nobody is told. short: a connection is broken off after its first pieces.
    """

    OPEN = "open"
    SLOW = "slow"
    CUT = "cut"
    SWALLOWED = "swallowed"
    SHORT = "short"


class Proxy:
    """Listens at a port of its own and passes everything on to another one."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._road = Road.OPEN
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def change(self, road: Road) -> None:
        """Be so from now on. What was swallowed is gone, so its connections are broken off once the road is open."""
        breaks = road is Road.CUT or self._road is Road.SWALLOWED
        self._road = road
        self._changed.set()
        self._changed = asyncio.Event()
        if breaks:
            self._break_off()

    async def close(self) -> None:
        self._server.close()
        self._break_off()
        await self._server.wait_closed()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _break_off(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._road is Road.CUT:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        ways = [asyncio.create_task(self._pass(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        self._under_way.update(ways)
        await asyncio.wait(ways)
        self._under_way.difference_update(ways)
        for each in both:
            each.transport.abort()
        self._writers -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK_BYTES):
                road = self._road
                if road is Road.SLOW:
                    await self._wait(0.3)
                elif road is Road.SWALLOWED:
                    continue
                elif road is Road.SHORT:
                    writer.write(piece[: len(piece) // 2])
                    await writer.drain()
                    writer.transport.abort()
                    return
                writer.write(piece)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    async def _wait(self, most_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._changed.wait()
