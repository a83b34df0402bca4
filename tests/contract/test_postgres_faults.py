"""The public suites find what is planted into the statements of the PostgreSQL stores."""

import inspect

import pytest

from understudy.core.task import Status
from understudy.storage import postgres_admission as admission
from understudy.storage import postgres_callbacks as callbacks
from understudy.storage import postgres_listing as listing
from understudy.storage import postgres_statements as sql
from understudy.storage.postgres_opening import open_postgres
from understudy.testing.stores import StoreConformance

pytestmark = pytest.mark.full

FENCE = "the_holder_of_a_lapsed_claim_is_refused_after_another_took_it"

PLANTED = [
    (sql, "CLAIM", "ORDER BY running, turn", "ORDER BY turn", "the_lane_with_the_fewest_running_goes_first"),
    (sql, "CLAIM", "running < $5", "running <= $5", "no_more_of_a_key_run_at_a_time_than_may"),
    (
        sql,
        "CLAIM",
        "updated_at = greatest(updated_at, $2)",
        "updated_at = $2",
        "a_task_is_never_changed_at_a_moment_before",
    ),
    (sql, "CLAIM", "lease_until <= (", "0 <= (", "two_hundred_claims_at_once_take_each_task_once"),
    (sql, "CLAIM", "priority DESC, created_at, id LIMIT 1)", "created_at LIMIT 1)", "a_lapsed_task_stands_where_its"),
    (sql, "HEARTBEAT", "AND attempt = $2", "AND $2 > 0", f"{FENCE}[heartbeat]"),
    (sql, "HAND_BACK", "AND attempt = $2", "AND $2 > 0", f"{FENCE}[hand back]"),
    (sql, "HAND_BACK", "progress = 0", "progress = progress", "a_task_handed_back_waits_at_its_old_place"),
    (sql, "FINISH", "AND attempt = $2", "AND $2 > 0", f"{FENCE}[finish with a film]"),
    (sql, "EXPIRE", "('queued', 'running')", "('queued')", "late_tasks_expire_whether_queued_or_running"),
    (sql, "CANCEL", "kind = 'hold'", "kind = 'none'", "a_queued_task_is_cancelled_and_its_hold_voided"),
    (sql, "PURGE_ENDED", "AND NOT archived", "", "an_archived_task_is_never_purged[failed]"),
    (sql, "LEAD", "duty.worker = excluded.worker OR", "", "one_of_several_has_a_duty_until_its_time_is_over"),
    (sql, "FORGET_IDEMPOTENCY", "used_at < $1", "used_at <= $1", "keys_are_forgotten_in_bounded_steps"),
    (sql, "RECALL", "owner = $1", "$1 <> ''", "a_key_is_remembered_with_the_task_it_made"),
    (admission, "GIVE_KEYS_BACK", "(owner, key) IN", "(owner || 'x', key) IN", "no_more_wait_than_may"),
    (callbacks, "CHOOSE", "ORDER BY place, turn", "ORDER BY turn", "a_thousand_of_one_origin_do_not_stand_before"),
    (callbacks, "CHOOSE", "place, turn, due_at", "place, due_at", "origins_take_turns_when_one_is_taken_at_a_time"),
    (callbacks, "TAKE", "callback.tried + 1", "callback.tried", "who_was_too_slow_settles_nothing"),
    (callbacks, "FORGETTABLE", "AND NOT EXISTS", "AND EXISTS", "what_a_task_is_yet_to_tell_is_never_forgotten"),
    (callbacks, "DELIVERIES", "target.owner = $2", "$2 <> ''", "the_log_tells_what_became_of_each_change"),
    (listing, "PLACE", "owner = $2", "$2 <> ''", "nothing_stands_behind_a_task_that_the_owner[20261121120000-00003]"),
]


def named(name):
    """Give the test of the suite that begins with a name, and its parameter, which stands in brackets."""
    begin, _, parameter = name.rstrip("]").partition("[")
    (found,) = (each for each in dir(StoreConformance) if each.startswith(f"test_{begin}"))
    return found, [Status(parameter) if parameter in set(Status) else parameter] if parameter else []


class Suite(StoreConformance):
    async def make(self, folder):
        raise NotImplementedError


Suite.__test__ = False


@pytest.mark.parametrize(("module", "statement", "sound", "planted", "test"), PLANTED)
async def test_the_suite_fails_a_broken_statement(
    monkeypatch, emptied_postgres_url, module, statement, sound, planted, test
):
    text = getattr(module, statement)
    assert sound in text
    monkeypatch.setattr(module, statement, text.replace(sound, planted))
    name, extra = named(test)
    step = getattr(Suite(), name)
    assert len(inspect.signature(step).parameters) == 1 + len(extra)
    store = await open_postgres(emptied_postgres_url, is_clock_ours=True)
    try:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            await step(store, *extra)
    finally:
        await store.close()
