"""Which version the tables of a PostgreSQL database have, which versions this program runs on, and how it moves on.

Servers are renewed one after another, so for a while an old program runs on tables that a new one has migrated, and a
new one may have to run on old tables. Each version therefore says how old a program may be that runs on it: what only
adds (a table, a column that may be empty, an index) leaves older ones alone.
"""

from dataclasses import dataclass

import asyncpg

from understudy.storage.cannot_open import CannotOpen
from understudy.storage.listing_tables import POSTGRES as TALLIES
from understudy.storage.postgres_tables import CALLBACKS, FIRST_TABLES, MEDIA_AND_ASSETS, RENDER_TIMES

OLDEST_SCHEMA = 1
"""This program runs on tables as old as that, without what came later; see `Schema`."""

POSTGRES_LEAST = 12
"""Older ones are not maintained, and lack what the statements need: a statement's parts that are computed once."""

_LOCK = 0x756E6465727374
"""Our own number: who migrates holds this lock of the database, so that of servers that start together one does it."""

_WAIT_S = 120
"""How long a server waits for another's migration; tables of millions of rows need some time."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a version of the tables to the next.

    sql: any number of statements, one transaction. oldest_code: the version that a program must know of at least to run
    on the tables from then on.
    """

    number: int
    oldest_code: int
    sql: str


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, 1, FIRST_TABLES + MEDIA_AND_ASSETS + CALLBACKS + TALLIES),
    Migration(2, 1, RENDER_TIMES),
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The version of the tables that were found."""

    number: int

    @property
    def has_render_times(self) -> bool:
        """Whether there is a place for how long films took; without it there are no estimates."""
        return self.number >= 2


async def migrated(
    connection: asyncpg.Connection, *, migrates: bool, migrations: tuple[Migration, ...] = MIGRATIONS
) -> Schema:
    """Bring the tables to the newest version, if that is wanted, and say which one they have.

    Each step is one transaction, so a crash leaves a whole version.

    Raises:
        CannotOpen: the tables are too new or too old for this program, the server is too old, or the database holds
        text in another encoding than UTF-8.
    """
    await _check(connection)
    if not migrates:
        return _judged(await _found(connection), migrations)
    await connection.execute(f"SET lock_timeout = '{_WAIT_S}s'; SET statement_timeout = 0")
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        return await _migrate(connection, migrations)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _migrate(connection: asyncpg.Connection, migrations: tuple[Migration, ...]) -> Schema:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (number integer PRIMARY KEY, oldest_code integer NOT NULL)"
    )
    found = await _found(connection)
    if found.number > migrations[-1].number:
        return _judged(found, migrations)
    for migration in migrations:
        if migration.number > found.number:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_version VALUES ($1, $2)", migration.number, migration.oldest_code
                )
    return Schema(migrations[-1].number)


@dataclass(frozen=True, slots=True)
class _Found:
    """number: 0 = there are no tables."""

    number: int
    oldest_code: int


async def _found(connection: asyncpg.Connection) -> _Found:
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        return _Found(0, 0)
    row = await connection.fetchrow("SELECT number, oldest_code FROM schema_version ORDER BY number DESC LIMIT 1")
    return _Found(0, 0) if row is None else _Found(row["number"], row["oldest_code"])


def _judged(found: _Found, migrations: tuple[Migration, ...]) -> Schema:
    newest = migrations[-1].number
    if found.oldest_code > newest:
        raise CannotOpen(
            f"the database has version {found.number} of the tables, which needs a program that knows version "
            f"{found.oldest_code}, this one knows up to {newest}: start the newer Understudy"
        )
    if found.number < OLDEST_SCHEMA:
        raise CannotOpen(
            f"the database has version {found.number} of the tables, this program needs {OLDEST_SCHEMA} at least: "
            "let it migrate them"
        )
    return Schema(min(found.number, newest))


async def _check(connection: asyncpg.Connection) -> None:
    version = connection.get_server_version()
    if version.major < POSTGRES_LEAST:
        raise CannotOpen(
            f"the database server is PostgreSQL {version.major}.{version.minor}, the oldest that serves is "
            f"{POSTGRES_LEAST}: upgrade it"
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise CannotOpen(f"the database keeps text as {encoding}, prompts need UTF8: create it with ENCODING 'UTF8'")
