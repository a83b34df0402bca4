"""What the writer thread runs: each function is one operation, inside a transaction that `writer` opens and ends.

They are plain functions of a connection, so that an operation can be run alone, in a batch, or again. Moments are
microseconds since 1970 UTC.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw
import msgspec

from understudy.core.ports import IdTaken, Outcome
from understudy.core.queueing import Idempotency, QueueFull, Replayed
from understudy.core.task import Claim, LedgerEntry, Status, Task
from understudy.storage import statements as sql
from understudy.storage.lifecycle import PURGE_MOST, RENDER_TIMES_KEPT
from understudy.storage.listing_steps import LEVELS
from understudy.storage.listing_tables import COUNT_NEW
from understudy.storage.media_uses import WRITE_USE, gone, is_gone
from understudy.storage.rows import Row, decode_warnings, encode_part, encode_warnings, fetch, task_of

EXPIRE_MOST = 1000
"""Most tasks that one transaction expires: about 20 ms of the writer's time."""

_ROWS_MOST = 1024
"""Most rows of one statement: SQLite takes 32766 bindings, and each size is prepared once."""

_UNIQUENESS = frozenset({apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE})


def entry_row(entry: LedgerEntry, owner: str, written_at: int) -> Row:
    """Give the bindings of `statements.WRITE_ENTRY`. written_at: microseconds since 1970 UTC."""
    return (
        entry.task_id,
        entry.kind.value,
        owner,
        written_at,
        entry.currency,
        entry.amount_micros,
        entry.completion_tokens,
    )


Bindings = Row | dict[str, Any]

Lane = tuple[str, str]
"""A key's id and an engine."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Insert:
    """Writes a task and what comes with it; the one operation that the writer can run for many at once.

    row, hold, uses, key, target, callback: bindings of the statements that write them. queued_most: how many of the
    lane may wait, this one included.
    """

    row: Row
    hold: Row
    lane: Lane
    uses: tuple[Row, ...] = ()
    key: Row | None = None
    target: Row | None = None
    callback: Row | None = None
    queued_most: int | None = None

    def __call__(self, connection: apsw.Connection) -> None:
        """Write them.

        Raises:
            Replayed: the idempotency key is in use.
            QueueFull: as many of the lane wait as may.
            IdTaken: a task or a ledger of this id exists.
            Unavailable: a medium is not stored any more.
        """
        (refusal,) = _refusals(connection, [self])
        if refusal is not None:
            raise refusal
        try:
            _write(connection, [self])
        except apsw.ConstraintError as error:
            if is_gone(error):
                raise gone() from error
            if getattr(error, "extendedresult", None) in _UNIQUENESS:
                raise IdTaken(self.row[0]) from error
            raise


def insert_together(connection: apsw.Connection, *, inserts: Sequence[Insert]) -> list[Exception | None]:
    """Write many tasks and what comes with them in few statements; gives for each why it was refused, if it was.

    When it raises, the caller must undo what it did. Each statement lets go of the interpreter and has to win it back
    from a busy event loop, which takes several times as long as SQLite takes to write the row: this, not the disk,
    bounded how many creates a server took.
    """
    refusals = _refusals(connection, inserts)
    _write(connection, [each for each, refusal in zip(inserts, refusals, strict=True) if refusal is None])
    return refusals


def _write(connection: apsw.Connection, inserts: Sequence[Insert]) -> None:
    _write_rows(connection, sql.INSERT, [each.row for each in inserts])
    _write_rows(connection, sql.WRITE_ENTRY, [each.hold for each in inserts])
    _write_rows(connection, WRITE_USE, [use for each in inserts for use in each.uses])
    _write_rows(connection, sql.USE_KEY, [each.key for each in inserts if each.key is not None])
    _write_rows(connection, sql.ADD_TARGET, [each.target for each in inserts if each.target is not None])
    _write_rows(connection, sql.ADD_CALLBACK, [each.callback for each in inserts if each.callback is not None])
    joining = Counter(each.lane for each in inserts)
    counts = msgspec.json.encode([(*lane, number) for lane, number in joining.items()]).decode()
    connection.execute(sql.JOIN_LANES, (counts,))
    tally = Counter(_tallied(each.row) for each in inserts)
    counts = msgspec.json.encode([(*place, number) for place, number in tally.items()]).decode()
    connection.execute(COUNT_NEW, (counts,))


def _tallied(row: Row) -> tuple[str, int, str, str]:
    """Say where a new task is counted: its owner, its bucket of the lowest level, its model, its tier."""
    _, owner, _, created_at, _, _, model, tier, *_ = row
    return owner, created_at >> LEVELS[0], model, "" if tier is None else f"={tier}"


def _refusals(connection: apsw.Connection, inserts: Sequence[Insert]) -> list[Exception | None]:
    """Judge in order, each as if those before it were written; a replay is told even when the queue is full."""
    earlier = _earlier(connection, inserts)
    waiting = _waiting(connection, inserts)
    refusals: list[Exception | None] = []
    for each in inserts:
        used = each.key and earlier.get(each.key[:2])
        if used:
            refusals.append(Replayed(used))
            continue
        if each.queued_most is not None and waiting[each.lane] >= each.queued_most:
            refusals.append(QueueFull(each.queued_most))
            continue
        refusals.append(None)
        if each.lane in waiting:
            waiting[each.lane] += 1
        if each.key is not None:
            _, key, fingerprint, task_id, _ = each.key
            earlier[each.key[:2]] = Idempotency(key=key, fingerprint=fingerprint, task_id=task_id)
    return refusals


def _earlier(connection: apsw.Connection, inserts: Sequence[Insert]) -> dict[Row, Idempotency]:
    """Look up which of the idempotency keys are in use: (owner, key) -> what for."""
    keys = [each.key[:2] for each in inserts if each.key is not None]
    if not keys:
        return {}
    rows = fetch(connection, sql.EARLIER, (msgspec.json.encode(keys).decode(),))
    return {
        (owner, key): Idempotency(key=key, fingerprint=fingerprint, task_id=task_id)
        for owner, key, fingerprint, task_id in rows
    }


def _waiting(connection: apsw.Connection, inserts: Sequence[Insert]) -> dict[Lane, int]:
    """Count what waits in each lane that one of them has a bound for."""
    waiting: dict[Lane, int] = {each.lane: 0 for each in inserts if each.queued_most is not None}
    if waiting:
        rows = fetch(connection, sql.WAITING, (msgspec.json.encode(list(waiting)).decode(),))
        waiting.update({(key_id, engine): queued for key_id, engine, queued in rows})
    return waiting


def _write_rows(connection: apsw.Connection, insertion: str, rows: list[Row]) -> None:
    start = 0
    while start < len(rows):
        # Powers of two, so that a handful of prepared statements serves every number.
        some = min(1 << ((len(rows) - start).bit_length() - 1), _ROWS_MOST)
        values = [value for row in rows[start : start + some] for value in row]
        connection.execute(sql.for_rows(insertion, some), values)
        start += some


def withdraw(connection: apsw.Connection, *, owner: str, task_id: str, now: int) -> Task | None:
    """Cancel, remove or leave a task, as its status says; gives it as it was."""
    rows = fetch(connection, sql.GET, (task_id, owner))
    if not rows:
        return None
    task = task_of(rows[0])
    if task.status is Status.QUEUED:
        connection.execute(sql.CANCEL, (now, task_id))
        connection.execute(sql.VOID, (now, task_id))
    elif task.status in (Status.SUCCEEDED, Status.FAILED, Status.EXPIRED) and not task.is_archived:
        connection.execute(sql.REMOVE, (task_id,))
    return task


def cancel(connection: apsw.Connection, *, owner: str, task_id: str, now: int) -> Task | None:
    """Cancel a task that has not ended; gives it as it was."""
    rows = fetch(connection, sql.GET, (task_id, owner))
    if not rows:
        return None
    task = task_of(rows[0])
    if task.status in (Status.QUEUED, Status.RUNNING):
        connection.execute(sql.CANCEL, (now, task_id))
        connection.execute(sql.VOID, (now, task_id))
    return task


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What came of a claim. row: the task's, if there was one. cleared: late tasks that stood in its way."""

    row: Row | None = None
    cleared: tuple[str, ...] = ()


def claim(connection: apsw.Connection, *, wanted: dict[str, str | int | None]) -> Claimed:
    """Take the next task in one statement.

    Where so many late tasks stand at the heads of lanes that it could not see past them, some are expired instead, and
    the caller is to ask once more: so none is looked at twice, however many there are.

    wanted: the bindings of `statements.CLAIM`; engine: None = any.
    """
    text = sql.CLAIM if wanted["engine"] is None else sql.of_engine(sql.CLAIM)
    rows = fetch(connection, text, wanted)
    if rows:
        return Claimed(row=rows[0])
    look = sql.IS_IN_THE_WAY if wanted["engine"] is None else sql.of_engine(sql.IS_IN_THE_WAY)
    ((is_in_the_way,),) = fetch(connection, look, wanted)
    return Claimed(cleared=expire(connection, now=int(wanted["now"] or 0))) if is_in_the_way else Claimed()


def finish(connection: apsw.Connection, *, claimed: Claim, outcome: Outcome, now: int) -> bool:
    """End the task and write its ledger entry, if the claim is current."""
    current = (claimed.task.id, claimed.token)
    rows = fetch(connection, sql.CURRENT, current)
    if not rows:
        return False
    ((owner, warnings),) = rows
    bindings = (
        outcome.status.value,
        now,
        1.0 if outcome.status is Status.SUCCEEDED else None,
        None if outcome.film is None else encode_part(outcome.film, "film"),
        outcome.completion_tokens,
        None if outcome.error is None else encode_part(outcome.error, "error"),
        encode_warnings(decode_warnings(warnings) + outcome.warnings),
        *current,
    )
    connection.execute(sql.FINISH, bindings)
    connection.execute(sql.WRITE_ENTRY, entry_row(outcome.entry, owner, now))
    return True


def expire(connection: apsw.Connection, *, now: int) -> tuple[str, ...]:
    """Expire what is late, at most `EXPIRE_MOST`, and void its holds; gives the ids."""
    expired = tuple(row[0] for row in fetch(connection, sql.EXPIRE, (now, EXPIRE_MOST)))
    connection.executemany(sql.VOID, ((now, task_id) for task_id in expired))
    return expired


def purge(connection: apsw.Connection, *, created_before: int, cancelled_before: int) -> list[Row]:
    """Remove old records, at most `PURGE_MOST`; gives their rows."""
    removed = fetch(connection, sql.PURGE_ENDED, (created_before, PURGE_MOST))
    rest = PURGE_MOST - len(removed)
    return removed + fetch(connection, sql.PURGE_CANCELLED, (cancelled_before, rest))


def archive(connection: apsw.Connection, *, owner: str, task_id: str, is_archived: bool) -> list[Row]:
    """Say whether a task's time counts; gives its row, if there is one."""
    return fetch(connection, sql.ARCHIVE, (int(is_archived), task_id, owner))


def take_removed(connection: apsw.Connection, *, now: int, most: int) -> list[Row]:
    """Take removed tasks whose files may be there still; gives (id, attempt)."""
    return fetch(connection, sql.TAKE_REMOVED, {"now": now, "most": most})


def forget_removed(connection: apsw.Connection, *, task_ids: Sequence[str]) -> None:
    """Forget removed tasks."""
    connection.executemany(sql.FORGET_REMOVED, ((task_id,) for task_id in task_ids))


def change(connection: apsw.Connection, *, statement: str, bindings: Bindings) -> int:
    """Run one statement; gives how many rows it changed."""
    connection.execute(statement, bindings)
    return connection.changes()


def change_one(connection: apsw.Connection, *, statement: str, bindings: Bindings) -> bool:
    """Run one statement; says whether it found its row."""
    return change(connection, statement=statement, bindings=bindings) == 1


def forget_idempotency(connection: apsw.Connection, *, used_before: int, most: int) -> int:
    """Forget idempotency keys; gives how many."""
    return change(connection, statement=sql.FORGET_IDEMPOTENCY, bindings=(used_before, most))


def note_render(connection: apsw.Connection, *, row: Row) -> None:
    """Write how long a film took, and forget what is too old of its kind."""
    connection.execute(sql.NOTE_RENDER, row)
    connection.execute(sql.FORGET_RENDERS, (row[0], RENDER_TIMES_KEPT))
