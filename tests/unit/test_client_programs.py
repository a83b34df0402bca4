"""The client's logic without a network: programs fed with answers, their pauses counted on a clock moved by hand."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest

from understudy import Client
from understudy.client import StillRunning
from understudy.client.part_file import PartFile
from understudy.client.programs import (
    RETRY_PAUSES_S,
    Pace,
    Patience,
    creating,
    downloading,
    getting,
    request_of,
    waiting,
)
from understudy.client.steps import Answer, Call, Fetch, Pause, Program, Step
from understudy.core.errors import Rejected, Unavailable, Violation
from understudy.core.task import Status

T = TypeVar("T")
GONE = Unavailable(Violation("ServiceUnavailable", "", "gone"))


class Stage:
    """Plays a program: gives each call the next answer and moves the clock by each pause."""

    def __init__(self, answers: Iterator[Answer | Unavailable]) -> None:
        self.answers = answers
        self.steps: list[Step] = []
        self.now_s = 0.0

    @property
    def pauses_s(self) -> list[float]:
        return [step.pause_s for step in self.steps if isinstance(step, Pause)]

    def clock(self) -> float:
        return self.now_s

    def play(self, program: Program[T]) -> T:
        step = next(program)
        while True:
            self.steps.append(step)
            try:
                if isinstance(step, Pause):
                    self.now_s += step.pause_s
                    step = program.send(None)
                else:
                    answer = next(self.answers)
                    step = program.throw(answer) if isinstance(answer, Unavailable) else program.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result


def told(status: str, **more: object) -> Answer:
    return Answer(status=200, body=json.dumps({"id": "cgt-1", "model": "m", "status": status, **more}).encode())


def refused(status: int, code: str) -> Answer:
    error = {"error": {"code": code, "message": "no", "param": "", "type": ""}}
    return Answer(status=status, body=json.dumps(error).encode())


def for_ever(answer: Answer) -> Iterator[Answer]:
    while True:
        yield answer


def test_a_waiting_client_asks_less_and_less_often() -> None:
    stage = Stage(iter([*[told("running")] * 6, told("succeeded")]))
    patience = Patience(timeout_s=100, pace=Pace(first_s=1, growth=2, most_s=5), clock=stage.clock)
    task = stage.play(waiting("cgt-1", patience))
    assert task.status is Status.SUCCEEDED
    assert stage.pauses_s == [1, 2, 4, 5, 5, 5]


def test_a_waiting_client_stops_exactly_when_its_time_is_up() -> None:
    stage = Stage(for_ever(told("running")))
    patience = Patience(timeout_s=10, pace=Pace(first_s=4, growth=1, most_s=4), clock=stage.clock)
    with pytest.raises(StillRunning, match="cgt-1 is still running after 10 s") as caught:
        stage.play(waiting("cgt-1", patience))
    assert stage.pauses_s == [4, 4, 2]
    assert caught.value.task.id == "cgt-1"


@pytest.mark.parametrize("status", ["succeeded", "failed", "expired", "cancelled"])
def test_every_end_ends_the_waiting(status: str) -> None:
    stage = Stage(iter([told(status)]))
    assert stage.play(waiting("cgt-1", Patience(timeout_s=1, clock=stage.clock))).status == status


@pytest.mark.parametrize("trouble", [GONE, refused(503, "ServiceUnavailable"), refused(429, "QuotaExceeded")])
def test_reading_is_repeated_while_the_server_is_away(trouble: Answer | Unavailable) -> None:
    stage = Stage(iter([trouble, trouble, told("queued")]))
    assert stage.play(getting("cgt-1")).status is Status.QUEUED
    assert stage.pauses_s == list(RETRY_PAUSES_S[:2])


def test_reading_is_not_repeated_for_ever() -> None:
    stage = Stage(iter([GONE] * 50))
    with pytest.raises(Unavailable):
        stage.play(getting("cgt-1"))
    assert stage.pauses_s == list(RETRY_PAUSES_S)


def test_a_refusal_is_not_repeated() -> None:
    stage = Stage(iter([refused(400, "InvalidParameter")]))
    with pytest.raises(Rejected):
        stage.play(getting("cgt-1"))
    assert stage.pauses_s == []


@pytest.mark.parametrize("trouble", [GONE, refused(500, "InternalServiceError"), refused(429, "QuotaExceeded")])
def test_creating_is_never_repeated(trouble: Answer | Unavailable) -> None:
    stage = Stage(iter([trouble, Answer(status=200, body=b'{"id":"cgt-2"}')]))
    with pytest.raises(Exception, match=r"gone|no"):
        stage.play(creating(request_of("a fox", {})))
    assert len(stage.steps) == 1


def test_a_request_leaves_out_what_was_not_said() -> None:
    stage = Stage(iter([Answer(status=200, body=b'{"id":"cgt-2"}')]))
    stage.play(creating(request_of("a fox", {"duration_s": 4, "model": "m"})))
    call = stage.steps[0]
    assert isinstance(call, Call)
    assert call.body is not None
    assert json.loads(call.body) == {"model": "m", "content": [{"type": "text", "text": "a fox"}], "duration": 4}


def with_film(url: str) -> Answer:
    return told("succeeded", content={"video_url": url})


def test_each_try_of_a_download_asks_for_a_fresh_link(tmp_path: Path) -> None:
    stage = Stage(
        iter([with_film("http://x/1"), GONE, with_film("http://x/2"), GONE, *[with_film("http://x/3"), GONE] * 9])
    )
    with pytest.raises(Unavailable):
        stage.play(downloading("cgt-1", tmp_path / "film.mp4", kind="video"))
    links = [step.url for step in stage.steps if isinstance(step, Fetch)]
    assert links[:3] == ["http://x/1", "http://x/2", "http://x/3"]
    assert len(links) == 6


def sent(status: int, headers: dict[str, str] | None = None) -> httpx2.Response:
    """Return a response whose four bytes are still to be read, as from a socket."""
    return httpx2.Response(
        status, stream=httpx2.ByteStream(b"film"), headers={"Content-Length": "4", **(headers or {})}
    )


def film_server(answer: Callable[[httpx2.Request, int], httpx2.Response]) -> httpx2.MockTransport:
    """Answer the task, and files by the given function, which also gets how many files were asked for before."""
    asked: list[httpx2.Request] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "api.test":
            return httpx2.Response(200, content=with_film("http://files.test/film").body)
        asked.append(request)
        return answer(request, len(asked) - 1)

    return httpx2.MockTransport(respond)


def test_the_key_is_not_sent_to_the_host_of_the_files(tmp_path: Path) -> None:
    seen: list[httpx2.Headers] = []

    def answer(request: httpx2.Request, _: int) -> httpx2.Response:
        seen.append(request.headers)
        return sent(200)

    with Client("http://api.test", "secret", transport=film_server(answer)) as client:
        client.download("cgt-1", tmp_path / "film.mp4")
    assert "authorization" not in seen[0]
    assert seen[0]["accept-encoding"] == "identity"


def test_a_server_without_ranges_sends_the_whole_film_again(tmp_path: Path) -> None:
    (tmp_path / ".film.mp4.cgt-1-video.part").write_bytes(b"fi")
    with Client("http://api.test", "secret", transport=film_server(lambda request, _: sent(200))) as client:
        client.download("cgt-1", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"film"


def test_a_range_that_does_not_fit_is_not_appended(tmp_path: Path) -> None:
    def answer(request: httpx2.Request, number: int) -> httpx2.Response:
        if number == 0:
            return sent(206, {"Content-Range": "bytes 0-3/4"})
        return sent(200)

    (tmp_path / ".film.mp4.cgt-1-video.part").write_bytes(b"fi")
    with Client("http://api.test", "secret", transport=film_server(answer)) as client:
        client.download("cgt-1", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"film"


def test_a_part_of_another_task_is_not_continued(tmp_path: Path) -> None:
    first, second = (PartFile(tmp_path / "film.mp4", label=label) for label in ("cgt-1", "cgt-2"))
    with first.opened() as sink:
        sink.write(b"first")
    assert (first.size_bytes, second.size_bytes) == (5, 0)


def test_a_task_id_cannot_lead_the_part_out_of_its_folder(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "film.mp4", label="../../x")
    with part.opened() as sink:
        sink.write(b"x")
    assert [path.parent for path in tmp_path.rglob("*.part")] == [tmp_path]
