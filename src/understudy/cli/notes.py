"""What a task was told of itself, as a person reads it in a terminal."""

from collections.abc import Iterator

from understudy.client import RemoteTask


def notes_on(task: RemoteTask) -> Iterator[str]:
    """Yield a line for each of the task's warnings; one about the film is about no parameter."""
    for warned in task.warnings:
        yield f"Note on {warned.param}: {warned.message}" if warned.param else f"Note: {warned.message}"
