"""What a campaign reads out of the database: a journal of every change of a task, kept by a trigger, and the end.

The journal is written in the transaction of each change, so it is as true as the record, also of what no caller saw.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import apsw

from postgres_server import PostgresServer

Event = dict[str, Any]
Row = tuple[Any, ...]
ACT = re.compile(r"act:([0-9]+)")
MICROS = 1e6

_SQLITE_NOW = "unixepoch('subsec')"
_COLUMNS = "task, before, after, attempt, lease_until, key"
_SQLITE_JOURNAL = f"""
CREATE TABLE chaos_journal (
    number INTEGER PRIMARY KEY AUTOINCREMENT, wall REAL NOT NULL, task TEXT NOT NULL, before TEXT NOT NULL,
    after TEXT NOT NULL, attempt INTEGER NOT NULL, lease_until INTEGER, key TEXT NOT NULL
);
CREATE TRIGGER chaos_inserted AFTER INSERT ON task BEGIN
    INSERT INTO chaos_journal (wall, {_COLUMNS})
    VALUES ({_SQLITE_NOW}, new.id, '', new.status, new.attempt, new.lease_until, new.key_id);
END;
CREATE TRIGGER chaos_updated AFTER UPDATE OF status, attempt, lease_until ON task BEGIN
    INSERT INTO chaos_journal (wall, {_COLUMNS})
    VALUES ({_SQLITE_NOW}, new.id, old.status, new.status, new.attempt, new.lease_until, new.key_id);
END;
CREATE TRIGGER chaos_deleted AFTER DELETE ON task BEGIN
    INSERT INTO chaos_journal (wall, {_COLUMNS})
    VALUES ({_SQLITE_NOW}, old.id, old.status, '', old.attempt, NULL, old.key_id);
END;
"""
_POSTGRES_JOURNAL = f"""
CREATE TABLE chaos_journal (
    number bigserial PRIMARY KEY, wall double precision NOT NULL, task text NOT NULL, before text NOT NULL,
    after text NOT NULL, attempt integer NOT NULL, lease_until bigint, key text NOT NULL
);
CREATE FUNCTION chaos_notes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_s double precision := extract(epoch FROM clock_timestamp());
BEGIN
    IF tg_op = 'INSERT' THEN
        INSERT INTO chaos_journal (wall, {_COLUMNS})
        VALUES (now_s, new.id, '', new.status, new.attempt, new.lease_until, new.key_id);
    ELSIF tg_op = 'DELETE' THEN
        INSERT INTO chaos_journal (wall, {_COLUMNS})
        VALUES (now_s, old.id, old.status, '', old.attempt, NULL, old.key_id);
    ELSE
        INSERT INTO chaos_journal (wall, {_COLUMNS})
        VALUES (now_s, new.id, old.status, new.status, new.attempt, new.lease_until, new.key_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_any AFTER INSERT OR DELETE OR UPDATE OF status, attempt, lease_until ON task
FOR EACH ROW EXECUTE FUNCTION chaos_notes();
"""
_JOURNAL_ROWS = "SELECT number, wall, task, before, after, attempt, lease_until, key FROM chaos_journal ORDER BY number"
_TASK_ROWS = """
SELECT task.id, task.status, task.attempt, task.key_id, task.request, task.expires_at, idempotency.key
FROM task LEFT JOIN idempotency ON idempotency.task_id = task.id AND idempotency.owner = task.owner
"""
_ENTRY_ROWS = "SELECT task_id, kind, amount_micros, currency FROM ledger"
_DELIVERY_ROWS = "SELECT task_id, number, state, tries FROM callback"


class Records(Protocol):
    """A database of a campaign."""

    def add_journal(self) -> None:
        """Have every change of a task noted from now on; the tables are there, and no program has them open."""
        ...

    def rows(self, statement: str) -> list[Row]:
        """Run a query; no program has the database open, where only one may."""
        ...


class SqliteRecords:
    """The file of a data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add_journal(self) -> None:
        with closing(apsw.Connection(str(self.path))) as connection:
            connection.execute(_SQLITE_JOURNAL)

    def rows(self, statement: str) -> list[Row]:
        with closing(apsw.Connection(str(self.path))) as connection:
            return list(connection.execute(statement))


class PostgresRecords:
    """One database of a server."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self.server = server
        self.database = database

    def add_journal(self) -> None:
        self.server.sql(_POSTGRES_JOURNAL, self.database)

    def rows(self, statement: str) -> list[Row]:
        return self.server.sql(statement, self.database)


def dumped(records: Records) -> Iterator[Event]:
    """Yield what is in the record in the end."""
    at = time.clock_gettime(time.CLOCK_MONOTONIC)
    for number, wall, task, before, after, attempt, lease_until, key in records.rows(_JOURNAL_ROWS):
        change = {"before": before, "after": after, "attempt": attempt, "key": key}
        until = None if lease_until is None else lease_until / MICROS
        yield {"kind": "journal", "at": at, "order": number, "wall": wall, "task": task, "lease_until": until, **change}
    for task, state, attempt, key, request, expires_at, promise in records.rows(_TASK_ROWS):
        text = request.decode() if isinstance(request, bytes) else request
        act = ACT.search(text)
        about = {"act": act[1] if act else "", "promise": promise or "", "callback": "/hears/" in text}
        state_of = {"state": state, "attempt": attempt, "key": key, "expires": expires_at / MICROS}
        yield {"kind": "kept", "at": at, "task": task, **state_of, **about}
    for task, entry, micros, currency in records.rows(_ENTRY_ROWS):
        yield {"kind": "entry", "at": at, "task": task, "entry": entry, "micros": micros, "currency": currency}
    for task, number, state, tried in records.rows(_DELIVERY_ROWS):
        yield {"kind": "delivery", "at": at, "task": task, "number": number, "state": state, "tried": tried}
