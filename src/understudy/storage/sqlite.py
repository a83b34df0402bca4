"""The task store on SQLite: one file, one writing thread, reads on the event loop's thread.

A poll is one prepared point read of about ten microseconds, cheaper than a hop to another thread, or none at all while
nothing was committed since the last. Listings count, so they run on a thread and a connection of their own. Source of
the measurements: `benchmarks/api.py`.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from understudy.core.ports import ApiKey, Outcome
from understudy.core.queueing import ADMITTED, Admission
from understudy.core.task import ENDED, Claim, LedgerEntry, Removed, Task, TaskFilter, TaskPage
from understudy.storage import operations
from understudy.storage import statements as sql
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.known import KnownTasks
from understudy.storage.lifecycle import bounded_progress, check_new, check_outcome, is_storable, unavailable
from understudy.storage.listing import select_page
from understudy.storage.migrations import migrate
from understudy.storage.rows import (
    entry_of,
    fetch,
    key_of,
    micros_of,
    task_of,
)
from understudy.storage.sqlite_assets import SqliteAssetStore
from understudy.storage.sqlite_callbacks import SqliteCallbackStore
from understudy.storage.sqlite_media import SqliteMediaStore
from understudy.storage.sqlite_queueing import SqliteQueueing, insert_of
from understudy.storage.writer import Writer, told

T = TypeVar("T")

SQLITE_LEAST = (3, 51, 3)
"""Older ones can corrupt a WAL that two connections use. Source: SQLite, "WAL-reset bug", fixed March 2026."""

WAITING_MAX = 8192
"""Requests that may wait to be stored, unless the caller says otherwise: about a second of work."""

ANY_NUMBER = 2**62
"""More than any lane has running."""

_CACHE_KIB = 32 * 1024
_WAL_KEPT_BYTES = 64 * 1024 * 1024


class SqliteTaskStore(SqliteQueueing):
    """`core.ports.TaskStore` in one SQLite file. Only one process may have the file open; see `lock`.

    waiting_max: requests that may wait to be stored before more are refused.

    Raises:
        CannotOpen: the SQLite library is too old, the file is no database or a newer one, or cannot be written.
    """

    def __init__(self, path: Path, *, waiting_max: int = WAITING_MAX) -> None:
        check_sqlite(apsw.sqlite_lib_version())
        try:
            path.touch(mode=0o600)
            self._written = _open_for_writing(path)
            self._read = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._listed = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            for connection in (self._read, self._listed):
                connection.pragma("cache_size", -_CACHE_KIB)
        except (apsw.Error, OSError) as error:
            raise CannotOpen(f"cannot open the database {path}: {error}") from error
        self._writer = Writer(self._written, waiting_max=waiting_max)
        self._known = KnownTasks()
        self.callbacks = SqliteCallbackStore(self._writer, self._read)
        self.media = SqliteMediaStore(self._writer, self._read)
        self.assets = SqliteAssetStore(self._writer, self._read)
        self._lister = ThreadPoolExecutor(max_workers=1, thread_name_prefix="understudy-sqlite-lister")

    async def insert(self, task: Task, hold: LedgerEntry, admission: Admission = ADMITTED) -> None:
        """See the port.

        Raises:
            IdTaken: also when the id's task is gone but its ledger remains.
            Rejected: a text in it cannot be stored.
            Unavailable: the storage does not answer, too many wait, or a medium of it is not stored any more.
        """
        check_new(task, hold, admission)
        insert = insert_of(task, hold, admission)
        await self._writer.submit(insert, refusable=True, changed=lambda _: (task.id,))

    async def get(self, owner: str, task_id: str) -> Task | None:
        """See the port; a text that no store could hold names no task."""
        known = self._known.get((owner, task_id), self._writer.commits)
        if known is not None:
            return known
        try:
            rows = fetch(self._read, sql.GET, (task_id, owner))
        except UnicodeEncodeError:
            return None
        except apsw.Error as error:
            raise told(error) from error
        if not rows:
            return None
        task = task_of(rows[0])
        self._known.keep((owner, task_id), task, size_bytes=len(rows[0][-1]))
        return task

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """See the port."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._lister, select_page, self._listed, owner, wanted)
        except apsw.Error as error:
            raise told(error) from error
        except RuntimeError as error:
            raise unavailable("it is shutting down") from error

    async def withdraw(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id):
            return None
        withdraw = partial(operations.withdraw, owner=owner, task_id=task_id, now=micros_of(now))
        return await self._writer.submit(withdraw, refusable=True, changed=_given)

    async def cancel(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        if not is_storable(owner) or not is_storable(task_id):
            return None
        cancel = partial(operations.cancel, owner=owner, task_id=task_id, now=micros_of(now))
        return await self._writer.submit(cancel, refusable=True, changed=_given)

    async def archive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=True)

    async def unarchive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=False)

    async def claim(  # tidy: the port's
        self,
        worker: str,
        now: datetime,
        lease_until: datetime,
        *,
        engine: str | None = None,
        concurrency: int | None = None,
        lease_now: datetime | None = None,
    ) -> Claim | None:
        """See the port; a lease has lapsed from the moment ``lease_until`` on, a task from ``expires_at`` on."""
        if not is_storable(engine or ""):
            return None
        wanted: dict[str, str | int | None] = {
            "worker": worker,
            "now": micros_of(now),
            "lease_until": micros_of(lease_until),
            "lease_now": micros_of(lease_now or now),
            "engine": engine,
            "concurrency": ANY_NUMBER if concurrency is None else concurrency,
        }
        while True:
            # Each round that takes nothing has cleared some tasks away, so there is an end to them.
            claimed = await self._work(partial(operations.claim, wanted=wanted), changed=_claimed)
            if claimed.row is not None:
                task = task_of(claimed.row)
                return Claim(task=task, token=task.attempt, worker=worker)
            if not claimed.cleared:
                return None

    async def heartbeat(self, claim: Claim, progress: float, lease_until: datetime) -> bool:
        """See the port."""
        bindings = (micros_of(lease_until), bounded_progress(progress), claim.task.id, claim.token)
        return await self._work(partial(operations.change_one, statement=sql.HEARTBEAT, bindings=bindings))

    async def finish(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """See the port; the outcome's warnings come after those the task has."""
        check_outcome(claim, outcome)
        finish = partial(operations.finish, claimed=claim, outcome=outcome, now=micros_of(now))
        return await self._work(finish, changed=_if_it_was(claim))

    async def hand_back(self, claim: Claim, now: datetime) -> bool:
        """See the port."""
        hand_back = partial(
            operations.change_one,
            statement=sql.HAND_BACK,
            bindings=(micros_of(now), claim.task.id, claim.token),
        )
        return await self._work(hand_back, changed=_if_it_was(claim))

    async def hand_back_all(self, now: datetime) -> int:
        """See the port."""
        hand_back = partial(operations.change, statement=sql.HAND_BACK_ALL, bindings=(micros_of(now),))
        return await self._work(hand_back, changed=lambda count: (None,) if count else ())

    async def expire(self, now: datetime) -> Sequence[str]:
        """See the port; very many are expired in several transactions, so that other writes pass between them."""
        expired: list[str] = []
        while True:
            some = await self._work(partial(operations.expire, now=micros_of(now)), changed=tuple)
            expired += some
            if len(some) < operations.EXPIRE_MOST:
                return tuple(expired)

    async def purge(self, *, created_before: datetime, cancelled_before: datetime) -> Sequence[Task]:
        """See the port."""
        created, cancelled = micros_of(created_before), micros_of(cancelled_before)
        rows = await self._work(partial(operations.purge, created_before=created, cancelled_before=cancelled))
        return tuple(task_of(row) for row in rows)

    async def take_removed(self, now: datetime, most: int) -> Sequence[Removed]:
        """See the port."""
        rows = await self._work(partial(operations.take_removed, now=micros_of(now), most=most))
        return tuple(Removed(id=task_id, attempt=attempt) for task_id, attempt in rows)

    async def forget_removed(self, task_ids: Sequence[str]) -> None:
        """See the port."""
        await self._work(partial(operations.forget_removed, task_ids=task_ids))

    async def ledger(self, task_id: str) -> Sequence[LedgerEntry]:
        """See the port."""
        return tuple(entry_of(row) for row in self._rows(sql.LEDGER, (task_id,))) if is_storable(task_id) else ()

    async def add_key(self, key: ApiKey) -> None:
        """See the port.

        Raises:
            ValueError: the id or the digest is in use.
        """
        bindings = (key.id, key.owner, key.digest, micros_of(key.created_at))
        try:
            await self._work(partial(operations.change, statement=sql.ADD_KEY, bindings=bindings))
        except apsw.ConstraintError as error:
            raise ValueError(f"the key {key.id!r} or its digest is stored already") from error

    async def keys(self) -> Sequence[ApiKey]:
        """See the port; oldest first."""
        return tuple(key_of(row) for row in self._rows(sql.KEYS, ()))

    async def close(self) -> None:
        """See the port; later calls are refused as `Unavailable`."""
        await asyncio.to_thread(self._close)

    async def _archive(self, owner: str, task_id: str, *, is_archived: bool) -> Task | None:
        if not is_storable(owner) or not is_storable(task_id):
            return None
        archive = partial(operations.archive, owner=owner, task_id=task_id, is_archived=is_archived)
        rows = await self._writer.submit(archive, refusable=True)
        return task_of(rows[0]) if rows else None

    def _close(self) -> None:
        self._writer.close()
        self._lister.shutdown()
        # The last connection to close checkpoints and removes the WAL, and that must be one that can write.
        for connection in (self._read, self._listed, self._written):
            connection.close()


def _given(task: Task | None) -> tuple[str, ...]:
    """Name a task that may have been cancelled: one that was given back as it was before it ended."""
    return (task.id,) if task is not None and task.status not in ENDED else ()


def _claimed(claimed: operations.Claimed) -> tuple[str, ...]:
    return claimed.cleared if claimed.row is None else (claimed.row[0],)


def _if_it_was(claim: Claim) -> Callable[[bool], tuple[str, ...]]:
    """Name a claim's task if its claim was current."""
    return lambda is_current: (claim.task.id,) if is_current else ()


def check_sqlite(version: str) -> None:
    """Refuse a SQLite library that can corrupt the file.

    Raises:
        CannotOpen: the version, such as "3.51.2", is too old.
    """
    if tuple(int(part) for part in version.split(".")) < SQLITE_LEAST:
        least = ".".join(map(str, SQLITE_LEAST))
        raise CannotOpen(f"SQLite {version} can corrupt its log, {least} is the oldest safe one: upgrade apsw")


def _open_for_writing(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    if connection.pragma("journal_mode", "wal") != "wal":
        raise CannotOpen(f"the file system of {path} does not allow SQLite's WAL: choose a local data directory")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -_CACHE_KIB)
    # temp_store stays on files: an in-memory statement journal makes a savepoint of n statements cost n * n.
    connection.pragma("journal_size_limit", _WAL_KEPT_BYTES)
    migrate(connection)
    return connection
