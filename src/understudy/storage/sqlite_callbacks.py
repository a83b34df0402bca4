"""The outbox on SQLite: it shares the file, the writing thread and the reading connection of the task store.

Callbacks themselves are written by triggers on the tasks, see `sqlite_lifecycle_tables`.
"""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby

import apsw
import msgspec

from understudy.core.callbacks import TRIES_KEPT, Callback, Delivery, DeliveryState, Target, Try
from understudy.core.task import Status
from understudy.storage.lifecycle import is_storable
from understudy.storage.rows import Row, fetch, micros_of, moment_of, task_of
from understudy.storage.writer import Writer, told

ORIGINS_KEPT = 10_000
"""Our own bound: of so many origins the latest turn is known; one that had its turn before is served first anyway."""

DUE = """
WITH RECURSIVE waiting (name) AS (
    SELECT min(origin) FROM callback WHERE is_first = 1
    UNION ALL
    SELECT (SELECT min(origin) FROM callback WHERE is_first = 1 AND origin > name)
    FROM waiting WHERE name IS NOT NULL),
served (name, turn, due_at) AS MATERIALIZED (
    SELECT name, coalesce((SELECT turn FROM callback_origin WHERE origin = name), 0),
        (SELECT min(due_at) FROM callback WHERE is_first = 1 AND origin = name) AS due_at
    FROM waiting
    WHERE name IS NOT NULL AND due_at <= :now AND name NOT IN (SELECT value FROM json_each(:busy))
    ORDER BY 2, 3, 1 LIMIT :most)
SELECT task_id, number, name FROM (
    SELECT callback.task_id, callback.number, name, served.turn, served.due_at,
        row_number() OVER (PARTITION BY name ORDER BY callback.due_at, callback.task_id) AS round
    FROM served CROSS JOIN callback
    WHERE (callback.task_id, callback.number) IN (
        SELECT task_id, number FROM callback AS first
        WHERE first.is_first = 1 AND first.origin = name AND first.due_at <= :now
        ORDER BY first.due_at, first.task_id LIMIT :most + 1 - (SELECT count(*) FROM served)))
ORDER BY round, turn, due_at, name LIMIT :most
"""
"""From origin to origin, and of each the first: an index serves both, however much one of them has waiting."""

TAKE = """
UPDATE callback SET due_at = :until, tries = tries + 1
WHERE (task_id, number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:taken))
"""

HAD_ITS_TURN = """
INSERT INTO callback_origin
SELECT value, 1 + key + (SELECT coalesce(max(turn), 0) FROM callback_origin) FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET turn = excluded.turn
"""

FORGET_ORIGINS = "DELETE FROM callback_origin WHERE turn <= (SELECT max(turn) FROM callback_origin) - ?"

TAKEN = """
SELECT told.task_id, owner, dialect, engine, seed, status, created_at, updated_at, expires_at, attempt, progress,
    completion_tokens, error, warnings, film, archived, key_id, request, number, url, callback_task.root, tries
FROM json_each(?) AS taken
    CROSS JOIN callback AS told ON told.task_id = taken.value ->> 0 AND told.number = taken.value ->> 1
    CROSS JOIN callback_task USING (task_id)
ORDER BY taken.key
"""

SETTLE = """
UPDATE callback SET state = ?1, due_at = ?2, is_first = is_first AND ?1 = 'pending'
WHERE task_id = ?3 AND number = ?4 AND tries = ?5 AND state = 'pending'
"""

# Who did not hear that a try was recorded records it once more.
ADD_TRY = """
INSERT OR REPLACE INTO callback_try (task_id, number, nth, at, took_s, status, fault) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

FORGET_TRIES = """
DELETE FROM callback_try WHERE task_id = ?1 AND number = ?2 AND nth <= (
    SELECT nth FROM callback_try WHERE task_id = ?1 AND number = ?2 ORDER BY nth DESC LIMIT 1 OFFSET ?3)
"""

_FIRST = "(SELECT min(number) FROM callback WHERE task_id = ?1 AND state = 'pending')"

NEXT_IS_FIRST = f"""
UPDATE callback SET is_first = (number = {_FIRST})
WHERE task_id = ?1 AND state = 'pending' AND is_first <> (number = {_FIRST})
"""

NEXT_DUE = "SELECT min(due_at) FROM callback WHERE is_first = 1"

DELIVERIES = """
SELECT number, told.status, updated_at, state, due_at, tries, at, took_s, tried.status, fault
FROM callback_task CROSS JOIN callback AS told USING (task_id) LEFT JOIN callback_try AS tried USING (task_id, number)
WHERE callback_task.task_id = ? AND owner = ? ORDER BY number, nth
"""

RESEND = """
UPDATE callback SET state = 'pending', due_at = ?1
WHERE task_id = ?2 AND number = coalesce(?3, (SELECT max(number) FROM callback WHERE task_id = ?2))
    AND EXISTS (SELECT 1 FROM callback_task WHERE task_id = ?2 AND owner = ?4)
"""

# A task that has not ended has more to tell.
TOLD = """
SELECT task_id FROM callback_task
WHERE created_at < ?
    AND NOT EXISTS (SELECT 1 FROM callback WHERE callback.task_id = callback_task.task_id AND state = 'pending')
    AND NOT EXISTS (SELECT 1 FROM task WHERE id = callback_task.task_id AND status IN ('queued', 'running'))
ORDER BY created_at LIMIT ?
"""

FORGET = tuple(
    f"DELETE FROM {table} WHERE task_id IN (SELECT value FROM json_each(?))"
    for table in ("callback_try", "callback", "callback_task")
)


class SqliteCallbackStore:
    """`core.callbacks.CallbackStore` in the file that the writer and the reading connection have open; they close it.

    Every method raises Unavailable when the storage does not answer; resending also when too many wait.
    """

    def __init__(self, writer: Writer, read: apsw.Connection) -> None:
        self._writer = writer
        self._read = read

    async def take_due(  # tidy: the port's
        self, now: datetime, until: datetime, most: int, busy: Collection[str] = ()
    ) -> Sequence[Callback]:
        """See the port."""
        known = msgspec.json.encode([origin for origin in busy if is_storable(origin)]).decode()
        due = {"now": micros_of(now), "most": most, "busy": known}
        rows = await self._writer.submit(partial(_take, due=due, until=micros_of(until)), refusable=False)
        return tuple(_callback_of(row) for row in rows)

    async def settle(
        self, callback: Callback, tried: Try, *, state: DeliveryState, due_at: datetime | None = None
    ) -> bool:
        """See the port; one that stays pending without a moment is due at once."""
        due = micros_of(due_at or tried.at) if state is DeliveryState.PENDING else None
        settle = partial(_settle, callback=callback, tried=tried, state=state, due_at=due)
        return await self._writer.submit(settle, refusable=False)

    async def next_due(self) -> datetime | None:
        """See the port."""
        ((due_at,),) = self._rows(NEXT_DUE, ())
        return None if due_at is None else moment_of(due_at)

    async def deliveries(self, owner: str, task_id: str) -> Sequence[Delivery] | None:
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id):
            return None
        rows = self._rows(DELIVERIES, (task_id, owner))
        return tuple(_delivery_of(list(each)) for _, each in groupby(rows, key=lambda row: row[0])) or None

    async def resend(  # tidy: the port's
        self, owner: str, task_id: str, number: int | None, now: datetime
    ) -> int:
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id):
            return 0
        bindings = (micros_of(now), task_id, number, owner)
        return await self._writer.submit(partial(_resend, bindings=bindings), refusable=True)

    async def forget_told(self, created_before: datetime, most: int) -> int:
        """See the port; a task that has not ended has more to tell, and is not forgotten."""
        forget = partial(_forget_told, created_before=micros_of(created_before), most=most)
        return await self._writer.submit(forget, refusable=False)

    def _rows(self, statement: str, bindings: Row) -> list[Row]:
        try:
            return fetch(self._read, statement, bindings)
        except apsw.Error as error:
            raise told(error) from error


def _take(connection: apsw.Connection, *, due: dict[str, object], until: int) -> list[Row]:
    """Lease what is due, and give its rows, in turn. until: microseconds since 1970 UTC."""
    found = fetch(connection, DUE, due)
    if not found:
        return []
    taken = msgspec.json.encode([(task_id, number) for task_id, number, _ in found]).decode()
    origins = msgspec.json.encode(list(dict.fromkeys(origin for _, _, origin in found))).decode()
    connection.execute(TAKE, {"until": until, "taken": taken})
    connection.execute(HAD_ITS_TURN, (origins,))
    connection.execute(FORGET_ORIGINS, (ORIGINS_KEPT,))
    return fetch(connection, TAKEN, (taken,))


def _settle(
    connection: apsw.Connection, *, callback: Callback, tried: Try, state: DeliveryState, due_at: int | None
) -> bool:
    task_id, number, nth = callback.task.id, callback.number, callback.tries
    connection.execute(SETTLE, (state.value, due_at, task_id, number, nth))
    if not connection.changes():
        return False
    row = (task_id, number, nth, micros_of(tried.at), tried.took_s, tried.status, tried.fault)
    connection.execute(ADD_TRY, row)
    if nth > TRIES_KEPT:
        connection.execute(FORGET_TRIES, (task_id, number, TRIES_KEPT))
    if state is not DeliveryState.PENDING:
        connection.execute(NEXT_IS_FIRST, (task_id,))
    return True


def _resend(connection: apsw.Connection, *, bindings: Row) -> int:
    connection.execute(RESEND, bindings)
    count = connection.changes()
    if count:
        connection.execute(NEXT_IS_FIRST, (bindings[1],))
    return count


def _forget_told(connection: apsw.Connection, *, created_before: int, most: int) -> int:
    task_ids = [row[0] for row in fetch(connection, TOLD, (created_before, most))]
    for statement in FORGET:
        connection.execute(statement, (msgspec.json.encode(task_ids).decode(),))
    return len(task_ids)


def _callback_of(row: Row) -> Callback:
    """Decode a row of `TAKEN`."""
    *task, number, url, root, tries = row
    return Callback(task=task_of(tuple(task)), number=number, target=Target(url=url, root=root), tries=tries)


def _delivery_of(rows: list[Row]) -> Delivery:
    """Decode the rows of `DELIVERIES` that are of one callback: one for each try, or one without any."""
    number, status, changed_at, state, due_at, tried, *_ = rows[0]
    return Delivery(
        number=number,
        status=Status(status),
        changed_at=moment_of(changed_at),
        state=DeliveryState(state),
        due_at=None if due_at is None else moment_of(due_at),
        tried=tried,
        tries=tuple(
            Try(at=moment_of(at), took_s=took_s, status=answer, fault=fault)
            for *_, at, took_s, answer, fault in rows
            if at is not None
        ),
    )
