"""Whose turn it is, in the conformance suite of task stores; `stores` joins it with the rest."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from understudy.core.ports import TaskStore
from understudy.core.queueing import Lane
from understudy.core.task import Status, Task
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, sample_task, success_of
from understudy.testing.store_steps import LATER, MINUTE, OWNER, TICK, claimed, lane_of, put, read, turns

FAR = EXPIRY + timedelta(days=1)


def tasks_of(key_id: str, *numbers: int, **changes: object) -> list[Task]:
    """Return new tasks of one key."""
    return [sample_task(number, key_id=key_id, **changes) for number in numbers]


class LaneConformance:
    """How every task store lets keys take turns."""

    async def test_a_task_keeps_the_key_that_made_it(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1))
        assert (await read(store, sample_task(1).id)).key_id == "key-a"
        assert (await claimed(store)).task.key_id == "key-a"

    async def test_a_lane_counts_what_waits_and_what_runs(self, store: TaskStore) -> None:
        assert list(await store.lanes()) == []
        await put(store, *tasks_of("key-a", *range(8)), sample_task(8, key_id="key-a", expires_at=LATER))
        assert list(await store.lanes()) == [Lane(key_id="key-a", engine="scripted", queued=9, running=0)]
        claims = [await claimed(store) for _ in range(5)]
        assert await lane_of(store, "key-a") == (4, 5)
        await store.finish(claims[0], success_of(claims[0]), LATER)
        await store.finish(claims[1], failure_of(claims[1]), LATER)
        assert await lane_of(store, "key-a") == (4, 3)
        await store.hand_back(claims[2], LATER)
        assert await lane_of(store, "key-a") == (5, 2)
        await store.expire(LATER)
        assert await lane_of(store, "key-a") == (4, 2)
        await store.cancel(OWNER, claims[3].task.id, LATER)
        await store.withdraw(OWNER, sample_task(7).id, LATER)
        assert await lane_of(store, "key-a") == (3, 1)
        await store.heartbeat(claims[4], 0.5, LEASE_END)
        assert (await claimed(store, LEASE_END)).task.id == sample_task(2).id
        assert (await claimed(store, LEASE_END)).token == 2, "a task whose lease lapsed stays in its lane as it is"
        assert await lane_of(store, "key-a") == (2, 2)
        assert await store.hand_back_all(LATER) == 2
        assert await lane_of(store, "key-a") == (4, 0)
        assert len(await store.expire(FAR)) == 4
        await store.purge(created_before=FAR, cancelled_before=FAR)
        assert list(await store.lanes()) == []

    async def test_a_refused_change_moves_no_count(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1, 2))
        claim = await claimed(store)
        await store.finish(claim, success_of(claim), LATER)
        assert await store.finish(claim, success_of(claim), LATER) is False
        assert await store.hand_back(claim, LATER) is False
        await store.cancel(OWNER, claim.task.id, LATER)
        await store.withdraw(OWNER, claim.task.id, LATER)
        assert await lane_of(store, "key-a") == (1, 0)

    async def test_three_keys_share_three_slots_however_much_each_brought(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(100)))
        await put(store, *tasks_of("key-b", *range(100, 110)), *tasks_of("key-c", 110))
        running = [await claimed(store) for _ in range(3)]
        served = [claim.task.key_id for claim in running]
        for second in range(1, 31):
            now = NOW + timedelta(seconds=second)
            first = running.pop(0)
            await store.finish(first, success_of(first), now)
            running.append(await claimed(store, now))
            served.append(running[-1].task.key_id)
        assert sorted(served[:3]) == ["key-a", "key-b", "key-c"]
        # One of c, then a and b in equal parts until b has nothing more.
        assert Counter(served[:21]) == {"key-a": 10, "key-b": 10, "key-c": 1}
        assert set(served[21:]) == {"key-a"}

    async def test_the_lane_with_the_fewest_running_goes_first(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(6)))
        await turns(store, 3)
        await put(store, *tasks_of("key-b", *range(6, 12)))
        assert await turns(store, 3, LATER) == ["key-b"] * 3
        assert sorted(await turns(store, 2, LATER)) == ["key-a", "key-b"]

    async def test_of_equal_lanes_the_one_that_waited_longest_goes_first(self, store: TaskStore) -> None:
        keys = [f"key-{letter}" for letter in "abcd"]
        for number, key_id in enumerate(keys):
            await put(store, *tasks_of(key_id, *range(number * 10, number * 10 + 4)))
        order = []
        for second in range(12):
            claim = await claimed(store, NOW + timedelta(seconds=second))
            await store.finish(claim, success_of(claim), NOW + timedelta(seconds=second))
            order.append(claim.task.key_id)
        assert sorted(order[:4]) == keys
        assert order[4:8] == order[8:] == order[:4]

    @pytest.mark.parametrize("step", [timedelta(0), -TICK], ids=["stands still", "goes back"])
    async def test_lanes_take_turns_even_when_the_clock(self, store: TaskStore, step: timedelta) -> None:
        for number, key_id in enumerate(("key-a", "key-b", "key-c")):
            await put(store, *tasks_of(key_id, *range(number * 10, number * 10 + 3)))
        order = []
        for number in range(9):
            claim = await claimed(store, NOW + number * step)
            await store.finish(claim, success_of(claim), NOW + number * step)
            order.append(claim.task.key_id)
        assert sorted(order[:3]) == ["key-a", "key-b", "key-c"]
        assert order[3:6] == order[6:] == order[:3]

    async def test_a_key_that_comes_back_does_not_pass_those_who_waited(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1), *tasks_of("key-b", *range(10, 14)))
        first = [await claimed(store) for _ in range(2)]
        last = next(claim for claim in first if claim.task.key_id == "key-a")
        for claim in (*(claim for claim in first if claim is not last), last):
            await store.finish(claim, success_of(claim), NOW)
        claim = await claimed(store, LATER)
        await store.finish(claim, success_of(claim), LATER)
        await put(store, *tasks_of("key-a", 2))
        claim = await claimed(store, LATER + TICK)
        await store.finish(claim, success_of(claim), LATER + TICK)
        # It has its turn, and then it brings one more: another key's stand before it.
        assert claim.task.key_id == "key-a"
        await put(store, *tasks_of("key-a", 3))
        assert (await claimed(store, LATER + 2 * TICK)).task.key_id == "key-b"

    async def test_priority_counts_inside_a_lane_and_passes_no_other(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(5), priority=9), *tasks_of("key-b", 7, 8))
        await put(store, *tasks_of("key-b", 9, priority=1))
        claims = [await claimed(store, NOW + number * TICK) for number in range(6)]
        keys = [claim.task.key_id for claim in claims]
        assert [sorted(keys[at : at + 2]) for at in (0, 2, 4)] == [["key-a", "key-b"]] * 3
        assert [claim.task.id[-1] for claim in claims if claim.task.key_id == "key-b"] == ["9", "7", "8"]

    async def test_no_more_of_a_key_run_at_a_time_than_may(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(5)), *tasks_of("key-b", 8))
        assert sorted(await turns(store, 6, concurrency=2)) == ["key-a", "key-a", "key-b"]
        await store.cancel(OWNER, sample_task(0).id, LATER)
        assert await turns(store, 3, concurrency=2) == ["key-a"]
        assert await turns(store, 3, concurrency=3) == ["key-a"]
        assert await turns(store, 3) == ["key-a"]

    async def test_of_twenty_claims_at_once_as_many_are_given_as_may_run(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(15)), *tasks_of("key-b", *range(20, 35)))
        claims = await asyncio.gather(
            *(store.claim(f"worker-{number}", NOW, LEASE_END, concurrency=3) for number in range(20))
        )
        given = [claim.task for claim in claims if claim is not None]
        assert Counter(task.key_id for task in given) == {"key-a": 3, "key-b": 3}
        assert len({task.id for task in given}) == 6
        assert (await lane_of(store, "key-a"), await lane_of(store, "key-b")) == ((12, 3), (12, 3))

    async def test_a_task_whose_lease_lapsed_is_claimed_although_as_many_run_as_may(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1, 2))
        await claimed(store)
        again = await store.claim("worker-2", LEASE_END, LEASE_END + MINUTE, concurrency=1)
        assert again is not None
        assert (again.task.id, again.token) == (sample_task(1).id, 2)
        assert await store.claim("worker-3", LEASE_END, LEASE_END + MINUTE, concurrency=1) is None

    async def test_an_engine_is_given_its_own_tasks_only(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1, 2), *tasks_of("key-a", 3, 4, engine="other", priority=9))
        assert await store.claim("worker-1", NOW, LEASE_END, engine="third") is None
        first = await store.claim("worker-1", NOW, LEASE_END, engine="scripted", concurrency=1)
        assert first is not None
        assert first.task.id == sample_task(1).id
        assert await store.claim("worker-1", NOW, LEASE_END, engine="scripted", concurrency=1) is None
        other = await store.claim("worker-1", NOW, LEASE_END, engine="other", concurrency=1)
        assert other is not None
        assert other.task.id == sample_task(3).id
        # Neither is it given another's whose lease has lapsed.
        again = await store.claim("worker-2", LEASE_END, EXPIRY, engine="scripted", concurrency=1)
        assert again is not None
        assert (again.task.id, again.token) == (first.task.id, 2)
        assert await store.claim("worker-2", LEASE_END, EXPIRY, engine="scripted", concurrency=1) is None
        lanes = {(lane.key_id, lane.engine): (lane.queued, lane.running) for lane in await store.lanes()}
        assert lanes == {("key-a", "scripted"): (1, 1), ("key-a", "other"): (1, 1)}

    async def test_leases_may_be_measured_with_a_clock_of_their_own(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1))
        await claimed(store)
        assert await store.claim("worker-2", EXPIRY - TICK, EXPIRY, lease_now=LEASE_END - TICK) is None
        again = await store.claim("worker-2", NOW, EXPIRY, lease_now=LEASE_END)
        assert again is not None
        assert again.token == 2

    async def test_a_lane_is_told_while_a_task_of_it_runs_and_none_waits(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1))
        await claimed(store)
        assert list(await store.lanes()) == [Lane(key_id="key-a", engine="scripted", queued=0, running=1)]

    async def test_tasks_of_a_lane_whose_time_is_over_stand_in_nobodys_way(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", *range(300), priority=9, expires_at=LATER), *tasks_of("key-a", 300))
        await put(store, *tasks_of("key-b", 400))
        claims = [await claimed(store, LATER) for _ in range(2)]
        assert sorted(claim.task.id for claim in claims) == [sample_task(300).id, sample_task(400).id]
        assert await store.claim("worker-1", LATER, EXPIRY) is None

    async def test_lanes_whose_tasks_time_is_over_stand_in_nobodys_way(self, store: TaskStore) -> None:
        for number in range(100):
            await put(store, *tasks_of(f"key-{number}", number, expires_at=LATER))
        await put(store, *tasks_of("key-z", 500))
        assert (await claimed(store, LATER)).task.id == sample_task(500).id
        assert await store.claim("worker-1", LATER, EXPIRY) is None

    async def test_lanes_are_told_in_the_order_of_their_turns(self, store: TaskStore) -> None:
        for number, key_id in enumerate(("key-a", "key-b", "key-c")):
            await put(store, *tasks_of(key_id, *range(number * 10, number * 10 + 3)))
        await turns(store, 2)
        for _ in range(3):
            told = next(lane for lane in await store.lanes() if lane.queued)
            assert (await claimed(store)).task.key_id == told.key_id

    async def test_what_waits_in_a_lane_is_told_in_the_order_of_its_turns(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1, 2, 3), *tasks_of("key-a", 4, priority=2), *tasks_of("key-b", 5))
        await put(store, sample_task(6, key_id="key-a", engine="other"))
        waiting = [sample_task(number).id for number in (4, 1, 2, 3)]
        assert list(await store.queued_ids("key-a", "scripted", 10)) == waiting
        assert list(await store.queued_ids("key-a", "scripted", 2)) == waiting[:2]
        claim = await store.claim("worker-1", NOW, LEASE_END, engine="other")
        assert claim is not None
        assert list(await store.queued_ids("key-a", "other", 10)) == []
        assert list(await store.queued_ids("key-b", "scripted", 10)) == [sample_task(5).id]
        assert list(await store.queued_ids("key-\ud800", "scripted", 10)) == []

    async def test_a_task_is_never_changed_at_a_moment_before_its_last_change(self, store: TaskStore) -> None:
        await put(store, *tasks_of("key-a", 1))
        claim = await claimed(store, NOW - MINUTE)
        assert claim.task.updated_at == sample_task(1).updated_at
        await store.hand_back(claim, LATER)
        again = await claimed(store, NOW)
        assert again.task.updated_at == LATER
        await store.finish(again, success_of(again), NOW)
        task = await read(store, again.task.id)
        assert (task.status, task.updated_at) == (Status.SUCCEEDED, LATER)
