"""New tasks that wait together are written in few statements, and yet each fails alone."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from understudy.bootstrap.machine import SystemRandomness
from understudy.core.content import ContentItem, Modality
from understudy.core.ports import IdTaken
from understudy.core.request import GenerationRequest
from understudy.core.task import EntryKind, LedgerEntry, Status, Task
from understudy.storage.sqlite import SqliteTaskStore

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TASK = Task(
    id="",
    owner="owner",
    dialect="ark",
    engine="previz",
    request=GenerationRequest(model="m", content=(ContentItem(modality=Modality.TEXT, value="A cat"),)),
    seed=7,
    status=Status.QUEUED,
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)


def task(number: int) -> Task:
    return replace(TASK, id=f"20261121120000-{number:05d}")


def hold(task: Task) -> LedgerEntry:
    return LedgerEntry(task_id=task.id, kind=EntryKind.HOLD, currency="CNY", amount_micros=5, completion_tokens=1)


async def insert_all(store: SqliteTaskStore, tasks: list[Task]) -> list[BaseException | None]:
    return await asyncio.gather(*(store.insert(each, hold(each)) for each in tasks), return_exceptions=True)


@pytest.fixture
async def store(tmp_path: Path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    yield store
    await store.close()


@pytest.mark.parametrize("number", [2, 3, 31, 32, 100, 300])
async def test_all_that_wait_together_are_stored_each_with_its_hold(store, number):
    tasks = [task(each) for each in range(number)]
    assert await insert_all(store, tasks) == [None] * number
    for each in tasks:
        assert await store.get("owner", each.id) == each
        assert list(await store.ledger(each.id)) == [hold(each)]


async def test_one_id_that_is_taken_fails_alone(store):
    await insert_all(store, [task(3)])
    tasks = [task(each) for each in range(8)]
    answers = await insert_all(store, tasks)
    assert [type(answer) for answer in answers] == [IdTaken if each == 3 else type(None) for each in range(8)]
    assert all([await store.get("owner", each.id) for each in tasks])


async def test_of_two_equal_ids_in_one_batch_the_first_is_stored(store):
    first, second = replace(task(1), seed=1), replace(task(1), seed=2)
    answers = await insert_all(store, [task(0), first, second, task(2)])
    assert [type(answer) for answer in answers] == [type(None), type(None), IdTaken, type(None)]
    assert await store.get("owner", first.id) == first


async def test_a_batch_takes_few_statements(store):
    statements: list[str] = []

    def note(_cursor: apsw.Cursor, statement: str, _bindings: object) -> bool:
        statements.append(statement)
        return True

    store._written.exec_trace = note
    await insert_all(store, [task(each) for each in range(64)])
    assert len(statements) == 6, "begin, the tasks, the holds, the lanes, the tallies, commit"


def test_suffixes_made_one_after_the_other_sort_and_differ():
    make = SystemRandomness().task_suffix
    made = [make() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(len(each) == 5 and each.isalnum() and each == each.lower() for each in made)
    assert sum(before > after for before, after in itertools.pairwise(made)) <= 1, "once, where a second ends"
