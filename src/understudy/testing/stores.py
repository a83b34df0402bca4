"""The conformance suite of task stores: subclass `StoreConformance`, make a store, and let pytest collect it.

It holds a store to every sentence of `core.ports.TaskStore`. Needs pytest with pytest-asyncio in auto mode.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from understudy.core.errors import Rejected
from understudy.core.ports import ApiKey, IdTaken, TaskStore
from understudy.core.task import ENDED, Claim, EntryKind, Status, Task, Warned
from understudy.testing.samples import (
    EXPIRY,
    LEASE_END,
    NOW,
    failure_of,
    hold_of,
    posted_of,
    sample_request,
    sample_task,
    success_of,
    voided_of,
)
from understudy.testing.store_admission import AdmissionConformance
from understudy.testing.store_archive import ArchiveConformance
from understudy.testing.store_callbacks import CallbackConformance
from understudy.testing.store_cancelling import DEEDS, CancelConformance, DutyConformance, ListenConformance
from understudy.testing.store_lanes import LaneConformance
from understudy.testing.store_listings import ListingConformance
from understudy.testing.store_steps import EVER, LATER, OWNER, TICK, claimed, ended, listed, put, read

T = TypeVar("T")

PURGE_MOST = 1000
PATIENCE_S = 30.0


class StoreConformance(
    ListingConformance,
    ArchiveConformance,
    LaneConformance,
    AdmissionConformance,
    CancelConformance,
    CallbackConformance,
    ListenConformance,
    DutyConformance,
    ABC,
):
    """What every task store must do."""

    @abstractmethod
    async def make(self, folder: Path) -> TaskStore:
        """Return a new, empty store; folder: an empty directory that it may use."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[TaskStore]:
        """A new store, closed at the end."""
        store = await self.make(tmp_path)
        yield store
        await store.close()

    async def test_a_task_reads_back_as_it_was_stored(self, store: TaskStore) -> None:
        task = sample_task(1, priority=7, service_tier=None, warnings=(Warned(param="a", message="b"),))
        await put(store, task)
        assert await store.get(OWNER, task.id) == task
        assert await store.ledger(task.id) == (hold_of(task),)

    async def test_an_id_is_used_once(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        with pytest.raises(IdTaken):
            await put(store, sample_task(1, owner="project-b"))
        assert await store.get(OWNER, sample_task(1).id) == sample_task(1)
        assert len(await store.ledger(sample_task(1).id)) == 1

    async def test_of_many_who_want_one_id_one_gets_it(self, store: TaskStore) -> None:
        tasks = [sample_task(1, seed=seed) for seed in range(20)]
        answers = await asyncio.gather(*(store.insert(each, hold_of(each)) for each in tasks), return_exceptions=True)
        assert sorted(map(type, answers), key=str) == sorted([type(None), *[IdTaken] * 19], key=str)
        assert await store.get(OWNER, sample_task(1).id) == tasks[answers.index(None)]

    async def test_an_id_stays_taken_while_its_ledger_remains(self, store: TaskStore) -> None:
        task = await ended(store, 1, Status.SUCCEEDED)
        await store.withdraw(OWNER, task.id, LATER)
        with pytest.raises(IdTaken):
            await put(store, sample_task(1))

    async def test_one_refused_insert_leaves_its_neighbours_alone(self, store: TaskStore) -> None:
        await put(store, sample_task(0))
        inserts = (store.insert(sample_task(number), hold_of(sample_task(number))) for number in (1, 0, 2, 0, 3))
        answers = await asyncio.gather(*inserts, return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None), IdTaken, type(None), IdTaken, type(None)]
        assert await listed(store) == [3, 2, 1, 0]

    @pytest.mark.parametrize("text", ["a\ud800b", "\udfff"])
    async def test_text_that_cannot_be_kept_is_refused_and_leaves_nothing(self, store: TaskStore, text: str) -> None:
        with pytest.raises(Rejected):
            await put(store, sample_task(1, request=sample_request(safety_identifier=text)))
        with pytest.raises(Rejected):
            await put(store, sample_task(1, model=text))
        assert await listed(store) == []
        assert await store.ledger(sample_task(1).id) == ()

    @pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "%", "'; DROP TABLE task; --", "20261121120000-00001\0"])
    async def test_an_id_of_any_text_is_only_unknown(self, store: TaskStore, text: str) -> None:
        await put(store, sample_task(1))
        assert await store.get(OWNER, text) is None
        assert await store.get(text, sample_task(1).id) is None
        assert await store.withdraw(OWNER, text, LATER) is None
        assert await store.ledger(text) == ()
        assert await listed(store, task_ids=(text,)) == []
        assert await listed(store, model=text) == []

    async def test_a_task_is_seen_by_its_owner_only(self, store: TaskStore) -> None:
        task = await ended(store, 1, Status.SUCCEEDED)
        assert await store.get("project-b", task.id) is None
        assert await store.withdraw("project-b", task.id, LATER) is None
        assert await listed(store, "project-b") == []
        assert await listed(store, "project-b", task_ids=(task.id,)) == []
        await put(store, sample_task(2, owner="project-b"))
        assert await listed(store, "project-b", task_ids=(task.id, sample_task(2).id)) == [2]
        assert await read(store, task.id) == task

    async def test_claims_follow_priority_then_age_then_id(self, store: TaskStore) -> None:
        await put(store, sample_task(1), sample_task(2, priority=9), sample_task(3, priority=9))
        await put(store, sample_task(0, created_at=NOW + timedelta(seconds=5)), sample_task(5), sample_task(4))
        await put(store, sample_task(7, created_at=NOW), sample_task(6, created_at=NOW), sample_task(8, priority=1))
        claims = [await claimed(store) for _ in range(9)]
        assert [int(claim.task.id[-5:]) for claim in claims] == [2, 3, 8, 6, 7, 1, 4, 5, 0]

    async def test_a_claim_makes_the_task_running_with_a_grown_attempt(self, store: TaskStore) -> None:
        assert await store.claim("worker-1", LATER, LEASE_END) is None
        await put(store, sample_task(1))
        claim = await store.claim("worker-1", LATER, LEASE_END)
        running = replace(sample_task(1), status=Status.RUNNING, attempt=1, updated_at=LATER)
        assert claim == Claim(task=running, token=1, worker="worker-1")
        assert await read(store, running.id) == running

    async def test_a_task_past_its_time_is_never_claimed(self, store: TaskStore) -> None:
        await put(store, sample_task(1, expires_at=LATER, priority=9), sample_task(2))
        assert (await claimed(store, LATER)).task.id == sample_task(2).id
        assert await store.claim("worker-1", LATER, EXPIRY) is None
        assert (await claimed(store, LATER - TICK)).task.id == sample_task(1).id

    @pytest.mark.parametrize("status", sorted(ENDED))
    async def test_an_ended_task_is_never_claimed(self, store: TaskStore, status: Status) -> None:
        await ended(store, 1, status)
        assert await store.claim("worker-1", EXPIRY - TICK, EXPIRY) is None

    async def test_two_hundred_claims_at_once_take_each_task_once(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(150)))
        claims = await asyncio.gather(*(store.claim(f"worker-{each}", NOW, LEASE_END) for each in range(200)))
        ids = [claim.task.id for claim in claims if claim is not None]
        assert len(ids) == len(set(ids)) == 150

    async def test_a_leased_task_is_claimed_again_only_when_its_lease_has_lapsed(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        await claimed(store)
        assert await store.claim("worker-2", LEASE_END - TICK, EXPIRY) is None
        again = await store.claim("worker-2", LEASE_END, EXPIRY)
        assert again is not None
        assert (again.token, again.task.attempt, again.worker) == (2, 2, "worker-2")

    async def test_a_lapsed_task_past_its_time_is_never_claimed(self, store: TaskStore) -> None:
        await put(store, sample_task(1, expires_at=LEASE_END))
        await claimed(store)
        assert await store.claim("worker-2", LEASE_END, EXPIRY) is None

    async def test_a_lapsed_task_stands_where_its_priority_and_age_put_it(self, store: TaskStore) -> None:
        await put(store, sample_task(2))
        await claimed(store)
        await put(store, sample_task(1), sample_task(3), sample_task(4, priority=1))
        claims = [await claimed(store, LEASE_END) for _ in range(4)]
        assert [int(claim.task.id[-5:]) for claim in claims] == [4, 1, 2, 3]

    async def test_a_heartbeat_extends_the_lease_and_tells_progress(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        claim = await claimed(store)
        assert await store.heartbeat(claim, 0.25, LEASE_END + TICK) is True
        assert await read(store, claim.task.id) == replace(claim.task, progress=0.25)
        assert await store.claim("worker-2", LEASE_END, EXPIRY) is None
        assert await store.claim("worker-2", LEASE_END + TICK, EXPIRY) is not None

    async def test_a_new_attempt_begins_without_progress(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        await store.heartbeat(await claimed(store), 0.5, LEASE_END)
        assert (await claimed(store, LEASE_END)).task.progress == 0

    async def test_a_film_ends_the_task_and_posts_its_hold(self, store: TaskStore) -> None:
        await put(store, sample_task(1, warnings=(Warned(param="a", message="b"),)))
        claim = await claimed(store)
        outcome = success_of(claim)
        assert await store.finish(claim, outcome, LATER) is True
        assert await read(store, claim.task.id) == replace(
            claim.task,
            status=Status.SUCCEEDED,
            updated_at=LATER,
            progress=1.0,
            film=outcome.film,
            completion_tokens=outcome.completion_tokens,
            warnings=(*claim.task.warnings, *outcome.warnings),
        )
        assert await store.ledger(claim.task.id) == (hold_of(claim.task), posted_of(claim.task))

    async def test_an_error_ends_the_task_with_the_entry_it_brings(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        claim = await claimed(store)
        outcome = failure_of(claim)
        assert await store.finish(claim, outcome, LATER) is True
        failed = replace(claim.task, status=Status.FAILED, updated_at=LATER, error=outcome.error)
        assert await read(store, claim.task.id) == failed
        assert await store.ledger(claim.task.id) == (hold_of(claim.task), voided_of(claim.task))

    async def test_of_many_finishes_one_counts(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        claim = await claimed(store)
        outcomes = [success_of(claim), failure_of(claim)] * 5
        answers = await asyncio.gather(*(store.finish(claim, outcome, LATER) for outcome in outcomes))
        assert answers.count(True) == 1
        kept = outcomes[answers.index(True)]
        assert (await read(store, claim.task.id)).status is kept.status
        assert await store.ledger(claim.task.id) == (hold_of(claim.task), kept.entry)

    @pytest.mark.parametrize("deed", DEEDS)
    async def test_the_holder_of_a_lapsed_claim_is_refused_after_another_took_it(
        self, store: TaskStore, deed: str
    ) -> None:
        await put(store, sample_task(1))
        stale = await claimed(store)
        current = await claimed(store, LEASE_END)
        assert await DEEDS[deed](store, stale) is False
        assert await read(store, stale.task.id) == current.task
        assert await store.ledger(stale.task.id) == (hold_of(stale.task),)
        assert await store.claim("worker-3", LEASE_END + (LEASE_END - NOW), EXPIRY) is not None

    @pytest.mark.parametrize("deed", DEEDS)
    @pytest.mark.parametrize("end", ["succeeded", "failed", "expired", "handed back"])
    async def test_a_claim_ends_with_its_attempt(self, store: TaskStore, deed: str, end: str) -> None:
        await put(store, sample_task(1, expires_at=LATER))
        claim = await claimed(store)
        if end == "handed back":
            await store.hand_back(claim, LATER)
        elif end == "expired":
            await store.expire(LATER)
        else:
            await store.finish(claim, success_of(claim) if end == "succeeded" else failure_of(claim), LATER)
        before, entries = await read(store, claim.task.id), await store.ledger(claim.task.id)
        assert await DEEDS[deed](store, claim) is False
        assert await read(store, claim.task.id) == before
        assert await store.ledger(claim.task.id) == entries

    async def test_a_task_handed_back_waits_at_its_old_place(self, store: TaskStore) -> None:
        await put(store, sample_task(1), sample_task(2))
        claim = await claimed(store)
        await store.heartbeat(claim, 0.5, LEASE_END)
        assert await store.hand_back(claim, LATER) is True
        assert await read(store, claim.task.id) == replace(sample_task(1), attempt=1, updated_at=LATER)
        again = await claimed(store, LATER)
        assert (again.task.id, again.token) == (claim.task.id, 2)

    async def test_all_running_tasks_can_be_handed_back(self, store: TaskStore) -> None:
        await ended(store, 0, Status.FAILED)
        await put(store, *map(sample_task, range(1, 4)))
        claims = [await claimed(store), await claimed(store)]
        assert await store.hand_back_all(LATER) == 2
        assert await listed(store, status=Status.QUEUED) == [3, 2, 1]
        assert [await store.heartbeat(claim, 0.5, EXPIRY) for claim in claims] == [False, False]
        assert [(await claimed(store, LATER)).token for _ in range(3)] == [2, 2, 1]

    async def test_late_tasks_expire_whether_queued_or_running(self, store: TaskStore) -> None:
        await put(store, sample_task(1, expires_at=LATER), sample_task(2, expires_at=LATER - TICK))
        await put(store, sample_task(3, expires_at=LATER + TICK))
        claim = await claimed(store)
        assert sorted(await store.expire(LATER)) == [sample_task(1).id, sample_task(2).id]
        assert await read(store, claim.task.id) == replace(claim.task, status=Status.EXPIRED, updated_at=LATER)
        assert await listed(store, status=Status.EXPIRED) == [2, 1]
        for number in (1, 2):
            task = sample_task(number)
            assert await store.ledger(task.id) == (hold_of(task), voided_of(task))
        assert await store.ledger(sample_task(3).id) == (hold_of(sample_task(3)),)

    @pytest.mark.parametrize("status", sorted(ENDED))
    async def test_an_ended_task_does_not_expire(self, store: TaskStore, status: Status) -> None:
        task = await ended(store, 1, status)
        assert list(await store.expire(EXPIRY)) == []
        assert await read(store, task.id) == task

    async def test_withdrawing_a_queued_task_cancels_it_and_voids_its_hold(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        assert await store.withdraw(OWNER, sample_task(1).id, LATER) == sample_task(1)
        cancelled = replace(sample_task(1), status=Status.CANCELLED, updated_at=LATER)
        assert await read(store, cancelled.id) == cancelled
        assert await store.ledger(cancelled.id) == (hold_of(cancelled), voided_of(cancelled))

    @pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.EXPIRED])
    async def test_withdrawing_an_ended_task_removes_its_record_and_no_entry(
        self, store: TaskStore, status: Status
    ) -> None:
        task = await ended(store, 1, status)
        entries = await store.ledger(task.id)
        assert await store.withdraw(OWNER, task.id, LATER) == task
        assert await store.get(OWNER, task.id) is None
        assert await listed(store) == []
        assert await store.ledger(task.id) == entries

    async def test_withdrawing_leaves_running_and_cancelled_tasks_as_they_are(self, store: TaskStore) -> None:
        cancelled = await ended(store, 1, Status.CANCELLED)
        await put(store, sample_task(2))
        running = (await claimed(store)).task
        for task in (cancelled, running):
            entries = await store.ledger(task.id)
            assert await store.withdraw(OWNER, task.id, LATER + TICK) == task
            assert await read(store, task.id) == task
            assert await store.ledger(task.id) == entries

    async def test_purge_removes_ended_tasks_created_before(self, store: TaskStore) -> None:
        tasks = [await ended(store, number, status) for number, status in enumerate(sorted(ENDED))]
        await put(store, sample_task(8), sample_task(9, created_at=NOW - timedelta(days=9), priority=1))
        await claimed(store)
        bound = tasks[3].created_at
        assert (
            sorted(await store.purge(created_before=bound, cancelled_before=EVER), key=lambda task: task.id)
            == tasks[:3]
        )
        assert await listed(store) == [8, 3, 9]
        assert [len(await store.ledger(task.id)) for task in tasks] == [2, 2, 2, 2]

    async def test_purge_removes_cancelled_tasks_by_their_last_change(self, store: TaskStore) -> None:
        cancelled = await ended(store, 1, Status.CANCELLED)
        await ended(store, 2, Status.FAILED)
        assert list(await store.purge(created_before=EVER, cancelled_before=LATER)) == []
        assert list(await store.purge(created_before=EVER, cancelled_before=LATER + TICK)) == [cancelled]
        assert await listed(store) == [2]

    async def test_a_great_many_expire_at_once_and_are_purged_in_bounded_steps(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(PURGE_MOST + 5)))
        assert len(set(await store.expire(EXPIRY))) == PURGE_MOST + 5
        purges = [await store.purge(created_before=EXPIRY, cancelled_before=EXPIRY) for _ in range(3)]
        assert [len(purged) for purged in purges] == [PURGE_MOST, 5, 0]

    async def test_a_task_is_either_claimed_or_cancelled(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(40)))
        claims = [store.claim(f"worker-{each}", NOW, LEASE_END) for each in range(40)]
        withdrawals = [store.withdraw(OWNER, sample_task(number).id, LATER) for number in reversed(range(40))]
        mixed = [step for pair in zip(claims, withdrawals, strict=True) for step in pair]
        answers = await asyncio.gather(*mixed)
        running = {answer.task.id for answer in answers if isinstance(answer, Claim)}
        cancelled = {each.id for each in answers if isinstance(each, Task) and each.status is Status.QUEUED}
        assert running.isdisjoint(cancelled)
        assert len(running) + len(cancelled) == 40
        # All may be of one kind: who comes first is chance.
        assert {len(await store.ledger(task_id)) for task_id in running} <= {1}
        assert {len(await store.ledger(task_id)) for task_id in cancelled} <= {2}

    async def test_a_task_either_finishes_or_expires(self, store: TaskStore) -> None:
        await put(store, *(sample_task(number, expires_at=LATER) for number in range(20)))
        claims = [await claimed(store) for _ in range(20)]
        steps = [store.finish(claim, success_of(claim), LATER) for claim in claims]
        first, expired, second, nothing = await asyncio.gather(
            _all(steps[:10]), store.expire(LATER), _all(steps[10:]), store.expire(LATER)
        )
        finished = {claim.task.id for claim, answer in zip(claims, [*first, *second], strict=True) if answer}
        late = {*expired, *nothing}
        assert finished.isdisjoint(late)
        assert len(finished) + len(late) == 20
        assert {len(await store.ledger(claim.task.id)) for claim in claims} == {2}

    async def test_each_task_has_one_hold_and_each_ended_one_a_settlement(self, store: TaskStore) -> None:
        chance = random.Random(7)  # noqa: S311
        await put(store, *(sample_task(number, priority=chance.randrange(3)) for number in range(60)))

        async def work(worker: str) -> None:
            while claim := await store.claim(worker, NOW, LEASE_END):
                if chance.random() < 0.3:
                    await store.hand_back(claim, LATER)
                elif chance.random() < 0.9:
                    outcome = success_of(claim) if chance.random() < 0.5 else failure_of(claim)
                    await store.finish(claim, outcome, LATER)

        doomed = chance.sample(range(60), 30)
        withdrawals = [store.withdraw(OWNER, sample_task(number).id, LATER) for number in doomed]
        await asyncio.gather(*(work(f"worker-{each}") for each in range(8)), *withdrawals)
        for number in range(60):
            task = await store.get(OWNER, sample_task(number).id)
            is_ended = task is None or task.status in ENDED
            hold, *settled = [entry.kind for entry in await store.ledger(sample_task(number).id)]
            assert hold is EntryKind.HOLD
            assert settled in ([[EntryKind.POSTED], [EntryKind.VOIDED]] if is_ended else [[]])

    async def test_keys_read_back(self, store: TaskStore) -> None:
        keys = [ApiKey(id=f"key-{each}", owner=OWNER, digest=bytes([each] * 32), created_at=NOW) for each in (1, 2)]
        await asyncio.gather(*map(store.add_key, keys))
        assert list(await store.keys()) == keys

    async def test_a_key_is_stored_once(self, store: TaskStore) -> None:
        key = ApiKey(id="key-1", owner=OWNER, digest=b"\0" * 32, created_at=NOW)
        await store.add_key(key)
        with pytest.raises(ValueError, match="key-2"):
            await store.add_key(replace(key, id="key-2"))

    async def test_closing_finishes_what_was_submitted(self, store: TaskStore) -> None:
        inserts = [asyncio.ensure_future(put(store, sample_task(number))) for number in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await store.close()
        assert await asyncio.wait_for(_all(inserts), PATIENCE_S) == [None] * 50


async def _all(steps: Iterable[Awaitable[T]]) -> list[T]:
    return await asyncio.gather(*steps)
