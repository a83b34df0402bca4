"""The moderator behind an address: what it is sent, what it answers, and that nothing passes without an answer."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from understudy.core.errors import Unavailable
from understudy.core.modality import Modality
from understudy.core.moderation import Finding, Shown, Stage
from understudy.net.http import HttpClient
from understudy.net.moderation import ANSWER_BYTES_MAX, HttpModerator, moderator_client
from understudy.net.resolve import SystemResolver

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 5000


class Judge(ThreadingHTTPServer):
    """Answers every question with the same bytes; keeps what it was sent."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.answer = 200, b'{"findings":[]}'
        self.headers: list[dict[str, str]] = []
        self.parts: list[dict[str, bytes]] = []
        self.types: list[dict[str, str]] = []
        self.gate: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/judge?of=1"


class _Handler(BaseHTTPRequestHandler):
    server: Judge

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = list(BytesParser(policy=HTTP).parsebytes(head + body).iter_parts())
        names = [str(part.get_param("name", header="content-disposition")) for part in parts]
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.parts.append({name: part.get_payload(decode=True) for name, part in zip(names, parts, strict=True)})
        self.server.types.append({name: part.get_content_type() for name, part in zip(names, parts, strict=True)})
        if self.server.gate is not None:
            self.server.gate.wait(30)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.send_header("Location", self.server.url)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def judging() -> Iterator[Judge]:
    judge = Judge()
    thread = threading.Thread(target=judge.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield judge
    finally:
        if judge.gate:
            judge.gate.set()
        judge.shutdown()
        judge.server_close()


@pytest.fixture
def judge() -> Iterator[Judge]:
    with judging() as running:
        yield running


async def asked(judge: Judge, *shown: Shown, timeout_s: float = 20, secret: str = "", url: str = "") -> Any:
    client: HttpClient = moderator_client(url or judge.url, SystemResolver())
    moderator = HttpModerator(client=client, url=url or judge.url, timeout_s=timeout_s, secret=secret)
    try:
        return await moderator.findings(Stage.INPUT, "owner-1", shown)
    finally:
        await client.close()


def text(value: str = "a cat", index: int = 0) -> Shown:
    return Shown(index=index, modality=Modality.TEXT, media_type="text/plain", text=value)


async def test_texts_and_files_are_sent_in_one_form_the_question_first(judge: Judge, tmp_path: Path):
    (tmp_path / "a").write_bytes(PICTURE)
    image = Shown(index=2, modality=Modality.IMAGE, media_type="image/png", path=tmp_path / "a")
    assert await asked(judge, text("雨 and rain"), image) == ()
    (parts,) = judge.parts
    assert list(parts) == ["request", "file0"]
    assert json.loads(parts["request"]) == {
        "stage": "input",
        "owner": "owner-1",
        "items": [
            {"index": 0, "modality": "text", "media_type": "text/plain", "text": "雨 and rain"},
            {"index": 2, "modality": "image", "media_type": "image/png", "file": "file0", "size_bytes": len(PICTURE)},
        ],
    }
    assert parts["file0"] == PICTURE
    assert judge.types == [{"request": "application/json", "file0": "image/png"}]


async def test_the_secret_is_the_bearer_token_and_without_one_there_is_none(judge: Judge):
    await asked(judge, text(), secret="s3cret")
    await asked(judge, text())
    assert [each.get("authorization") for each in judge.headers] == ["Bearer s3cret", None]


async def test_findings_are_read_and_may_leave_out_code_and_message(judge: Judge):
    judge.answer = b'{"findings":[{"index":0},{"index":2,"code":"X","message":"no","more":1}],"other":2}'
    assert await asked(judge, text()) == (Finding(index=0), Finding(index=2, code="X", message="no"))


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 403, 404, 500, 503])
async def test_any_other_status_is_no_judgement(judge: Judge, status: int):
    judge.status = status
    with pytest.raises(Unavailable):
        await asked(judge, text())
    assert len(judge.parts) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"ok",
        b"[]",
        b"{}",
        b'{"findings":null}',
        b'{"findings":[{}]}',
        b'{"findings":[{"index":"first"}]}',
        b'{"findings":[{"index":0,"message":"' + b"x" * 1001 + b'"}]}',
        b'{"findings":[]}' + b" " * ANSWER_BYTES_MAX,
        b"[" * 100_000,
    ],
    ids=len,
)
async def test_an_answer_that_is_none_is_no_judgement(judge: Judge, answer: bytes):
    judge.answer = answer
    with pytest.raises(Unavailable):
        await asked(judge, text())


async def test_a_moderator_that_does_not_answer_in_time_gives_no_judgement(judge: Judge):
    judge.gate = threading.Event()
    with pytest.raises(Unavailable):
        await asked(judge, text(), timeout_s=0.2)


async def test_a_moderator_that_is_not_there_gives_no_judgement(judge: Judge):
    with judging() as gone:
        url = gone.url
    with pytest.raises(Unavailable):
        await asked(judge, text(), url=url)


async def test_what_a_caller_is_told_names_no_address(judge: Judge):
    judge.status = 500
    with pytest.raises(Unavailable) as caught:
        await asked(judge, text())
    assert "127.0.0.1" not in caught.value.violation.message


@pytest.mark.parametrize("url", ["", "http://", "mailto:a@b"])
def test_an_address_without_a_host_is_refused_at_the_start(url: str):
    with pytest.raises(ValueError, match="moderator"):
        moderator_client(url, SystemResolver())


async def test_many_questions_at_once_get_their_own_answers(judge: Judge):
    await asyncio.gather(*(asked(judge, text(f"prompt {number}")) for number in range(20)))
    sent = {json.loads(parts["request"])["items"][0]["text"] for parts in judge.parts}
    assert sent == {f"prompt {number}" for number in range(20)}
