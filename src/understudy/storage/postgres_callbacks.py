"""The outbox on PostgreSQL: what is yet to be told, and the log.

The triggers of `postgres_tables` write a callback in the transaction of the change. `callback_target` has one row for
each task that tells, with the moment at which its first pending callback is due, so that what is due is found by an
index, however much was told before. Whoever changes callbacks of a task has its target's row first.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
import msgspec

from understudy.core.callbacks import TRIES_KEPT, Callback, Delivery, DeliveryState, Target, Try
from understudy.core.task import Status
from understudy.storage.lifecycle import is_storable
from understudy.storage.postgres_link import Link, Row
from understudy.storage.rows import micros_of, moment_of, task_of
from understudy.storage.statements import COLUMNS

_OF_TARGET = frozenset({"owner", "key_id", "dialect", "engine", "seed", "created_at", "expires_at", "request"})

_TASK = ", ".join(
    "target.task_id" if column == "id" else f"target.{column}" if column in _OF_TARGET else f"callback.{column}"
    for column in COLUMNS.split(", ")
)
"""The columns of a task: what never changes stands with the target, what was right after the change with it."""

# One sender takes at a time, in a statement or two: origins take turns, which two could not keep to.
_TAKE_IN_TURN = f"SELECT pg_advisory_xact_lock({0x756E6465727375})"

ORIGINS_MOST = 1000
"""Origins that one look goes through, as callers can make up any number. The next look goes on where the last ended."""

ORIGINS_KEPT = 10_000
"""Turns that are remembered; who had one longer ago is as good as new."""

# From origin to origin, and of each the first: an index serves both, however much one of them has waiting.
ORIGINS = f"""
WITH RECURSIVE waiting (origin) AS (
    (SELECT origin FROM callback_target WHERE due_at IS NOT NULL AND origin >= $1 ORDER BY origin LIMIT 1)
    UNION ALL
    SELECT (SELECT target.origin FROM callback_target AS target
            WHERE target.due_at IS NOT NULL AND target.origin > waiting.origin ORDER BY target.origin LIMIT 1)
    FROM waiting WHERE waiting.origin IS NOT NULL)
SELECT origin FROM waiting WHERE origin IS NOT NULL LIMIT {ORIGINS_MOST}
"""  # noqa: S608 - a number

CHOOSE = """
WITH ranked AS (
    SELECT waiting.origin, first.task_id, first.due_at, first.place, coalesce(callback_origin.turn, 0) AS turn
    FROM unnest($3::text[]) AS waiting (origin)
    CROSS JOIN LATERAL (
        SELECT near.task_id, near.due_at, row_number() OVER (ORDER BY near.due_at, near.task_id) AS place
        FROM (
            SELECT target.task_id, target.due_at FROM callback_target AS target
            WHERE target.origin = waiting.origin AND target.due_at <= $1
            ORDER BY target.due_at, target.task_id LIMIT $2) AS near) AS first
    LEFT JOIN callback_origin ON callback_origin.origin = waiting.origin)
SELECT task_id, origin FROM ranked ORDER BY place, turn, due_at, task_id LIMIT $2
"""

TAKE = f"""
WITH target AS MATERIALIZED (
    SELECT * FROM callback_target WHERE task_id = ANY($1) AND due_at <= $2 ORDER BY task_id FOR UPDATE SKIP LOCKED),
first AS MATERIALIZED (
    SELECT target.task_id, callback.number FROM target CROSS JOIN LATERAL (
        SELECT number FROM callback WHERE callback.task_id = target.task_id AND state = 'pending'
        ORDER BY number LIMIT 1) AS callback),
taken AS (
    UPDATE callback SET tried = callback.tried + 1, due_at = $3::bigint FROM first
    WHERE callback.task_id = first.task_id AND callback.number = first.number
    RETURNING callback.*),
held AS (UPDATE callback_target SET due_at = $3 WHERE task_id = ANY(ARRAY(SELECT task_id FROM taken)))
SELECT callback.number, target.url, target.root, callback.tried, {_TASK}
FROM taken AS callback JOIN target USING (task_id)
"""  # noqa: S608 - names of columns

_HAD_THEIR_TURN = """
INSERT INTO callback_origin (origin, turn)
SELECT origin, nextval('callback_turn') FROM unnest($1::text[]) WITH ORDINALITY AS given (origin, place) ORDER BY place
ON CONFLICT (origin) DO UPDATE SET turn = excluded.turn
"""

_LOCK_TARGET = "SELECT owner FROM callback_target WHERE task_id = $1 FOR UPDATE"

_SETTLE = """
UPDATE callback SET state = $4, due_at = $5, tries = $6, recorded = $3 WHERE task_id = $1 AND number = $2 AND tried = $3
    AND state = 'pending'
RETURNING number
"""

_TRIES = "SELECT tries, recorded FROM callback WHERE task_id = $1 AND number = $2"

_NEXT_OF_TASK = """
UPDATE callback_target SET due_at = (
    SELECT due_at FROM callback WHERE task_id = $1 AND state = 'pending' ORDER BY number LIMIT 1)
WHERE task_id = $1
"""

NEXT_DUE = "SELECT due_at FROM callback_target WHERE due_at IS NOT NULL ORDER BY due_at + 0 LIMIT 1"

DELIVERIES = """
SELECT callback.number, callback.status, callback.updated_at, callback.state, callback.due_at, callback.tried,
    callback.tries
FROM callback JOIN callback_target AS target USING (task_id)
WHERE callback.task_id = $1 AND target.owner = $2 ORDER BY callback.number
"""

_RESEND = """
UPDATE callback SET state = 'pending', due_at = $3 WHERE task_id = $1 AND number = coalesce(
    $2::int, (SELECT max(number) FROM callback WHERE task_id = $1))
RETURNING number
"""

FORGETTABLE = """
SELECT task_id FROM callback_target
WHERE due_at IS NULL AND created_at < $1
    AND NOT EXISTS (SELECT 1 FROM task WHERE task.id = callback_target.task_id AND status IN ('queued', 'running'))
ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_FORGET_CALLBACKS = "DELETE FROM callback WHERE task_id = ANY($1)"

_FORGET_TARGETS = "DELETE FROM callback_target WHERE task_id = ANY($1)"

_FORGET_ORIGINS = """
DELETE FROM callback_origin WHERE origin = ANY(ARRAY(
    SELECT origin FROM callback_origin ORDER BY turn DESC OFFSET $1 FOR UPDATE SKIP LOCKED))
"""

_BEFORE_ALL = ""
"""The first origin there can be: that of an address that is none."""

_tries = msgspec.json.Decoder(tuple[Try, ...])


class PostgresCallbackStore:
    """`core.callbacks.CallbackStore` over connections that the task store closes.

    Every method raises Unavailable when the database does not answer.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._looked_at = _BEFORE_ALL

    async def take_due(  # tidy: the port's
        self, now: datetime, until: datetime, most: int, busy: Collection[str] = ()
    ) -> Sequence[Callback]:
        """See the port."""
        async with self._link.transaction() as connection:
            await connection.execute(_TAKE_IN_TURN)
            origins = await self._origins(connection)
            free = [origin for origin in origins if origin not in busy]
            chosen = await connection.fetch(CHOOSE, micros_of(now), most, free)
            if not chosen:
                return ()
            ids = [row[0] for row in chosen]
            rows = await connection.fetch(TAKE, ids, micros_of(now), micros_of(until))
            await connection.execute(_HAD_THEIR_TURN, list(dict.fromkeys(row[1] for row in chosen)))
        taken = {callback.task.id: callback for callback in map(_callback_of, rows)}
        return tuple(taken[task_id] for task_id in ids if task_id in taken)

    async def settle(
        self, callback: Callback, tried: Try, *, state: DeliveryState, due_at: datetime | None = None
    ) -> bool:
        """See the port."""
        task_id, number = callback.task.id, callback.number
        due = micros_of(due_at or tried.at) if state is DeliveryState.PENDING else None
        async with self._link.transaction() as connection:
            await connection.fetch(_LOCK_TARGET, task_id)
            rows = await connection.fetch(_TRIES, task_id, number)
            if not rows:
                return False
            # Who did not hear that a try was recorded records it once more.
            earlier = _tries_of(rows[0][0])[: -1 if rows[0][1] == callback.tries else None]
            kept = msgspec.json.encode((*earlier, tried)[-TRIES_KEPT:]).decode()
            if not await connection.fetch(_SETTLE, task_id, number, callback.tries, state.value, due, kept):
                return False
            await connection.execute(_NEXT_OF_TASK, task_id)
        return True

    async def next_due(self) -> datetime | None:
        """See the port."""
        rows = await self._link.fetch(NEXT_DUE)
        return moment_of(rows[0][0]) if rows else None

    async def deliveries(self, owner: str, task_id: str) -> Sequence[Delivery] | None:
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id):
            return None
        rows = await self._link.fetch(DELIVERIES, task_id, owner)
        return tuple(map(_delivery_of, rows)) or None

    async def resend(self, owner: str, task_id: str, number: int | None, now: datetime) -> int:  # tidy: the port's
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id) or not _is_number(number):
            return 0
        async with self._link.transaction() as connection:
            found = await connection.fetch(_LOCK_TARGET, task_id)
            if not found or found[0][0] != owner:
                return 0
            rows = await connection.fetch(_RESEND, task_id, number, micros_of(now))
            await connection.execute(_NEXT_OF_TASK, task_id)
        return len(rows)

    async def forget_told(self, created_before: datetime, most: int) -> int:
        """See the port; a task that has not ended has yet to tell its end, so it keeps what it told."""
        async with self._link.transaction() as connection:
            ids = [row[0] for row in await connection.fetch(FORGETTABLE, micros_of(created_before), most)]
            await self._forget(connection, ids)
            await connection.execute(_FORGET_ORIGINS, ORIGINS_KEPT)
        return len(ids)

    async def _origins(self, connection: asyncpg.Connection) -> list[str]:
        """Return origins that have something waiting: all of them, or those from where the last look ended."""
        origins = [row[0] for row in await connection.fetch(ORIGINS, self._looked_at)]
        self._looked_at = origins[-1] if len(origins) == ORIGINS_MOST else _BEFORE_ALL
        return origins

    async def _forget(self, connection: asyncpg.Connection, ids: list[str]) -> None:
        if ids:
            await connection.execute(_FORGET_CALLBACKS, ids)
            await connection.execute(_FORGET_TARGETS, ids)


def _is_number(number: int | None) -> bool:
    """Say whether there may be a change of this number: the column has 32 bits."""
    return number is None or 0 < number < 2**31


def _callback_of(row: Row) -> Callback:
    number, url, root, tried, *task = row
    return Callback(task=task_of(tuple(task)), number=number, target=Target(url=url, root=root), tries=tried)


def _delivery_of(row: Row) -> Delivery:
    number, status, changed_at, state, due_at, tried, tries = row
    return Delivery(
        number=number,
        status=Status(status),
        changed_at=moment_of(changed_at),
        state=DeliveryState(state),
        due_at=None if due_at is None else moment_of(due_at),
        tried=tried,
        tries=_tries_of(tries),
    )


def _tries_of(kept: str | None) -> tuple[Try, ...]:
    return () if kept is None else _tries.decode(kept)
