"""The steps that the suites of stores are made of: put tasks in, claim them, end them, list them."""

import asyncio
from datetime import datetime, timedelta

from understudy.core.ports import TaskStore
from understudy.core.task import Claim, Status, Task, TaskFilter, TaskPage
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, hold_of, sample_task, success_of

OWNER = "project-a"
LATER = NOW + timedelta(seconds=10)
TICK = timedelta(microseconds=1)
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
