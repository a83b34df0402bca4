"""Any sequence of calls gives the same answers from SQLite as from dictionaries."""

import random
from collections import Counter
from datetime import timedelta

from understudy.core.ports import IdTaken
from understudy.core.task import Claim, Status, Task, TaskFilter, TaskPage
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.samples import NOW, failure_of, hold_of, sample_task, success_of

OWNERS = ("project-a", "project-b")
SEQUENCES = 10
STEPS = 150
RECENT = 10
"""How many of the newest tasks the steps turn to; the rest are compared at the end."""


def moment(minute):
    return NOW + timedelta(minutes=minute)


SPAN = 7
"""Minutes before or after the sequence's own time, which moves on between the steps."""


class Twins:
    """The two stores, the time, and the claims that were given; each step calls both stores and compares."""

    def __init__(self, path):
        self.path = path
        self.model, self.store = MemoryTaskStore(), SqliteTaskStore(path)
        self.minute = 6
        self.count = 0
        self.claims = []
        self.taken = 0

    async def both(self, call, in_order=lambda answer: answer):
        answers = []
        for store in (self.model, self.store):
            try:
                answers.append(in_order(await call(store)))
            except IdTaken:
                answers.append(IdTaken)
        assert answers[1] == answers[0]
        return answers[1]

    async def insert(self, number, owner, priority, tier, span):
        task = sample_task(
            number,
            owner=owner,
            priority=priority,
            service_tier=tier,
            created_at=moment(self.minute),
            updated_at=moment(self.minute),
            expires_at=moment(self.minute + 1 + 2 * span),
        )
        self.count = max(self.count, number + 1)
        return await self.both(lambda store: store.insert(task, hold_of(task)))

    async def claim(self, span):
        claim = await self.both(lambda store: store.claim("worker", moment(self.minute), moment(self.minute + span)))
        self.claims += [claim] if claim else []
        return claim

    async def use(self, which, deed, span):
        if not self.claims:
            return None
        claim, now = self.claims[which % len(self.claims)], moment(self.minute)
        calls = {
            "heartbeat": lambda store: store.heartbeat(claim, span / 6, moment(self.minute + span)),
            "succeed": lambda store: store.finish(claim, success_of(claim), now),
            "fail": lambda store: store.finish(claim, failure_of(claim), now),
            "hand_back": lambda store: store.hand_back(claim, now),
        }
        return await self.both(calls[deed])

    async def withdraw(self, number, owner):
        return await self.both(lambda store: store.withdraw(owner, sample_task(number).id, moment(self.minute)))

    async def archive(self, number, owner, deed):
        return await self.both(lambda store: getattr(store, deed)(owner, sample_task(number).id))

    async def remove(self, most, forgotten):
        """Take what is left of removed tasks, at a moment of its own, and forget the files of some."""
        self.taken += 1
        now = moment(self.minute) + timedelta(microseconds=self.taken)
        removed = await self.both(lambda store: store.take_removed(now, most))
        for task in removed[:forgotten]:
            await self.both(lambda store, task=task: store.forget_removed([task.id]))
        return removed

    async def expire(self):
        return await self.both(lambda store: store.expire(moment(self.minute)), in_order=sorted)

    async def hand_back_all(self):
        return await self.both(lambda store: store.hand_back_all(moment(self.minute)))

    async def purge(self, created_span, cancelled_span):
        before = {
            "created_before": moment(self.minute - 4 * created_span),
            "cancelled_before": moment(self.minute - 2 * cancelled_span),
        }
        return await self.both(
            lambda store: store.purge(**before), in_order=lambda tasks: sorted(tasks, key=lambda task: task.id)
        )

    async def list_tasks(self, owner, cut, spans, filters):
        wanted = TaskFilter(
            page=cut[0],
            page_size=cut[1],
            created_after=moment(self.minute - 4 * spans[0]),
            cancelled_after=moment(self.minute - spans[1]),
            **filters,
        )
        return await self.both(lambda store: store.list_tasks(owner, wanted))

    async def open_again(self):
        await self.store.close()
        self.store = SqliteTaskStore(self.path)

    async def compare(self, numbers):
        for number in numbers:
            await self.both(lambda store, number=number: store.ledger(sample_task(number).id))
            for owner in OWNERS:
                await self.both(lambda store, number=number, owner=owner: store.get(owner, sample_task(number).id))


def step_of(chance, count):
    """Draw a step: its name and arguments. Weighted by hand, so that tasks live long enough to meet every end."""
    weights = {
        "insert": 16,
        "claim": 14,
        "use": 24,
        "withdraw": 12,
        "list_tasks": 12,
        "archive": 12,
        "remove": 3,
        "expire": 3,
        "purge": 3,
        "hand_back_all": 1,
        "open_again": 1,
    }
    (name,) = chance.choices(list(weights), list(weights.values()))
    recent = range(max(0, count - RECENT), count + 1)
    number = count if name == "insert" and chance.random() < 0.9 else chance.choice(recent)
    owner = OWNERS[number % 2] if chance.random() < 0.9 else chance.choice(OWNERS)
    span = chance.randrange(SPAN)
    filters = {
        "status": chance.choice(list(Status)),
        "service_tier": "flex",
        "task_ids": tuple(sample_task(each).id for each in recent[::2]),
        "after": sample_task(number).id,
        "is_oldest_first": True,
    }
    chosen = chance.sample(sorted(filters), chance.choice([0, 0, 1, 1, 2, 3]))
    arguments = {
        "insert": (number, owner, chance.randrange(2), chance.choice([None, "default", "flex"]), span),
        "claim": (span,),
        "use": (chance.choice([-1, -1, -2, -3, 0]), chance.choice(["heartbeat", "succeed", "fail", "hand_back"]), span),
        "withdraw": (number, owner),
        "archive": (number, owner, chance.choice(["archive", "archive", "unarchive"])),
        "remove": (chance.randrange(1, 4), chance.randrange(3)),
        "purge": (chance.randrange(SPAN), chance.randrange(SPAN)),
        "list_tasks": (
            owner,
            (chance.choice([1, 1, 2]), chance.randrange(1, 6)),
            (chance.randrange(SPAN), chance.randrange(SPAN)),
            {key: filters[key] for key in chosen},
        ),
    }
    return name, arguments.get(name, ())


def kind(name, answer):
    """Name what a step found, so that the test can say that the sequences reach everything."""
    if isinstance(answer, (Task, Claim)):
        return f"{name} {getattr(answer, 'task', answer).status}"
    if isinstance(answer, TaskPage):
        return f"{name} {bool(answer.tasks)}"
    return f"{name} {bool(answer)}"


async def play(seed, path):
    """Play one sequence; a failure's note is what was played."""
    chance = random.Random(seed)
    twins = Twins(path)
    played, seen = [], Counter()
    try:
        for _ in range(STEPS):
            twins.minute += chance.choice([0, 0, 0, 1])
            name, arguments = step_of(chance, twins.count)
            played.append((twins.minute, name, *arguments))
            answer = await getattr(twins, name)(*arguments)
            seen[kind(arguments[1] if name == "use" else name, answer)] += 1
            await twins.compare(range(max(0, twins.count - RECENT), twins.count))
        await twins.compare(range(twins.count))
    except AssertionError as error:
        error.add_note(f"seed {seed}: {played}")
        raise
    finally:
        await twins.store.close()
    return seen


REACHED = {
    *("insert False", "insert True", "claim running", "claim False", "expire True", "purge True"),
    *(f"{deed} {answer}" for deed in ("heartbeat", "succeed", "fail", "hand_back") for answer in (True, False)),
    *(f"withdraw {status}" for status in Status),
    *("archive queued", "archive running", "archive succeeded", "archive False", "remove True", "remove False"),
    *("hand_back_all True", "list_tasks True", "list_tasks False"),
}


async def test_sqlite_answers_as_the_model_does(tmp_path):
    seen = Counter()
    for seed in range(SEQUENCES):
        seen += await play(seed, tmp_path / f"{seed}.db")
    assert {what for what in REACHED if seen[what] < 5} == set()
