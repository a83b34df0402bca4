"""The outbox, in the conformance suite of task stores; `stores` joins it with the rest."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from understudy.core.callbacks import TRIES_KEPT, Callback, Delivery, DeliveryState, Target, Try
from understudy.core.ports import TaskStore
from understudy.core.task import Status
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, sample_task, success_of
from understudy.testing.store_steps import (
    LATER,
    MINUTE,
    OWNER,
    TARGET,
    TICK,
    claimed,
    deliver,
    due,
    put,
    put_told,
    read,
    settled,
)

FAR = EXPIRY + timedelta(days=30)


def url_of(number: int) -> str:
    """Return an address of an origin of its own."""
    return f"https://host-{number}.example/told"


class CallbackConformance:
    """What every task store tells of its tasks' changes."""

    async def test_nothing_is_told_of_a_task_without_an_address(self, store: TaskStore) -> None:
        await put(store, sample_task(1))
        await claimed(store)
        assert await due(store, LATER) == []
        assert await store.callbacks.next_due() is None
        assert await store.callbacks.deliveries(OWNER, sample_task(1).id) is None

    async def test_a_new_task_is_told_as_it_was_stored(self, store: TaskStore) -> None:
        task = sample_task(1, priority=3, key_id="key-a")
        await put_told(store, task)
        assert await due(store, task.created_at) == [Callback(task=task, number=1, target=TARGET, tries=1)]

    async def test_every_change_is_told_in_order_as_the_task_was_right_after_it(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        seen = [await read(store, sample_task(1).id)]
        first = await claimed(store)
        seen.append(first.task)
        await store.heartbeat(first, 0.5, LEASE_END)
        await store.hand_back(first, LATER)
        seen.append(await read(store, sample_task(1).id))
        again = await claimed(store, LATER)
        seen.append(again.task)
        await store.finish(again, success_of(again), LATER + TICK)
        seen.append(await read(store, sample_task(1).id))
        told = await deliver(store, LEASE_END)
        assert [callback.task for callback in told] == seen
        assert [callback.number for callback in told] == [1, 2, 3, 4, 5]
        assert len({callback.id for callback in told}) == 5
        assert {callback.target for callback in told} == {TARGET}
        assert await due(store, FAR) == []

    async def test_a_failure_and_an_expiry_are_told_with_what_came_of_them(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1), sample_task(2, expires_at=LATER))
        claim = await claimed(store)
        await store.finish(claim, failure_of(claim), LATER)
        await store.expire(LATER)
        told = await deliver(store, LATER)
        ends = [callback.task for callback in told if callback.task.status in (Status.FAILED, Status.EXPIRED)]
        assert sorted(ends, key=lambda task: task.id) == [await read(store, sample_task(each).id) for each in (1, 2)]
        assert len(told) == 5

    async def test_progress_and_a_lapsed_lease_are_no_changes(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        await store.heartbeat(await claimed(store), 0.5, LEASE_END)
        assert (await claimed(store, LEASE_END)).token == 2
        assert [callback.task.status for callback in await deliver(store, FAR)] == [Status.QUEUED, Status.RUNNING]

    @pytest.mark.parametrize("way", ["withdrawn", "cancelled", "cancelled while it ran"])
    async def test_a_cancellation_is_told_to_nobody(self, store: TaskStore, way: str) -> None:
        await put_told(store, sample_task(1))
        before = [Status.QUEUED]
        if way == "cancelled while it ran":
            await claimed(store)
            before.append(Status.RUNNING)
        await (store.withdraw if way == "withdrawn" else store.cancel)(OWNER, sample_task(1).id, LATER)
        assert (await read(store, sample_task(1).id)).status is Status.CANCELLED
        assert [callback.task.status for callback in await deliver(store, FAR)] == before

    async def test_of_each_task_only_the_first_that_is_pending_is_told(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1), sample_task(2))
        claim = await claimed(store)
        await store.finish(claim, success_of(claim), LATER)
        taken = await due(store, LATER)
        assert sorted((callback.task.id, callback.number) for callback in taken) == [
            (sample_task(1).id, 1),
            (sample_task(2).id, 1),
        ]
        assert await due(store, LATER) == []
        (first,) = (callback for callback in taken if callback.task.id == sample_task(1).id)
        await settled(store, first, DeliveryState.DELIVERED)
        assert [callback.number for callback in await due(store, LATER)] == [2]

    async def test_what_is_taken_is_nobody_elses_until_its_time_is_over(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        (first,) = await due(store, LATER)
        assert await due(store, LATER + MINUTE - TICK) == []
        assert await store.callbacks.next_due() == LATER + MINUTE
        (second,) = await due(store, LATER + MINUTE)
        assert second == replace(first, tries=2)

    async def test_who_was_too_slow_settles_nothing(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        (slow,) = await due(store, LATER)
        (current,) = await due(store, LATER + MINUTE)
        assert await settled(store, slow, DeliveryState.DELIVERED) is False
        assert await settled(store, slow, DeliveryState.PENDING, due_at=LATER) is False
        log = await store.callbacks.deliveries(OWNER, sample_task(1).id)
        assert log is not None
        assert (log[0].state, log[0].tries, log[0].tried) == (DeliveryState.PENDING, (), 2)
        assert await settled(store, current, DeliveryState.DELIVERED) is True
        assert await settled(store, current, DeliveryState.DELIVERED) is False
        assert await settled(store, slow, DeliveryState.GIVEN_UP) is False
        assert await due(store, FAR) == []

    async def test_a_settlement_that_is_said_twice_is_recorded_once(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        (callback,) = await due(store, LATER)
        for _ in range(2):
            assert await settled(store, callback, DeliveryState.PENDING, now=LATER, due_at=EXPIRY) is True
        log = await store.callbacks.deliveries(OWNER, sample_task(1).id)
        assert log is not None
        assert [tried.at for tried in log[0].tries] == [LATER]
        assert log[0].due_at == EXPIRY

    async def test_many_who_take_at_once_take_each_once(self, store: TaskStore) -> None:
        await put_told(store, *map(sample_task, range(60)))
        takes = await asyncio.gather(*(due(store, LATER, 7) for _ in range(20)))
        ids = [callback.id for taken in takes for callback in taken]
        assert len(ids) == len(set(ids)) == 60
        assert max(map(len, takes)) <= 7

    async def test_what_was_not_heard_is_told_again_and_holds_back_what_follows(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        await claimed(store)
        (first,) = await due(store, LATER)
        assert await settled(store, first, DeliveryState.PENDING, due_at=EXPIRY) is True
        assert await due(store, EXPIRY - TICK) == []
        assert await store.callbacks.next_due() == EXPIRY
        assert await due(store, EXPIRY) == [replace(first, tries=2)]

    async def test_what_was_given_up_is_not_told_again_and_what_follows_is(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        await claimed(store)
        (first,) = await due(store, LATER)
        await settled(store, first, DeliveryState.GIVEN_UP)
        assert [callback.number for callback in await deliver(store, FAR)] == [2]

    async def test_a_thousand_of_one_origin_do_not_stand_before_the_first_of_another(self, store: TaskStore) -> None:
        await put_told(store, *map(sample_task, range(1000)), url=url_of(1))
        await put_told(store, *map(sample_task, range(1000, 1003)), url=url_of(2))
        await put_told(store, sample_task(1003), url=url_of(3))
        taken = [callback.target.url for callback in await due(store, LATER, 3)]
        assert sorted(taken) == [url_of(1), url_of(2), url_of(3)]
        taken = [callback.target.url for callback in await due(store, LATER, 4)]
        assert sorted(taken) == [url_of(1)] * 2 + [url_of(2)] * 2

    async def test_origins_take_turns_when_one_is_taken_at_a_time(self, store: TaskStore) -> None:
        await put_told(store, *map(sample_task, range(6)), url=url_of(1))
        await put_told(store, *map(sample_task, range(6, 8)), url=url_of(2))
        order = []
        for _ in range(8):
            (callback,) = await due(store, LATER, 1)
            await settled(store, callback, DeliveryState.DELIVERED)
            order.append(callback.target.url)
        assert order[:4] in ([url_of(1), url_of(2)] * 2, [url_of(2), url_of(1)] * 2)
        assert order[4:] == [url_of(1)] * 4

    async def test_an_origin_that_is_busy_is_left_out(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1), url="https://one.example/a")
        await put_told(store, sample_task(2), url="https://one.example:443/b")
        await put_told(store, sample_task(3), url="https://one.example:8443/a")
        one, other = (Target(url=url, root="").origin for url in ("https://one.example/", "https://one.example:8443/"))
        taken = await due(store, LATER, busy=(one, "https://unknown.example"))
        assert [callback.task.id for callback in taken] == [sample_task(3).id]
        assert await due(store, LATER, busy=(one, other)) == []
        assert len(await due(store, LATER, busy=(other,))) == 2

    async def test_what_waits_longest_of_an_origin_is_told_first(self, store: TaskStore) -> None:
        await put_told(store, sample_task(2), sample_task(0), sample_task(1))
        taken = [(await due(store, LATER, 1))[0].task.id for _ in range(3)]
        assert taken == [sample_task(number).id for number in range(3)]

    async def test_of_an_origin_only_what_is_due_is_told(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1), sample_task(2))
        assert [callback.task.id for callback in await due(store, sample_task(1).created_at)] == [sample_task(1).id]

    async def test_what_is_due_next_is_known(self, store: TaskStore) -> None:
        await put_told(store, sample_task(7), sample_task(3))
        assert await store.callbacks.next_due() == sample_task(3).created_at
        await deliver(store, LATER)
        assert await store.callbacks.next_due() is None

    async def test_the_log_tells_what_became_of_each_change(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        claim = await claimed(store, LATER)
        (first,) = await due(store, LATER)
        refused = Try(at=LATER, took_s=4.999999, status=503, fault="The answer was 503.")
        await store.callbacks.settle(first, refused, state=DeliveryState.PENDING, due_at=LATER + TICK)
        (first,) = await due(store, LATER + TICK)
        taken = Try(at=LATER + TICK, took_s=0.0125, status=200)
        await store.callbacks.settle(first, taken, state=DeliveryState.DELIVERED)
        log = await store.callbacks.deliveries(OWNER, claim.task.id)
        told = Delivery(
            number=1,
            status=Status.QUEUED,
            changed_at=sample_task(1).created_at,
            state=DeliveryState.DELIVERED,
            due_at=None,
            tried=2,
            tries=(refused, taken),
        )
        waiting = Delivery(
            number=2, status=Status.RUNNING, changed_at=LATER, state=DeliveryState.PENDING, due_at=LATER, tried=0
        )
        assert log is not None
        assert list(log) == [told, waiting]
        assert await store.callbacks.deliveries("project-b", claim.task.id) is None
        assert await store.callbacks.deliveries(OWNER, "a\ud800") is None

    async def test_of_very_many_tries_the_latest_are_kept(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        moments = [LATER + number * TICK for number in range(TRIES_KEPT + 5)]
        for moment in moments:
            (callback,) = await due(store, moment)
            await settled(store, callback, DeliveryState.PENDING, now=moment, due_at=moment + TICK)
        log = await store.callbacks.deliveries(OWNER, sample_task(1).id)
        assert log is not None
        assert [tried.at for tried in log[0].tries] == moments[5:]
        assert log[0].tried == TRIES_KEPT + 5

    async def test_a_callback_can_be_sent_once_more(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        claim = await claimed(store)
        await store.finish(claim, success_of(claim), LATER)
        told = await deliver(store, LATER)
        assert await store.callbacks.resend(OWNER, claim.task.id, None, EXPIRY) == 1
        assert await due(store, EXPIRY - TICK) == []
        assert await due(store, EXPIRY) == [replace(told[2], tries=2)]
        assert await store.callbacks.resend(OWNER, claim.task.id, 1, EXPIRY) == 1
        # The first stands before the third again.
        (again,) = await due(store, FAR)
        assert again == replace(told[0], tries=2)
        await settled(store, again, DeliveryState.DELIVERED)
        assert [callback.number for callback in await due(store, FAR)] == [3]

    async def test_what_was_given_up_can_be_sent_once_more(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        (first,) = await due(store, LATER)
        await settled(store, first, DeliveryState.GIVEN_UP)
        assert await store.callbacks.resend(OWNER, sample_task(1).id, 1, LATER) == 1
        assert await store.callbacks.next_due() == LATER
        log = await store.callbacks.deliveries(OWNER, sample_task(1).id)
        assert log is not None
        assert (log[0].state, log[0].due_at) == (DeliveryState.PENDING, LATER)
        assert await deliver(store, LATER) == [replace(first, tries=2)]

    async def test_what_is_not_there_is_not_sent_once_more(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        await put(store, sample_task(2))
        await deliver(store, LATER)
        for owner, task_id, number in (
            ("project-b", sample_task(1).id, None),
            (OWNER, sample_task(1).id, 2),
            (OWNER, sample_task(1).id, 0),
            (OWNER, sample_task(2).id, None),
            (OWNER, "a\0b", None),
            ("\ud800", sample_task(1).id, 1),
        ):
            assert await store.callbacks.resend(owner, task_id, number, LATER) == 0
        assert await due(store, FAR) == []

    async def test_a_callback_outlives_the_record_of_its_task(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        claim = await claimed(store)
        await store.finish(claim, success_of(claim), LATER)
        task = await read(store, claim.task.id)
        await store.withdraw(OWNER, task.id, LATER)
        assert await store.get(OWNER, task.id) is None
        told = await deliver(store, LATER)
        assert [callback.number for callback in told] == [1, 2, 3]
        assert told[-1].task == task
        log = await store.callbacks.deliveries(OWNER, task.id)
        assert log is not None
        assert [delivery.state for delivery in log] == [DeliveryState.DELIVERED] * 3
        assert await store.callbacks.resend(OWNER, task.id, None, LATER) == 1

    async def test_what_was_told_is_forgotten_in_bounded_steps(self, store: TaskStore) -> None:
        moments = [NOW + timedelta(seconds=number) for number in range(5)]
        for number, moment in enumerate(moments):
            await put_told(store, sample_task(number, created_at=moment), url=url_of(number))
        await store.expire(EXPIRY)
        for callback in await due(store, FAR):
            if callback.target.url != url_of(1):
                await settled(store, callback, DeliveryState.DELIVERED)
        assert await store.callbacks.forget_told(FAR, 10) == 0, "the ends are yet to be told"
        for callback in await due(store, FAR):
            await settled(store, callback, DeliveryState.GIVEN_UP)
        assert await store.callbacks.forget_told(moments[0], 10) == 0
        assert await store.callbacks.forget_told(moments[3], 1) == 1
        assert await store.callbacks.forget_told(moments[3], 9) == 1
        logs = [await store.callbacks.deliveries(OWNER, sample_task(number).id) for number in range(5)]
        assert [log is None for log in logs] == [True, False, True, False, False]
        assert [callback.target.url for callback in await due(store, FAR + MINUTE)] == [url_of(1)]

    async def test_what_a_task_is_yet_to_tell_is_never_forgotten(self, store: TaskStore) -> None:
        await put_told(store, sample_task(1))
        claim = await claimed(store)
        assert len(await deliver(store, LATER)) == 2
        assert await store.callbacks.forget_told(FAR, 10) == 0
        await store.finish(claim, failure_of(claim), LATER)
        assert [callback.number for callback in await deliver(store, LATER)] == [3]
        assert await store.callbacks.forget_told(FAR, 10) == 1
        assert await store.callbacks.deliveries(OWNER, claim.task.id) is None
