"""The task store on PostgreSQL: several servers and workers over one database.

What many ask at once goes together (`postgres_gather`): new tasks into one transaction, polls into one statement.
Claims lock the lane before the task, so that no more of it run than may, however many claim at the same time; whatever
waits for a lock waits in one order (media, lanes, counts, and of each the smaller first), so nobody waits in a circle.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from understudy.core.ports import ApiKey, Heard, Outcome
from understudy.core.queueing import ADMITTED, Admission, Idempotency, Lane, RenderTime
from understudy.core.task import Claim, LedgerEntry, Removed, Status, Task, TaskFilter, TaskPage
from understudy.storage import postgres_statements as sql
from understudy.storage.lifecycle import PURGE_MOST, bounded_progress, check_new, check_outcome, is_storable
from understudy.storage.postgres_admission import Entrant, admit_all, entrant, find_out
from understudy.storage.postgres_assets import PostgresAssetStore
from understudy.storage.postgres_callbacks import PostgresCallbackStore
from understudy.storage.postgres_faults import AnswerLost
from understudy.storage.postgres_gather import Gather
from understudy.storage.postgres_link import Address, Link, Row
from understudy.storage.postgres_listen import Herald
from understudy.storage.postgres_listing import select_page
from understudy.storage.postgres_media import PostgresMediaStore
from understudy.storage.postgres_migrations import Schema
from understudy.storage.rows import encode_part, encode_warnings, entry_of, key_of, micros_of, task_of

CONNECTIONS = 10
"""Of one process, at most, unless the caller says otherwise; one more listens."""

WAITING_MAX = 8192
"""Requests that may wait to be stored, unless the caller says otherwise: about a second of work."""

_TOGETHER_MOST = 256
"""New tasks in one transaction, or polls in one statement: bounds how long the first waits for the last."""

_INSERTS_AT_ONCE = 1
"""Two would wait for each other's lanes: one gathers more, and was faster. Source: `benchmarks/`."""

_GETS_AT_ONCE = 2
_CLAIMS_AT_ONCE = 4
"""Claims wait for lanes, and must not take every connection while they do."""

_CLAIM_TRIES_MOST = 8
"""Lanes that one claim passes by because somebody has taken their tasks at the same moment."""

_STEP_MOST = 1000
"""Tasks that one transaction expires or hands back."""

RENDERS_KEPT = 50
"""Of each kind: enough for a middle that one odd film does not move."""


class PostgresTaskStore:
    """`core.ports.TaskStore` in a PostgreSQL database; made by `postgres_opening.open_postgres`.

    is_clock_ours: leases are measured with the moments that callers pass, not with the clock of the database. Several
    machines have several clocks, and one that jumps must not take another's tasks.
    """

    is_shared = True

    def __init__(
        self, link: Link, address: Address, *, schema: Schema, waiting_max: int = WAITING_MAX, is_clock_ours: bool
    ) -> None:
        self._link = link
        self._schema = schema
        self._is_clock_ours = is_clock_ours
        self._herald = Herald(link, address)
        self._herald.start()
        self.media = PostgresMediaStore(link)
        self.assets = PostgresAssetStore(link)
        self.callbacks = PostgresCallbackStore(link)
        self._inserts: Gather[Entrant, None] = Gather(
            self._insert_all, most=_TOGETHER_MOST, flights=_INSERTS_AT_ONCE, waiting_most=waiting_max
        )
        self._gets: Gather[str, Task | None] = Gather(
            self._get_all, most=_TOGETHER_MOST, flights=_GETS_AT_ONCE, waiting_most=waiting_max
        )
        self._claiming = asyncio.Semaphore(_CLAIMS_AT_ONCE)

    async def insert(self, task: Task, hold: LedgerEntry, admission: Admission = ADMITTED) -> None:
        """See the port.

        Raises:
            IdTaken: also when the id's task is gone but its ledger remains.
            Rejected: a text in it cannot be stored.
            Unavailable: the database does not answer, too many wait, or a medium of it is not stored any more. Where
                the answer was lost and could not be found out within seconds, the task may be stored.
        """
        check_new(task, hold)
        await self._inserts.ask(entrant(task, hold, admission))

    async def recall(self, owner: str, idempotency_key: str) -> Idempotency | None:
        """See the port."""
        if not is_storable(owner) or not is_storable(idempotency_key):
            return None
        rows = await self._link.fetch(sql.RECALL, owner, idempotency_key)
        return Idempotency(key=rows[0][0], fingerprint=rows[0][1], task_id=rows[0][2]) if rows else None

    async def get(self, owner: str, task_id: str) -> Task | None:
        """See the port; a text that no store could hold names no task."""
        if not is_storable(task_id):
            return None
        task = await self._gets.ask(task_id)
        return task if task is not None and task.owner == owner else None

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """See the port."""
        return await select_page(self._link, owner, wanted)

    async def withdraw(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        return await self._end(owner, task_id, now, cancellable=frozenset({Status.QUEUED}), removes=True)

    async def cancel(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        return await self._end(
            owner, task_id, now, cancellable=frozenset({Status.QUEUED, Status.RUNNING}), removes=False
        )

    async def archive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=True)

    async def unarchive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=False)

    async def claim(
        self,
        worker: str,
        now: datetime,
        lease_until: datetime,
        *,
        engine: str | None = None,
        concurrency: int | None = None,
        lease_now: datetime | None = None,
    ) -> Claim | None:
        """See the port; a lease has lapsed from the moment ``lease_until`` on, a task from ``expires_at`` on.

        A task is past its time when the caller's clock or that of the database says so.
        """
        measured = lease_now or now
        ours = micros_of(measured) if self._is_clock_ours else None
        wanted = (worker, micros_of(now), _micros(lease_until - measured), engine, concurrency, ours)
        async with self._claiming:
            row = await self._claim(sql.CLAIM, wanted, tries=1) or await self._claim(
                sql.CLAIM_PATIENTLY, wanted, tries=_CLAIM_TRIES_MOST
            )
        if row is None:
            return None
        task = task_of(tuple(row)[2:])
        self._herald.changed([task.id])
        return Claim(task=task, token=task.attempt, worker=worker)

    async def heartbeat(self, claim: Claim, progress: float, lease_until: datetime) -> bool:
        """See the port; by the clock of the database the lease is as long, from now on, as it was when claimed."""
        until = micros_of(lease_until) if self._is_clock_ours else None
        bindings = (claim.task.id, claim.token, bounded_progress(progress), until)
        return bool(await self._link.fetch(sql.HEARTBEAT, *bindings))

    async def finish(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """See the port; the outcome's warnings come after those the task has, which do not change while it runs."""
        check_outcome(claim, outcome)
        entry = outcome.entry
        rows = await self._link.fetch(
            sql.FINISH,
            claim.task.id,
            claim.token,
            outcome.status.value,
            micros_of(now),
            1.0 if outcome.status is Status.SUCCEEDED else None,
            None if outcome.film is None else encode_part(outcome.film, "film").decode(),
            outcome.completion_tokens,
            None if outcome.error is None else encode_part(outcome.error, "error").decode(),
            _text(encode_warnings(claim.task.warnings + outcome.warnings)),
            entry.kind.value,
            entry.currency,
            entry.amount_micros,
            entry.completion_tokens,
        )
        return self._told(rows)

    async def hand_back(self, claim: Claim, now: datetime) -> bool:
        """See the port."""
        return self._told(await self._link.fetch(sql.HAND_BACK, claim.task.id, claim.token, micros_of(now)))

    async def hand_back_all(self, now: datetime) -> int:
        """See the port; whoever else has the database open loses the claims as well."""
        return len(await self._in_steps(sql.HAND_BACK_ALL, micros_of(now), _STEP_MOST))

    async def expire(self, now: datetime) -> Sequence[str]:
        """See the port; what the clock of the database does not find late either, unless leases are measured by ours.

        Very many are expired in several transactions, so that other writes pass between them.
        """
        return await self._in_steps(sql.EXPIRE, micros_of(now), _STEP_MOST, not self._is_clock_ours)

    async def purge(self, *, created_before: datetime, cancelled_before: datetime) -> Sequence[Task]:
        """See the port."""
        async with self._link.transaction() as connection:
            removed = await connection.fetch(sql.PURGE_ENDED, micros_of(created_before), PURGE_MOST)
            rest = PURGE_MOST - len(removed)
            if rest:
                removed += await connection.fetch(sql.PURGE_CANCELLED, micros_of(cancelled_before), rest)
        return tuple(task_of(tuple(row)) for row in removed)

    async def take_removed(self, now: datetime, most: int) -> Sequence[Removed]:
        """See the port."""
        rows = await self._link.fetch(sql.TAKE_REMOVED, micros_of(now), most)
        return tuple(Removed(id=row[0], attempt=row[1]) for row in rows)

    async def forget_removed(self, task_ids: Sequence[str]) -> None:
        """See the port."""
        await self._link.fetch(sql.FORGET_REMOVED, list(task_ids))

    async def lanes(self) -> Sequence[Lane]:
        """See the port."""
        rows = await self._link.fetch(sql.LANES)
        return tuple(Lane(key_id=row[0], engine=row[1], queued=row[2], running=row[3]) for row in rows)

    async def queued_ids(self, key_id: str, engine: str, most: int) -> Sequence[str]:
        """See the port."""
        if not is_storable(key_id) or not is_storable(engine):
            return ()
        return tuple(row[0] for row in await self._link.fetch(sql.QUEUED_IDS, engine, key_id, most))

    async def note_render(self, took: RenderTime, now: datetime) -> None:
        """See the port; tables of a version that knows no such times keep none."""
        if not self._schema.has_render_times or not is_storable(took.kind):
            return
        async with self._link.transaction() as connection:
            await connection.execute(sql.NOTE_RENDER, took.kind, took.film_s, took.took_s, micros_of(now))
            await connection.execute(sql.FORGET_RENDERS, took.kind, RENDERS_KEPT)

    async def render_times(self, kinds: Sequence[str]) -> Sequence[RenderTime]:
        """See the port."""
        known = list(filter(is_storable, kinds))
        if not self._schema.has_render_times or not known:
            return ()
        rows = await self._link.fetch(sql.RENDER_TIMES, known)
        return tuple(RenderTime(kind=row[0], film_s=row[1], took_s=row[2]) for row in rows)

    async def lead(self, duty: str, worker: str, now: datetime, until: datetime) -> bool:  # tidy: the port's
        """See the port; the time is that of the database, unless leases are measured by ours."""
        ours = micros_of(now) if self._is_clock_ours else None
        return bool(await self._link.fetch(sql.LEAD, duty, worker, _micros(until - now), ours))

    async def forget_idempotency(self, used_before: datetime, most: int) -> int:
        """See the port."""
        return len(await self._link.fetch(sql.FORGET_IDEMPOTENCY, micros_of(used_before), most))

    def listen(self, heard: Heard) -> None:
        """See the port."""
        self._herald.listen(heard)

    async def ledger(self, task_id: str) -> Sequence[LedgerEntry]:
        """See the port."""
        if not is_storable(task_id):
            return ()
        return tuple(entry_of(tuple(row)) for row in await self._link.fetch(sql.LEDGER, task_id))

    async def add_key(self, key: ApiKey) -> None:
        """See the port.

        Raises:
            ValueError: the id or the digest is in use.
        """
        if not await self._link.fetch(sql.ADD_KEY, key.id, key.owner, key.digest, micros_of(key.created_at)):
            raise ValueError(f"the key {key.id!r} or its digest is stored already")

    async def keys(self) -> Sequence[ApiKey]:
        """See the port; oldest first."""
        return tuple(key_of(tuple(row)) for row in await self._link.fetch(sql.KEYS))

    async def kept(self, name: str, make: Callable[[], str]) -> str:
        """Return a value that all servers of this database have in common. make: gives it, where there is none yet."""
        rows = await self._link.fetch(sql.KEPT, name)
        if not rows:
            await self._link.fetch(sql.KEEP, name, make())
            rows = await self._link.fetch(sql.KEPT, name)
        value: str = rows[0][0]
        return value

    async def close(self) -> None:
        """See the port; later calls are refused as `Unavailable`."""
        await self._inserts.close()
        await self._gets.close()
        await self._herald.close()
        await self._link.close()

    async def _insert_all(self, entrants: list[Entrant]) -> Sequence[BaseException | None]:
        try:
            answers = await admit_all(self._link, entrants)
        except AnswerLost as lost:
            answers = await find_out(self._link, entrants, lost)
        self._herald.changed(each.task.id for each, answer in zip(entrants, answers, strict=True) if answer is None)
        return answers

    async def _get_all(self, task_ids: list[str]) -> Sequence[Task | None]:
        rows = await self._link.fetch(sql.GET, list(set(task_ids)))
        tasks = {row[0]: task_of(tuple(row)) for row in rows}
        return [tasks.get(task_id) for task_id in task_ids]

    async def _claim(self, statement: str, wanted: tuple[object, ...], *, tries: int) -> Row | None:
        """Claim; gives the lane and the task, or nothing.

        Who waited for a lane sees its tasks as they were before: it is looked at once more. A lane whose tasks are
        taken, or cancelled, at this moment again is passed by.
        """
        missed: Counter[tuple[str, str]] = Counter()
        for _ in range(tries):
            passed = [lane for lane, times in missed.items() if times > 1]
            lanes = [lane[0] for lane in passed], [lane[1] for lane in passed]
            (row,) = await self._link.fetch(statement, *wanted, *lanes)
            if row["id"] is not None:
                return row
            if row["lane_engine"] is None:
                return None
            missed[row["lane_key_id"], row["lane_engine"]] += 1
        return None

    async def _end(
        self, owner: str, task_id: str, now: datetime, *, cancellable: frozenset[Status], removes: bool
    ) -> Task | None:
        """Cancel the task if its status is among those, else remove its record if that is wanted and may be."""
        if not is_storable(owner) or not is_storable(task_id):
            return None
        async with self._link.transaction() as connection:
            found = await connection.fetchrow(sql.LOOK, task_id, owner)
            if found is None:
                return None
            task = task_of(tuple(found))
            is_cancelled = task.status in cancellable
            if is_cancelled:
                await connection.execute(sql.CANCEL, micros_of(now), task_id)
            elif removes and not task.is_archived and task.status in _REMOVABLE:
                await connection.execute(sql.REMOVE, task_id)
        if is_cancelled:
            self._herald.changed([task_id])
        return task

    async def _archive(self, owner: str, task_id: str, *, is_archived: bool) -> Task | None:
        if not is_storable(owner) or not is_storable(task_id):
            return None
        rows = await self._link.fetch(sql.ARCHIVE, task_id, owner, is_archived)
        return task_of(tuple(rows[0])) if rows else None

    async def _in_steps(self, statement: str, *bindings: Any) -> tuple[str, ...]:
        """Run a statement that changes so many tasks at most until it finds no more; gives their ids."""
        changed: list[str] = []
        while True:
            some = [row[0] for row in await self._link.fetch(statement, *bindings)]
            self._herald.changed(some)
            changed += some
            if len(some) < _STEP_MOST:
                return tuple(changed)

    def _told(self, rows: list[Row]) -> bool:
        """Tell that the task of the row changed, if there is one; says whether there is."""
        self._herald.changed(row[0] for row in rows)
        return bool(rows)


_REMOVABLE = frozenset({Status.SUCCEEDED, Status.FAILED, Status.EXPIRED})


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _text(encoded: bytes | None) -> str | None:
    return None if encoded is None else encoded.decode()
