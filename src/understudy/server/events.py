"""Events of one task as they happen (Server-Sent Events): each change of status or progress, until it has ended.

An event's id follows from the task's state alone, so that a client can go on at any server where it stopped at another.
States are told and not steps: what came and went while nobody listened is not told again.
"""

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from understudy.core.errors import NotFound
from understudy.core.task import ENDED, Status, Task
from understudy.dialects.select import dialect_of_answer
from understudy.server.endpoint import Call, wire_task_id
from understudy.server.reply import Answer, EventReply, Reply
from understudy.server.tasks import links_of
from understudy.server.watch import Watches, hung_up, told
from understudy.service.outlook import UNKNOWN, Prospect
from understudy.service.watch import Watch

RETRY_MS = 2000
HEARTBEAT_S = 15.0
"""Proxies and mobile networks take a connection for dead on which nothing came for a minute or less."""

STREAM_S_MOST = 900.0
"""A client that vanished without a word holds its place no longer; all others come back and go on."""

OUTLOOK_EVERY_S = 5.0

_ATTEMPT, _WAITS_AGAIN, _ENDED, _DONE = 10_000, 5_000, 9_000, 1_000
"""Parts of an event's id: what an attempt is worth, then what comes after its progress, in thousandths."""


class EventRoutes:
    """The handler over what is watched."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches

    async def stream(self, call: Call) -> Answer:
        """Stream a task's events, in the words of whoever created it where they are understood at this path."""
        task_id = wire_task_id(call)
        task = await call.house.queries.get(call.owner, task_id)
        call.codec = call.house.codecs[dialect_of_answer(call.dialects, task.dialect)]
        last = _last_number(call, task)
        if task.status in ENDED and last == number_of(task):
            # The one answer after which a browser does not come back: it has seen the end.
            return Reply(204, b"", ())
        self._watches.waits.check(call.owner)
        is_whole = call.scope["method"] == "HEAD"
        events = None if is_whole else self._events(call, task_id, last)
        return EventReply(events=events, is_chunked=call.scope["http_version"] != "1.0")

    async def _events(self, call: Call, task_id: str, last: int) -> AsyncGenerator[bytes]:
        with self._watches.waits.one(call.owner):
            try:
                async with (
                    self._watches.watcher.watching(call.owner, task_id) as watch,
                    hung_up(call.receive, watch.end),
                ):
                    yield b"retry: %d\n\n" % RETRY_MS
                    async for event in self._told(call, watch, last):
                        yield event
            except NotFound as error:
                yield _event(b"gone", call.codec.encode_error(error.violation, call.request_id).body)

    async def _told(self, call: Call, watch: Watch, last: int) -> AsyncGenerator[bytes]:
        """Yield what is to be told, until the task has ended, the stream has lasted long enough, or waiting is over."""
        now_s = asyncio.get_running_loop().time
        until_s, beat_s, outlook_s = now_s() + STREAM_S_MOST, now_s() + HEARTBEAT_S, now_s()
        status: tuple[Status, int] | None = None
        shown = UNKNOWN
        while not watch.is_over and now_s() < until_s:
            task = watch.task
            number = number_of(task)
            if number > last:
                is_new, status = status != (task.status, task.attempt), (task.status, task.attempt)
                last, beat_s = number, now_s() + HEARTBEAT_S
                name = b"end" if task.status in ENDED else b"status" if is_new else b"progress"
                yield _event(name, call.codec.encode_task(task, links_of(call)), number)
            if task.status in ENDED:
                return
            if now_s() >= outlook_s:
                prospect, outlook_s = await self._watches.outlook.of(task), now_s() + OUTLOOK_EVERY_S
                if prospect != shown:
                    shown, beat_s = prospect, now_s() + HEARTBEAT_S
                    yield _outlook_event(prospect)
            if not await watch.stirred(min(beat_s, outlook_s, until_s) - now_s()) and now_s() >= beat_s:
                beat_s = now_s() + HEARTBEAT_S
                yield b": still here\n\n"


def number_of(task: Task) -> int:
    """Return the id of the event that tells a task's state: it grows with each that follows, at whichever server."""
    before = task.attempt * _ATTEMPT
    if task.status in ENDED:
        return before + _ENDED
    if task.status is Status.QUEUED:
        return before + _WAITS_AGAIN
    return before + int(min(max(task.progress, 0.0), 1.0) * _DONE)


def _last_number(call: Call, task: Task) -> int:
    """Return the id of the last event that the client has seen; -1 = none, or none that this task can have had."""
    given = call.headers.get(b"last-event-id", b"")
    if not given.isdigit() or len(given) > len(str(1 << 63)):
        return -1
    number = int(given)
    return number if number <= number_of(task) else -1


def _event(name: bytes, body: bytes, number: int | None = None) -> bytes:
    data = b"\ndata: ".join(body.splitlines())
    named = b"" if number is None else b"id: %d\n" % number
    return b"%bevent: %b\ndata: %b\n\n" % (named, name, data)


def _outlook_event(prospect: Prospect) -> bytes:
    """Tell a prospect; without an id, because it is no state to go on from."""
    known = {name: value for name, value in told(prospect).items() if value is not None}
    return _event(b"outlook", msgspec.json.encode(known))
