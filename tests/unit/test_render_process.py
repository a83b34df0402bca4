"""The render process hears that a job is no longer wanted: which job is meant, and where its engine is told."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from understudy.core.errors import TaskFailed, Violation
from understudy.core.ports import OnProgress, RenderStopped
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.render_process import Orders, Telling, load_engine, render
from understudy.executors.wire import Begin, Failed, Message, Progressed, Stop, Stopped, Work, encode_line
from understudy.testing.executors import scripted_job

HOURS_S = 36_000.0


def orders_of(*lines: Begin | Work | Stop) -> Orders:
    orders = Orders()
    orders.read(encode_line(line) for line in lines)
    return orders


@dataclass
class Desk:
    """A job that is rendered here: what it told, and the orders by which it can be stopped."""

    work: Work
    orders: Orders = field(default_factory=Orders)
    told: list[Message] = field(default_factory=list)

    def telling(self, interval_s: float = 0.0) -> Telling:
        return Telling(self.told.append, interval_s, partial(self.orders.has_stopped, self.work.number))

    def stop(self, number: int) -> None:
        self.orders.read([encode_line(Stop(number))])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Work(7, scripted_job(tmp_path / "job", "a fox")))


class Engine:
    """Reports one frame, then calls what it is given, then reports another."""

    def __init__(self, meanwhile) -> None:
        self._meanwhile = meanwhile
        self.calls = 0

    def warm(self) -> None:
        """Nothing is to be loaded."""

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        self.calls += 1
        progress(1, 3)
        self._meanwhile(progress)
        progress(2, 3)
        raise AssertionError("it was not stopped")


def test_a_stop_is_raised_by_the_very_next_call_however_rarely_progress_is_told(desk: Desk):
    answer = render(Engine(lambda _progress: desk.stop(7)), desk.work, desk.telling(HOURS_S))
    assert answer == Stopped()
    assert desk.told == [Progressed(1, 3)]


def test_a_job_that_was_given_up_before_it_was_begun_is_never_begun(desk: Desk):
    engine = Engine(lambda _progress: None)
    desk.stop(7)
    assert render(engine, desk.work, desk.telling()) == Stopped()
    assert (engine.calls, desk.told) == (0, [])


def test_the_stop_of_another_job_stops_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]):
    answer = render(Engine(lambda _progress: desk.stop(6)), desk.work, desk.telling())
    assert isinstance(answer, Failed)
    assert "it was not stopped" in capsys.readouterr().err


def test_an_engine_that_stops_unasked_has_failed_unexpectedly(desk: Desk, capsys: pytest.CaptureFixture[str]):
    def stop_itself(_progress: OnProgress) -> None:
        raise RenderStopped

    answer = render(Engine(stop_itself), desk.work, desk.telling())
    assert isinstance(answer, Failed)
    assert answer.is_unexpected
    assert "RenderStopped" in capsys.readouterr().err


def test_what_an_engine_left_behind_tells_nothing_once_the_job_is_over(desk: Desk):
    telling = desk.telling()

    def fail(_progress: OnProgress) -> None:
        raise TaskFailed(Violation("ServiceUnavailable", "", "it failed"), is_retryable=True)

    render(Engine(fail), desk.work, telling)
    told = list(desk.told)
    telling(3, 3)
    assert desk.told == told == [Progressed(1, 3)]


def test_jobs_come_in_the_order_that_they_were_sent_whatever_lies_between(desk: Desk):
    second = Work(8, desk.work.job)
    orders = orders_of(Begin({"weights": "here"}), desk.work, Stop(7), second)
    assert orders.begin().arguments == {"weights": "here"}
    assert (orders.next(), orders.next()) == (desk.work, second)
    assert [orders.has_stopped(number) for number in (6, 7, 8)] == [True, True, False]


def test_an_engine_is_made_with_arguments_by_keyword():
    made = load_engine("fractions:Fraction", {"numerator": 3, "denominator": 4})
    assert str(made) == "3/4"
