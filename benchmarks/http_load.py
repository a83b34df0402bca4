"""A small HTTP/1.1 load generator: keep-alive connections, one request under way on each, latencies kept.

Run in a process of its own by `api.py`, for the server under test and for the bare route alike. It is written in
Python, on bare sockets and epoll because asyncio would cost it more than the server spends, and it shares the
machine's cores with the server: absolute figures are lower than on two machines, the ratios compare like with like.
"""

import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import msgspec

READ_BYTES = 65536
WAIT_S = 10.0


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
    """What came back.

    bodies: of all answers, as text, when ``most`` was given. busy: the generator's own share of one processor; near 1,
    it measures itself.
    """

    answered: int
    failed: int
    time_s: float
    p50_ms: float
    p99_ms: float
    busy: float
    first_failure: str
    bodies: list[str]


@dataclass(slots=True)
class Tally:
    """What has come back so far."""

    latencies: list[float] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    failed: int = 0
    first_failure: str = ""


def is_whole(answer: bytes) -> bool:
    """Say whether an answer is complete, by its Content-Length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = answer.find(b"content-length: ", 0, end + 2)
    return len(answer) >= end + 4 + int(answer[at + 16 : answer.find(b"\r\n", at)])


def turns(load: Load, until: float) -> Iterator[bytes]:
    """Give one request after the other until the time or the number is reached."""
    for sent, request in enumerate(cycle(load.requests)):
        if time.perf_counter() >= until or (load.most and sent >= load.most):
            return
        yield request


def run(load: Load) -> Measured:
    """Send the load and measure."""
    started, started_cpu = time.perf_counter(), time.process_time()
    requests, tally, poll = turns(load, started + load.time_s), Tally(), select.epoll()
    connections: dict[int, socket.socket] = {}
    sent_at: dict[int, float] = {}
    parts: dict[int, bytes] = {}
    for _ in range(load.connections):
        connection = socket.create_connection((load.host, load.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = next(requests, None)
        if request is None:
            connection.close()
            break
        number = connection.fileno()
        connections[number] = connection
        poll.register(number, select.EPOLLIN)
        sent_at[number] = time.perf_counter()
        connection.sendall(request)
    while connections:
        ready = poll.poll(WAIT_S)
        if not ready:
            sys.exit(f"no answer for {WAIT_S} s")
        for number, _ in ready:
            connection = connections[number]
            received = connection.recv(READ_BYTES)
            answer = parts.pop(number, b"") + received
            if received and not is_whole(answer):
                parts[number] = answer
                continue
            note(answer, time.perf_counter() - sent_at[number], tally, keeps=bool(load.most))
            request = next(requests, None) if received else None
            if request is None:
                poll.unregister(number)
                connections.pop(number).close()
                continue
            sent_at[number] = time.perf_counter()
            connection.sendall(request)
    spent = time.perf_counter() - started
    return measured(tally, spent, (time.process_time() - started_cpu) / spent)


def note(answer: bytes, spent_s: float, tally: Tally, *, keeps: bool) -> None:
    """Count one answer."""
    tally.latencies.append(spent_s)
    if not answer.startswith(b"HTTP/1.1 200"):
        tally.failed += 1
        tally.first_failure = tally.first_failure or answer[:400].decode("utf-8", "replace") or "connection closed"
    elif keeps:
        tally.bodies.append(answer.partition(b"\r\n\r\n")[2].decode())


def measured(tally: Tally, spent_s: float, busy: float) -> Measured:
    """Sum a run up."""
    ordered = sorted(tally.latencies) or [0.0]
    return Measured(
        answered=len(tally.latencies),
        failed=tally.failed,
        time_s=spent_s,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        busy=busy,
        first_failure=tally.first_failure,
        bodies=tally.bodies,
    )


def main() -> None:
    """Read a `Load` as JSON from standard input, write a `Measured` to standard output."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(run(load)))


if __name__ == "__main__":
    main()
