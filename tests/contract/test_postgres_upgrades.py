"""Servers are renewed one by one: new programs run on old tables, old ones on new, and several migrate at once."""

import asyncio

import asyncpg
import pytest

from postgres_server import TEMPLATE
from understudy.core.queueing import RenderTime
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.postgres_migrations import MIGRATIONS, Migration, Schema, migrated
from understudy.storage.postgres_opening import open_postgres
from understudy.testing.samples import NOW, sample_task
from understudy.testing.store_steps import OWNER, put
from understudy.testing.stores import StoreConformance

pytestmark = pytest.mark.full

NEWEST = MIGRATIONS[-1].number

LATER = Migration(
    NEWEST + 1,
    NEWEST,
    """
    ALTER TABLE task ADD COLUMN later text;
    ALTER TABLE ledger ADD COLUMN later text;
    ALTER TABLE callback ADD COLUMN later bigint NOT NULL DEFAULT 0;
    CREATE TABLE later (task_id text PRIMARY KEY, status text NOT NULL);
    CREATE INDEX task_later ON task (later, created_at) WHERE later IS NOT NULL;
    CREATE FUNCTION understudy_later() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO later SELECT id, status FROM later_rows
        ON CONFLICT (task_id) DO UPDATE SET status = excluded.status;
        RETURN NULL;
    END $$;
    CREATE TRIGGER task_later AFTER INSERT ON task REFERENCING NEW TABLE AS later_rows
    FOR EACH STATEMENT EXECUTE FUNCTION understudy_later();
    CREATE TRIGGER task_later_changes AFTER UPDATE ON task REFERENCING NEW TABLE AS later_rows
    FOR EACH STATEMENT EXECUTE FUNCTION understudy_later();
    """,
)
"""What a version to come may do without troubling the one of today."""

TOO_LATE = Migration(NEWEST + 1, NEWEST + 1, "ALTER TABLE task DROP COLUMN worker CASCADE")
BROKEN = Migration(NEWEST + 1, NEWEST, "CREATE TABLE half (id text); SELECT 1 / 0")


async def migrate(url, migrations):
    connection = await asyncpg.connect(url)
    try:
        return await migrated(connection, migrates=True, migrations=migrations)
    finally:
        await connection.close()


def database_of(postgres, migrations):
    database = postgres.new_database()
    postgres.run(migrate(postgres.url(database), migrations))
    return database


@pytest.fixture(scope="module")
def old_database(postgres):
    return database_of(postgres, MIGRATIONS[:-1])


@pytest.fixture(scope="module")
def new_database(postgres):
    return database_of(postgres, (*MIGRATIONS, LATER))


class TestTheProgramOnTheTablesBefore(StoreConformance):
    @pytest.fixture(autouse=True)
    def database(self, postgres, old_database):
        postgres.empty(old_database)
        self.url = postgres.url(old_database)

    async def make(self, folder):
        return await open_postgres(self.url, is_clock_ours=True, migrates=False)

    # The tables before have no place for render times.
    test_render_times_are_remembered_the_latest_first = None
    test_of_each_kind_only_the_latest_are_kept = None

    async def test_what_the_tables_lack_is_done_without(self, store):
        await store.note_render(RenderTime(kind="a", film_s=1.0, took_s=1.0), NOW)
        assert await store.render_times(["a"]) == ()


class TestTheProgramOnTablesToCome(StoreConformance):
    @pytest.fixture(autouse=True)
    def database(self, postgres, new_database):
        postgres.empty(new_database)
        self.url = postgres.url(new_database)

    async def make(self, folder):
        return await open_postgres(self.url, is_clock_ours=True)


def versions(postgres, database):
    return sorted(postgres.sql("SELECT number FROM schema_version", database))


async def test_servers_that_start_together_migrate_once(postgres):
    database = postgres.new_database()
    stores = await asyncio.gather(*(open_postgres(postgres.url(database)) for _ in range(5)))
    await put(stores[0], sample_task(1))
    assert all([await store.get(OWNER, sample_task(1).id) for store in stores])
    for store in stores:
        await store.close()
    assert versions(postgres, database) == [(migration.number,) for migration in MIGRATIONS]


async def test_old_tables_are_brought_up_to_date_with_what_is_in_them(postgres):
    database = database_of(postgres, MIGRATIONS[:-1])
    old = await open_postgres(postgres.url(database), migrates=False)
    await put(old, sample_task(1))
    new = await open_postgres(postgres.url(database))
    took = RenderTime(kind="a", film_s=1.0, took_s=1.0)
    await new.note_render(took, NOW)
    assert list(await new.render_times(["a"])) == [took]
    # The old program, which is still running, goes on.
    assert await old.get(OWNER, sample_task(1).id) == await new.get(OWNER, sample_task(1).id) == sample_task(1)
    await put(old, sample_task(2))
    for store in (old, new):
        await store.close()


async def test_tables_that_need_a_newer_program_are_refused(postgres):
    database = database_of(postgres, (*MIGRATIONS, TOO_LATE))
    for migrates in (True, False):
        with pytest.raises(CannotOpen, match="start the newer Understudy"):
            await open_postgres(postgres.url(database), migrates=migrates)


async def test_a_migration_that_fails_leaves_a_whole_version(postgres):
    database = postgres.new_database()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(postgres.url(database), (*MIGRATIONS, BROKEN))
    assert versions(postgres, database) == [(migration.number,) for migration in MIGRATIONS]
    assert postgres.sql("SELECT to_regclass('half')", database) == [(None,)]
    assert await migrate(postgres.url(database), MIGRATIONS) == Schema(NEWEST)


def test_each_version_says_how_old_a_program_may_be_and_runs_on_the_one_before():
    assert [migration.number for migration in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert all(migration.oldest_code <= max(1, migration.number - 1) for migration in MIGRATIONS)


async def test_a_new_database_and_one_that_was_migrated_step_by_step_are_the_same(postgres):
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    database = database_of(postgres, MIGRATIONS[:1])
    await migrate(postgres.url(database), MIGRATIONS)
    assert postgres.sql(columns, database) == postgres.sql(columns, TEMPLATE)
