"""Archived tasks and removed ones in the conformance suite of task stores; `stores` joins it with the rest."""

from dataclasses import replace
from typing import Any

import pytest

from understudy.core.ports import TaskStore
from understudy.core.task import ENDED, Removed, Status
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, sample_task, success_of
from understudy.testing.store_steps import EVER, LATER, OWNER, TICK, claimed, ended, listed, page_of, put, read


class ArchiveConformance:
    """What every task store does with tasks that are to be kept, and with what is left of those that are not."""

    async def test_archiving_changes_nothing_but_that_it_is_archived(self, store: TaskStore) -> None:
        await put(store, sample_task(0))
        archived = replace(sample_task(0), is_archived=True)
        assert await store.archive(OWNER, archived.id) == archived
        assert await store.archive(OWNER, archived.id) == archived
        assert await read(store, archived.id) == archived
        assert (await page_of(store)).tasks == (archived,)
        assert await store.unarchive(OWNER, archived.id) == sample_task(0)
        assert await store.unarchive(OWNER, archived.id) == sample_task(0)
        assert await read(store, archived.id) == sample_task(0)

    async def test_a_task_is_archived_by_its_owner_only(self, store: TaskStore) -> None:
        await put(store, sample_task(0), sample_task(1))
        assert await store.archive("project-b", sample_task(0).id) is None
        await store.archive(OWNER, sample_task(0).id)
        assert await store.unarchive("project-b", sample_task(0).id) is None
        assert [task.is_archived for task in (await page_of(store)).tasks] == [False, True]

    @pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "20261121120000-00001\0"])
    async def test_what_is_not_there_is_not_archived(self, store: TaskStore, text: str) -> None:
        await put(store, sample_task(1))
        for change in (store.archive, store.unarchive):
            assert await change(OWNER, text) is None
            assert await change(text, sample_task(1).id) is None

    async def test_a_task_goes_on_as_any_other_when_it_is_archived(self, store: TaskStore) -> None:
        await put(store, sample_task(0))
        await store.archive(OWNER, sample_task(0).id)
        claim = await claimed(store)
        assert claim.task.is_archived
        assert await store.heartbeat(claim, 0.5, LEASE_END)
        await store.unarchive(OWNER, claim.task.id)
        await store.archive(OWNER, claim.task.id)
        assert await store.finish(claim, success_of(claim), LATER)
        task = await read(store, claim.task.id)
        assert (task.status, task.is_archived, task.updated_at) == (Status.SUCCEEDED, True, LATER)

    @pytest.mark.parametrize("status", sorted(ENDED))
    async def test_an_archived_task_is_never_purged(self, store: TaskStore, status: Status) -> None:
        task = await ended(store, 1, status)
        await store.archive(OWNER, task.id)
        assert list(await store.purge(created_before=EXPIRY, cancelled_before=EXPIRY)) == []
        assert await read(store, task.id) == replace(task, is_archived=True)
        await store.unarchive(OWNER, task.id)
        assert list(await store.purge(created_before=EXPIRY, cancelled_before=EXPIRY)) == [task]

    @pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.EXPIRED])
    async def test_an_archived_record_is_not_withdrawn(self, store: TaskStore, status: Status) -> None:
        task = replace(await ended(store, 1, status), is_archived=True)
        await store.archive(OWNER, task.id)
        assert await store.withdraw(OWNER, task.id, LATER) == task
        assert await read(store, task.id) == task

    async def test_an_archived_task_that_is_queued_can_be_cancelled(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        await store.archive(OWNER, sample_task(1).id)
        await store.withdraw(OWNER, sample_task(1).id, LATER)
        task = await read(store, sample_task(1).id)
        assert (task.status, task.is_archived) == (Status.CANCELLED, True)

    async def test_a_listing_shows_and_counts_archived_tasks_however_old(self, store: TaskStore) -> None:
        cancelled = await ended(store, 0, Status.CANCELLED)
        await ended(store, 1, Status.FAILED)
        failed = await ended(store, 2, Status.FAILED)
        await put(store, *map(sample_task, range(3, 7)))
        for task_id in (cancelled.id, failed.id, sample_task(5).id):
            await store.archive(OWNER, task_id)
        late: dict[str, Any] = {"created_after": sample_task(5).created_at, "cancelled_after": EXPIRY}
        assert await listed(store, **late) == [6, 5, 2, 0]
        assert await listed(store, **late, is_oldest_first=True) == [0, 2, 5, 6]
        pages = [await page_of(store, **late, page=page, page_size=3) for page in (1, 2)]
        assert [(len(page.tasks), page.total) for page in pages] == [(3, 4), (1, 4)]
        assert await listed(store, **late, status=Status.FAILED) == [2]
        assert await listed(store, **late, task_ids=(failed.id, sample_task(1).id)) == [2]
        assert await listed(store, **late, after=sample_task(5).id) == [2, 0]
        assert await listed(store, **late, after=cancelled.id, is_oldest_first=True) == [2, 5, 6]
        await store.unarchive(OWNER, failed.id)
        assert await listed(store, **late) == [6, 5, 0]

    async def test_the_files_of_removed_records_are_not_forgotten(self, store: TaskStore) -> None:
        withdrawn, purged = await ended(store, 1, Status.FAILED), await ended(store, 2, Status.SUCCEEDED)
        kept = await ended(store, 3, Status.SUCCEEDED)
        await store.archive(OWNER, kept.id)
        assert list(await store.take_removed(LATER, 10)) == []
        await store.withdraw(OWNER, withdrawn.id, LATER)
        await store.purge(created_before=EXPIRY, cancelled_before=EXPIRY)
        removed = [Removed(id=task.id, attempt=1) for task in (withdrawn, purged)]
        assert list(await store.take_removed(LATER, 10)) == removed
        await store.forget_removed([withdrawn.id, "unknown"])
        assert list(await store.take_removed(LATER + TICK, 10)) == removed[1:]

    async def test_every_attempt_of_a_removed_record_is_told(self, store: TaskStore) -> None:
        await put(store, sample_task(1, expires_at=LATER))
        for moment in (NOW, NOW + TICK, NOW + 2 * TICK):
            claim = await store.claim("worker-1", moment, moment + TICK)
            assert claim is not None
        await store.expire(LATER)
        await store.withdraw(OWNER, sample_task(1).id, LATER)
        assert list(await store.take_removed(LATER, 10)) == [Removed(id=sample_task(1).id, attempt=3)]

    async def test_a_task_that_was_never_begun_leaves_no_files(self, store: TaskStore) -> None:
        await ended(store, 1, Status.CANCELLED)
        await store.withdraw(OWNER, (await ended(store, 2, Status.EXPIRED)).id, LATER)
        assert len(await store.purge(created_before=EVER, cancelled_before=EXPIRY)) == 1
        assert list(await store.take_removed(LATER, 10)) == []

    async def test_removed_tasks_come_in_bounded_steps_and_each_has_its_turn(self, store: TaskStore) -> None:
        tasks = [await ended(store, number, Status.FAILED) for number in range(5)]
        await store.purge(created_before=EXPIRY, cancelled_before=EXPIRY)
        first = [task.id for task in await store.take_removed(LATER, 3)]
        assert len(first) == 3
        rest = [task.id for task in await store.take_removed(LATER, 3)]
        assert sorted(first + rest) == [task.id for task in tasks]
        assert list(await store.take_removed(LATER, 3)) == [], "none comes twice at one moment"
        assert [task.id for task in await store.take_removed(LATER + TICK, 5)] == sorted(first + rest)
