"""Lanes, idempotency, duties, render times and listening on SQLite: the part of the task store that is not tasks."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import apsw
import msgspec

from understudy.core.callbacks import Target
from understudy.core.ports import Heard
from understudy.core.queueing import Admission, Idempotency, Lane, RenderTime
from understudy.core.task import LedgerEntry, Task
from understudy.storage import operations
from understudy.storage import statements as sql
from understudy.storage.lifecycle import is_storable
from understudy.storage.media_uses import use_rows
from understudy.storage.rows import Row, encode_part, encode_warnings, fetch, micros_of
from understudy.storage.writer import Writer, nothing_changed, told

T = TypeVar("T")


class SqliteQueueing:
    """A part of `SqliteTaskStore`, which opens the writer and the reading connection."""

    _writer: Writer
    _read: apsw.Connection

    is_shared = False

    async def recall(self, owner: str, idempotency_key: str) -> Idempotency | None:
        """See the port; a text that no store could hold was never used."""
        if not is_storable(owner) or not is_storable(idempotency_key):
            return None
        rows = self._rows(sql.RECALL, (owner, idempotency_key))
        return Idempotency(key=rows[0][0], fingerprint=rows[0][1], task_id=rows[0][2]) if rows else None

    async def lanes(self) -> Sequence[Lane]:
        """See the port."""
        return tuple(
            Lane(key_id=key_id, engine=engine, queued=queued, running=running)
            for key_id, engine, queued, running in self._rows(sql.LANES, ())
        )

    async def queued_ids(self, key_id: str, engine: str, most: int) -> Sequence[str]:
        """See the port."""
        if not is_storable(key_id) or not is_storable(engine):
            return ()
        return tuple(task_id for (task_id,) in self._rows(sql.QUEUED_IDS, (key_id, engine, most)))

    async def note_render(self, took: RenderTime, now: datetime) -> None:
        """See the port."""
        row = (took.kind, took.film_s, took.took_s, micros_of(now))
        await self._work(partial(operations.note_render, row=row))

    async def render_times(self, kinds: Sequence[str]) -> Sequence[RenderTime]:
        """See the port."""
        known = msgspec.json.encode([kind for kind in kinds if is_storable(kind)]).decode()
        rows = self._rows(sql.RENDER_TIMES, (known,))
        return tuple(RenderTime(kind=kind, film_s=film_s, took_s=took_s) for kind, film_s, took_s in rows)

    async def lead(  # tidy: the port's
        self, duty: str, worker: str, now: datetime, until: datetime
    ) -> bool:
        """See the port."""
        bindings = {"duty": duty, "worker": worker, "now": micros_of(now), "until": micros_of(until)}
        return await self._work(partial(operations.change_one, statement=sql.LEAD, bindings=bindings))

    async def forget_idempotency(self, used_before: datetime, most: int) -> int:
        """See the port."""
        return await self._work(partial(operations.forget_idempotency, used_before=micros_of(used_before), most=most))

    def listen(self, heard: Heard) -> None:
        """See the port."""
        self._writer.listen(heard)

    def _work(
        self,
        operation: Callable[[apsw.Connection], T],
        changed: Callable[[T], Sequence[str | None]] = nothing_changed,
    ) -> asyncio.Future[T]:
        return self._writer.submit(operation, refusable=False, changed=changed)

    def _rows(self, statement: str, bindings: tuple[Any, ...]) -> list[Row]:
        try:
            return fetch(self._read, statement, bindings)
        except apsw.Error as error:
            raise told(error) from error


def insert_of(task: Task, hold: LedgerEntry, admission: Admission) -> operations.Insert:
    """Make the operation that writes a new task and what it is admitted with.

    Raises:
        Rejected: a text in it cannot be stored.
    """
    created_at = micros_of(task.created_at)
    request = encode_part(task.request, "content")
    updated_at, expires_at = micros_of(task.updated_at), micros_of(task.expires_at)
    warnings, archived = encode_warnings(task.warnings), int(task.is_archived)
    key, to = admission.idempotency, admission.callback
    return operations.Insert(
        row=(
            task.id,
            task.owner,
            task.request.priority or 0,
            created_at,
            updated_at,
            expires_at,
            task.request.model,
            task.request.service_tier,
            task.dialect,
            task.engine,
            task.seed,
            warnings,
            request,
            task.key_id,
        ),
        hold=operations.entry_row(hold, task.owner, created_at),
        lane=(task.key_id, task.engine),
        uses=use_rows(task),
        key=None if key is None else (task.owner, key.key, key.fingerprint, task.id, created_at),
        target=None if to is None else _target_row(task, to, request),
        callback=None if to is None else (task.id, to.origin, updated_at, updated_at, warnings, archived),
        queued_most=admission.queued_most,
    )


def _target_row(task: Task, target: Target, request: bytes) -> Row:
    """Give the bindings of `statements.ADD_TARGET`."""
    return (
        task.id,
        task.owner,
        micros_of(task.created_at),
        target.url,
        target.root,
        target.origin,
        task.dialect,
        task.engine,
        task.seed,
        micros_of(task.expires_at),
        task.key_id,
        request,
    )
