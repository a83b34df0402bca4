"""Who needs which stored medium: written and removed in the transaction that writes and removes the one who needs it.

A task's uses are written by the task stores and go with its record, by themselves. Whoever keeps other things that
need media, such as assets, calls `use` in the very operation that writes the thing, and `unuse` in the one that removes
it. In memory the two are methods of `memory_media.MemoryMediaStore`, without the connection.
"""

import apsw

from understudy.core.errors import Unavailable
from understudy.core.task import Task
from understudy.storage.lifecycle import unavailable
from understudy.storage.rows import Row

WRITE_USE = "INSERT INTO medium_use (sha256, used_by) VALUES (?, ?)"
"""Refused by a trigger when the medium is not stored whole, or is being removed."""

_USE = WRITE_USE.replace("INSERT", "INSERT OR IGNORE")

_UNUSE = "DELETE FROM medium_use WHERE used_by = ?"


def task_user(task_id: str) -> str:
    """Name a task as one that needs media. The trigger `task_is_gone` makes the same name."""
    return f"task:{task_id}"


def asset_user(owner: str, asset_id: str) -> str:
    """Name an asset as one that needs media; ids are unique among those of an owner only."""
    return f"asset:{owner}/{asset_id}"


def media_of(task: Task) -> tuple[str, ...]:
    """Return the SHA-256 of each medium in the task's content, each once."""
    media = [item.medium.sha256 for item in task.request.content if item.medium is not None]
    return tuple(dict.fromkeys(media)) if media else ()


def use_rows(task: Task) -> tuple[Row, ...]:
    """Return the bindings of `WRITE_USE` for each medium of a task; of most there are none."""
    media = media_of(task)
    return tuple((sha256, task_user(task.id)) for sha256 in media) if media else ()


def use(connection: apsw.Connection, sha256: str, user: str) -> None:
    """Record that somebody needs a medium; it stays until `unuse`. Doing so twice is doing so once.

    user: one name for each thing that needs media, such as `asset_user` makes.

    Raises:
        Unavailable: the medium is not there, or is being removed; nothing of the operation may be kept then.
    """
    try:
        connection.execute(_USE, (sha256, user))
    except apsw.ConstraintError as error:
        raise (gone() if is_gone(error) else error) from error


def unuse(connection: apsw.Connection, user: str) -> None:
    """Record that somebody needs no medium any more; who needed none before does no harm."""
    connection.execute(_UNUSE, (user,))


def is_gone(error: apsw.ConstraintError) -> bool:
    """Say whether a statement was refused because a medium is not there; no other trigger speaks at an insertion."""
    return getattr(error, "extendedresult", None) == apsw.SQLITE_CONSTRAINT_TRIGGER


def gone() -> Unavailable:
    """Make the error for a medium that was removed before its use was written; bringing it again helps."""
    return unavailable("media of it were removed meanwhile, send it again")
