"""Any sequence of what can happen to tasks, on a real store and on a small model of what the ports promise.

Subclass `StoreMachine`, make a store, and give its `TestCase` to pytest. The model knows nothing of any store: it keeps
every task with its entries and the changes that are to be told, and says after each step what must be there now.
"""

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from understudy.core.callbacks import DeliveryState, Target, Try
from understudy.core.queueing import Admission, Idempotency, QueueFull, Replayed
from understudy.core.task import ENDED, Status
from understudy.testing.samples import NOW, failure_of, hold_of, sample_task, success_of

OWNER = "project-a"
KEYS = ("key-a", "key-a", "key-b", "key-c")
ADDRESSES = ("https://one.example/a", "https://two.example/b")
ENDS = {Status.SUCCEEDED: "posted", Status.FAILED: "voided", Status.EXPIRED: "voided", Status.CANCELLED: "voided"}
WAYS = {
    Status.QUEUED: {Status.RUNNING, Status.EXPIRED, Status.CANCELLED},
    Status.RUNNING: {Status.QUEUED, *ENDED},
}
"""Which status may follow which."""


@dataclass(frozen=False)  # the model moves
class Told:
    """One change that is to be told. due: None unless it is pending."""

    status: Status
    due: object
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0


@dataclass(frozen=False)
class Known:
    """What the model knows of a task. is_stored: its record is there. told: None = nobody is told."""

    task: object
    status: Status = Status.QUEUED
    attempt: int = 0
    lease_until: object = None
    changed_at: object = None
    is_stored: bool = True
    told: list | None = None
    statuses: list = field(default_factory=lambda: [Status.QUEUED])

    @property
    def lane(self):
        return self.task.key_id, self.task.engine

    @property
    def urgency(self):
        return -(self.task.request.priority or 0), self.task.created_at, self.task.id

    def first(self):
        """Give the number of the first change that is pending, or 0."""
        pending = [each.state is DeliveryState.PENDING for each in self.told or ()]
        return pending.index(True) + 1 if any(pending) else 0

    def become(self, status, now):
        """Change the status, as every way to change it does."""
        assert status in WAYS[self.status], "the model itself breaks no promise"
        self.status, self.changed_at = status, max(self.changed_at, now)
        self.lease_until = None
        self.statuses.append(status)
        if self.told is not None and status is not Status.CANCELLED:
            self.told.append(Told(status, self.changed_at))


class StoreMachine(RuleBasedStateMachine):
    """Both sides of one sequence."""

    async def open(self, folder):
        """Return the store in this folder, as it was left there."""
        raise NotImplementedError

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(prefix="understudy-machine-")
        self.known, self.claims, self.taken = {}, [], []
        self.keys, self.turns = {}, Counter()
        self.now, self.touched = NOW, set()

    def run(self, step):
        return self.loop.run_until_complete(step)

    @initialize(keys=st.lists(st.sampled_from(KEYS), min_size=2, max_size=6))
    def begin(self, keys):
        self.store = self.run(self.open(Path(self.folder.name)))
        for key_id in keys:
            self.create(key_id, "scripted", None, lives_s=60, address=ADDRESSES[0])

    def teardown(self):
        try:
            self.touched = set(self.known)
            self.what_is_stored_is_what_was_promised()
        finally:
            self.run(self.store.close())
            self.loop.close()
            self.folder.cleanup()

    # What happens.

    @rule(seconds=st.sampled_from([-7, 1, 1, 3, 10, 40]))
    def time_passes_or_jumps_back(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(
        key_id=st.sampled_from(KEYS),
        engine=st.sampled_from(["scripted", "scripted", "scripted", "other"]),
        priority=st.sampled_from([None, 0, 5]),
        lives_s=st.sampled_from([5, 60, 3600]),
        address=st.sampled_from([None, *ADDRESSES]),
    )
    def create(self, key_id, engine, priority, *, lives_s, address):
        task = self.new_task(key_id=key_id, engine=engine, priority=priority, lives_s=lives_s)
        self.admit(task, address and Target(url=address, root="http://127.0.0.1:8000"))

    @rule(
        key_id=st.sampled_from(KEYS),
        used=st.sampled_from([None, ("one", b"1" * 32), ("one", b"2" * 32), ("two", b"1" * 32)]),
        most=st.sampled_from([None, 1, 3]),
    )
    def create_within_bounds(self, key_id, used, most):
        task = self.new_task(key_id=key_id, engine="scripted", priority=None, lives_s=60)
        self.admit(task, used=used and Idempotency(key=used[0], fingerprint=used[1]), most=most)

    def new_task(self, *, lives_s, **changes):
        return sample_task(
            len(self.known),
            created_at=self.now,
            updated_at=self.now,
            expires_at=self.now + timedelta(seconds=lives_s),
            **changes,
        )

    def admit(self, task, target=None, *, used=None, most=None):
        admission = Admission(callback=target, idempotency=used, queued_most=most)
        waiting = sum(
            each.status is Status.QUEUED and each.lane == (task.key_id, task.engine) for each in self.stored()
        )
        expected = None
        if used and used.key in self.keys:
            expected = Replayed(self.keys[used.key])
        elif most is not None and waiting >= most:
            expected = QueueFull(most)
        refusal = self.run(self.answer_of(task, admission))
        assert type(refusal) is type(expected)
        if refusal is not None:
            assert vars(refusal) == vars(expected)
            assert self.run(self.store.get(OWNER, task.id)) is None
            return
        if used:
            self.keys[used.key] = replace(used, task_id=task.id)
        told = [Told(Status.QUEUED, self.now)] if target else None
        self.known[task.id] = Known(task, changed_at=self.now, told=told)
        self.touched.add(task.id)

    async def answer_of(self, task, admission):
        """Insert a task; give what kept it out."""
        try:
            await self.store.insert(task, hold_of(task), admission)
        except (Replayed, QueueFull) as refusal:
            return refusal
        return None

    @rule(
        engine=st.sampled_from([None, None, "scripted", "other"]),
        concurrency=st.sampled_from([None, 1, 2]),
        lease_s=st.sampled_from([5, 30]),
        times=st.integers(1, 3),
    )
    def claim_some(self, engine, concurrency, *, lease_s, times):
        for _ in range(times):
            self.claim(engine, concurrency, lease_s)

    def claim(self, engine, concurrency, lease_s):
        until = self.now + timedelta(seconds=lease_s)
        expected = self.claimable(engine, concurrency)
        claim = self.run(self.store.claim("w", self.now, until, engine=engine, concurrency=concurrency))
        assert (claim.task.id if claim else None) in (expected or {None})
        if claim is None:
            return
        known = self.known[claim.task.id]
        if known.status is Status.QUEUED:
            known.become(Status.RUNNING, self.now)
            self.turns[known.lane] = 1 + max(self.turns.values(), default=0)
        known.changed_at = max(known.changed_at, self.now)
        known.attempt, known.lease_until = known.attempt + 1, until
        assert claim.token == claim.task.attempt == known.attempt, "the fencing token grows by one"
        if concurrency is not None and claim.token == 1:
            assert self.running()[known.lane] <= concurrency
        self.claims.append(claim)
        self.touched.add(claim.task.id)

    @precondition(lambda self: self.claims)
    @rule(which=st.integers(-3, -1), deed=st.sampled_from(["heartbeat", "heartbeat", "succeed", "fail", "hand back"]))
    def work(self, which, deed):
        claim = self.claims[max(which, -len(self.claims))]
        known = self.known[claim.task.id]
        is_current = known.is_stored and known.status is Status.RUNNING and known.attempt == claim.token
        until = self.now + timedelta(seconds=20)
        steps = {
            "heartbeat": lambda: self.store.heartbeat(claim, 0.5, until),
            "succeed": lambda: self.store.finish(claim, success_of(claim), self.now),
            "fail": lambda: self.store.finish(claim, failure_of(claim), self.now),
            "hand back": lambda: self.store.hand_back(claim, self.now),
        }
        assert self.run(steps[deed]()) is is_current
        if not is_current:
            return
        ends = {"succeed": Status.SUCCEEDED, "fail": Status.FAILED, "hand back": Status.QUEUED}
        if deed == "heartbeat":
            known.lease_until = until
        else:
            known.become(ends[deed], self.now)
        self.touched.add(claim.task.id)

    @precondition(lambda self: self.claims)
    @rule(deed=st.sampled_from(["heartbeat", "succeed", "fail", "hand back"]))
    def a_worker_wakes_up_after_its_lease(self, deed):
        frozen = self.claims[-1]
        self.now += timedelta(seconds=31)
        self.claim(None, None, 30)
        self.claims.append(frozen)
        self.work(-1, deed)

    @rule(seconds=st.sampled_from([0, 5, 60]))
    def expire(self, seconds):
        self.now += timedelta(seconds=seconds)
        late = {each.task.id for each in self.stored() if each.status in WAYS and each.task.expires_at <= self.now}
        assert set(self.run(self.store.expire(self.now))) == late
        for task_id in late:
            self.known[task_id].become(Status.EXPIRED, self.now)
        self.touched |= late

    @precondition(lambda self: self.known)
    @rule(which=st.integers(0, 5), deed=st.sampled_from(["cancel", "withdraw"]))
    def stop(self, which, deed):
        known = list(self.known.values())[-1 - which % len(self.known)]
        before = self.run(getattr(self.store, deed)(OWNER, known.task.id, self.now))
        assert (before.status if before else None) == (known.status if known.is_stored else None)
        if not known.is_stored:
            return
        if known.status is Status.QUEUED or (known.status is Status.RUNNING and deed == "cancel"):
            known.become(Status.CANCELLED, self.now)
        elif deed == "withdraw" and known.status in (Status.SUCCEEDED, Status.FAILED, Status.EXPIRED):
            known.is_stored = False
        self.touched.add(known.task.id)

    @precondition(lambda self: self.claims)
    @rule(hand_back=st.booleans())
    def restart(self, hand_back):
        """The server ends and comes back; alone on its store, it hands back what its workers had."""
        self.store = self.run(self.opened_again())
        running = [each for each in self.stored() if each.status is Status.RUNNING] if hand_back else []
        if hand_back:
            assert self.run(self.store.hand_back_all(self.now)) == len(running)
        for known in running:
            known.become(Status.QUEUED, self.now)
        self.touched |= set(self.known)

    async def opened_again(self):
        """Return the store after a restart; one that forgets everything with its process stays as it is."""
        return self.store

    @rule(most=st.sampled_from([1, 2, 50]), lease_s=st.sampled_from([2, 20]))
    def take(self, most, lease_s):
        self.take_some(most, lease_s)

    def take_some(self, most, lease_s):
        due = {
            (each.task.id, each.first())
            for each in self.known.values()
            if each.first() and each.told[each.first() - 1].due <= self.now
        }
        until = self.now + timedelta(seconds=lease_s)
        taken = self.run(self.store.callbacks.take_due(self.now, until, most))
        assert len(taken) == len({callback.id for callback in taken}) == min(most, len(due))
        assert {(callback.task.id, callback.number) for callback in taken} <= due
        for callback in taken:
            told = self.known[callback.task.id].told[callback.number - 1]
            told.due, told.tries = until, told.tries + 1
            assert (callback.tries, callback.task.status) == (told.tries, told.status)
            self.touched.add(callback.task.id)
        self.taken += taken
        return taken

    @rule(states=st.lists(st.sampled_from(DeliveryState), min_size=1, max_size=6))
    def tell(self, states):
        """Take what is due and settle it, each in its own way."""
        for _, state in zip(self.take_some(len(states), 20), states, strict=False):
            self.settle(-1, state)
            self.taken.pop()

    @precondition(lambda self: self.taken)
    @rule(which=st.integers(-3, -1), state=st.sampled_from(DeliveryState))
    def settle(self, which, state):
        callback = self.taken[max(which, -len(self.taken))]
        told = self.known[callback.task.id].told[callback.number - 1]
        due_at = self.now + timedelta(seconds=5) if state is DeliveryState.PENDING else None
        is_current = told.state is DeliveryState.PENDING and told.tries == callback.tries
        tried = Try(at=self.now, took_s=0.5, status=200)
        assert self.run(self.store.callbacks.settle(callback, tried, state=state, due_at=due_at)) is is_current
        if is_current:
            told.state, told.due = state, due_at
        self.touched.add(callback.task.id)

    @precondition(lambda self: self.known)
    @rule(which=st.integers(0, 5), number=st.sampled_from([None, 1, 2]))
    def resend(self, which, number):
        known = list(self.known.values())[-1 - which % len(self.known)]
        there = len(known.told or ())
        is_there = bool(there) and (number is None or number <= there)
        assert self.run(self.store.callbacks.resend(OWNER, known.task.id, number, self.now)) == int(is_there)
        if is_there:
            told = known.told[(number or there) - 1]
            told.state, told.due = DeliveryState.PENDING, self.now
        self.touched.add(known.task.id)

    # What must be so.

    @invariant()
    def what_is_stored_is_what_was_promised(self):
        for task_id in self.touched:
            known = self.known[task_id]
            self.check_task(known)
            self.check_callbacks(known)
        self.touched = set()

    @invariant()
    def lanes_count_what_is_there(self):
        if not hasattr(self, "store"):
            return
        queued = Counter(each.lane for each in self.stored() if each.status is Status.QUEUED)
        running = self.running()
        lanes = self.run(self.store.lanes())
        told = {(lane.key_id, lane.engine): (lane.queued, lane.running) for lane in lanes}
        assert told == {lane: (queued[lane], running[lane]) for lane in queued | running}
        assert len(told) == len(lanes)
        firsts = [each.told[each.first() - 1].due for each in self.known.values() if each.first()]
        assert self.run(self.store.callbacks.next_due()) == min(firsts, default=None)

    def check_task(self, known):
        task = self.run(self.store.get(OWNER, known.task.id))
        assert (task is not None) is known.is_stored
        if task is not None:
            assert (task.status, task.attempt, task.updated_at) == (known.status, known.attempt, known.changed_at)
        kinds = [entry.kind.value for entry in self.run(self.store.ledger(known.task.id))]
        assert kinds == ["hold", *([ENDS[known.status]] if known.status in ENDS else [])]

    def check_callbacks(self, known):
        log = self.run(self.store.callbacks.deliveries(OWNER, known.task.id))
        assert (log is None) is (known.told is None)
        for number, (line, told) in enumerate(zip(log or (), known.told or (), strict=True), 1):
            assert (line.number, line.status, line.state) == (number, told.status, told.state)
            assert (line.due_at, line.tried) == (told.due, told.tries)
        if known.told is not None:
            assert [each.status for each in known.told] == [s for s in known.statuses if s is not Status.CANCELLED]

    def stored(self):
        return [each for each in self.known.values() if each.is_stored]

    def running(self):
        return Counter(each.lane for each in self.stored() if each.status is Status.RUNNING)

    def claimable(self, engine, concurrency):
        """Say which tasks a claim may give: one, or one for each lane of those whose turns are equal."""
        alive = [each for each in self.stored() if engine in (None, each.task.engine)]
        alive = [each for each in alive if each.task.expires_at > self.now]
        lapsed = [each for each in alive if each.status is Status.RUNNING and each.lease_until <= self.now]
        running = self.running()
        lanes = {each.lane for each in alive if each.status is Status.QUEUED}
        lanes = {lane for lane in lanes if concurrency is None or running[lane] < concurrency}
        turn = min(((running[lane], self.turns[lane]) for lane in lanes), default=None)
        heads = [
            min((each for each in alive if each.status is Status.QUEUED and each.lane == lane), key=lambda e: e.urgency)
            for lane in lanes
            if (running[lane], self.turns[lane]) == turn
        ]
        oldest = [min(lapsed, key=lambda each: each.urgency)] if lapsed else []
        return {min([head, *oldest], key=lambda each: each.urgency).task.id for head in heads} or {
            each.task.id for each in oldest
        }
