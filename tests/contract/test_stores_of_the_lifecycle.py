"""The suite of stores finds each bug that is planted in turns, admission, callbacks, duties and listening."""

import pytest

from store_faults import finds_fault
from understudy.core.queueing import ADMITTED, QueueFull, Replayed
from understudy.storage import operations, sqlite_callbacks, statements
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing import store_cancelling

TURNS = "ORDER BY running, turn, key_id, engine"
PENDING = "SELECT 1 FROM callback WHERE callback.task_id = callback_task.task_id AND state = 'pending'"
LIVE = "SELECT 1 FROM task WHERE id = callback_task.task_id AND status IN ('queued', 'running')"

BROKEN_STATEMENTS = [
    (statements, "CLAIM", "AND running < :concurrency", "", "no_more_of_a_key_run_at_a_time_than_may"),
    (statements, "CLAIM", TURNS, "ORDER BY turn, running", "the_lane_with_the_fewest_running_goes_first"),
    (statements, "CLAIM", TURNS, "ORDER BY running, key_id", "of_equal_lanes_the_one_that_waited_longest_goes_first"),
    (
        statements,
        "CLAIM",
        f"{TURNS} LIMIT 1)",
        f"ORDER BY (SELECT -priority FROM task WHERE id = head), {TURNS[9:]} LIMIT 1)",
        "priority_counts_inside_a_lane_and_passes_no_other",
    ),
    (statements, "CLAIM", ":lease_now", ":now", "leases_may_be_measured_with_a_clock_of_their_own"),
    (
        statements,
        "CLAIM",
        "max(updated_at, :now)",
        ":now",
        "a_task_is_never_changed_at_a_moment_before_its_last_change",
    ),
    (statements, "FINISH", "max(updated_at, ?)", "?", "a_task_is_never_changed_at_a_moment_before_its_last_change"),
    (statements, "IS_IN_THE_WAY", "> 32", "> 999", "tasks_of_a_lane_whose_time_is_over_stand_in_nobodys_way"),
    (statements, "IS_IN_THE_WAY", "count(*) = 8", "0", "lanes_whose_tasks_time_is_over_stand_in_nobodys_way"),
    (statements, "QUEUED_IDS", "priority DESC, ", "", "what_waits_in_a_lane_is_told_in_the_order_of_its_turns"),
    (statements, "LANES", " OR running > 0", "", "a_lane_is_told_while_a_task_of_it_runs_and_none_waits"),
    (statements, "LANES", "ORDER BY running, turn", "ORDER BY -running", "lanes_are_told_in_the_order_of_their_turns"),
    (statements, "JOIN_LANES", "queued + excluded", "excluded", "no_more_wait_than_may"),
    (statements, "EARLIER", "ON owner", "ON false AND owner", "a_key_outlives_the_record_it_made"),
    (statements, "RECALL", "owner = ?", "? <> ''", "a_key_is_remembered_with_the_task_it_made"),
    (statements, "FORGET_IDEMPOTENCY", "< ?", "<= ?", "keys_are_forgotten_in_bounded_steps_once_their_time_is_over"),
    (
        statements,
        "FORGET_IDEMPOTENCY",
        "LIMIT ?",
        "LIMIT ? + 9",
        "keys_are_forgotten_in_bounded_steps_once_their_time_is_over",
    ),
    (statements, "LEAD", "until <= :now", "until < :now", "one_of_several_has_a_duty_until_its_time_is_over"),
    (statements, "LEAD", "worker = excluded.worker OR", "", "one_of_several_has_a_duty_until_its_time_is_over"),
    (statements, "FORGET_RENDERS", "- ?2", "- ?2 * 9", "of_each_kind_only_the_latest_are_kept"),
    (statements, "FORGET_RENDERS", "WHERE kind = ?1 AND", "WHERE", "of_each_kind_only_the_latest_are_kept"),
    (statements, "RENDER_TIMES", "noted_at DESC", "noted_at", "render_times_are_remembered_the_latest_first"),
    (
        sqlite_callbacks,
        "DUE",
        "first.due_at <= :now",
        "true",
        "of_an_origin_only_what_is_due_is_told",
    ),
    (sqlite_callbacks, "DUE", "ORDER BY 2, 3, 1", "ORDER BY 3, 1", "origins_take_turns_when_one_is_taken_at_a_time"),
    (
        sqlite_callbacks,
        "DUE",
        "ORDER BY round,",
        "ORDER BY",
        "a_thousand_of_one_origin_do_not_stand_before_the_first_of_another",
    ),
    (
        sqlite_callbacks,
        "DUE",
        "name NOT IN (SELECT value FROM json_each(:busy))",
        ":busy <> ''",
        "an_origin_that_is_busy_is_left_out",
    ),
    (sqlite_callbacks, "TAKE", ":until", ":until - 1", "what_is_taken_is_nobody_elses_until_its_time_is_over"),
    (sqlite_callbacks, "TAKE", "tries + 1", "tries", "what_is_taken_is_nobody_elses_until_its_time_is_over"),
    (
        sqlite_callbacks,
        "HAD_ITS_TURN",
        "excluded.turn",
        "callback_origin.turn",
        "origins_take_turns_when_one_is_taken_at_a_time",
    ),
    (sqlite_callbacks, "SETTLE", "AND tries = ?5", "AND ?5 > 0", "who_was_too_slow_settles_nothing"),
    (
        sqlite_callbacks,
        "NEXT_IS_FIRST",
        "min(number)",
        "max(number)",
        "every_change_is_told_in_order_as_the_task_was_right_after_it",
    ),
    (sqlite_callbacks, "FORGET_TRIES", "OFFSET ?3", "OFFSET ?3 + 1", "of_very_many_tries_the_latest_are_kept"),
    (sqlite_callbacks, "NEXT_DUE", "min(", "max(", "what_is_due_next_is_known"),
    (sqlite_callbacks, "DELIVERIES", "AND owner = ?", "AND ? <> ''", "the_log_tells_what_became_of_each_change"),
    (sqlite_callbacks, "DELIVERIES", "LEFT JOIN", "JOIN", "the_log_tells_what_became_of_each_change"),
    (sqlite_callbacks, "RESEND", "AND owner = ?4", "AND ?4 <> ''", "what_is_not_there_is_not_sent_once_more"),
    (sqlite_callbacks, "RESEND", "max(number)", "min(number)", "a_callback_can_be_sent_once_more"),
    (sqlite_callbacks, "TOLD", PENDING, "SELECT 1 WHERE false", "what_was_told_is_forgotten_in_bounded_steps"),
    (sqlite_callbacks, "TOLD", LIVE, "SELECT 1 WHERE false", "what_a_task_is_yet_to_tell_is_never_forgotten"),
    (sqlite_callbacks, "TOLD", "created_at < ?", "created_at <= ?", "what_was_told_is_forgotten_in_bounded_steps"),
]

BROKEN_TRIGGERS = [
    (" - (old.status = 'running')", "", "a_lane_counts_what_waits_and_what_runs"),
    (" + (new.status = 'queued')", "", "a_lane_counts_what_waits_and_what_runs"),
    ("1 + (SELECT max(turn) FROM lane)", "turn", "of_equal_lanes_the_one_that_waited_longest_goes_first"),
    (
        "NOT EXISTS (SELECT 1 FROM callback WHERE task_id = new.id AND state = 'pending')",
        "1",
        "of_each_task_only_the_first_that_is_pending_is_told",
    ),
    ("new.film", "old.film", "every_change_is_told_in_order_as_the_task_was_right_after_it"),
    ("new.error", "old.error", "a_failure_and_an_expiry_are_told_with_what_came_of_them"),
    ("new.updated_at", "old.updated_at", "every_change_is_told_in_order_as_the_task_was_right_after_it"),
    ("new.status <> 'cancelled'", "new.status <> 'expired'", "a_failure_and_an_expiry_are_told_with_what_came_of_them"),
]


class ForgetsTheCallersKey(MemoryTaskStore):
    async def insert(self, task, hold, admission=ADMITTED):
        await super().insert(task, hold, admission)
        self._used.clear()


class TellsOfTheQueueFirst(MemoryTaskStore):
    def _check_admission(self, task, admission):
        try:
            super()._check_admission(task, admission)
        except Replayed:
            if admission.queued_most is not None and sum(lane.queued for lane in self._lanes.values()):
                raise QueueFull(admission.queued_most) from None
            raise


class CountsWhatRuns(MemoryTaskStore):
    def _check_admission(self, task, admission):
        super()._check_admission(task, admission)
        if admission.queued_most is not None and any(lane.running for lane in self._lanes.values()):
            raise QueueFull(admission.queued_most)


class CountsOtherLanes(MemoryTaskStore):
    def _check_admission(self, task, admission):
        super()._check_admission(task, admission)
        waiting = sum(lane.queued for lane in self._lanes.values())
        if admission.queued_most is not None and waiting >= admission.queued_most:
            raise QueueFull(admission.queued_most)


class CancelsWhatHasEnded(MemoryTaskStore):
    async def cancel(self, owner, task_id, now):
        task = await super().cancel(owner, task_id, now)
        return None if task is None or task.film or task.error else task


class LeavesTheHoldOpen(MemoryTaskStore):
    async def cancel(self, owner, task_id, now):
        task = await super().cancel(owner, task_id, now)
        self._entries.update({task_id: self._entries.get(task_id, [])[:1]})
        return task


class CancelsAnyOwners(MemoryTaskStore):
    async def cancel(self, owner, task_id, now):
        task = self._tasks.get(task_id)
        return task and await super().cancel(task.owner, task_id, now)


class SaysNothing(MemoryTaskStore):
    def _announce(self, task_id):
        pass


class SaysItToTheLast(MemoryTaskStore):
    def listen(self, heard):
        self._listeners.clear()
        super().listen(heard)


class SaysItTooEarly(MemoryTaskStore):
    def _announce(self, task_id):
        kept = self._tasks.pop(task_id)
        for _, heard in self._listeners:
            heard(task_id)
        self._listeners[0][0].call_soon(lambda: self._listeners[0][0].call_soon(self._tasks.update, {task_id: kept}))


class TellsOfCancelling(MemoryTaskStore):
    def _void(self, ended):
        super()._void(ended)
        self.callbacks.change(type("Told", (), {"id": ended.id, "status": "", "updated_at": ended.updated_at})())


class ForgetsWithTheRecord(MemoryTaskStore):
    def _remove(self, task):
        super()._remove(task)
        self.callbacks._changes.pop(task.id, None)
        self.callbacks._targets.pop(task.id, None)


BROKEN_STORES = {
    ForgetsTheCallersKey: "a_key_is_remembered_with_the_task_it_made",
    TellsOfTheQueueFirst: "a_replay_is_told_although_the_queue_is_full",
    CountsWhatRuns: "what_runs_or_has_ended_does_not_wait",
    CountsOtherLanes: "a_bound_is_of_one_lane",
    CancelsWhatHasEnded: "an_ended_task_is_left_as_it_is[failed]",
    LeavesTheHoldOpen: "a_queued_task_is_cancelled_and_its_hold_voided",
    CancelsAnyOwners: "a_task_is_cancelled_by_its_owner_only",
    SaysNothing: "every_change_is_told_after_it_is_there_to_be_read",
    SaysItToTheLast: "everybody_who_listens_is_told",
    SaysItTooEarly: "what_is_told_can_be_read_at_once",
    TellsOfCancelling: "a_cancellation_is_told_to_nobody[cancelled]",
    ForgetsWithTheRecord: "a_callback_outlives_the_record_of_its_task",
}


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    monkeypatch.setattr(store_cancelling, "PATIENCE_S", 0.1)


@pytest.fixture
async def sqlite(tmp_path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    yield store
    await store.close()


@pytest.mark.parametrize("broken", BROKEN_STORES, ids=lambda broken: broken.__name__)
async def test_the_suite_fails_a_broken_store(broken):
    await finds_fault(BROKEN_STORES[broken], broken())


@pytest.mark.parametrize(("module", "statement", "sound", "planted", "test"), BROKEN_STATEMENTS)
async def test_the_suite_fails_a_broken_statement(monkeypatch, sqlite, module, statement, sound, planted, test):
    text = getattr(module, statement)
    assert sound in text
    monkeypatch.setattr(module, statement, text.replace(sound, planted))
    await finds_fault(test, sqlite)


@pytest.mark.parametrize(("sound", "planted", "test"), BROKEN_TRIGGERS)
async def test_the_suite_fails_a_broken_trigger(sqlite, sound, planted, test):
    def plant(connection):
        ((text,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'task_changes'").fetchall()
        assert sound in text
        connection.execute("DROP TRIGGER task_changes")
        connection.execute(text.replace(sound, planted))

    await sqlite._writer.submit(plant, refusable=False)
    await finds_fault(test, sqlite)


async def test_the_suite_fails_a_bound_that_looks_at_the_store_only(monkeypatch, sqlite):
    judged = operations._refusals
    monkeypatch.setattr(
        operations, "_refusals", lambda connection, inserts: [judged(connection, [each])[0] for each in inserts]
    )
    await finds_fault("of_fifty_submitted_together_as_many_wait_as_may", sqlite)
