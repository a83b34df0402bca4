"""What the writer thread runs: each function is one operation, inside a transaction that `writer` opens and ends.

They are plain functions of a connection, so that an operation can be run alone, in a batch, or again. Moments are
microseconds since 1970 UTC.
"""

import apsw

from understudy.core.ports import IdTaken, Outcome
from understudy.core.task import Claim, LedgerEntry, Status, Task
from understudy.storage import statements as sql
from understudy.storage.lifecycle import PURGE_MOST
from understudy.storage.rows import Row, decode_warnings, encode_part, encode_warnings, fetch, task_of

EXPIRE_MOST = 1000
"""Most tasks that one transaction expires: about 20 ms of the writer's time."""

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


def insert(connection: apsw.Connection, *, row: Row, hold: Row) -> None:
    """Write a task and its hold.

    Raises:
        IdTaken: a task or a ledger of this id exists.
    """
    try:
        connection.execute(sql.INSERT, row)
        connection.execute(sql.WRITE_ENTRY, hold)
    except apsw.ConstraintError as error:
        if getattr(error, "extendedresult", None) in _UNIQUENESS:
            raise IdTaken(row[0]) from error
        raise


def withdraw(connection: apsw.Connection, *, owner: str, task_id: str, now: int) -> Task | None:
    """Cancel, remove or leave a task, as its status says; gives it as it was."""
    rows = fetch(connection, sql.GET, (task_id, owner))
    if not rows:
        return None
    task = task_of(rows[0])
    if task.status is Status.QUEUED:
        connection.execute(sql.CANCEL, (now, task_id))
        connection.execute(sql.VOID, (now, task_id))
    elif task.status in (Status.SUCCEEDED, Status.FAILED, Status.EXPIRED):
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


def change(connection: apsw.Connection, *, statement: str, bindings: Row) -> int:
    """Run one statement; gives how many rows it changed."""
    connection.execute(statement, bindings)
    return connection.changes()


def change_one(connection: apsw.Connection, *, statement: str, bindings: Row) -> bool:
    """Run one statement; says whether it found its row."""
    return change(connection, statement=statement, bindings=bindings) == 1
