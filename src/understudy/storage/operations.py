"""What the writer thread runs: each function is one operation, inside a transaction that `writer` opens and ends.

They are plain functions of a connection, so that an operation can be run alone, in a batch, or again. Moments are
microseconds since 1970 UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from understudy.core.ports import IdTaken, Outcome
from understudy.core.task import Claim, LedgerEntry, Status, Task
from understudy.storage import statements as sql
from understudy.storage.lifecycle import PURGE_MOST
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


@dataclass(frozen=True, slots=True, eq=False)
class Insert:
    """Writes a task, its hold and its uses of media; the one operation that the writer can run for many at once."""

    row: Row
    hold: Row
    uses: tuple[Row, ...] = ()

    def __call__(self, connection: apsw.Connection) -> None:
        """Write them.

        Raises:
            IdTaken: a task or a ledger of this id exists.
            Unavailable: a medium is not stored any more.
        """
        try:
            connection.execute(sql.INSERT, self.row)
            connection.execute(sql.WRITE_ENTRY, self.hold)
            for use in self.uses:
                connection.execute(WRITE_USE, use)
        except apsw.ConstraintError as error:
            if is_gone(error):
                raise gone() from error
            if getattr(error, "extendedresult", None) in _UNIQUENESS:
                raise IdTaken(self.row[0]) from error
            raise


def insert_together(connection: apsw.Connection, *, inserts: Sequence[Insert]) -> None:
    """Write many tasks, holds and uses in few statements; when it raises, the caller must undo what it did.

    Each statement lets go of the interpreter and has to win it back from a busy event loop, which takes several times
    as long as SQLite takes to write the row: this, not the disk, bounded how many creates a server took.
    """
    _write_rows(connection, sql.INSERT, [each.row for each in inserts])
    _write_rows(connection, sql.WRITE_ENTRY, [each.hold for each in inserts])
    _write_rows(connection, WRITE_USE, [use for each in inserts for use in each.uses])


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


def claim(connection: apsw.Connection, *, worker: str, now: int, lease_until: int) -> list[Row]:
    """Take the next task in one statement; gives its row, if there is one."""
    return fetch(connection, sql.CLAIM, {"worker": worker, "now": now, "lease_until": lease_until})


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


def change(connection: apsw.Connection, *, statement: str, bindings: Row) -> int:
    """Run one statement; gives how many rows it changed."""
    connection.execute(statement, bindings)
    return connection.changes()


def change_one(connection: apsw.Connection, *, statement: str, bindings: Row) -> bool:
    """Run one statement; says whether it found its row."""
    return change(connection, statement=statement, bindings=bindings) == 1
