"""Tasks as they were read since the last commit: what is polled again and again need not be read again.

Source of the gain: `benchmarks/api.py`; a third of a poll was the locks that SQLite takes for a read.
"""

from understudy.core.task import Task

ENTRIES_MAX = 8192
SIZE_BYTES_MAX = 4096
"""Larger requests are read each time: what is kept must stay small, however long the prompts are."""

Key = tuple[str, str]


class KnownTasks:
    """Belongs to one thread, the reader's. A commit makes all of it old, however little it changed.

    The number of commits is read before the database is, so a task that was read while a commit went on is kept under
    the number before it, and is forgotten with the next look.
    """

    def __init__(self) -> None:
        self._tasks: dict[Key, Task] = {}
        self._commits = -1

    def get(self, key: Key, commits: int) -> Task | None:
        """Return the task if it was read since that commit. commits: the number as it is now."""
        if commits != self._commits:
            self._tasks.clear()
            self._commits = commits
            return None
        return self._tasks.get(key)

    def keep(self, key: Key, task: Task, *, size_bytes: int) -> None:
        """Keep a task that was read after the last `get`. size_bytes: of its request as stored."""
        if size_bytes <= SIZE_BYTES_MAX and len(self._tasks) < ENTRIES_MAX:
            self._tasks[key] = task
