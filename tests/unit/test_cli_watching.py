"""What `understudy tasks watch` says to people."""

from io import StringIO

import pytest
from rich.console import Console

from understudy.cli.watching import LiveSights, time_words, words_of
from understudy.client import RemoteTask, Sighting
from understudy.core.task import Status


def seen(status: Status, *, progress: float | None = None, **told: int) -> Sighting:
    return Sighting(task=RemoteTask(id="cgt-1", model="m", status=status, progress=progress, raw={}), **told)


@pytest.mark.parametrize(
    ("sighting", "words"),
    [
        (seen(Status.QUEUED), "queued"),
        (seen(Status.QUEUED, queue_position=1), "queued, next in line"),
        (seen(Status.QUEUED, queue_position=3, eta_s=240), "queued, number 3 in line, some 4 min left"),
        (seen(Status.QUEUED, queue_position_above=1000), "queued, behind more than 1000 in line"),
        (seen(Status.RUNNING, progress=0.42, eta_s=9), "running 42%, some 9 s left"),
        (seen(Status.SUCCEEDED, progress=1.0), "succeeded"),
    ],
)
def test_how_a_task_gets_on_is_said_in_few_words(sighting: Sighting, words: str) -> None:
    assert words_of(sighting) == words


@pytest.mark.parametrize(
    ("seconds_s", "words"), [(1, "1 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (12_000, "3 h 20 min")]
)
def test_a_time_is_said_as_people_say_it(seconds_s: int, words: str) -> None:
    assert time_words(seconds_s) == words


def test_on_a_terminal_a_bar_moves() -> None:
    written = StringIO()
    with LiveSights(Console(file=written, force_terminal=True, width=100)) as sights:
        sights(seen(Status.QUEUED, queue_position=2))
        sights(seen(Status.RUNNING, progress=0.5, eta_s=30))
        sights.refresh()
    assert "running 50%, some 30 s left" in written.getvalue()
