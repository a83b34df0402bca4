"""Under which keys a task's films are stored: made from the task alone, so that they can be removed without a list."""

from collections.abc import Iterator

from understudy.core.task import STILLS, Removed, Task

FILM_ENDINGS = (".mp4", ".mov")
"""The formats that a film can have; an engine's file of another ending is not delivered."""

VIDEO_NAME = "video"
LAST_FRAME_NAME = "last_frame"
FRAME_ENDINGS = (".png", ".jpg")
"""The formats that a last frame can have."""


def attempt_name(task_id: str, attempt: int) -> str:
    """Return the name of one attempt, which its blobs and its work directory share."""
    return f"{task_id}-{attempt}"


def video_key(task_id: str, attempt: int, ending: str = FILM_ENDINGS[0]) -> str:
    """Return the key of the film that an attempt stores. ending: of `FILM_ENDINGS`."""
    return f"{attempt_name(task_id, attempt)}/{VIDEO_NAME}{ending}"


def last_frame_key(task_id: str, attempt: int, ending: str = FRAME_ENDINGS[0]) -> str:
    """Return the key of the last frame that an attempt stores. ending: of `FRAME_ENDINGS`."""
    return f"{attempt_name(task_id, attempt)}/{LAST_FRAME_NAME}{ending}"


def blob_keys(task: Task | Removed) -> Iterator[str]:
    """Yield every key that any attempt at the task can have used, also one that was cut off before it was recorded."""
    for attempt in range(1, task.attempt + 1):
        for ending in FILM_ENDINGS:
            yield video_key(task.id, attempt, ending)
        for ending in FRAME_ENDINGS:
            yield last_frame_key(task.id, attempt, ending)
        for name in STILLS.values():
            yield f"{attempt_name(task.id, attempt)}/{name}"
