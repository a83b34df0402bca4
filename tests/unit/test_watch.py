"""Watching tasks: who waits is told of a change whatever the store tells, and one look serves all who wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from manual_clock import ManualClock
from understudy.catalog.load import load_catalogue
from understudy.core.errors import NotFound, Unavailable, Violation
from understudy.core.ports import Heard
from understudy.core.task import Status, Task
from understudy.dialects.ark import ARK
from understudy.service.query import Queries
from understudy.service.retention import Retention
from understudy.service.watch import Watcher
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore
from understudy.testing.samples import LEASE_END, NOW, sample_task, success_of
from understudy.testing.store_steps import OWNER, put

PATIENCE_S = 30.0
"""A wait that the test does not expect to last; were it ever so long, the test would end all the same."""

NEVER_S = 1000.0
TASK = sample_task(1)


class Store(MemoryTaskStore):
    """A store that tells only what the test tells, counts looks, and can be away or slow."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Heard] = []
        self.looks = 0
        self.is_away = False
        self.after_look: Callable[[], Awaitable[object]] | None = None

    def listen(self, heard: Heard) -> None:
        self.heard.append(heard)

    def tell(self, task_id: str | None) -> None:
        for heard in self.heard:
            heard(task_id)

    async def get(self, owner: str, task_id: str) -> Task | None:
        self.looks += 1
        if self.is_away:
            raise Unavailable(Violation("ServiceUnavailable", "", "away"))
        found = await super().get(owner, task_id)
        if self.after_look is not None:
            act, self.after_look = self.after_look, None
            await act()
        return found


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    found = Store()
    await put(found, TASK)
    yield found
    await found.close()


def queries_over(store: Store, folder: Path) -> Queries:
    profile = ARK.profile
    return Queries(
        catalogue=load_catalogue(),
        store=store,
        blobs=LocalBlobStore(folder),
        clock=ManualClock(),
        retention=Retention(
            record_retention_s=profile.record_retention_s, cancelled_retention_s=profile.cancelled_retention_s
        ),
    )


@pytest.fixture
async def watcher(store: Store, tmp_path: Path) -> AsyncIterator[Watcher]:
    """A watcher that looks by itself never, so that all it sees it was told."""
    made = Watcher(queries_over(store, tmp_path), look_every_s=NEVER_S)
    yield made
    made.close()


@pytest.fixture
async def looking(store: Store, tmp_path: Path) -> AsyncIterator[Watcher]:
    """A watcher that looks by itself all the time."""
    made = Watcher(queries_over(store, tmp_path), look_every_s=0.001, looks_per_s=100_000)
    yield made
    made.close()


async def claim(store: Store) -> object:
    return await store.claim("w", NOW, LEASE_END)


async def until(is_true: Callable[[], object]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


async def waiting(watcher: Watcher, seen: Status = Status.QUEUED, *, timeout_s: float = PATIENCE_S) -> Task:
    return await watcher.changed(OWNER, TASK.id, seen, timeout_s=timeout_s)


async def test_who_waits_is_answered_when_the_change_is_told(store: Store, watcher: Watcher) -> None:
    waiter = asyncio.create_task(waiting(watcher))
    await until(lambda: watcher.watched)
    await claim(store)
    store.tell(TASK.id)
    assert (await waiter).status is Status.RUNNING


async def test_a_change_that_is_not_told_is_seen_all_the_same(store: Store, looking: Watcher) -> None:
    waiter = asyncio.create_task(waiting(looking))
    await until(lambda: looking.watched)
    await claim(store)
    assert (await waiter).status is Status.RUNNING


async def test_where_some_changes_were_not_heard_all_are_looked_at(store: Store, watcher: Watcher) -> None:
    waiter = asyncio.create_task(waiting(watcher))
    await until(lambda: watcher.watched)
    await claim(store)
    store.tell(None)
    assert (await waiter).status is Status.RUNNING


async def test_a_task_that_is_already_otherwise_or_has_ended_is_answered_at_once(
    store: Store, watcher: Watcher
) -> None:
    assert (await waiting(watcher, Status.RUNNING)).status is Status.QUEUED
    await store.withdraw(OWNER, TASK.id, NOW)
    assert (await waiting(watcher, Status.CANCELLED)).status is Status.CANCELLED


async def test_when_the_time_is_over_the_task_is_answered_as_it_is(watcher: Watcher) -> None:
    assert (await waiting(watcher, timeout_s=0)).status is Status.QUEUED
    assert (await waiting(watcher, timeout_s=0.001)).status is Status.QUEUED


async def test_a_change_between_the_first_look_and_the_waiting_is_seen(store: Store, watcher: Watcher) -> None:
    """The store told of it before anybody watched."""
    store.after_look = lambda: claim(store)
    assert (await waiting(watcher)).status is Status.RUNNING


async def test_a_change_while_it_is_looked_at_is_looked_at_again(store: Store, watcher: Watcher) -> None:
    waiter = asyncio.create_task(waiting(watcher))
    await until(lambda: watcher.watched and store.looks >= 2)

    async def change_and_tell() -> None:
        await claim(store)
        store.tell(TASK.id)
        await asyncio.sleep(0)

    store.after_look = change_and_tell
    store.tell(TASK.id)
    assert (await waiter).status is Status.RUNNING


async def test_five_hundred_who_wait_for_one_task_are_served_by_one_look(store: Store, watcher: Watcher) -> None:
    waiters = [asyncio.create_task(waiting(watcher)) for _ in range(500)]
    await until(lambda: store.looks >= 500 and watcher.watched)
    await until(lambda: len(watcher._sights[TASK.id].watches) == 500)
    before = store.looks
    await claim(store)
    store.tell(TASK.id)
    found = await asyncio.gather(*waiters)
    assert {task.status for task in found} == {Status.RUNNING}
    assert store.looks - before == 1


async def test_waiting_costs_no_look_while_nothing_happens(store: Store, watcher: Watcher) -> None:
    waiters = [asyncio.create_task(waiting(watcher)) for _ in range(100)]
    await until(lambda: watcher.watched and len(watcher._sights[TASK.id].watches) == 100)
    before = store.looks
    for number in range(1000):
        store.tell(f"another-{number}")
    for _ in range(100):
        await asyncio.sleep(0)
    assert store.looks == before
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    assert watcher.watched == 0


async def test_progress_is_seen_and_wakes_those_who_want_it(store: Store, looking: Watcher) -> None:
    claimed = await store.claim("w", NOW, LEASE_END)
    assert claimed is not None
    async with looking.watching(OWNER, TASK.id) as watch:
        await store.heartbeat(claimed, 0.25, LEASE_END)
        while watch.task.progress < 0.25:
            assert await watch.stirred(PATIENCE_S)
        assert watch.task.progress == 0.25


async def test_another_owners_task_is_not_found(store: Store, watcher: Watcher) -> None:
    with pytest.raises(NotFound):
        await watcher.changed("another", TASK.id, Status.QUEUED, timeout_s=PATIENCE_S)
    assert watcher.watched == 0


async def test_a_task_that_is_removed_ends_the_waiting(store: Store, looking: Watcher) -> None:
    claimed = await store.claim("w", NOW, LEASE_END)
    assert claimed is not None
    async with looking.watching(OWNER, TASK.id) as watch:
        await store.finish(claimed, success_of(claimed), NOW)
        await store.withdraw(OWNER, TASK.id, NOW)
        assert await watch.stirred(PATIENCE_S)
        with pytest.raises(NotFound):
            await watch.left(Status.RUNNING, PATIENCE_S)


async def test_a_store_that_is_away_for_a_while_keeps_nobody_from_the_news(store: Store, looking: Watcher) -> None:
    waiter = asyncio.create_task(waiting(looking))
    await until(lambda: looking.watched)
    store.is_away = True
    before = store.looks
    await until(lambda: store.looks > before + 3)
    store.is_away = False
    await claim(store)
    assert (await waiter).status is Status.RUNNING


async def test_a_bug_in_one_look_does_not_end_the_looks(store: Store, looking: Watcher) -> None:
    waiter = asyncio.create_task(waiting(looking))
    await until(lambda: looking.watched)

    async def fail() -> None:
        raise RuntimeError("a bug")

    store.after_look = fail
    await until(lambda: store.after_look is None)
    await claim(store)
    assert (await waiter).status is Status.RUNNING


async def test_closing_ends_all_waiting_and_what_comes_later_does_not_wait(store: Store, watcher: Watcher) -> None:
    waiters = [asyncio.create_task(waiting(watcher, timeout_s=NEVER_S)) for _ in range(3)]
    await until(lambda: watcher.watched and len(watcher._sights[TASK.id].watches) == 3)
    async with asyncio.timeout(PATIENCE_S):
        watcher.close()
        assert {task.status for task in await asyncio.gather(*waiters)} == {Status.QUEUED}
        assert (await waiting(watcher, timeout_s=NEVER_S)).status is Status.QUEUED


async def test_nothing_is_looked_at_when_nobody_waits_any_more(store: Store, looking: Watcher) -> None:
    await waiting(looking, timeout_s=0.01)
    rounds = looking._rounds
    assert rounds is not None
    async with asyncio.timeout(PATIENCE_S):
        await rounds
    assert looking.watched == 0


async def test_two_watchers_over_one_store_both_hear_of_a_change(
    store: Store, watcher: Watcher, tmp_path: Path
) -> None:
    other = Watcher(queries_over(store, tmp_path), look_every_s=NEVER_S)
    waiters = [asyncio.create_task(waiting(each)) for each in (watcher, other)]
    await until(lambda: watcher.watched and other.watched)
    await claim(store)
    store.tell(TASK.id)
    assert {task.status for task in await asyncio.gather(*waiters)} == {Status.RUNNING}
    other.close()


async def test_looks_are_spread_so_that_thousands_of_watched_tasks_cost_no_more_than_hundreds(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    real_sleep = asyncio.sleep

    async def noted(pause_s: float) -> None:
        paused.append(pause_s)
        await real_sleep(0)

    monkeypatch.setattr("understudy.service.watch.asyncio.sleep", noted)
    tasks = [sample_task(number) for number in range(2, 102)]
    await put(store, *tasks)
    watcher = Watcher(queries_over(store, tmp_path), look_every_s=0.001, looks_per_s=200)
    waiters = [
        asyncio.create_task(watcher.changed(OWNER, each.id, Status.QUEUED, timeout_s=PATIENCE_S)) for each in tasks
    ]
    await until(lambda: watcher.watched == 100)
    before = store.looks
    await until(lambda: store.looks >= before + 100 and len(paused) >= 5)
    assert paused.count(0.1) >= 5, "twenty looks are followed by a tenth of a second"
    watcher.close()
    assert {task.status for task in await asyncio.gather(*waiters)} == {Status.QUEUED}
