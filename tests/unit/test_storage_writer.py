"""The writing thread: one commit for many, each failure its own, a bound on what waits, and an orderly end."""

import asyncio
import threading
from contextlib import contextmanager

import apsw
import pytest

from understudy.core.errors import Unavailable
from understudy.storage.writer import BATCH_MOST, Writer

PATIENCE_S = 30
"""Longer than anything here takes; reached only when the writer hangs."""


class Numbers:
    """A writer over a table of unique numbers, whose thread a test can hold."""

    def __init__(self, waiting_max=10_000):
        self.connection = apsw.Connection("")
        self.connection.execute("CREATE TABLE number (value INTEGER PRIMARY KEY)")
        self.commits = 0
        self.connection.set_commit_hook(self.count_commit)
        self.writer = Writer(self.connection, waiting_max=waiting_max)

    def count_commit(self):
        self.commits += 1
        return False

    def add(self, value, refusable=True):
        return self.writer.submit(
            lambda connection: connection.execute("INSERT INTO number VALUES (?)", (value,)), refusable=refusable
        )

    def stored(self):
        return [value for (value,) in self.connection.execute("SELECT value FROM number ORDER BY value")]

    @contextmanager
    def held(self):
        """Keep the thread inside one operation, so that everything submitted meanwhile waits together."""
        begun, release = threading.Event(), threading.Event()

        def hold(connection):
            begun.set()
            release.wait(PATIENCE_S)

        self.writer.submit(hold, refusable=False)
        assert begun.wait(PATIENCE_S)
        try:
            yield
        finally:
            release.set()


@pytest.fixture
async def numbers():
    numbers = Numbers()
    yield numbers
    numbers.writer.close()


async def test_what_waits_together_is_committed_together(numbers):
    with numbers.held():
        waiting = [numbers.add(value) for value in range(BATCH_MOST)]
    await asyncio.gather(*waiting)
    assert numbers.commits == 2  # one for what held the thread, one for all the rest
    assert numbers.stored() == list(range(BATCH_MOST))


async def test_a_batch_is_bounded(numbers):
    with numbers.held():
        waiting = [numbers.add(value) for value in range(2 * BATCH_MOST + 1)]
    await asyncio.gather(*waiting)
    assert numbers.commits == 1 + 3


async def test_an_operation_that_fails_undoes_only_itself(numbers):
    def half(connection):
        connection.execute("INSERT INTO number VALUES (7)")
        raise KeyError("half done")

    with numbers.held():
        waiting = [numbers.add(1), numbers.writer.submit(half, refusable=True), numbers.add(1), numbers.add(2)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers[1:3]] == [KeyError, apsw.ConstraintError]
    assert numbers.stored() == [1, 2]


async def test_a_commit_that_fails_fails_all_in_it_and_none_after(numbers):
    with numbers.held():
        numbers.connection.set_commit_hook(lambda: True)
        waiting = [numbers.add(1), numbers.add(2)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [apsw.ConstraintError] * 2
    assert numbers.stored() == []
    numbers.connection.set_commit_hook(None)
    await numbers.add(3)
    assert numbers.stored() == [3]


async def test_an_operation_that_loses_the_transaction_fails_all_in_it(numbers):
    def lose(connection):
        connection.execute("ROLLBACK")
        raise apsw.FullError("database or disk is full")

    with numbers.held():
        waiting = [numbers.add(1), numbers.writer.submit(lose, refusable=True), numbers.add(2)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert len(set(map(id, answers))) == 3
    assert numbers.stored() == []
    await numbers.add(3)


async def test_nothing_is_answered_before_its_commit(numbers):
    seen = []
    with numbers.held():
        added = numbers.add(1)
        numbers.connection.set_commit_hook(lambda: seen.append(added.done()) or False)
    await added
    assert False in seen
    assert True not in seen


async def test_too_many_requests_are_refused_but_workers_are_not():
    numbers = Numbers(waiting_max=3)
    with numbers.held():
        waiting = [numbers.add(value) for value in range(3)]
        with pytest.raises(Unavailable, match="too many"):
            numbers.add(3)
        waiting.append(numbers.add(4, refusable=False))
    await asyncio.gather(*waiting)
    numbers.add(5)
    numbers.writer.close()
    assert numbers.stored() == [0, 1, 2, 4, 5]


async def test_a_caller_who_leaves_does_not_disturb_the_others(numbers):
    with numbers.held():
        left, stayed = numbers.add(1), numbers.add(2)
        left.cancel()
    await stayed
    assert numbers.stored() == [1, 2]


async def test_closing_runs_what_was_submitted_and_refuses_the_rest(numbers):
    with numbers.held():
        waiting = [numbers.add(value) for value in range(BATCH_MOST + 5)]
        closing = asyncio.get_running_loop().run_in_executor(None, numbers.writer.close)
    await closing
    await asyncio.gather(*waiting)
    with pytest.raises(Unavailable, match="shutting down"):
        numbers.add(1000)
    assert numbers.stored() == list(range(BATCH_MOST + 5))


def test_a_loop_that_is_gone_does_not_stop_the_thread():
    numbers = Numbers()

    async def leave():
        with numbers.held():
            numbers.add(1)

    asyncio.run(leave())
    asyncio.run(asyncio.wait_for(answered(numbers.add, 2), PATIENCE_S))
    numbers.writer.close()
    assert numbers.stored() == [1, 2]


async def answered(add, value):
    await add(value)
