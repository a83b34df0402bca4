"""`understudy tasks watch`: how a task gets on, live on a terminal, as JSON lines into a pipe."""

import json
import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from understudy.client import Sighting
from understudy.core.task import ENDED, Status

MINUTE_S, HOUR_S = 60, 3600


class Sights(Protocol):
    """Shown each sighting of one task."""

    def __call__(self, seen: Sighting) -> None:
        """Show it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class JsonSights:
    """A JSON object on a line for each change of what is known, but for the time that passes."""

    def __init__(self) -> None:
        self._shown: tuple[object, ...] | None = None

    def __call__(self, seen: Sighting) -> None:
        """Print a line if there is news."""
        task = seen.task
        now = (task.status, task.progress, seen.queue_position, seen.queue_position_above)
        if now != self._shown:
            self._shown = now
            print(json.dumps(_told(seen), ensure_ascii=False), flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class LiveSights:
    """A bar that fills with the film's frames, with the place in the queue and the time that is left."""

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._line: TaskID | None = None

    def __call__(self, seen: Sighting) -> None:
        """Move the bar."""
        task = seen.task
        if self._line is None:
            self._line = self._bar.add_task("", total=1.0)
        done = 1.0 if task.status is Status.SUCCEEDED else task.progress or 0.0
        self._bar.update(self._line, description=words_of(seen), completed=done)

    def refresh(self) -> None:
        """Draw it now; it is drawn several times a second in any case."""
        self._bar.refresh()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def open_sights(*, is_live: bool) -> Sights:
    """Return what shows sightings. is_live: on a terminal, for people."""
    return LiveSights(Console()) if is_live else JsonSights()


def is_for_people() -> bool:
    """Say whether standard output is a terminal."""
    return sys.stdout.isatty()


def words_of(seen: Sighting) -> str:
    """Say how a task gets on: "queued, number 3 in line, some 4 min left"."""
    task = seen.task
    words = [str(task.status)]
    if task.status is Status.RUNNING and task.progress is not None:
        words[0] = f"running {task.progress:.0%}"
    if seen.queue_position is not None:
        words.append("next in line" if seen.queue_position == 1 else f"number {seen.queue_position} in line")
    elif seen.queue_position_above is not None:
        words.append(f"behind more than {seen.queue_position_above} in line")
    if seen.eta_s is not None and task.status not in ENDED:
        words.append(f"some {time_words(seen.eta_s)} left")
    return ", ".join(words)


def time_words(seconds_s: int) -> str:
    """Say a time as people do, to two figures: "40 s", "12 min", "3 h 20 min"."""
    if seconds_s < 2 * MINUTE_S:
        return f"{seconds_s} s"
    if seconds_s < 2 * HOUR_S:
        return f"{round(seconds_s / MINUTE_S)} min"
    hours, rest_s = divmod(seconds_s, HOUR_S)
    return f"{hours} h {rest_s // MINUTE_S} min"


def _told(seen: Sighting) -> dict[str, object]:
    task = seen.task
    known: dict[str, object] = {
        "id": task.id,
        "status": str(task.status),
        "progress": task.progress,
        "queue_position": seen.queue_position,
        "queue_position_above": seen.queue_position_above,
        "eta_s": seen.eta_s,
        "error": None if task.error is None else {"code": task.error.code, "message": task.error.message},
        "video_url": task.video_url or None,
    }
    return {name: value for name, value in known.items() if value is not None}
