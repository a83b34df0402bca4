"""The reaper: late tasks expire, old records go with all their files, and a bad round is not the last."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest

from dispatching import PATIENCE_S, UNAVAILABLE, TroubledStore, statuses
from manual_clock import ManualClock
from understudy.core.task import EntryKind, Status, Task
from understudy.service.reaper import Reaper, Retention
from understudy.storage.blobs import LocalBlobStore
from understudy.testing.samples import failure_of, hold_of, sample_task, success_of

DAY_S = 86400.0


class Reaped:
    """A reaper with what it works on."""

    def __init__(self, tmp_path: Path, purges_per_round: int, blobs: LocalBlobStore | None = None) -> None:
        self.store = TroubledStore()
        self.blobs = blobs or LocalBlobStore(tmp_path / "blobs")
        self.clock = ManualClock(sample_task().created_at)
        self.told: list[Collection[str]] = []
        self.tmp_path = tmp_path
        self.reaper = Reaper(
            store=self.store,
            blobs=self.blobs,
            clock=self.clock,
            retention=Retention(
                record_retention_s=7 * DAY_S,
                cancelled_retention_s=DAY_S,
                interval_s=0.001,
                purges_per_round=purges_per_round,
            ),
            on_expired=self.told.append,
        )

    async def submit(self, number: int = 0) -> Task:
        task = sample_task(number)
        await self.store.insert(task, hold_of(task))
        return task

    async def store_blob(self, key: str) -> None:
        (self.tmp_path / "file").write_bytes(b"bytes")
        await self.blobs.put(self.tmp_path / "file", key)


@pytest.fixture
def reaped(tmp_path: Path) -> Reaped:
    return Reaped(tmp_path, purges_per_round=3)


async def test_a_late_task_expires_and_the_dispatcher_is_told(reaped: Reaped):
    task = await reaped.submit()
    await reaped.reaper.round()
    assert reaped.told == []
    reaped.clock.advance(days=2)
    await reaped.reaper.round()
    assert reaped.told == [{task.id}]
    found = await reaped.store.get(task.owner, task.id)
    assert found is not None
    assert found.status is Status.EXPIRED
    assert [entry.kind for entry in await reaped.store.ledger(task.id)] == [EntryKind.HOLD, EntryKind.VOIDED]


async def test_an_old_record_goes_with_the_files_of_every_attempt(reaped: Reaped):
    task = await reaped.submit()
    for _ in range(2):
        claim = await reaped.store.claim("worker", reaped.clock.now(), reaped.clock.now())
        assert claim is not None
    await reaped.store.finish(claim, success_of(claim), reaped.clock.now())
    for key in (f"{task.id}-1/video.mp4", f"{task.id}-2/video.mp4", f"{task.id}-2/last_frame.png"):
        await reaped.store_blob(key)
    reaped.clock.advance(days=7)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is not None
    reaped.clock.advance(seconds=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is None
    assert list((reaped.tmp_path / "blobs").iterdir()) == []


async def test_a_cancelled_record_goes_earlier(reaped: Reaped):
    task = await reaped.submit()
    reaped.clock.advance(hours=1)
    await reaped.store.withdraw(task.owner, task.id, reaped.clock.now())
    reaped.clock.advance(days=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is not None
    reaped.clock.advance(seconds=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is None


async def test_one_round_removes_a_bounded_number_of_records(reaped: Reaped, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("understudy.storage.memory.PURGE_MOST", 1)
    for number in range(5):
        task = await reaped.submit(number)
        claim = await reaped.store.claim("worker", task.created_at, task.expires_at)
        assert claim is not None
        await reaped.store.finish(claim, failure_of(claim), task.created_at)
    reaped.clock.advance(days=8)
    await reaped.reaper.round()
    assert reaped.store.called["purge"].qsize() == 3
    assert len(await statuses(reaped.store, task)) == 2


async def test_a_round_that_fails_is_not_the_last(reaped: Reaped):
    task = await reaped.submit()
    reaped.clock.advance(days=2)
    reaped.store.failing["expire"] = 2
    await reaped.reaper.start()
    assert await reaped.store.answered("expire") is UNAVAILABLE
    assert await reaped.store.answered("expire") is UNAVAILABLE
    assert await reaped.store.answered("expire") == (task.id,)
    await reaped.reaper.close()


class SlowBlobStore(LocalBlobStore):
    """Deletes when the test lets it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_asked = asyncio.Event()
        self.may_delete = asyncio.Event()

    async def delete(self, key: str) -> None:
        self.is_asked.set()
        await self.may_delete.wait()
        await super().delete(key)


async def test_closing_does_not_leave_the_files_of_removed_records_behind(tmp_path: Path):
    blobs = SlowBlobStore(tmp_path / "blobs")
    reaped = Reaped(tmp_path, purges_per_round=3, blobs=blobs)
    for number in (1, 2):
        task = await reaped.submit(number)
        claim = await reaped.store.claim("worker", task.created_at, task.expires_at)
        assert claim is not None
        await reaped.store.finish(claim, success_of(claim), task.created_at)
        await reaped.store_blob(f"{task.id}-1/video.mp4")
    reaped.clock.advance(days=8)
    await reaped.reaper.start()
    await asyncio.wait_for(blobs.is_asked.wait(), PATIENCE_S)
    closing = asyncio.create_task(reaped.reaper.close())
    await asyncio.sleep(0)
    blobs.may_delete.set()
    await asyncio.wait_for(closing, PATIENCE_S)
    assert list((tmp_path / "blobs").iterdir()) == []
