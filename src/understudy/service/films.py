"""Under which keys a task's films are stored: made from the task alone, so that they can be removed without a list."""

from collections.abc import Iterator

from understudy.core.task import Task

VIDEO_NAME = "video.mp4"
LAST_FRAME_NAME = "last_frame.png"


def attempt_name(task_id: str, attempt: int) -> str:
    """Return the name of one attempt, which its blobs and its work directory share."""
    return f"{task_id}-{attempt}"


def video_key(task_id: str, attempt: int) -> str:
    """Return the key of the film that an attempt stores."""
    return f"{attempt_name(task_id, attempt)}/{VIDEO_NAME}"


def last_frame_key(task_id: str, attempt: int) -> str:
    """Return the key of the last frame that an attempt stores."""
    return f"{attempt_name(task_id, attempt)}/{LAST_FRAME_NAME}"


def blob_keys(task: Task) -> Iterator[str]:
    """Yield every key that any attempt at the task can have used, also one that was cut off before it was recorded."""
    for attempt in range(1, task.attempt + 1):
        yield video_key(task.id, attempt)
        yield last_frame_key(task.id, attempt)
