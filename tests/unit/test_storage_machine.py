"""Any sequence of what can happen to tasks keeps every promise of the stores; the long form is marked."""

import pytest
from hypothesis import settings

from store_machine import StoreMachine
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore


class Memory(StoreMachine):
    """Dictionaries, which stay as they are."""

    async def open(self, folder):
        return MemoryTaskStore()


class Sqlite(StoreMachine):
    """A file, which is closed and opened again."""

    async def open(self, folder):
        self.path = folder / "understudy.db"
        return SqliteTaskStore(self.path)

    async def opened_again(self):
        await self.store.close()
        return SqliteTaskStore(self.path)


class LongMemory(Memory):
    """More of the same."""


class LongSqlite(Sqlite):
    """More of the same."""


TestMemory, TestSqlite = Memory.TestCase, Sqlite.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=50)
TestSqlite.settings = settings(max_examples=12, stateful_step_count=50)

TestLongMemory, TestLongSqlite = map(pytest.mark.full, (LongMemory.TestCase, LongSqlite.TestCase))
TestLongMemory.settings = settings(max_examples=200, stateful_step_count=60)
TestLongSqlite.settings = settings(max_examples=30, stateful_step_count=60)
