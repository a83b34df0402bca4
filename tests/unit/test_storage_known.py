"""Tasks that are read again: never older than the last commit, never many, never large."""

from dataclasses import replace
from datetime import timedelta

import pytest

from submit_bench import Bench
from understudy.core.task import Status
from understudy.storage import known
from understudy.storage.known import KnownTasks
from understudy.storage.sqlite import SqliteTaskStore


@pytest.fixture
async def bench(tmp_path):
    house = Bench()
    house.store = SqliteTaskStore(tmp_path / "tasks.db")
    house.submitter = replace(house.submitter, store=house.store)
    yield house
    await house.store.close()


async def test_a_second_look_without_a_commit_reads_nothing(bench):
    task = await bench.submit()
    assert await bench.store.get("o", task.id) is await bench.store.get("o", task.id)


async def test_every_change_is_seen_by_the_next_look(bench):
    task, now = await bench.submit(), bench.clock.now()
    assert (await bench.store.get("o", task.id)).status is Status.QUEUED
    claim = await bench.store.claim("w", now, now + timedelta(seconds=9))
    assert (await bench.store.get("o", task.id)).status is Status.RUNNING
    await bench.store.heartbeat(claim, 0.5, now + timedelta(seconds=9))
    assert (await bench.store.get("o", task.id)).progress == 0.5
    await bench.store.hand_back(claim, now)
    assert (await bench.store.get("o", task.id)).status is Status.QUEUED
    await bench.store.withdraw("o", task.id, now)
    assert (await bench.store.get("o", task.id)).status is Status.CANCELLED


async def test_what_is_known_of_one_owner_is_not_shown_to_another(bench):
    task = await bench.submit()
    assert await bench.store.get("o", task.id)
    assert await bench.store.get("other", task.id) is None


async def test_a_large_request_is_not_kept(bench):
    task = await bench.submit()
    kept = KnownTasks()
    kept.get(("o", "a"), 1)
    kept.keep(("o", "a"), task, size_bytes=known.SIZE_BYTES_MAX + 1)
    kept.keep(("o", "b"), task, size_bytes=known.SIZE_BYTES_MAX)
    assert kept.get(("o", "a"), 1) is None
    assert kept.get(("o", "b"), 1) is task


async def test_no_more_than_the_most_are_kept(bench, monkeypatch):
    monkeypatch.setattr(known, "ENTRIES_MAX", 2)
    task, kept = await bench.submit(), KnownTasks()
    kept.get(("o", "x"), 1)
    for name in "abc":
        kept.keep(("o", name), task, size_bytes=1)
    assert [kept.get(("o", name), 1) is task for name in "abc"] == [True, True, False]


async def test_a_task_read_while_a_commit_went_on_is_read_again(bench):
    task, kept = await bench.submit(), KnownTasks()
    kept.get(("o", "a"), 1)
    kept.keep(("o", "a"), task, size_bytes=1)
    assert kept.get(("o", "a"), 2) is None
