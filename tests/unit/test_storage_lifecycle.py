"""What a store refuses before it writes: contradictions of its callers and text that cannot be kept."""

from dataclasses import replace

import pytest

from understudy.core.task import EntryKind, Status
from understudy.storage.lifecycle import bounded_progress, is_storable
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.samples import LEASE_END, NOW, failure_of, hold_of, sample_task, success_of, voided_of


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    store = MemoryTaskStore() if request.param == "memory" else SqliteTaskStore(tmp_path / "understudy.db")
    yield store
    await store.close()


@pytest.mark.parametrize(
    "changes", [{"status": Status.RUNNING}, {"status": Status.FAILED}, {"attempt": 1}, {"progress": 0.5}]
)
async def test_only_a_new_task_is_inserted(store, changes):
    task = replace(sample_task(), **changes)
    with pytest.raises(ValueError, match="not new"):
        await store.insert(task, hold_of(task))


@pytest.mark.parametrize("entry", [hold_of(sample_task(1)), voided_of(sample_task())])
async def test_a_task_is_inserted_with_its_own_hold(store, entry):
    with pytest.raises(ValueError, match="not its hold"):
        await store.insert(sample_task(), entry)


def outcomes_that_contradict_themselves(claim):
    success, failure = success_of(claim), failure_of(claim)
    yield replace(success, film=None)
    yield replace(success, completion_tokens=None)
    yield replace(success, error=failure.error)
    yield replace(success, status=Status.FAILED)
    yield replace(failure, error=None)
    yield replace(failure, film=success.film)
    yield replace(failure, completion_tokens=1)
    yield replace(failure, status=Status.CANCELLED)
    yield replace(failure, entry=hold_of(claim.task))
    yield replace(failure, entry=replace(failure.entry, task_id="another"))


async def test_an_outcome_that_contradicts_itself_is_refused(store):
    task = sample_task()
    await store.insert(task, hold_of(task))
    claim = await store.claim("worker-1", NOW, LEASE_END)
    for outcome in outcomes_that_contradict_themselves(claim):
        with pytest.raises(ValueError, match=task.id):
            await store.finish(claim, outcome, NOW)
    assert (await store.get(task.owner, task.id)).status is Status.RUNNING
    assert [entry.kind for entry in await store.ledger(task.id)] == [EntryKind.HOLD]


@pytest.mark.parametrize(
    ("given", "kept"), [(-1.0, 0.0), (0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (9.0, 1.0), (float("nan"), 0.0)]
)
async def test_progress_out_of_range_does_not_cost_the_lease(store, given, kept):
    task = sample_task()
    await store.insert(task, hold_of(task))
    claim = await store.claim("worker-1", NOW, LEASE_END)
    assert await store.heartbeat(claim, given, LEASE_END) is True
    assert (await store.get(task.owner, task.id)).progress == kept == bounded_progress(given)


@pytest.mark.parametrize("text", ["", "plain", "é", "🦊", "\x7f", "\ue000", "\ufffe"])
def test_text_of_real_characters_is_storable(text):
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\0", "a\0é", "\ud800", "é\udfff"])
def test_a_nul_or_a_lone_surrogate_is_not(text):
    assert not is_storable(text)
