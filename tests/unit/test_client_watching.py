"""Clients that wait: long polls where the server can, pauses where it cannot, and what is told while they wait."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from running_server import RunningServer, running_server
from understudy import AsyncClient, Client
from understudy.client import Sighting, StillRunning
from understudy.client.programs import Pace, Patience, wait_within, waiting
from understudy.client.steps import Answer, Call, Pause, Program, Step
from understudy.core.errors import Unavailable, Violation
from understudy.core.task import Status
from watched_server import cancel, is_watched

T = TypeVar("T")
GONE = Unavailable(Violation("ServiceUnavailable", "", "gone"))
PACE = Pace(first_s=1, growth=2, most_s=5)


class Stage:
    """Plays a program: each answer takes some seconds, and so does each pause."""

    def __init__(self, *answers: tuple[float, Answer | Unavailable]) -> None:
        self.answers = iter(answers)
        self.steps: list[Step] = []
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def patience(self, timeout_s: float = 1000, wait_s: int = 25) -> Patience:
        return Patience(timeout_s=timeout_s, pace=PACE, clock=self.clock, wait_s=wait_s)

    @property
    def waits_s(self) -> list[int | None]:
        return [step.wait_s for step in self.steps if isinstance(step, Call)]

    @property
    def pauses_s(self) -> list[float]:
        return [step.pause_s for step in self.steps if isinstance(step, Pause)]

    def play(self, program: Program[T]) -> T:
        step = next(program)
        while True:
            self.steps.append(step)
            try:
                if isinstance(step, Pause):
                    self.now_s += step.pause_s
                    step = program.send(None)
                    continue
                took_s, answer = next(self.answers)
                self.now_s += took_s
                step = program.throw(answer) if isinstance(answer, Unavailable) else program.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result


def told(status: str, *, can_wait: bool = True) -> Answer:
    headers = {"preference-applied": "wait=1"} if can_wait else {}
    body = json.dumps({"id": "cgt-1", "model": "m", "status": status}).encode()
    return Answer(status=200, body=body, headers=headers)


def refused(status: int, code: str) -> Answer:
    error = {"error": {"code": code, "message": "no", "param": "", "type": ""}}
    return Answer(status=status, body=json.dumps(error).encode())


def test_a_server_that_can_wait_is_asked_to_and_never_paused_for() -> None:
    stage = Stage((0, told("queued")), (25, told("queued")), (3, told("running")), (20, told("succeeded")))
    assert stage.play(waiting("cgt-1", stage.patience())).status is Status.SUCCEEDED
    assert (stage.waits_s, stage.pauses_s) == ([0, 25, 25, 25], [])


def test_a_server_that_does_not_know_waiting_is_asked_after_pauses() -> None:
    answers = [(0, told("running", can_wait=False))] * 4
    stage = Stage(*answers, (0, told("succeeded", can_wait=False)))
    stage.play(waiting("cgt-1", stage.patience()))
    assert (stage.waits_s, stage.pauses_s) == ([0] * 5, [1, 2, 4, 5])


def test_a_server_that_says_it_waits_and_does_not_is_not_asked_without_a_pause() -> None:
    stage = Stage(*[(0, told("queued"))] * 6, (0, told("succeeded")))
    stage.play(waiting("cgt-1", stage.patience()))
    assert stage.waits_s == [0, 25, 0, 25, 0, 25, 0]
    assert len(stage.pauses_s) == 3


def test_where_too_many_wait_or_waiting_is_cut_short_the_task_is_read_at_once() -> None:
    for trouble in (refused(429, "QuotaExceeded"), refused(504, "GatewayTimeout"), GONE):
        stage = Stage((0, told("queued")), (10, trouble), (0, told("succeeded")))
        assert stage.play(waiting("cgt-1", stage.patience())).status is Status.SUCCEEDED
        assert (stage.waits_s, stage.pauses_s) == ([0, 25, 0], []), trouble


def test_a_client_waits_no_longer_than_its_time() -> None:
    stage = Stage((0, told("queued")), (25, told("queued")), (9, told("queued")), (0, told("queued")))
    with pytest.raises(StillRunning):
        stage.play(waiting("cgt-1", stage.patience(timeout_s=34.5)))
    assert (stage.waits_s, stage.pauses_s) == ([0, 25, 9, 0], [0.5])


def test_progress_is_looked_at_every_few_seconds_where_somebody_wants_it() -> None:
    stage, seen = Stage((0, told("running")), (2, told("running")), (1, told("succeeded"))), []
    patience = Patience(timeout_s=100, pace=PACE, clock=stage.clock, wait_s=25, on_progress=seen.append)
    stage.play(waiting("cgt-1", patience))
    assert stage.waits_s == [0, 2, 2]
    assert len(seen) == 3


@pytest.mark.parametrize(("timeout_s", "wait_s"), [(60, 25), (10, 5), (1, 0), (0.1, 0)])
def test_an_answer_may_wait_half_as_long_as_a_step_of_the_network_may_take(timeout_s: float, wait_s: int) -> None:
    assert wait_within(timeout_s) == wait_s


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "server") as running:
        yield running


def polls_of(server: RunningServer, task_id: str) -> int:
    return sum(method == "GET" and path.endswith(task_id) for method, path, _ in server.requests)


def test_both_clients_wait_at_the_server_and_not_before_it(server: RunningServer) -> None:
    async def waited(task_id: str) -> Status:
        async with AsyncClient(server.url, server.api_key) as client:
            return (await client.wait(task_id)).status

    with Client(server.url, server.api_key) as client, ThreadPoolExecutor() as pool:
        task = client.create("a fox")
        blocking = pool.submit(client.wait, task.id)
        asynchronous = pool.submit(lambda: asyncio.run(waited(task.id)))
        is_watched(server, 2)
        cancel(server, task.id)
        assert (blocking.result().status, asynchronous.result()) == (Status.CANCELLED, Status.CANCELLED)
        assert polls_of(server, task.id) == 4, "one look and one wait of each"


def test_a_watched_task_is_shown_with_its_place_until_it_has_ended(server: RunningServer) -> None:
    with Client(server.url, server.api_key) as client:
        client.create("a hen")
        task = client.create("a fox")
        server.call("GET", f"/understudy/v1/tasks/{task.id}/outlook")
        seen = client.watch(task.id)
        first = next(seen)
        assert (first.task.status, first.queue_position, first.queue_position_above) == (Status.QUEUED, 2, None)
        cancel(server, task.id)
        assert [each.task.status for each in seen] == [Status.CANCELLED]
        with pytest.raises(StillRunning):
            list(client.watch(client.create("an owl").id, timeout_s=0))


async def test_the_asynchronous_client_watches_alike(server: RunningServer) -> None:
    async with AsyncClient(server.url, server.api_key) as client:
        task = await client.create("a fox")
        seen: list[Sighting] = []
        async for each in client.watch(task.id):
            if not seen:
                cancel(server, task.id)
            seen.append(each)
        assert [each.task.status for each in seen] == [Status.QUEUED, Status.CANCELLED]
