"""Media that are brought, used and removed all at once: no task names bytes that are gone, and none are left over."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from manual_clock import ManualClock
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Unavailable
from understudy.core.media import Origin
from understudy.core.task import Status
from understudy.service import shelf as shelving
from understudy.service.reaper import Reaped, Reaper, Rounds
from understudy.service.retention import Retention
from understudy.service.shelf import Shelf
from understudy.service.turns import Turns
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.media_stores import sample_facts
from understudy.testing.samples import EXPIRY, failure_of, hold_of, sample_request, sample_task

LANES = 6
TASKS_PER_LANE = 25
FILES = 4


class SlowProber:
    """Measures everything as the same image, and lets others go first."""

    async def probe(self, path, modality):
        await asyncio.sleep(0)
        return sample_facts(modality=modality)


class Yard:
    """Stores, a shelf whose reservations end soon, and a reaper that goes round and round."""

    def __init__(self, folder, store):
        self.folder = folder
        self.store = store
        self.blobs = LocalBlobStore(folder / "blobs")
        self.clock = ManualClock(sample_task().created_at)
        self.shelf = Shelf(media=store.media, blobs=self.blobs, prober=SlowProber(), clock=self.clock, turns=Turns(9))
        self.reaper = Reaper(
            Reaped(store=store, media=store.media, blobs=self.blobs),
            clock=self.clock,
            retention=Retention(record_retention_s=0, cancelled_retention_s=0),
            rounds=Rounds(interval_s=1, batches=3),
            on_expired=lambda _: None,
        )
        self.stored = 0
        self.refused = 0

    async def bring(self, number, which):
        """Shelve a file and store a task with it; its bytes are there then, as long as the task is."""
        path = self.folder / f"file-{number}"
        path.write_bytes(b"%d" % which)
        try:
            medium = await self.shelf.keep(await self.shelf.measure(path, Modality.IMAGE, owner="o"), Origin.INLINE)
            await asyncio.sleep(0)
            item = ContentItem(modality=Modality.IMAGE, value="data:image/png", medium=medium)
            task = sample_task(number, request=sample_request(content=(item,)))
            await self.store.insert(task, hold_of(task))
        except Unavailable:
            self.refused += 1
            return
        self.stored += 1
        for _ in range(3):
            is_there = await self.blobs.stat(medium.key) is not None
            # Another lane may have withdrawn the task by now; looked at in this order, that is no excuse for more.
            assert is_there or await self.store.get(task.owner, task.id) is None
            await asyncio.sleep(0)

    async def reap(self):
        while True:
            await self.reaper.round()
            self.clock.advance(seconds=1)
            await asyncio.sleep(0)

    def blob_names(self):
        return {path.stem for path in (self.folder / "blobs").rglob("*") if path.is_file()}

    async def end_all(self):
        """Fail every task and withdraw its record."""
        while claim := await self.store.claim("worker", self.clock.now(), EXPIRY):
            await self.store.finish(claim, failure_of(claim), self.clock.now())
            await self.store.withdraw(claim.task.owner, claim.task.id, self.clock.now())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("seed", range(3))
async def test_bytes_are_there_as_long_as_a_task_names_them_and_no_longer(tmp_path, monkeypatch, kind, seed):
    monkeypatch.setattr(shelving, "RESERVED", timedelta(seconds=4))
    monkeypatch.setattr(shelving, "LOOK_PAUSE_S", 0.001)
    monkeypatch.setattr(shelving, "LOOKS_MOST", 10_000)
    store = MemoryTaskStore() if kind == "memory" else SqliteTaskStore(tmp_path / "understudy.db")
    yard, chance = Yard(tmp_path, store), random.Random(seed)

    async def lane(first):
        for number in range(first, first + TASKS_PER_LANE):
            await yard.bring(number, chance.randrange(FILES))
            if chance.random() < 0.3:
                await yard.end_all()

    reaping = asyncio.create_task(yard.reap())
    try:
        await asyncio.gather(*(lane(each * TASKS_PER_LANE) for each in range(LANES)))
    finally:
        reaping.cancel()
        await asyncio.wait({reaping})
    assert yard.stored
    await yard.end_all()
    for _ in range(3):
        yard.clock.advance(seconds=5)
        await yard.reaper.round()
    assert yard.blob_names() == set()
    await store.close()


async def test_a_task_that_ran_and_was_archived_keeps_its_media_when_all_else_goes(tmp_path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    yard = Yard(tmp_path, store)
    yard.reaper = Reaper(
        Reaped(store=store, media=store.media, blobs=yard.blobs),
        clock=yard.clock,
        retention=Retention(record_retention_s=60, cancelled_retention_s=60),
        rounds=Rounds(interval_s=1, batches=3),
        on_expired=lambda _: None,
    )
    for number in range(2):
        await yard.bring(number, number)
        claim = await store.claim("worker", yard.clock.now(), EXPIRY)
        await store.finish(claim, failure_of(claim), yard.clock.now())
    await store.archive(claim.task.owner, claim.task.id)
    yard.clock.advance(hours=2)
    await yard.reaper.round()
    (item,) = claim.task.request.content
    assert yard.blob_names() == {item.medium.sha256}
    kept = await store.get(claim.task.owner, claim.task.id)
    assert kept == replace(kept, is_archived=True, status=Status.FAILED, request=claim.task.request)
    await store.close()
