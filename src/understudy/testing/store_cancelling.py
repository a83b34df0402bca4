"""Cancelling, listening, duties and render times in the conformance suite of task stores; `stores` joins them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from understudy.core.ports import TaskStore
from understudy.core.queueing import RenderTime
from understudy.core.task import ENDED, Claim, Status
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, hold_of, sample_task, success_of, voided_of
from understudy.testing.store_steps import LATER, OWNER, TICK, claimed, ended, put, read

PATIENCE_S = 30.0
DEEDS: dict[str, Callable[[TaskStore, Claim], Awaitable[bool]]] = {
    "heartbeat": lambda store, claim: store.heartbeat(claim, 0.9, EXPIRY),
    "finish with a film": lambda store, claim: store.finish(claim, success_of(claim), LATER),
    "finish with an error": lambda store, claim: store.finish(claim, failure_of(claim), LATER),
    "hand back": lambda store, claim: store.hand_back(claim, LATER),
}


class CancelConformance:
    """How every task store cancels."""

    async def test_a_queued_task_is_cancelled_and_its_hold_voided(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        assert await store.cancel(OWNER, sample_task(1).id, LATER) == sample_task(1)
        cancelled = replace(sample_task(1), status=Status.CANCELLED, updated_at=LATER)
        assert await read(store, cancelled.id) == cancelled
        assert await store.ledger(cancelled.id) == (hold_of(cancelled), voided_of(cancelled))
        assert await store.claim("worker-1", LATER, LEASE_END) is None

    @pytest.mark.parametrize("deed", DEEDS)
    async def test_a_running_task_is_cancelled_and_its_claim_is_lost(self, store: TaskStore, deed: str) -> None:
        await put(store, sample_task(1))
        claim = await claimed(store)
        await store.heartbeat(claim, 0.5, LEASE_END)
        before = await store.cancel(OWNER, claim.task.id, LATER)
        assert before == replace(claim.task, progress=0.5)
        cancelled = replace(before, status=Status.CANCELLED, updated_at=LATER)
        assert await read(store, claim.task.id) == cancelled
        assert await DEEDS[deed](store, claim) is False
        assert await read(store, claim.task.id) == cancelled
        assert await store.ledger(claim.task.id) == (hold_of(claim.task), voided_of(claim.task))
        assert await store.claim("worker-2", LEASE_END, EXPIRY) is None

    @pytest.mark.parametrize("status", sorted(ENDED))
    async def test_an_ended_task_is_left_as_it_is(self, store: TaskStore, status: Status) -> None:
        task = await ended(store, 1, status)
        entries = await store.ledger(task.id)
        assert await store.cancel(OWNER, task.id, LATER + TICK) == task
        assert await read(store, task.id) == task
        assert await store.ledger(task.id) == entries

    async def test_a_task_is_cancelled_by_its_owner_only(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        assert await store.cancel("project-b", sample_task(1).id, LATER) is None
        for text in ("", "a\0b", "\ud800"):
            assert await store.cancel(OWNER, text, LATER) is None
            assert await store.cancel(text, sample_task(1).id, LATER) is None
        assert await read(store, sample_task(1).id) == sample_task(1)

    async def test_a_task_is_either_finished_or_cancelled(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(20)))
        claims = [await claimed(store) for _ in range(20)]
        steps: list[Awaitable[object]] = []
        for claim in claims:
            steps += [store.finish(claim, success_of(claim), LATER), store.cancel(OWNER, claim.task.id, LATER)]
        answers = await asyncio.gather(*steps)
        for number, claim in enumerate(claims):
            task = await read(store, claim.task.id)
            assert task.status is (Status.SUCCEEDED if answers[2 * number] else Status.CANCELLED)
            assert len(await store.ledger(claim.task.id)) == 2


class Listener:
    """Collects what is told, for a test that waits for it."""

    def __init__(self) -> None:
        self._told: set[str | None] = set()
        self._more = asyncio.Event()

    def __call__(self, task_id: str | None) -> None:
        """Be told."""
        self._told.add(task_id)
        self._more.set()

    async def hears(self, *task_ids: str) -> None:
        """Wait until each of these was told since it was last waited for, or that any task may have changed."""
        while not (None in self._told or self._told.issuperset(task_ids)):
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), PATIENCE_S)
        self._told -= {None, *task_ids}


class ListenConformance:
    """What every task store tells of changes."""

    async def test_every_change_is_told_after_it_is_there_to_be_read(self, store: TaskStore) -> None:
        heard = Listener()
        store.listen(heard)
        ids = [sample_task(number).id for number in range(6)]
        await put(store, *(sample_task(number, expires_at=LATER) for number in range(6)))
        await heard.hears(*ids)
        claims = []
        for _ in range(4):
            claims.append(await claimed(store))
            await heard.hears(claims[-1].task.id)
        await store.finish(claims[0], success_of(claims[0]), NOW)
        await heard.hears(ids[0])
        await store.hand_back(claims[1], NOW)
        await heard.hears(ids[1])
        await store.cancel(OWNER, ids[2], NOW)
        await heard.hears(ids[2])
        await store.withdraw(OWNER, ids[4], NOW)
        await heard.hears(ids[4])
        await store.hand_back_all(NOW)
        await heard.hears(ids[3])
        assert len(await store.expire(LATER)) == 3
        await heard.hears(ids[1], ids[3], ids[5])

    async def test_what_is_told_can_be_read_at_once(self, store: TaskStore) -> None:
        seen: asyncio.Queue[bool] = asyncio.Queue()
        looks: set[asyncio.Task[None]] = set()

        async def look(task_id: str) -> None:
            seen.put_nowait(await store.get(OWNER, task_id) is not None)

        def heard(task_id: str | None) -> None:
            if task_id is not None:
                looks.add(asyncio.ensure_future(look(task_id)))

        store.listen(heard)
        await put(store, *map(sample_task, range(20)))
        for _ in range(20):
            assert await asyncio.wait_for(seen.get(), PATIENCE_S)

    async def test_a_change_is_told_although_its_caller_has_left(self, store: TaskStore) -> None:
        heard = Listener()
        store.listen(heard)
        inserting = asyncio.ensure_future(store.insert(sample_task(1), hold_of(sample_task(1))))
        await asyncio.sleep(0)
        inserting.cancel()
        await put(store, sample_task(2))
        await heard.hears(sample_task(2).id)
        if await store.get(OWNER, sample_task(1).id) is not None:
            await heard.hears(sample_task(1).id)

    async def test_everybody_who_listens_is_told(self, store: TaskStore) -> None:
        listeners = [Listener(), Listener()]
        for heard in listeners:
            store.listen(heard)
        await put(store, sample_task(1))
        for heard in listeners:
            await heard.hears(sample_task(1).id)


class DutyConformance:
    """Who leads, and how long films take."""

    async def test_one_of_several_has_a_duty_until_its_time_is_over(self, store: TaskStore) -> None:
        assert await store.lead("reaper", "server-1", NOW, LATER) is True
        assert await store.lead("reaper", "server-2", NOW, LATER) is False
        assert await store.lead("reaper", "server-2", LATER - TICK, EXPIRY) is False
        assert await store.lead("reaper", "server-1", LATER - TICK, LEASE_END) is True
        assert await store.lead("reaper", "server-2", LATER, EXPIRY) is False
        assert await store.lead("reaper", "server-2", LEASE_END, EXPIRY) is True
        assert await store.lead("reaper", "server-1", LEASE_END, EXPIRY) is False
        assert await store.lead("sender", "server-1", LEASE_END, EXPIRY) is True

    async def test_of_many_who_want_a_duty_one_gets_it(self, store: TaskStore) -> None:
        for now, until in ((NOW, LATER), (LATER, EXPIRY)):
            answers = await asyncio.gather(
                *(store.lead("reaper", f"server-{number}", now, until) for number in range(20))
            )
            assert answers.count(True) == 1

    async def test_render_times_are_remembered_the_latest_first(self, store: TaskStore) -> None:
        assert list(await store.render_times(["a", "b"])) == []
        times = [RenderTime(kind="ab"[number % 2], film_s=5.0, took_s=float(number)) for number in range(6)]
        for number, took in enumerate(times):
            await store.note_render(took, NOW + number * TICK)
        assert list(await store.render_times(["a"])) == [times[4], times[2], times[0]]
        assert sorted(await store.render_times(["a", "b"]), key=lambda each: each.took_s) == times
        assert list(await store.render_times([])) == list(await store.render_times(["c", "\ud800"])) == []

    async def test_of_each_kind_only_the_latest_are_kept(self, store: TaskStore) -> None:
        await store.note_render(RenderTime(kind="b", film_s=5.0, took_s=1.5), NOW)
        for number in range(100):
            await store.note_render(RenderTime(kind="a", film_s=5.0, took_s=float(number)), NOW + number * TICK)
        kept = [each.took_s for each in await store.render_times(["a"])]
        assert kept == [float(number) for number in range(99, 99 - len(kept), -1)]
        assert 10 <= len(kept) < 100
        assert [each.took_s for each in await store.render_times(["b"])] == [1.5]
