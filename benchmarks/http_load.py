"""A small HTTP/1.1 load generator: keep-alive connections, one request under way on each, latencies kept.

Run in a process of its own by `api.py`, for the server under test and for the bare route alike. It is written in
Python and shares the machine's cores with the server, so absolute figures are lower than what wrk would show; the
ratios compare like with like.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import msgspec
import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send. requests: whole requests, sent in turn, for ever. most: stop after so many; 0 = only by time."""

    host: str
    port: int
    requests: list[bytes]
    connections: int
    time_s: float
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came back. bodies: of the first answers, as text, when there were at most ``most``."""

    answered: int
    failed: int
    time_s: float
    p50_ms: float
    p99_ms: float
    first_failure: str
    bodies: list[str]


class _Round:
    """One run's shared state."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests: Iterator[bytes] = cycle(load.requests)
        self.latencies: list[float] = []
        self.bodies: list[str] = []
        self.failed = 0
        self.first_failure = ""
        self.sent = 0
        self.until = 0.0

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self.until or (self.load.most and self.sent >= self.load.most):
            return None
        self.sent += 1
        return next(self.requests)


class _Connection(asyncio.Protocol):
    """Sends, reads one answer by its Content-Length, sends again."""

    def __init__(self, shared: _Round) -> None:
        self.shared = shared
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.sent_at = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        request = self.shared.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            self.buffer = buffer
            return
        at = buffer.find(b"content-length: ")
        body_bytes = int(buffer[at + 16 : buffer.find(b"\r\n", at)])
        if len(buffer) < end + 4 + body_bytes:
            self.buffer = buffer
            return
        self.buffer = b""
        shared = self.shared
        shared.latencies.append(time.perf_counter() - self.sent_at)
        if not buffer.startswith(b"HTTP/1.1 200"):
            shared.failed += 1
            shared.first_failure = shared.first_failure or buffer[:400].decode("utf-8", "replace")
        if shared.load.most:
            shared.bodies.append(buffer[end + 4 :].decode())
        self._send()


async def run(load: Load) -> Measured:
    """Send the load and measure."""
    shared = _Round(load)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    shared.until = started + load.time_s
    connections = [
        (await loop.create_connection(lambda: _Connection(shared), load.host, load.port))[1]
        for _ in range(load.connections)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    spent = time.perf_counter() - started
    ordered = sorted(shared.latencies) or [0.0]
    return Measured(
        answered=len(shared.latencies),
        failed=shared.failed,
        time_s=spent,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        first_failure=shared.first_failure,
        bodies=shared.bodies,
    )


def main() -> None:
    """Read a `Load` as JSON from standard input, write a `Measured` to standard output."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    uvloop.install()
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(run(load))))


if __name__ == "__main__":
    main()
