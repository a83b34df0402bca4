"""Any sequence of what can happen to tasks keeps every promise of the store on PostgreSQL."""

import pytest
from hypothesis import settings

from store_machine import StoreMachine
from understudy.storage.postgres_opening import open_postgres


class Postgres(StoreMachine):
    """A database, which is closed and opened again."""

    async def open(self, folder):
        self.server.empty(self.database)
        return await open_postgres(self.server.url(self.database), is_clock_ours=True)

    async def opened_again(self):
        await self.store.close()
        return await open_postgres(self.server.url(self.database), is_clock_ours=True)


@pytest.fixture(autouse=True)
def database(postgres, postgres_database):
    Postgres.server, Postgres.database = postgres, postgres_database


TestPostgres = pytest.mark.full(Postgres.TestCase)
TestPostgres.settings = settings(max_examples=12, stateful_step_count=50)
