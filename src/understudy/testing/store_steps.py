"""The steps that the suites of stores are made of: put tasks in, claim them, end them, list them."""

import asyncio
from datetime import datetime, timedelta

from understudy.core.callbacks import Callback, DeliveryState, Target, Try
from understudy.core.ports import TaskStore
from understudy.core.queueing import Admission, Lane
from understudy.core.task import Claim, Status, Task, TaskFilter, TaskPage
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, hold_of, sample_task, success_of

OWNER = "project-a"
LATER = NOW + timedelta(seconds=10)
TICK = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
TARGET = Target(url="https://caller.example/told?a=1", root="http://127.0.0.1:8000/ark")
EVER = datetime.min.replace(year=1970, tzinfo=NOW.tzinfo)


async def put(store: TaskStore, *tasks: Task) -> None:
    """Insert tasks with their holds."""
    await asyncio.gather(*(store.insert(task, hold_of(task)) for task in tasks))


async def claimed(store: TaskStore, now: datetime = NOW) -> Claim:
    """Claim a task that must be there, for a minute."""
    claim = await store.claim("worker-1", now, now + (LEASE_END - NOW))
    assert claim is not None
    return claim


async def read(store: TaskStore, task_id: str) -> Task:
    """Read a task that must be there."""
    task = await store.get(OWNER, task_id)
    assert task is not None
    return task


async def ended(store: TaskStore, number: int, status: Status) -> Task:
    """Bring a new task to an end state at `LATER`; no other task may be claimable."""
    task = sample_task(number, expires_at=LATER if status is Status.EXPIRED else EXPIRY)
    await put(store, task)
    if status is Status.CANCELLED:
        await store.withdraw(OWNER, task.id, LATER)
    elif status is Status.EXPIRED:
        await store.expire(LATER)
    else:
        claim = await claimed(store)
        await store.finish(claim, success_of(claim) if status is Status.SUCCEEDED else failure_of(claim), LATER)
    return await read(store, task.id)


async def page_of(store: TaskStore, owner: str = OWNER, **wanted: object) -> TaskPage:
    """List all of the owner's tasks, or what is wanted of them."""
    everything: dict[str, object] = {"page": 1, "page_size": 100, "created_after": EVER, "cancelled_after": EVER}
    return await store.list_tasks(owner, TaskFilter(**{**everything, **wanted}))  # type: ignore[arg-type]


async def listed(store: TaskStore, owner: str = OWNER, **wanted: object) -> list[int]:
    """List, and give the numbers of the tasks on the page, in order."""
    return [int(task.id[-5:]) for task in (await page_of(store, owner, **wanted)).tasks]


async def put_told(store: TaskStore, *tasks: Task, url: str = TARGET.url) -> None:
    """Insert tasks whose changes are told to an address."""
    admission = Admission(callback=Target(url=url, root=TARGET.root))
    await asyncio.gather(*(store.insert(task, hold_of(task), admission) for task in tasks))


async def turns(store: TaskStore, number: int, now: datetime = NOW, *, concurrency: int | None = None) -> list[str]:
    """Claim so many times at one moment, for a minute; give the keys of the lanes that had their turn."""
    claims = [await store.claim("worker-1", now, now + MINUTE, concurrency=concurrency) for _ in range(number)]
    return [claim.task.key_id for claim in claims if claim is not None]


async def lane_of(store: TaskStore, key_id: str) -> tuple[int, int]:
    """Return how many tasks of a key wait, and how many run."""
    found = [lane for lane in await store.lanes() if lane.key_id == key_id]
    assert len(found) <= 1
    lane = found[0] if found else Lane(key_id=key_id, engine="", queued=0, running=0)
    return lane.queued, lane.running


async def due(store: TaskStore, now: datetime, most: int = 1000, *, busy: tuple[str, ...] = ()) -> list[Callback]:
    """Take what is due, for a minute."""
    return list(await store.callbacks.take_due(now, now + MINUTE, most, busy))


async def deliver(store: TaskStore, now: datetime) -> list[Callback]:
    """Tell everything that is due at a moment, each successfully; give what was told, in order."""
    told: list[Callback] = []
    while some := await due(store, now):
        for callback in some:
            assert await settled(store, callback, DeliveryState.DELIVERED, now=now)
        told += some
    return told


async def settled(  # tidy: what a settlement says
    store: TaskStore, callback: Callback, state: DeliveryState, *, now: datetime = NOW, due_at: datetime | None = None
) -> bool:
    """Settle a try as one that was answered, or one that was not."""
    is_told = state is DeliveryState.DELIVERED
    tried = Try(at=now, took_s=0.25, status=204 if is_told else None, fault="" if is_told else "No answer came.")
    return await store.callbacks.settle(callback, tried, state=state, due_at=due_at)
