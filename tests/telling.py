"""Steps of tests that tell callers of changes: a sender over a store, names, and tasks whose changes are told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from manual_clock import ManualClock
from media_host import Asked, Connection, MediaHost, Reply, media_host
from running_server import SECRET
from understudy.core.callbacks import Callback, Delivery, Target
from understudy.core.ports import TaskStore
from understudy.core.queueing import Admission
from understudy.core.task import Claim, Task
from understudy.net.guard import Guard
from understudy.net.http import HttpClient
from understudy.net.resolve import SystemResolver
from understudy.net.webhooks import CallbackKeys, WebhookCourier, callback_refusal
from understudy.server.callbacks import CallbackBodies
from understudy.server.house import House
from understudy.service.callback_log import CallbackLog
from understudy.service.callback_schedule import Schedule
from understudy.service.callbacks import CallbackSender, Outbox, Pace
from understudy.storage.memory import MemoryTaskStore
from understudy.testing.samples import hold_of, sample_task, success_of

OWNER = sample_task().owner
GUARD = Guard.reading("127.0.0.0/8", setting="callback_networks")
KEYS = CallbackKeys(b"a secret of senders")
SERVER_KEYS = CallbackKeys(SECRET)
PATIENCE_S = 30.0
PACE = Pace(
    schedule=Schedule(retries=3, later_s=(300.0, 1800.0)),
    post_s=PATIENCE_S,
    at_once=8,
    poll_interval_s=3600.0,
    drain_s=PATIENCE_S,
)


def status_of(callback: Callback) -> bytes:
    """A body as simple as can be."""
    return f'{{"id":"{callback.task.id}","status":"{callback.task.status}"}}'.encode()


@dataclass
class Names:
    """A resolver of our own: each name's answers in turn, the last one from then on."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        answers = self.answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Telling:
    """A store, a clock, a sender. Its posts have patience seconds."""

    def __init__(
        self,
        *,
        store: TaskStore | None = None,
        clock: ManualClock | None = None,
        pace: Pace = PACE,
        allowed: str = "127.0.0.0/8",
        names: Names | None = None,
        encode: Callable[[Callback], bytes] = status_of,
        keys: CallbackKeys = KEYS,
    ) -> None:
        self.store = store or MemoryTaskStore()
        # The signature's own library looks at the machine's clock.
        self.clock = clock or ManualClock(datetime.now(UTC).replace(microsecond=0))
        self.client = HttpClient(Guard.reading(allowed, setting="callback_networks"), names or Names())
        courier = WebhookCourier(client=self.client, keys=keys, timeout_s=pace.post_s)
        outbox = Outbox(store=self.store.callbacks, encode=encode, courier=courier, clock=self.clock)
        self.sender = CallbackSender(outbox, pace)

    async def put(self, url: str, number: int = 1, **changes: object) -> Task:
        """Store a task whose changes are told to an address."""
        now = self.clock.now()
        task = replace(sample_task(number, **changes), created_at=now, updated_at=now)
        task = replace(task, expires_at=now.replace(year=now.year + 1))
        admission = Admission(callback=Target(url=url, root="http://here.example"))
        await self.store.insert(task, hold_of(task), admission)
        return task

    async def claim(self) -> Claim:
        now = self.clock.now()
        claim = await self.store.claim("worker", now, now.replace(year=now.year + 1))
        assert claim is not None
        return claim

    async def succeed(self) -> None:
        """Let the next task run to its end."""
        claim = await self.claim()
        assert await self.store.finish(claim, success_of(claim), self.clock.now())

    async def log(self, number: int = 1) -> list[Delivery]:
        """Return the log of a task, which is not empty."""
        found = await self.store.callbacks.deliveries(OWNER, sample_task(number).id)
        assert found is not None
        return list(found)

    async def close(self) -> None:
        await self.sender.close()
        await self.client.close()


def gated(gate: Callable[[], bool], then: Reply) -> Reply:
    """Answer once the gate is open, or the host is over."""

    def reply(asked: Asked, connection: Connection) -> None:
        while not gate() and connection.wait(0.005):
            pass
        then(asked, connection)

    return reply


async def until(is_so: Callable[[], bool] | Callable[[], Awaitable[bool]], timeout_s: float = 20.0) -> None:
    """Wait until something is so; a test that waits in vain fails."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = is_so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.005)


@contextmanager
def hosts(*addresses: str) -> Iterator[list[MediaHost]]:
    """Serve at several loopback addresses."""
    if not addresses:
        yield []
        return
    with media_host(addresses[0]) as first, hosts(*addresses[1:]) as rest:
        yield [first, *rest]


def with_callbacks(house: House, senders: list[tuple[CallbackSender, HttpClient]]) -> House:
    """Put into a house what tells of changes, as bootstrap does, but with rounds that a test goes."""
    client = HttpClient(GUARD, SystemResolver())
    bodies = CallbackBodies(
        codecs=house.codecs, links=house.links, clock=house.clock, retention=house.queries.retention
    )
    store = house.queries.store.callbacks
    courier = WebhookCourier(client=client, keys=SERVER_KEYS, timeout_s=PACE.post_s)
    sender = CallbackSender(Outbox(store=store, encode=bodies.encode, courier=courier, clock=house.clock), PACE)
    senders.append((sender, client))
    log = CallbackLog(
        store=store, queries=house.queries, clock=house.clock, wake=sender.wake, secret=SERVER_KEYS.secret
    )
    judge = replace(house.submitter.examiner.judge, callback_refusal=partial(callback_refusal, guard=GUARD))
    examiner = replace(house.submitter.examiner, judge=judge)
    return replace(house, callbacks=log, submitter=replace(house.submitter, examiner=examiner))
