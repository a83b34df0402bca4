"""Every task store passes the public suite, and the suite finds each planted bug."""

import asyncio
from dataclasses import replace

import pytest

from store_faults import finds_fault
from understudy.core.queueing import ADMITTED
from understudy.core.task import Status, TaskPage
from understudy.storage import statements
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.stores import StoreConformance


class TestMemoryTaskStore(StoreConformance):
    async def make(self, folder):
        return MemoryTaskStore()


class TestSqliteTaskStore(StoreConformance):
    async def make(self, folder):
        return SqliteTaskStore(folder / "understudy.db")


class ClaimsLeasedTasks(MemoryTaskStore):
    def _is_lapsed(self, task, now):
        return task.status is Status.RUNNING


class LooksThenTakes(MemoryTaskStore):
    async def claim(self, worker, now, lease_until, **bounds):
        before = dict(self._tasks)
        claim = await super().claim(worker, now, lease_until, **bounds)
        if claim is not None:
            claimed, self._tasks = self._tasks[claim.task.id], before
            await asyncio.sleep(0)
            self._tasks[claim.task.id] = claimed
        return claim


class IgnoresTheToken(MemoryTaskStore):
    def _current(self, claim):
        task = self._tasks.get(claim.task.id)
        return task if task is not None and task.status is Status.RUNNING else None


class ForgetsTheToken(MemoryTaskStore):
    def _requeue(self, task, now):
        super()._requeue(replace(task, attempt=0), now)


class KeepsHoldsOpen(MemoryTaskStore):
    def _void(self, ended):
        self._tasks[ended.id] = ended


class ShowsAnyOwner(MemoryTaskStore):
    async def get(self, owner, task_id):
        return self._tasks.get(task_id)


class CountsThePage(MemoryTaskStore):
    async def list_tasks(self, owner, wanted):
        page = await super().list_tasks(owner, wanted)
        return TaskPage(tasks=page.tasks, total=len(page.tasks))


class CountsBeforeTheCursor(MemoryTaskStore):
    async def list_tasks(self, owner, wanted):
        page = await super().list_tasks(owner, wanted)
        return TaskPage(tasks=page.tasks, total=(await super().list_tasks(owner, replace(wanted, after=None))).total)


class CutsBeforeItTurns(MemoryTaskStore):
    async def list_tasks(self, owner, wanted):
        page = await super().list_tasks(owner, replace(wanted, is_oldest_first=False))
        return TaskPage(tasks=page.tasks[::-1] if wanted.is_oldest_first else page.tasks, total=page.total)


class GoesOnBehindAnyId(MemoryTaskStore):
    async def list_tasks(self, owner, wanted):
        known = wanted.after is None or await self.get(owner, wanted.after)
        return await super().list_tasks(owner, wanted if known else replace(wanted, after=None))


class GoesOnByTimeAlone(MemoryTaskStore):
    async def list_tasks(self, owner, wanted):
        page = await super().list_tasks(owner, wanted)
        last = self._tasks.get(wanted.after)
        kept = [task for task in page.tasks if last is None or task.created_at != last.created_at]
        return TaskPage(tasks=tuple(kept), total=page.total)


class Overwrites(MemoryTaskStore):
    async def insert(self, task, hold, admission=ADMITTED):
        self._entries.pop(task.id, None)
        await super().insert(task, hold, admission)


class ForgetsTheLedger(MemoryTaskStore):
    async def withdraw(self, owner, task_id, now):
        task = await super().withdraw(owner, task_id, now)
        if task_id not in self._tasks:
            self._entries.pop(task_id, None)
        return task


class PurgesTheArchive(MemoryTaskStore):
    async def purge(self, **before):
        self._tasks = {task_id: replace(task, is_archived=False) for task_id, task in self._tasks.items()}
        return await super().purge(**before)


class WithdrawsTheArchive(MemoryTaskStore):
    async def withdraw(self, owner, task_id, now):
        task = await super().withdraw(owner, task_id, now)
        if task is not None and task.is_archived and task.status in (Status.SUCCEEDED, Status.FAILED):
            self._remove(task)
        return task


class ForgetsTheFiles(MemoryTaskStore):
    async def withdraw(self, owner, task_id, now):
        task = await super().withdraw(owner, task_id, now)
        self._removed.pop(task_id, None)
        return task


class KnowsOneAttempt(MemoryTaskStore):
    def _remove(self, task):
        super()._remove(replace(task, attempt=min(task.attempt, 1)))


BROKEN_STORES = {
    ClaimsLeasedTasks: "a_leased_task_is_claimed_again_only_when_its_lease_has_lapsed",
    LooksThenTakes: "two_hundred_claims_at_once_take_each_task_once",
    IgnoresTheToken: "the_holder_of_a_lapsed_claim_is_refused_after_another_took_it[finish with a film]",
    ForgetsTheToken: "a_task_handed_back_waits_at_its_old_place",
    KeepsHoldsOpen: "late_tasks_expire_whether_queued_or_running",
    ShowsAnyOwner: "a_task_is_seen_by_its_owner_only",
    CountsThePage: "pages_cut_the_listing_and_total_counts_all",
    CountsBeforeTheCursor: "a_total_counts_what_stands_behind_the_cursor",
    CutsBeforeItTurns: "a_listing_can_begin_with_the_oldest",
    GoesOnBehindAnyId: "nothing_stands_behind_a_task_that_the_owner_has_not[20261121120000-00009]",
    GoesOnByTimeAlone: "a_listing_goes_on_right_behind_a_task",
    Overwrites: "an_id_is_used_once",
    PurgesTheArchive: "an_archived_task_is_never_purged[cancelled]",
    WithdrawsTheArchive: "an_archived_record_is_not_withdrawn[failed]",
    ForgetsTheFiles: "the_files_of_removed_records_are_not_forgotten",
    KnowsOneAttempt: "every_attempt_of_a_removed_record_is_told",
    ForgetsTheLedger: "withdrawing_an_ended_task_removes_its_record_and_no_entry[failed]",
}

BROKEN_STATEMENTS = [
    ("CLAIM", "AND lease_until <= :lease_now", "", "a_leased_task_is_claimed_again_only_when_its_lease_has_lapsed"),
    (
        "CLAIM",
        "lease_until <= :lease_now",
        "lease_until < :lease_now",
        "a_lapsed_task_stands_where_its_priority_and_age_put_it",
    ),
    ("CLAIM", "WHERE expires_at > :now", "WHERE 1", "a_task_past_its_time_is_never_claimed"),
    (
        "CLAIM",
        "lease_until <= :lease_now AND expires_at > :now",
        "lease_until <= :lease_now",
        "a_lapsed_task_past_its_time_is_never_claimed",
    ),
    (
        "CLAIM",
        "ORDER BY priority DESC, created_at, id",
        "ORDER BY created_at, id",
        "claims_follow_priority_then_age_then_id",
    ),
    (
        "CLAIM",
        "ORDER BY priority DESC, created_at, id",
        "ORDER BY priority DESC, id",
        "claims_follow_priority_then_age_then_id",
    ),
    ("CLAIM", "progress = 0.0, ", "", "a_new_attempt_begins_without_progress"),
    (
        "HEARTBEAT",
        "AND attempt = ?",
        "AND ? > 0",
        "the_holder_of_a_lapsed_claim_is_refused_after_another_took_it[heartbeat]",
    ),
    (
        "HEARTBEAT",
        "lease_until = ?",
        "lease_until = max(lease_until, ?) - 1",
        "a_heartbeat_extends_the_lease_and_tells_progress",
    ),
    (
        "CURRENT",
        "AND attempt = ?",
        "AND ? > 0",
        "the_holder_of_a_lapsed_claim_is_refused_after_another_took_it[finish with a film]",
    ),
    (
        "HAND_BACK",
        "AND attempt = ?",
        "AND ? > 0",
        "the_holder_of_a_lapsed_claim_is_refused_after_another_took_it[hand back]",
    ),
    ("HAND_BACK_ALL", "'running'", "'queued'", "all_running_tasks_can_be_handed_back"),
    ("EXPIRE", "('queued', 'running')", "('queued')", "late_tasks_expire_whether_queued_or_running"),
    ("EXPIRE", "<= ?1", "< ?1", "late_tasks_expire_whether_queued_or_running"),
    ("VOID", "kind = 'hold'", "kind = 'none'", "withdrawing_a_queued_task_cancels_it_and_voids_its_hold"),
    ("GET", "AND owner = ?", "AND ? <> ''", "a_task_is_seen_by_its_owner_only"),
    ("PURGE_ENDED", "created_at < ?", "created_at <= ?", "purge_removes_ended_tasks_created_before"),
    ("PURGE_ENDED", "LIMIT ?", "LIMIT ? + 9", "a_great_many_expire_at_once_and_are_purged_in_bounded_steps"),
    ("PURGE_CANCELLED", "updated_at < ?", "created_at < ?", "purge_removes_cancelled_tasks_by_their_last_change"),
    ("PAGE_OF_OWNER", "created_at DESC, id DESC", "created_at DESC, id", "a_listing_is_newest_first_then_by_id"),
    ("PAGE_OF_OWNER", "OR updated_at >=", "OR created_at >=", "a_listing_shows_no_cancelled_task_past_its_time"),
    ("PAGE_OF_IDS", "+owner = :owner", ":owner <> ''", "a_task_is_seen_by_its_owner_only"),
    ("PAGE_OF_OWNER", "service_tier = :service_tier", "1", "a_listing_filters_by_model_tier_and_ids_together"),
    ("PAGE_OF_OWNER", "(created_at, id) <", "(created_at, id) <=", "a_listing_goes_on_right_behind_a_task"),
    ("OLDEST_OF_OWNER", "ORDER BY created_at, id", "ORDER BY created_at DESC", "a_listing_can_begin_with_the_oldest"),
    ("OLDEST_OF_OWNER", "(created_at, id) >", "(created_at, id) >=", "pages_by_cursor_show_every_task_once"),
    ("OLDEST_OF_IDS", "ORDER BY created_at, id", "ORDER BY created_at DESC", "a_listing_can_begin_with_the_oldest"),
    ("PAGE_OF_IDS", "(created_at, id) <", "(0, id) <", "a_cursor_filters_together_with_everything_else"),
    ("COUNT_OF_OWNER", ":after_id", "''", "a_total_counts_what_stands_behind_the_cursor"),
    (
        "PLACE",
        "AND owner = ?",
        "AND ? <> ''",
        "nothing_stands_behind_a_task_that_the_owner_has_not[20261121120000-00003]",
    ),
    ("COUNT_OF_OWNER", "model = :model", "1", "a_total_counts_only_what_matches_behind_the_cursor"),
    ("ARCHIVE", "AND owner = ?", "AND ? <> ''", "a_task_is_archived_by_its_owner_only"),
    ("PURGE_ENDED", "AND archived = 0", "", "an_archived_task_is_never_purged[failed]"),
    ("PURGE_CANCELLED", "AND archived = 0", "", "an_archived_task_is_never_purged[cancelled]"),
    ("PAGE_OF_OWNER", "OR archived", "", "a_listing_shows_and_counts_archived_tasks_however_old"),
    ("COUNT_OF_OWNER", "OR archived", "", "a_listing_shows_and_counts_archived_tasks_however_old"),
    ("OLDEST_OF_OWNER", "OR archived", "", "a_listing_shows_and_counts_archived_tasks_however_old"),
    ("PAGE_OF_OWNER", "(created_at, id) >", "(9, id) >", "a_listing_shows_no_older_records"),
    (
        "TAKE_REMOVED",
        "tried_at < :now",
        "tried_at <= :now",
        "removed_tasks_come_in_bounded_steps_and_each_has_its_turn",
    ),
    ("TAKE_REMOVED", "LIMIT :most", "LIMIT 9", "removed_tasks_come_in_bounded_steps_and_each_has_its_turn"),
    ("FORGET_REMOVED", "WHERE id = ?", "WHERE ? = ''", "the_files_of_removed_records_are_not_forgotten"),
    ("LEDGER", "WHERE task_id = ?", "WHERE ? <> ''", "late_tasks_expire_whether_queued_or_running"),
]


async def test_the_suite_fails_a_listing_that_takes_everything_for_archived(monkeypatch, tmp_path):
    monkeypatch.setattr(statements, "of_archive", lambda listing: listing)
    store = SqliteTaskStore(tmp_path / "understudy.db")
    try:
        await finds_fault("a_listing_shows_no_older_records", store)
    finally:
        await store.close()


@pytest.mark.parametrize("broken", BROKEN_STORES, ids=lambda broken: broken.__name__)
async def test_the_suite_fails_a_broken_store(broken):
    await finds_fault(BROKEN_STORES[broken], broken())


@pytest.mark.parametrize(("statement", "sound", "planted", "test"), BROKEN_STATEMENTS)
async def test_the_suite_fails_a_broken_statement(monkeypatch, tmp_path, statement, sound, planted, test):
    text = getattr(statements, statement)
    assert sound in text
    monkeypatch.setattr(statements, statement, text.replace(sound, planted))
    store = SqliteTaskStore(tmp_path / "understudy.db")
    try:
        await finds_fault(test, store)
    finally:
        await store.close()
