"""The tables of the SQLite store, as numbered migrations, and the one function that applies them.

A released migration never changes; a new one is added below it.
"""

from dataclasses import dataclass

import apsw

from understudy.storage.asset_tables import ASSET_LIFE, WAITING_ASSETS
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.listing_tables import SQLITE as TALLIES
from understudy.storage.rows import fetch
from understudy.storage.sqlite_lifecycle_tables import LIFECYCLE


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a version of the tables to the next. sql: any number of statements, one transaction."""

    number: int
    sql: str


_FIRST_TABLES = """
-- Times are microseconds since 1970 UTC. `request` stands last: what is never read is then never loaded.
CREATE TABLE task (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled')),
    priority INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    model TEXT NOT NULL,
    service_tier TEXT,
    dialect TEXT NOT NULL,
    engine TEXT NOT NULL,
    seed INTEGER NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    progress REAL NOT NULL CHECK (progress BETWEEN 0 AND 1),
    lease_until INTEGER,
    worker TEXT,
    completion_tokens INTEGER CHECK (completion_tokens >= 0),
    error BLOB,
    warnings BLOB,
    film BLOB,
    request BLOB NOT NULL,
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status = 'running') = (worker IS NOT NULL)),
    CHECK ((status = 'succeeded') = (film IS NOT NULL)),
    CHECK ((status = 'succeeded') = (completion_tokens IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK (attempt > 0 OR status IN ('queued', 'expired', 'cancelled'))
) STRICT;

-- What is asked again and again, each question with its own index, so that none depends on how many tasks there are.
CREATE INDEX task_to_claim ON task (priority DESC, created_at, id, expires_at) WHERE status = 'queued';
CREATE INDEX task_leased ON task (lease_until) WHERE status = 'running';
CREATE INDEX task_to_expire ON task (expires_at) WHERE status IN ('queued', 'running');
CREATE INDEX task_to_purge ON task (created_at) WHERE status IN ('succeeded', 'failed', 'expired', 'cancelled');
CREATE INDEX task_cancelled ON task (updated_at) WHERE status = 'cancelled';
-- Holds every column that a listing filters by, so that counting and skipping never touch the rows.
CREATE INDEX task_listed ON task (owner, created_at DESC, id DESC, status, updated_at, model, service_tier);

CREATE TRIGGER task_end_is_final BEFORE UPDATE ON task
WHEN old.status IN ('succeeded', 'failed', 'expired', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a task that has ended does not change'); END;

CREATE TRIGGER task_attempt_grows BEFORE UPDATE OF attempt ON task
WHEN new.attempt <> old.attempt + 1
BEGIN SELECT RAISE(ABORT, 'the attempt of a task grows by one'); END;

-- A task has at most a hold and its end, so kind sorts in the order written: hold < posted, hold < voided.
CREATE TABLE ledger (
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'posted', 'voided')),
    owner TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_micros INTEGER NOT NULL CHECK (amount_micros >= 0),
    completion_tokens INTEGER NOT NULL CHECK (completion_tokens >= 0),
    PRIMARY KEY (task_id, kind)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_settled_once ON ledger (task_id) WHERE kind IN ('posted', 'voided');

CREATE TRIGGER ledger_is_never_rewritten BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END;

CREATE TRIGGER ledger_is_never_erased BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END;

CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
"""

_ASSETS = """
CREATE TABLE asset_group (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE asset (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES asset_group (id),
    name TEXT NOT NULL,
    modality TEXT NOT NULL CHECK (modality IN ('image', 'video', 'audio')),
    url TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('processing', 'active', 'failed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
"""

_MEDIA_AND_ARCHIVE = """
-- arriving: reserved, the key is known from the moment before the bytes are stored. whole: stored, can be used.
-- leaving: the bytes are being removed. returned: they were stored once more meanwhile, so they are removed again.
-- record: another number each time that the same bytes are recorded anew.
CREATE TABLE medium (
    sha256 TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('arriving', 'whole', 'leaving', 'returned')),
    record INTEGER NOT NULL DEFAULT (random()),
    key TEXT,
    facts BLOB,
    needed_until INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
    CHECK (state = 'arriving' OR key IS NOT NULL),
    CHECK (state <> 'whole' OR facts IS NOT NULL),
    CHECK (state = 'whole' OR uses = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX medium_unused ON medium (needed_until) WHERE uses = 0;

-- used_by: 'task:' or 'asset:' and its id.
CREATE TABLE medium_use (
    sha256 TEXT NOT NULL,
    used_by TEXT NOT NULL,
    PRIMARY KEY (sha256, used_by)
) STRICT, WITHOUT ROWID;

CREATE INDEX medium_used_by ON medium_use (used_by);

CREATE TRIGGER medium_must_be_whole BEFORE INSERT ON medium_use
WHEN NOT EXISTS (SELECT 1 FROM medium WHERE sha256 = new.sha256 AND state = 'whole')
BEGIN SELECT RAISE(ABORT, 'the medium is not stored'); END;

CREATE TRIGGER medium_is_used AFTER INSERT ON medium_use
BEGIN UPDATE medium SET uses = uses + 1 WHERE sha256 = new.sha256; END;

CREATE TRIGGER medium_is_used_less AFTER DELETE ON medium_use
BEGIN UPDATE medium SET uses = uses - 1 WHERE sha256 = old.sha256; END;

CREATE TABLE own_film (sha256 BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Tasks whose record is gone and whose files may be there still. tried_at: when removing them was last begun.
CREATE TABLE removed_task (
    id TEXT NOT NULL PRIMARY KEY,
    attempt INTEGER NOT NULL,
    tried_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX removed_task_to_try ON removed_task (tried_at);

CREATE TRIGGER task_is_gone AFTER DELETE ON task
BEGIN
    DELETE FROM medium_use WHERE used_by = 'task:' || old.id;
    INSERT INTO removed_task SELECT old.id, old.attempt, -1 WHERE old.attempt > 0;
END;

-- 0 and 1 stand in the head of a row, so reading it costs nothing although the request lies before it.
ALTER TABLE task ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));

DROP INDEX task_to_purge;
CREATE INDEX task_to_purge ON task (created_at)
    WHERE status IN ('succeeded', 'failed', 'expired', 'cancelled') AND archived = 0;
DROP INDEX task_cancelled;
CREATE INDEX task_cancelled ON task (updated_at) WHERE status = 'cancelled' AND archived = 0;
DROP INDEX task_listed;
CREATE INDEX task_listed
    ON task (owner, created_at DESC, id DESC, status, updated_at, model, service_tier, archived);

-- All columns but `archived`: to be kept is the one thing that can still be said of a task that has ended.
DROP TRIGGER task_end_is_final;
CREATE TRIGGER task_end_is_final BEFORE UPDATE OF
    id, owner, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine, seed,
    attempt, progress, lease_until, worker, completion_tokens, error, warnings, film, request ON task
WHEN old.status IN ('succeeded', 'failed', 'expired', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a task that has ended does not change'); END;
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, _FIRST_TABLES),
    Migration(2, _ASSETS),
    Migration(3, _MEDIA_AND_ARCHIVE),
    Migration(4, ASSET_LIFE),
    Migration(5, WAITING_ASSETS),
    Migration(6, LIFECYCLE),
    Migration(7, TALLIES),
)


def migrate(connection: apsw.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring the tables to the newest version; each step is one transaction, so a crash leaves a whole version.

    Raises:
        CannotOpen: the database was written by a newer version of the program.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (number INTEGER NOT NULL PRIMARY KEY) STRICT")
    ((version,),) = fetch(connection, "SELECT coalesce(max(number), 0) FROM schema_version")
    newest = migrations[-1].number
    if version > newest:
        raise CannotOpen(
            f"the database {connection.filename} has version {version} of the tables, this program knows up to "
            f"{newest}: start it with the newer Understudy that wrote it, or choose another data directory"
        )
    for migration in migrations:
        if migration.number > version:
            with connection:
                connection.execute(migration.sql)
                connection.execute("INSERT INTO schema_version VALUES (?)", (migration.number,))
