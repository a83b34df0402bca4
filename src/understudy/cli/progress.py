"""Showing how a task gets on: a live bar on a terminal, plain lines into a pipe; always on standard error."""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from understudy.client import RemoteTask
from understudy.core.task import Status

STEPS_SHOWN = 10
"""Into a pipe, a line at each tenth of the film is enough."""


class Reporter(Protocol):
    """Called with each state of the task; ``latest`` is the last one seen."""

    latest: RemoteTask | None

    def __call__(self, task: RemoteTask) -> None:
        """Show the state."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LineReporter:
    """One line for each change of the status and each tenth of the film."""

    def __init__(self) -> None:
        self.latest: RemoteTask | None = None
        self._shown: tuple[Status, int] | None = None

    def __call__(self, task: RemoteTask) -> None:
        """Print a line if there is news."""
        self.latest = task
        now = (task.status, int((task.progress or 0.0) * STEPS_SHOWN))
        if now != self._shown:
            self._shown = now
            print(f"{task.id} {_words(task)}", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class BarReporter:
    """A bar that fills with the film's frames."""

    def __init__(self) -> None:
        self.latest: RemoteTask | None = None
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._line: TaskID | None = None

    def __call__(self, task: RemoteTask) -> None:
        """Move the bar."""
        self.latest = task
        if self._line is None:
            self._line = self._bar.add_task("", total=1.0)
        done = 1.0 if task.status is Status.SUCCEEDED else task.progress or 0.0
        self._bar.update(self._line, description=_words(task), completed=done)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def open_reporter() -> Reporter:
    """Return the reporter that suits where standard error goes."""
    return BarReporter() if sys.stderr.isatty() else LineReporter()


def _words(task: RemoteTask) -> str:
    if task.status is Status.RUNNING and task.progress is not None:
        return f"{task.status} {task.progress:.0%}"
    return str(task.status)
