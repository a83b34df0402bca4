"""An open-loop HTTP/1.1 load generator: requests leave at their times, whether or not earlier ones were answered.

A time counts from the moment a request was due, so a server that stalls is charged for all that waited meanwhile.
Several streams run at once, each at its rate; rate 0 is a closed loop of a stream's connections, as in `http_load`.
Each "@@@@@@@@" in a request becomes a number of its own, for idempotency keys. Reads a `Plan` as JSON from standard
input, writes a list of `Seen`, one per stream.
"""

import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field

import msgspec

from http_load import READ_BYTES, is_whole

PLACE = b"@@@@@@@@"
WAITING_MOST = 2000
"""Requests of a stream that may wait for a connection; more are dropped and counted."""
ANSWER_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Requests of one kind. requests: whole ones, in turn. rate_per_s: 0 = as fast as the connections are answered.

    connections: at most so many. most: stop after so many; 0 = only by time. keeps: return the bodies of answers.
    """

    name: str
    requests: list[bytes]
    connections: int
    rate_per_s: float = 0.0
    most: int = 0
    keeps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send, and where. first_number: of the placeholders; runs that follow each other go on from it."""

    host: str
    port: int
    streams: list[Stream]
    time_s: float
    first_number: int = 0


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came back of one stream. late_p99_ms: how late the generator itself was. dropped: never sent."""

    name: str
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    time_s: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    late_p99_ms: float = 0.0
    busy: float = 0.0
    first_failure: str = ""
    bodies: list[str] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Requests answered per second."""
        return self.answered / self.time_s


@dataclass(slots=True, eq=False)
class _Flow:
    """A stream under way."""

    stream: Stream
    seen: Seen
    idle: list[socket.socket] = field(default_factory=list)
    opened: int = 0
    sent: int = 0
    due: deque[float] = field(default_factory=deque)
    scheduled: int = 0
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Open:
    """A connection. since: when what it now waits for was due."""

    flow: _Flow
    since: float = 0.0
    part: bytes = b""


class _Run:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.number = plan.first_number
        self.flows = [_Flow(stream, Seen(name=stream.name)) for stream in plan.streams]
        self.epoll = select.epoll()
        self.connections: dict[int, tuple[socket.socket, _Open]] = {}
        self.under_way = 0

    def send(self, flow: _Flow, due: float, now: float) -> None:
        stream = flow.stream
        if flow.idle:
            connection = flow.idle.pop()
        else:
            connection = socket.create_connection((self.plan.host, self.plan.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[connection.fileno()] = (connection, _Open(flow))
            self.epoll.register(connection.fileno(), select.EPOLLIN)
            flow.opened += 1
        request = stream.requests[flow.sent % len(stream.requests)]
        if PLACE in request:
            request = request.replace(PLACE, b"%08d" % self.number)
            self.number += 1
        self.connections[connection.fileno()][1].since = due
        flow.sent += 1
        flow.lateness.append(now - due)
        self.under_way += 1
        connection.sendall(request)

    def due_now(self, started: float, now: float) -> float:
        """Send what is due; return when the next is."""
        following = started + self.plan.time_s
        is_over = now >= started + self.plan.time_s
        for flow in self.flows:
            stream = flow.stream
            is_done = is_over or (stream.most and flow.sent >= stream.most)
            if stream.rate_per_s:
                while not is_done and started + flow.scheduled / stream.rate_per_s <= now:
                    flow.due.append(started + flow.scheduled / stream.rate_per_s)
                    flow.scheduled += 1
                    is_done = bool(stream.most) and flow.scheduled >= stream.most
                while flow.due and (flow.idle or flow.opened < stream.connections):
                    self.send(flow, flow.due.popleft(), now)
                while len(flow.due) > WAITING_MOST:
                    flow.due.popleft()
                    flow.seen.dropped += 1
                if not is_over:
                    following = min(following, started + flow.scheduled / stream.rate_per_s)
            else:
                while not is_done and (flow.idle or flow.opened < stream.connections):
                    self.send(flow, now, now)
                    is_done = bool(stream.most) and flow.sent >= stream.most
        return following

    def receive(self, number: int) -> None:
        connection, state = self.connections[number]
        received = connection.recv(READ_BYTES)
        answer = state.part + received
        if received and not is_whole(answer):
            state.part = answer
            return
        state.part = b""
        flow, seen = state.flow, state.flow.seen
        self.under_way -= 1
        flow.latencies.append(time.perf_counter() - state.since)
        if not answer.startswith(b"HTTP/1.1 200"):
            seen.failed += 1
            seen.first_failure = seen.first_failure or answer[:600].decode("utf-8", "replace") or "connection closed"
        elif flow.stream.keeps:
            seen.bodies.append(answer.partition(b"\r\n\r\n")[2].decode())
        if received and b"\r\nconnection: close\r\n" not in answer[:2000].lower():
            flow.idle.append(connection)
            return
        self.epoll.unregister(number)
        del self.connections[number]
        connection.close()
        flow.opened -= 1

    def run(self) -> list[Seen]:
        started, started_cpu = time.perf_counter(), time.process_time()
        last_heard = started
        while True:
            now = time.perf_counter()
            following = self.due_now(started, now)
            is_sending = now < started + self.plan.time_s and any(
                not flow.stream.most or flow.sent < flow.stream.most for flow in self.flows
            )
            if not is_sending and not self.under_way and not any(flow.due for flow in self.flows):
                break
            if now - last_heard > ANSWER_S:
                sys.exit(f"no answer for {ANSWER_S} s")
            # epoll waits whole milliseconds; select waits microseconds.
            wait = max(0.0, min(following - now, 1.0)) if is_sending else 1.0
            if not select.select([self.epoll], [], [], wait)[0]:
                continue
            last_heard = time.perf_counter()
            for number, _ in self.epoll.poll(0):
                self.receive(number)
        spent = time.perf_counter() - started
        busy = (time.process_time() - started_cpu) / spent
        return [_summed(flow, spent, busy) for flow in self.flows]


def _summed(flow: _Flow, spent_s: float, busy: float) -> Seen:
    ordered, late = sorted(flow.latencies) or [0.0], sorted(flow.lateness) or [0.0]

    def at(values: list[float], part: float) -> float:
        return values[min(len(values) - 1, int(len(values) * part))] * 1000

    seen = flow.seen
    seen.answered, seen.time_s, seen.busy = len(flow.latencies), spent_s, busy
    seen.p50_ms, seen.p95_ms, seen.p99_ms, seen.max_ms = (at(ordered, part) for part in (0.5, 0.95, 0.99, 1.0))
    seen.late_p99_ms = at(late, 0.99)
    return seen


def main() -> None:
    """Run one plan."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(_Run(plan).run()))


if __name__ == "__main__":
    main()
