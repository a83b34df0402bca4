"""Any sequence of calls gives the same answers from SQLite as from dictionaries."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from understudy.core.ports import IdTaken
from understudy.core.task import Status, TaskFilter
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.samples import NOW, failure_of, hold_of, sample_task, success_of

OWNERS = ("project-a", "project-b")
IDS = tuple(sample_task(number).id for number in range(8))

numbers = st.integers(0, 7)
owners = st.sampled_from(OWNERS)
moments = st.integers(0, 12).map(lambda minutes: NOW + timedelta(minutes=minutes))


class Stores(RuleBasedStateMachine):
    claims = Bundle("claims")

    @initialize()
    def open(self):
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.model = MemoryTaskStore()
        self.path = Path(self.folder.name) / "understudy.db"
        self.store = SqliteTaskStore(self.path)

    def both(self, call, in_order=tuple):
        expected, answer = (self.runner.run(self.answer_of(call, store)) for store in (self.model, self.store))
        if isinstance(expected, (list, tuple)):
            expected, answer = in_order(expected), in_order(answer)
        assert answer == expected
        return answer

    async def answer_of(self, call, store):
        try:
            return await call(store)
        except IdTaken:
            return IdTaken

    @rule(
        number=numbers,
        owner=owners,
        priority=st.integers(0, 2),
        created_at=moments,
        expires_at=moments,
        tier=st.sampled_from([None, "default", "flex"]),
    )
    def insert(self, number, owner, priority, created_at, expires_at, tier):
        task = sample_task(
            number,
            owner=owner,
            priority=priority,
            service_tier=tier,
            created_at=created_at,
            updated_at=created_at,
            expires_at=expires_at,
        )
        self.both(lambda store: store.insert(task, hold_of(task)))

    @rule(target=claims, now=moments, lease_until=moments)
    def claim(self, now, lease_until):
        claim = self.both(lambda store: store.claim("worker", now, lease_until))
        return multiple() if claim is None else claim

    @rule(claim=claims, progress=st.floats(-1, 2), lease_until=moments)
    def heartbeat(self, claim, progress, lease_until):
        self.both(lambda store: store.heartbeat(claim, progress, lease_until))

    @rule(claim=claims, now=moments, is_success=st.booleans())
    def finish(self, claim, now, is_success):
        outcome = success_of(claim) if is_success else failure_of(claim)
        self.both(lambda store: store.finish(claim, outcome, now))

    @rule(claim=claims, now=moments)
    def hand_back(self, claim, now):
        self.both(lambda store: store.hand_back(claim, now))

    @rule(now=moments)
    def hand_back_all(self, now):
        self.both(lambda store: store.hand_back_all(now))

    @rule(owner=owners, number=numbers, now=moments)
    def withdraw(self, owner, number, now):
        self.both(lambda store: store.withdraw(owner, IDS[number], now))

    @rule(now=moments)
    def expire(self, now):
        self.both(lambda store: store.expire(now), in_order=sorted)

    @rule(created_before=moments, cancelled_before=moments)
    def purge(self, created_before, cancelled_before):
        self.both(
            lambda store: store.purge(created_before=created_before, cancelled_before=cancelled_before),
            in_order=lambda tasks: sorted(tasks, key=lambda task: task.id),
        )

    @rule(
        owner=owners,
        page=st.integers(1, 3),
        size=st.integers(1, 4),
        after=st.tuples(moments, moments),
        status=st.none() | st.sampled_from(Status),
        filters=st.fixed_dictionaries(
            {}, optional={"task_ids": st.lists(st.sampled_from(IDS)).map(tuple), "service_tier": st.just("flex")}
        ),
    )
    def list_tasks(self, owner, page, size, after, status, filters):
        wanted = TaskFilter(
            page=page, page_size=size, created_after=after[0], cancelled_after=after[1], status=status, **filters
        )
        self.both(lambda store: store.list_tasks(owner, wanted))

    @rule()
    def open_again(self):
        self.runner.run(self.store.close())
        self.store = SqliteTaskStore(self.path)

    @invariant()
    def both_hold_the_same(self):
        for task_id in IDS:
            self.both(lambda store, task_id=task_id: store.ledger(task_id))
            for owner in OWNERS:
                self.both(lambda store, owner=owner, task_id=task_id: store.get(owner, task_id))

    def teardown(self):
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=40, stateful_step_count=40, deadline=None, derandomize=True, database=None)
