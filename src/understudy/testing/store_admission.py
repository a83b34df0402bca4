"""What keeps a new task out, in the conformance suite of task stores; `stores` joins it with the rest."""

import asyncio
from datetime import timedelta

import pytest

from understudy.core.callbacks import Target
from understudy.core.errors import Rejected
from understudy.core.ports import IdTaken, TaskStore
from understudy.core.queueing import Admission, Idempotency, QueueFull, Replayed
from understudy.core.task import Status, Task
from understudy.testing.samples import NOW, hold_of, sample_task
from understudy.testing.store_steps import (
    EVER,
    LATER,
    OWNER,
    TARGET,
    TICK,
    claimed,
    due,
    ended,
    lane_of,
    listed,
    put,
)

FIRST, SECOND = b"\x01" * 32, b"\x02" * 32


def keyed(key: str = "one", fingerprint: bytes = FIRST, **more: object) -> Admission:
    """Return an admission with an idempotency key."""
    return Admission(idempotency=Idempotency(key=key, fingerprint=fingerprint), **more)  # type: ignore[arg-type]


async def answer_of(store: TaskStore, task: Task, admission: Admission) -> Exception | None:
    """Insert a task; give what was raised."""
    try:
        await store.insert(task, hold_of(task), admission)
    except Exception as error:  # boundary: the test looks at it
        return error
    return None


class AdmissionConformance:
    """What every task store writes together with a new task, and what it refuses."""

    async def test_a_key_is_remembered_with_the_task_it_made(self, store: TaskStore) -> None:
        assert await store.recall(OWNER, "one") is None
        assert await answer_of(store, sample_task(1), keyed()) is None
        made = Idempotency(key="one", fingerprint=FIRST, task_id=sample_task(1).id)
        assert await store.recall(OWNER, "one") == made
        assert await store.recall("project-b", "one") is None
        assert await store.recall(OWNER, "ONE") is None

    @pytest.mark.parametrize("fingerprint", [FIRST, SECOND], ids=["the same request", "another request"])
    async def test_a_key_makes_one_task(self, store: TaskStore, fingerprint: bytes) -> None:
        await answer_of(store, sample_task(1), keyed())
        answer = await answer_of(store, sample_task(2), keyed(fingerprint=fingerprint, callback=TARGET))
        assert isinstance(answer, Replayed)
        assert answer.earlier == Idempotency(key="one", fingerprint=FIRST, task_id=sample_task(1).id)
        assert await listed(store) == [1]
        assert await store.ledger(sample_task(2).id) == ()
        assert await due(store, LATER) == []
        assert await lane_of(store, "") == (1, 0)

    async def test_of_many_with_one_key_submitted_together_one_makes_a_task(self, store: TaskStore) -> None:
        answers = await asyncio.gather(*(answer_of(store, sample_task(number), keyed()) for number in range(20)))
        (made,) = (number for number, answer in enumerate(answers) if answer is None)
        replays = [answer for answer in answers if answer is not None]
        assert {type(answer) for answer in replays} == {Replayed}
        assert {answer.earlier.task_id for answer in replays if isinstance(answer, Replayed)} == {sample_task(made).id}
        assert await listed(store) == [made]

    async def test_two_fingerprints_of_one_key_submitted_together_make_one_task(self, store: TaskStore) -> None:
        first, second = await asyncio.gather(
            answer_of(store, sample_task(1), keyed()), answer_of(store, sample_task(2), keyed(fingerprint=SECOND))
        )
        recalled = await store.recall(OWNER, "one")
        assert recalled is not None
        (replay,) = (answer for answer in (first, second) if answer is not None)
        assert isinstance(replay, Replayed)
        assert replay.earlier == recalled
        assert recalled.fingerprint == (FIRST if first is None else SECOND)

    async def test_owners_have_keys_of_their_own(self, store: TaskStore) -> None:
        tasks = (sample_task(1), sample_task(2, owner="project-b"))
        assert [await answer_of(store, task, keyed()) for task in tasks] == [None, None]
        recalled = await store.recall("project-b", "one")
        assert recalled is not None
        assert recalled.task_id == tasks[1].id

    async def test_a_replay_is_told_although_the_queue_is_full(self, store: TaskStore) -> None:
        assert await answer_of(store, sample_task(1), keyed(queued_most=1)) is None
        assert isinstance(await answer_of(store, sample_task(2), keyed(queued_most=1)), Replayed)
        answers = await asyncio.gather(
            answer_of(store, sample_task(3), keyed("two", queued_most=2)),
            answer_of(store, sample_task(4), keyed("two", queued_most=2)),
            answer_of(store, sample_task(5), keyed("three", queued_most=2)),
        )
        assert [type(answer) for answer in answers] == [type(None), Replayed, QueueFull]

    async def test_a_key_outlives_the_record_it_made(self, store: TaskStore) -> None:
        await answer_of(store, sample_task(1), keyed())
        await store.withdraw(OWNER, sample_task(1).id, LATER)
        await store.purge(created_before=EVER, cancelled_before=LATER + TICK)
        assert await listed(store) == []
        answer = await answer_of(store, sample_task(2), keyed())
        assert isinstance(answer, Replayed)
        assert answer.earlier.task_id == sample_task(1).id

    async def test_keys_are_forgotten_in_bounded_steps_once_their_time_is_over(self, store: TaskStore) -> None:
        tasks = [sample_task(number, created_at=NOW + timedelta(seconds=number)) for number in range(5)]
        for task in tasks:
            await answer_of(store, task, keyed(task.id))
        assert await store.forget_idempotency(NOW, 10) == 0
        assert await store.forget_idempotency(tasks[3].created_at, 2) == 2
        assert await store.forget_idempotency(tasks[3].created_at, 2) == 1
        assert [await store.recall(OWNER, task.id) is None for task in tasks] == [True, True, True, False, False]
        again = sample_task(9)
        assert await answer_of(store, again, keyed(tasks[0].id)) is None
        recalled = await store.recall(OWNER, tasks[0].id)
        assert recalled is not None
        assert recalled.task_id == again.id

    async def test_no_more_wait_than_may(self, store: TaskStore) -> None:
        tasks = [sample_task(number) for number in range(4)]
        answers = [await answer_of(store, task, keyed(task.id, queued_most=3, callback=TARGET)) for task in tasks]
        assert answers[:3] == [None, None, None]
        assert isinstance(answers[3], QueueFull)
        assert answers[3].queued_most == 3
        assert await listed(store) == [2, 1, 0]
        assert await store.ledger(tasks[3].id) == ()
        assert await store.recall(OWNER, tasks[3].id) is None
        assert await store.callbacks.deliveries(OWNER, tasks[3].id) is None
        assert await lane_of(store, "") == (3, 0)

    async def test_of_fifty_submitted_together_as_many_wait_as_may(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(4)))
        tasks = [sample_task(number) for number in range(10, 60)]
        answers = await asyncio.gather(*(answer_of(store, task, Admission(queued_most=10)) for task in tasks))
        assert sorted(type(answer).__name__ for answer in answers) == ["NoneType"] * 6 + ["QueueFull"] * 44
        assert await lane_of(store, "") == (10, 0)
        assert len(await listed(store)) == 10

    async def test_each_bound_is_its_own_callers(self, store: TaskStore) -> None:
        most = [None, 1, 3, 2, 3, None, 4, 9]
        tasks = [sample_task(number) for number in range(len(most))]
        answers = [
            await answer_of(store, task, Admission(queued_most=bound)) for task, bound in zip(tasks, most, strict=True)
        ]
        assert [answer is None for answer in answers] == [True, False, True, False, True, True, False, True]

    async def test_what_runs_or_has_ended_does_not_wait(self, store: TaskStore) -> None:
        bound = Admission(queued_most=1)
        await ended(store, 1, Status.FAILED)
        assert await answer_of(store, sample_task(2), bound) is None
        claim = await claimed(store)
        assert await answer_of(store, sample_task(3), bound) is None
        await store.hand_back(claim, LATER)
        assert isinstance(await answer_of(store, sample_task(4), bound), QueueFull)

    async def test_a_bound_is_of_one_lane(self, store: TaskStore) -> None:
        bound = Admission(queued_most=1)
        tasks = [sample_task(1), sample_task(2, key_id="key-b"), sample_task(3, engine="other")]
        assert await asyncio.gather(*(answer_of(store, task, bound) for task in tasks)) == [None, None, None]
        assert isinstance(await answer_of(store, sample_task(4, key_id="key-b"), bound), QueueFull)
        # Another owner's tasks of the same key wait in the same lane.
        assert isinstance(await answer_of(store, sample_task(5, owner="project-b"), bound), QueueFull)

    async def test_each_of_many_submitted_together_is_told_its_own_answer(self, store: TaskStore) -> None:
        await put(store, sample_task(0))
        asked = [
            (sample_task(1), keyed("a", queued_most=4)),
            (sample_task(2), keyed("a", queued_most=4)),
            (sample_task(0), keyed("b", queued_most=4)),
            (sample_task(3), keyed("b", queued_most=4)),
            (sample_task(4), Admission(callback=TARGET)),
            (sample_task(5), Admission(queued_most=4)),
            (sample_task(6, key_id="key-b"), Admission(queued_most=1)),
        ]
        answers = await asyncio.gather(*(answer_of(store, task, admission) for task, admission in asked))
        kinds = [type(None), Replayed, IdTaken, type(None), type(None), QueueFull, type(None)]
        assert [type(answer) for answer in answers] == kinds
        assert await listed(store) == [6, 4, 3, 1, 0]
        recalled = await store.recall(OWNER, "b")
        assert recalled is not None
        assert recalled.task_id == sample_task(3).id

    @pytest.mark.parametrize("text", ["a\ud800", "a\0b"])
    async def test_a_key_or_an_address_that_cannot_be_kept_is_refused(self, store: TaskStore, text: str) -> None:
        assert isinstance(await answer_of(store, sample_task(1), keyed(text)), Rejected)
        for target in (Target(url=text, root=""), Target(url=TARGET.url, root=text)):
            assert isinstance(await answer_of(store, sample_task(1), Admission(callback=target)), Rejected)
        assert isinstance(await answer_of(store, sample_task(1, key_id=text), Admission()), Rejected)
        assert await store.recall(OWNER, text) is None
        assert await store.recall(text, "one") is None
        assert await listed(store) == []
