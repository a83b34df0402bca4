"""Listings on PostgreSQL count by stretches of time as on SQLite, and show what a look at every task shows."""

import random

import asyncpg
import pytest

from listing_rows import COLUMNS, a_listing, rows_of, shown
from understudy.core.task import Status
from understudy.storage import postgres_listing
from understudy.storage.listing_steps import LEVELS
from understudy.storage.listing_tables import POSTGRES
from understudy.storage.postgres_link import Address, Link
from understudy.storage.postgres_tables import FIRST_TABLES, MEDIA_AND_ASSETS

pytestmark = pytest.mark.full

COUNTED = f"""
SELECT owner, level, created_at >> level, archived, model, coalesce('=' || service_tier, ''),
    count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'),
    count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed'),
    count(*) FILTER (WHERE status = 'expired'), count(*) FILTER (WHERE status = 'cancelled')
FROM task CROSS JOIN (VALUES {", ".join(f"({level})" for level in LEVELS)}) AS levels (level)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""


@pytest.fixture
def url(postgres):
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def connection(url):
    connection = await asyncpg.connect(url)
    await connection.execute(FIRST_TABLES + MEDIA_AND_ASSETS)
    await insert(connection, random.Random(1), 50)
    # Some are there already when the tallies come.
    await connection.execute(POSTGRES)
    await connection.execute("DELETE FROM task WHERE status NOT IN ('queued', 'running')")
    await check(connection)
    await connection.execute("TRUNCATE task, lane, task_tally")
    yield connection
    await connection.close()


HEAD = """
INSERT INTO task (id, owner, status, created_at, updated_at, expires_at, model, service_tier, attempt, lease_until,
    worker, completion_tokens, error, film, request, archived, key_id, priority, dialect, engine, seed, progress)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'k', 0, 'ark', 'previz', 7, 0.0)
"""


async def insert(connection, dice, number):
    """Insert the same rows as SQLite's tests: text where SQLite has bytes, and a key that the task came with."""
    rows = [tuple(v.decode() if isinstance(v, bytes) else v for v in row) for row in rows_of(dice, number)]
    await connection.executemany(HEAD, [(*row[:-1], bool(row[-1])) for row in rows])


async def check(connection):
    """Hold the tallies to the tasks."""
    held = await connection.fetch("SELECT * FROM task_tally ORDER BY 1, 2, 3, 4, 5, 6")
    assert [tuple(row) for row in held] == [tuple(row) for row in await connection.fetch(COUNTED)]


@pytest.mark.parametrize("seed", range(3))
async def test_any_listing_shows_what_a_look_at_every_task_shows(connection, url, seed):
    dice = random.Random(seed)
    await insert(connection, dice, 600)
    rows = [tuple(row) for row in await connection.fetch(f"SELECT {COLUMNS} FROM task WHERE owner = 'o'")]
    link = await Link.opened(Address(url), connections=1)
    try:
        for _ in range(150):
            wanted = a_listing(dice)
            page = await postgres_listing.select_page(link, "o", wanted)
            assert ([task.id for task in page.tasks], page.total) == shown(rows, wanted), wanted
    finally:
        await link.close()


async def test_tasks_are_counted_through_all_that_happens_to_them(connection):
    await insert(connection, random.Random(7), 300)
    begins = "status = 'running', attempt = attempt + 1, lease_until = 1, worker = 'w'"
    expires = "status = 'expired', lease_until = NULL, worker = NULL"
    for change in (
        "UPDATE task SET archived = NOT archived WHERE right(id, 1) IN ('3', '6')",
        f"UPDATE task SET {begins} WHERE status = 'queued'",
        "UPDATE task SET lease_until = 5, progress = 0.5 WHERE status = 'running'",
        f"UPDATE task SET {expires} WHERE status = 'running' AND right(id, 1) IN ('2', '4')",
        "DELETE FROM task WHERE status NOT IN ('queued', 'running') AND right(id, 1) = '5'",
    ):
        await connection.execute(change)
        await check(connection)


@pytest.mark.parametrize("change", ["owner = 'p'", "created_at = 1", "model = 'm'", "service_tier = NULL"])
async def test_what_a_task_is_counted_by_does_not_change(connection, change):
    await insert(connection, random.Random(7), 30)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="keeps its owner"):
        await connection.execute(f"UPDATE task SET {change} WHERE status = 'queued'")


async def test_the_tallies_of_a_range_are_read_by_their_key(connection):
    counts = ", ".join(["1"] * 6)
    await connection.execute(
        f"INSERT INTO task_tally SELECT 'o', 22, bucket, false, 'm', '=default', {counts}"
        " FROM generate_series(1, 30000) AS bucket"
    )
    await connection.execute("ANALYZE task_tally")
    for status in (None, Status.FAILED):
        text = postgres_listing.tallies(status, is_archive=False)
        ranges = ([22, 28, 34], [100, 1, 0], [164, 65, 9])
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN {text}", "o", None, None, *ranges)]
        assert any("Index Scan using task_tally_pkey" in line for line in plan), plan
        assert not any("Seq Scan on task_tally" in line for line in plan), plan
