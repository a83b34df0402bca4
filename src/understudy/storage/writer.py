"""The one thread that writes to SQLite, and its group commit.

Every operation that waits when the thread is free goes into one transaction, so that one fsync serves them all; an
operation is answered only after that commit. What turns of the event loop that follow each other submit is handed
over together. SQLite allows one writer at a time anyway, and its WAL must be checkpointed by the connection that
writes.
"""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import apsw

from understudy.core.ports import Heard
from understudy.storage.lifecycle import unavailable
from understudy.storage.operations import Insert, insert_together

T = TypeVar("T")

_log = logging.getLogger(__name__)

BATCH_MOST = 256
"""Most operations in one transaction: bounds how long the first one waits for the last."""

GATHER_MOST = 32
"""Requests that are handed over without waiting for others: bounds how long the first waits for the last, and lets
the event loop read the next ones while these are committed."""

_BROKEN = (
    apsw.FullError,
    apsw.IOError,
    apsw.NoMemError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ProtocolError,
    apsw.InterruptError,
    apsw.ConnectionClosedError,
)


def told(error: Exception) -> Exception:
    """Map what SQLite raises about its surroundings (disk, memory, files) to `Unavailable`; the rest is a bug."""
    if not isinstance(error, _BROKEN):
        return error
    _log.error("the database does not serve: %s: %s", type(error).__name__, error)
    return _refusal_of(error)


def _refusal_of(error: Exception) -> Exception:
    refusal = unavailable("its storage does not answer")
    refusal.__cause__ = error
    return refusal


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    operation: Callable[[apsw.Connection], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    changed: Callable[[Any], Sequence[str | None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    future: asyncio.Future[Any]
    result: Any
    error: Exception | None


def nothing_changed(_result: object) -> tuple[()]:
    """Say that an operation changed no task."""
    return ()


class Writer:
    """Runs operations on a connection that it alone uses from now on, in the order submitted.

    commits: how many transactions were committed; while it stays the same, nothing in the file has changed.
    waiting_max: operations from outside that may wait; more are refused, so that a slow disk sheds load instead of
    filling memory.
    """

    def __init__(self, connection: apsw.Connection, *, waiting_max: int) -> None:
        self._connection = connection
        self.commits = 0
        self._waiting_max = waiting_max
        self._lock = threading.Lock()
        self._gathered: list[_Waiting] = []
        self._handed_over: deque[_Waiting] = deque()
        self._due: asyncio.AbstractEventLoop | None = None
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_closed = False
        self._listeners: tuple[tuple[asyncio.AbstractEventLoop, Heard], ...] = ()
        self._thread = threading.Thread(target=self._work, name="understudy-sqlite-writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        operation: Callable[[apsw.Connection], T],
        *,
        refusable: bool,
        changed: Callable[[T], Sequence[str | None]] = nothing_changed,
    ) -> asyncio.Future[T]:
        """Queue an operation; the future is done after its commit. Cancelling the future does not take it back.

        refusable: it comes from outside. What workers do is bounded by their number, and refusing it loses work.
        changed: gives from the result the tasks that those who listen are told of, whether or not the caller is still
        there; None = any of them.

        Raises:
            Unavailable: too many wait, or the store is closed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._is_closed:
                raise unavailable("it is shutting down")
            if refusable and len(self._gathered) + len(self._handed_over) >= self._waiting_max:
                raise unavailable("too many requests wait to be stored")
            self._gathered.append(_Waiting(operation, future, loop, changed))
            is_due_already = self._due is loop
            if refusable:
                self._due = loop
        if not refusable:
            self._hand_over()
        elif not is_due_already:
            loop.call_soon(self._end_turn, loop, 0)
        return future

    def listen(self, heard: Heard) -> None:
        """Have changes told from now on, on the running event loop."""
        self._listeners = (*self._listeners, (asyncio.get_running_loop(), heard))

    def close(self) -> None:
        """Run what was submitted, then end the thread; blocks until then. Later submissions are refused."""
        with self._lock:
            # Together: a thread that sees the end must also see everything that came before it.
            self._take_gathered()
            self._is_closed = True
        self._wakes.put(None)
        self._thread.join()

    def _end_turn(self, loop: asyncio.AbstractEventLoop, seen: int) -> None:
        """Hand over unless this turn of the event loop brought more, and may be followed by others that do.

        Requests that come together are read over several turns. If the first went alone, it would be committed alone,
        the others would wait for that commit, and the thread would fight the loop for the interpreter meanwhile.
        """
        gathered = len(self._gathered)
        if seen < gathered < GATHER_MOST:
            loop.call_soon(self._end_turn, loop, gathered)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            self._take_gathered()
        self._wakes.put(None)

    def _take_gathered(self) -> None:
        """Queue for the thread what the event loop has gathered; the lock is held."""
        self._due = None
        self._handed_over.extend(self._gathered)
        self._gathered.clear()

    def _work(self) -> None:
        is_last = False
        while not is_last:
            self._wakes.get()
            # Read first: what was submitted before the close is in the batches below.
            is_last = self._is_closed
            while batch := self._next_batch():
                self._deliver(batch, self._commit(batch))

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            return [self._handed_over.popleft() for _ in range(min(len(self._handed_over), BATCH_MOST))]

    def _commit(self, batch: list[_Waiting]) -> list[_Answer]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = self._run(batch)
            self._connection.execute("COMMIT")
            # Before anybody is answered: who was told of a change reads it.
            self.commits += 1
        except Exception as error:  # boundary: whatever ends the transaction is told to every operation in it
            self._roll_back()
            first = told(error)
            return [_Answer(waiting.future, None, first if error is first else _refusal_of(error)) for waiting in batch]
        return answers

    def _run(self, batch: list[_Waiting]) -> list[_Answer]:
        """Run operations in their order; new tasks that follow each other together, where that can be."""
        answers: list[_Answer] = []
        for are_inserts, run in groupby(batch, key=lambda waiting: isinstance(waiting.operation, Insert)):
            some = list(run)
            together = self._together(some, is_all=len(some) == len(batch)) if are_inserts and len(some) > 1 else []
            answers += together or [self._attempt(waiting) for waiting in some]
        return answers

    def _together(self, run: list[_Waiting], *, is_all: bool) -> list[_Answer]:
        """Run nothing but new tasks in few statements; none, with nothing done, where that cannot be.

        is_all: nothing else is in the transaction, so it can be begun anew; a savepoint would be two statements more.
        """
        inserts = [waiting.operation for waiting in run if isinstance(waiting.operation, Insert)]
        execute = self._connection.execute
        if not is_all:
            execute("SAVEPOINT inserts")
        try:
            refusals = insert_together(self._connection, inserts=inserts)
        except Exception:  # boundary: run one by one instead, each operation is told its own error
            if is_all:
                self._roll_back()
                execute("BEGIN IMMEDIATE")
                return []
            if not self._connection.in_transaction:
                raise
            execute("ROLLBACK TO inserts")
            execute("RELEASE inserts")
            return []
        if not is_all:
            execute("RELEASE inserts")
        return [_Answer(waiting.future, None, refusal) for waiting, refusal in zip(run, refusals, strict=True)]

    def _attempt(self, waiting: _Waiting) -> _Answer:
        """Run one operation in a savepoint, so that its failure undoes only itself."""
        execute = self._connection.execute
        execute("SAVEPOINT operation")
        try:
            result = waiting.operation(self._connection)
        except Exception as error:  # boundary: an operation's error belongs to its caller, not to this thread
            if not self._connection.in_transaction:
                # A full disk or a failed read ends the whole transaction: nothing of this batch is stored.
                raise
            execute("ROLLBACK TO operation")
            execute("RELEASE operation")
            return _Answer(waiting.future, None, told(error))
        execute("RELEASE operation")
        return _Answer(waiting.future, result, None)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error:
                _log.exception("a failed transaction could not be rolled back")

    def _deliver(self, batch: list[_Waiting], answers: list[_Answer]) -> None:
        listeners = self._listeners
        by_loop: dict[asyncio.AbstractEventLoop, list[_Answer]] = {loop: [] for loop, _ in listeners}
        for waiting, answer in zip(batch, answers, strict=True):
            by_loop.setdefault(waiting.loop, []).append(answer)
        changed: dict[str | None, None] = {}
        if listeners:
            for waiting, answer in zip(batch, answers, strict=True):
                if answer.error is None:
                    changed.update(dict.fromkeys(waiting.changed(answer.result)))
        for loop, its_answers in by_loop.items():
            heard = [each for its_loop, each in listeners if its_loop is loop] if changed else []
            if not its_answers and not heard:
                continue
            try:
                loop.call_soon_threadsafe(_settle, its_answers, heard, tuple(changed))
            except RuntimeError:
                _log.warning("%d operations were stored after their event loop had closed", len(its_answers))


def _settle(answers: list[_Answer], heard: list[Heard], changed: tuple[str | None, ...]) -> None:
    for answer in answers:
        if answer.future.done():
            continue
        if answer.error is None:
            answer.future.set_result(answer.result)
        else:
            answer.future.set_exception(answer.error)
    for listener in heard:
        for task_id in changed:
            listener(task_id)
