"""What must hold after any number of crashes, told from the engine's journal, the record and the stored files."""

import os
import select
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.core.ports import BlobStore, TaskStore
from understudy.core.task import EntryKind, LedgerEntry, Status, Task

ALL = "all"


@dataclass(frozen=True)
class Event:
    """One line of the journal. kind: start, end, or dead. subject: an attempt, ``<task id>-<number>``; none if dead.

    pid: the render process; "all" in a dead event that says that no process survived.
    """

    kind: str
    subject: str
    pid: str

    @property
    def task_id(self) -> str:
        return self.subject.rpartition("-")[0]


class Journal:
    """A named pipe that scripted engines write to, and all that was read from it, in order."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.word = f"journal:{path}"
        self.events: list[Event] = []
        # Opened for writing too, so that an engine never waits for a reader and we never see an end of file.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""

    def listen(self, for_s: float) -> bool:
        """Read what comes within so many seconds, at once when something is there; False when nothing came."""
        if not select.select([self._descriptor], [], [], for_s)[0]:
            return False
        *lines, self._rest = (self._rest + os.read(self._descriptor, 65536)).split(b"\n")
        self.events += [Event(*line.decode().split()) for line in lines]
        return True

    def died(self, pid: int | str) -> None:
        """Note that a process is dead or about to be killed, after all that it has written."""
        while self.listen(0):
            pass
        self.events.append(Event("dead", "", str(pid)))

    def rendering(self) -> dict[str, str]:
        """Return attempt -> pid of the renders under way."""
        return dict(_under_way(self.events)[-1]) if self.events else {}

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True)
class Record:
    """What is left of a task in the end. blobs: the keys of its films that have bytes."""

    task: Task
    ledger: Sequence[LedgerEntry]
    blobs: Collection[str]


async def record_of(store: TaskStore, blobs: BlobStore, *, owner: str, task_id: str) -> Record | None:
    """Return a task's record, None when the store lost it."""
    task = await store.get(owner, task_id)
    if task is None:
        return None
    keys = [f"{task_id}-{attempt}/video.mp4" for attempt in range(1, task.attempt + 2)]
    paths = {key: blobs.local_path(key) for key in keys}
    stored = [key for key, path in paths.items() if path is not None and path.stat().st_size]
    return Record(task=task, ledger=await store.ledger(task_id), blobs=stored)


def broken_promises(records: Sequence[Record], events: Sequence[Event], *, kills: int) -> Iterator[str]:
    """Yield a sentence for every promise that was broken; kills: how often a server or a renderer was killed."""
    for record in records:
        for flaw in _flaws(record, kills):
            yield f"task {record.task.id} {flaw}"
    yield from _double_renders(events)


def _flaws(record: Record, kills: int) -> Iterator[str]:
    task = record.task
    kinds = [entry.kind for entry in record.ledger]
    if task.status is not Status.SUCCEEDED or task.film is None:
        yield f"is {task.status} ({task.error})"
        return
    if kinds != [EntryKind.HOLD, EntryKind.POSTED]:
        yield f"has the ledger {[str(kind) for kind in kinds]}"
    if list(record.blobs) != [task.film.video_blob]:
        yield f"shows {task.film.video_blob} and has stored {list(record.blobs)}"
    if task.attempt > 1 + kills:
        yield f"took {task.attempt} attempts for {kills} kills"


def _double_renders(events: Sequence[Event]) -> Iterator[str]:
    before: dict[str, str] = {}
    for event, now in zip(events, _under_way(events), strict=True):
        if event.kind == "start":
            twice = [attempt for attempt in before if attempt.rpartition("-")[0] == event.task_id]
            if twice:
                yield f"attempt {event.subject} began while {twice[0]} was rendering"
        before = now
    finished = [event.subject for event in events if event.kind == "end"]
    for attempt in sorted(set(finished)):
        if finished.count(attempt) > 1:
            yield f"attempt {attempt} rendered {finished.count(attempt)} films"


def _under_way(events: Sequence[Event]) -> list[dict[str, str]]:
    """Return, after each event, attempt -> pid of the renders under way."""
    renders: dict[str, str] = {}
    history = []
    for event in events:
        if event.kind == "start":
            renders = {**renders, event.subject: event.pid}
        elif event.kind == "end":
            renders = {attempt: pid for attempt, pid in renders.items() if attempt != event.subject}
        else:
            renders = {attempt: pid for attempt, pid in renders.items() if event.pid not in (ALL, pid)}
        history.append(renders)
    return history
