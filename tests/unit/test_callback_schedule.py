"""When a callback that failed is told again, and how the operator's longer schedule is read."""

from dataclasses import replace

import pytest

from understudy.catalog.callbacks import load_callback_facts
from understudy.core.callbacks import Callback, Target
from understudy.core.task import Status
from understudy.service.callback_schedule import GAP_MOST_S, JITTER, LATER_MOST, Schedule, later_gaps_s
from understudy.testing.samples import sample_task

SCHEDULE = Schedule(retries=3, later_s=(300.0, 1800.0))
TARGET = Target(url="https://client.example/told", root="http://here.example")
INSISTENT = [Status.SUCCEEDED, Status.FAILED, Status.EXPIRED]
NEWS = [Status.QUEUED, Status.RUNNING]


def told(status: Status, tries: int, number: int = 1) -> Callback:
    return Callback(task=sample_task(status=status), number=number, target=TARGET, tries=tries)


def least_gaps_s(status: Status) -> list[float]:
    """Return the gaps that a callback has at least, try after try."""
    gaps = []
    for tries in range(1, 100):
        gap_s = SCHEDULE.gap_s(told(status, tries))
        if gap_s is None:
            return gaps
        gaps.append(next(least for least in (1, 2, 4, 300, 1800) if least <= gap_s <= least * (1 + JITTER)))
    raise AssertionError("it is never given up")


def test_the_vendors_facts_are_as_its_documents_say() -> None:
    facts = load_callback_facts()
    assert (facts.ark.answered_within_s, facts.ark.retries) == (5, 3)


@pytest.mark.parametrize("status", INSISTENT)
def test_an_end_is_told_again_three_times_soon_and_then_on_the_longer_schedule(status: Status) -> None:
    assert least_gaps_s(status) == [1, 2, 4, 300, 1800]


@pytest.mark.parametrize("status", NEWS)
def test_news_of_a_task_is_told_again_soon_only(status: Status) -> None:
    assert least_gaps_s(status) == [1, 2, 4]


def test_without_a_longer_schedule_an_end_is_told_as_often_as_the_vendor_says() -> None:
    schedule = replace(SCHEDULE, later_s=())
    assert schedule.gap_s(told(Status.SUCCEEDED, 3)) is not None
    assert schedule.gap_s(told(Status.SUCCEEDED, 4)) is None


def test_what_failed_together_does_not_come_back_together() -> None:
    gaps = {SCHEDULE.gap_s(told(Status.FAILED, 1, number)) for number in range(1, 50)}
    assert len(gaps) > 40
    assert SCHEDULE.gap_s(told(Status.FAILED, 1)) == SCHEDULE.gap_s(told(Status.FAILED, 1))


def test_a_longer_schedule_is_read() -> None:
    assert later_gaps_s("300, 1800  7200.5") == (300.0, 1800.0, 7200.5)
    assert later_gaps_s("") == later_gaps_s(" , ") == ()


@pytest.mark.parametrize("said", ["300 soon", "0", "-1", "inf", "nan", f"{GAP_MOST_S + 1}", "1 " * (LATER_MOST + 1)])
def test_a_schedule_that_cannot_be_meant_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"is no number|is not between|gaps, at most"):
        later_gaps_s(said)
