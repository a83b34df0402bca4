"""The judge of the crash tests can tell a broken promise when it sees one."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from crash_promises import ALL, Event, Record, broken_promises
from understudy.core.task import Claim, Status
from understudy.testing.samples import hold_of, posted_of, sample_task, success_of, voided_of

TASK = sample_task()
OUTCOME = success_of(Claim(task=TASK, token=2, worker="worker"))
DONE = replace(TASK, status=Status.SUCCEEDED, attempt=2, film=OUTCOME.film, completion_tokens=1)
KEPT = Record(task=DONE, ledger=(hold_of(TASK), posted_of(TASK)), blobs=(f"{TASK.id}-2/video.mp4",))

FIRST, SECOND = Event("start", f"{TASK.id}-1", "7"), Event("start", f"{TASK.id}-2", "8")
KEPT_EVENTS = (FIRST, Event("dead", "", "7"), SECOND, Event("end", f"{TASK.id}-2", "8"))


def test_a_task_finished_once_after_one_kill_breaks_nothing():
    assert list(broken_promises([KEPT], KEPT_EVENTS, kills=1)) == []
    assert list(broken_promises([KEPT], (FIRST, Event("dead", "", ALL), *KEPT_EVENTS[2:]), kills=1)) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (replace(KEPT, ledger=(*KEPT.ledger, posted_of(TASK))), "has the ledger"),
        (replace(KEPT, ledger=(hold_of(TASK), voided_of(TASK))), "has the ledger"),
        (replace(KEPT, blobs=(f"{TASK.id}-1/video.mp4", *KEPT.blobs)), "has stored"),
        (replace(KEPT, blobs=()), "has stored"),
        (replace(KEPT, task=replace(DONE, attempt=3)), "took 3 attempts"),
        (replace(KEPT, task=replace(TASK, status=Status.RUNNING)), "is running"),
    ],
)
def test_a_record_that_breaks_a_promise_is_told(record: Record, told: str):
    (flaw,) = broken_promises([record], KEPT_EVENTS, kills=1)
    assert told in flaw


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((FIRST, SECOND), "began while"),
        ((FIRST, Event("dead", "", "8"), SECOND), "began while"),
        ((*KEPT_EVENTS, KEPT_EVENTS[-1]), "rendered 2 films"),
    ],
)
def test_a_journal_of_a_double_render_is_told(events: Sequence[Event], told: str):
    (flaw,) = broken_promises([], events, kills=1)
    assert told in flaw
