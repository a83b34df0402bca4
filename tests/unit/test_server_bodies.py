"""Large bodies as the server reads them: what a handler is given of them, and what is left when it is done."""

import asyncio
import base64
import json
import shutil
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from manual_clock import START, ManualClock
from running_server import SECRET, house_over
from understudy.core.media import SPOOLED
from understudy.core.ports import ApiKey
from understudy.server.auth import key_digest
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call, Endpoint
from understudy.server.house import House, Limits
from understudy.server.reply import Reply
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore

HEAD = "data:image/png;base64,"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200
LIMITS = Limits(large_body_bytes=10_000, large_body_wait_s=0.0)
MULTIPART = {b"content-type": b"multipart/form-data; boundary=edge"}
DIALECTS = ("openai", "ark")
STALL = b"stall"
GONE = b"gone"


def url(data: bytes = PNG) -> str:
    return HEAD + base64.b64encode(data).decode()


def part(name: str, content: bytes, more: str = "", lines: str = "") -> bytes:
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{lines}\r\n'.encode() + content + b"\r\n"


class Reading:
    """A server's endpoint that answers what it was given. seen: the calls; during: called while one is handled."""

    def __init__(self, tmp_path: Path, limits: Limits = LIMITS) -> None:
        self.spool_dir = tmp_path / "spool"
        store, blobs = MemoryTaskStore(), LocalBlobStore(tmp_path / "blobs")
        self.house: House = house_over(store, blobs, ManualClock(), limits=limits)
        for name in ("alice", "bob"):
            digest = key_digest(SECRET, f"sk-{name}".encode())
            self.house.keys.add(ApiKey(id=name, owner=name, digest=digest, created_at=START))
        self.bodies = BodyReader(limits, self.spool_dir)
        self.during: Callable[[Call], None] = lambda call: None
        self.endpoint = Endpoint(self.house, {"POST": self._answer}, dialects={"POST": DIALECTS})
        self.fields: Any = None
        self.files: dict[str, bytes] = {}

    async def _answer(self, call: Call) -> Reply:
        self.fields = await self.bodies.read(call)
        self.files = {key: path.read_bytes() for key, path in call.spooled.items()}
        self.during(call)
        return Reply(200, b"{}")

    async def post(
        self, parts: Iterable[bytes], headers: dict[bytes, bytes] | None = None, *, key: str = "sk-alice"
    ) -> tuple[int, dict[str, Any]]:
        """Send a body in parts; STALL is a client that sends no more, GONE one that hangs up."""
        coming = iter([*parts, None])
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            data = next(coming)
            if data is STALL:
                await asyncio.Event().wait()
            if data is GONE:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": data or b"", "more_body": data is not None}

        async def send(message: Any) -> None:
            sent.append(message)

        given = {b"authorization": f"Bearer {key}".encode(), **(headers or {})}
        scope = {"method": "POST", "path": "/", "headers": list(given.items())}
        await self.endpoint(scope, receive, send)
        return (sent[0]["status"], json.loads(sent[1]["body"])) if sent else (0, {})

    def left(self) -> list[Path]:
        return list(self.spool_dir.iterdir())


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path)


def run(work: Awaitable[Any]) -> Any:
    async def waited() -> Any:
        return await work

    return asyncio.run(waited())


# What a handler is given


def test_the_media_of_a_large_body_are_files_while_it_is_handled(reading):
    run(reading.post([json.dumps({"model": "m", "images": [url(), url(PNG[9:])]}).encode()]))
    assert reading.fields == {"model": "m", "images": [HEAD + key for key in reading.files]}
    assert list(reading.files.values()) == [PNG, PNG[9:]]


def test_a_small_body_has_no_files(reading):
    fields = {"image": url(PNG[:6000])}
    run(reading.post([json.dumps(fields).encode()]))
    assert (reading.fields, reading.files) == (fields, {})


def test_a_file_of_a_large_form_is_a_data_url_of_the_type_that_its_first_bytes_show(reading):
    file = "Content-Type: application/octet-stream\r\n"
    form = part("prompt", b"a cat") + part("input_reference", PNG, '; filename="a.bin"', file) + b"--edge--\r\n"
    run(reading.post([form[:700], form[700:9000], form[9000:]], MULTIPART))
    assert reading.fields == {"prompt": "a cat", "input_reference": HEAD + next(iter(reading.files))}
    assert list(reading.files.values()) == [PNG]


def test_a_file_of_a_form_that_is_encoded_is_decoded(reading):
    lines = "Content-Transfer-Encoding: base64\r\n"
    form = part("input_reference", base64.b64encode(PNG), '; filename="a.png"', lines) + b"--edge--\r\n"
    run(reading.post([form[:5001], form[5001:]], MULTIPART))
    assert list(reading.files.values()) == [PNG]


@pytest.mark.parametrize(
    ("content", "header"), [(b"", ""), (b"\r\n\r\n", "Content-Transfer-Encoding: base64\r\n")], ids=["plain", "base64"]
)
def test_an_empty_file_of_a_large_form_is_refused_by_its_name(reading, content: bytes, header: str):
    form = part("a", PNG, '; filename="a"') + part("b", content, '; filename="b"', header) + b"--edge--\r\n"
    status, answer = run(reading.post([form], MULTIPART))
    assert (status, answer["error"]["param"]) == (400, "b")


def test_media_in_the_json_of_a_forms_field_are_files_as_well(reading):
    content = json.dumps([{"type": "image_url", "image_url": {"url": url()}}]).encode()
    form = part("content", b" \r\n" + content) + part("prompt", b"[" + url().encode()) + b"--edge--\r\n"
    run(reading.post([form[:9], form[9:70], form[70:]], MULTIPART))
    (key,) = reading.files
    assert reading.fields["content"] == [{"type": "image_url", "image_url": {"url": HEAD + key}}]
    assert reading.fields["prompt"] == "[" + url()


def test_json_that_curl_calls_urlencoded_has_files_as_well(reading):
    body = b" \n" + json.dumps({"image": url()}).encode()
    run(reading.post([b" ", body], {b"content-type": b"application/x-www-form-urlencoded"}))
    assert list(reading.files.values()) == [PNG]


def test_a_large_urlencoded_form_is_read(reading):
    body = b"prompt=" + b"a" * 20_000
    run(reading.post([body], {b"content-type": b"application/x-www-form-urlencoded"}))
    assert reading.fields == {"prompt": "a" * 20_000}


# What is left


def bug(call: Call) -> None:
    raise ZeroDivisionError


GOOD = json.dumps({"image": url()}).encode()


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([GOOD], 200),
        ([GOOD[:30_000], GONE], 0),
        ([GOOD[:30_000]], 400),
        ([GOOD + b"x"], 400),
        ([GOOD[:40_000], GOOD], 400),
    ],
    ids=["answered", "gone", "cut", "more", "spoilt"],
)
def test_no_file_outlives_its_request(reading, parts, status):
    assert run(reading.post(parts))[0] == status
    assert reading.left() == []


def test_no_file_outlives_a_request_that_met_a_bug(reading):
    reading.during = bug
    assert run(reading.post([GOOD]))[0] == 500
    assert len(reading.files) == 1
    assert reading.left() == []


def test_no_file_outlives_a_request_that_was_stopped(reading):
    first = json.dumps({"image": url(bytes(3_000_000))}).encode()
    reading_parts = [first[: len(first) - 10], STALL]

    async def stopped() -> None:
        posting = asyncio.create_task(reading.post(reading_parts))
        async with asyncio.timeout(10):
            while not reading.left():  # noqa: ASYNC110 - a thread writes, and tells nobody
                await asyncio.sleep(0)
        posting.cancel()
        await asyncio.wait([posting])

    asyncio.run(stopped())
    assert reading.left() == []


def test_a_full_disk_is_told_in_the_dialects_shape(reading):
    shutil.rmtree(reading.spool_dir)
    status, told = run(reading.post([GOOD]))
    assert (status, told["error"]["code"]) == (503, "ServiceUnavailable")


# How much, how many, how slowly


def test_a_body_of_forty_megabytes_costs_a_small_part_of_that(tmp_path):
    reading, piece = Reading(tmp_path, Limits()), base64.b64encode(bytes(range(256)) * 384)
    sizes: list[int] = []

    async def sized(call: Call) -> Reply:
        await reading.bodies.read(call)
        sizes.extend(path.stat().st_size for path in call.spooled.values())
        return Reply(200, b"{}")

    reading.endpoint = Endpoint(reading.house, {"POST": sized}, dialects={"POST": DIALECTS})
    body = [b'{"image":"' + HEAD.encode(), *[piece] * 305, b'"}']
    tracemalloc.start()
    try:
        assert run(reading.post(body))[0] == 200
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sizes == [305 * 256 * 384]
    assert peak_bytes < sum(map(len, body)) / 4


def test_a_large_text_needs_a_place_to_be_decoded_and_a_large_picture_none(tmp_path):
    limits = Limits(large_body_bytes=10_000, large_body_wait_s=0.0, large_bodies_at_once=0)
    reading = Reading(tmp_path, limits)
    assert run(reading.post([GOOD]))[0] == 200
    status, told = run(reading.post([json.dumps({"prompt": "a" * 20_000}).encode()]))
    assert (status, told["error"]["code"]) == (429, "ServerOverloaded")


def test_a_body_that_stalls_loses_its_place_and_is_told_why(tmp_path):
    reading = Reading(tmp_path, Limits(large_body_bytes=10_000, body_pace_s=0.01))
    status, told = run(reading.post([GOOD[:20_000], STALL]))
    assert (status, told["error"]["param"]) == (400, "body")
    assert "arrives too slowly" in told["error"]["message"]
    assert reading.left() == []


def test_stalled_bodies_of_one_key_leave_room_for_another(reading):
    async def scene() -> None:
        stalled = [asyncio.create_task(reading.post([GOOD[:20_000], STALL])) for _ in range(4)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert (await reading.post([GOOD]))[0] == 429
        assert (await reading.post([GOOD], key="sk-bob"))[0] == 200
        for each in stalled:
            each.cancel()
        await asyncio.wait(stalled)
        assert (await reading.post([GOOD]))[0] == 200

    asyncio.run(scene())
    assert reading.left() == []


def test_an_address_of_another_request_is_no_file(reading):
    run(reading.post([GOOD]))
    (key,) = reading.files
    run(reading.post([json.dumps({"image": HEAD + key, "b": url()}).encode()]))
    assert key.startswith(SPOOLED)
    assert key not in reading.files


@pytest.mark.parametrize("end", [0, 50, 300, 30_000])
def test_a_large_form_that_ends_anywhere_is_refused(reading, end):
    form = part("prompt", b"a cat") + part("a", PNG, '; filename="a.png"') + b"--edge--\r\n"
    status, told = run(reading.post([form[: len(form) - end - 12]], MULTIPART))
    assert (status, told["error"]["param"]) == (400, "body")
    assert reading.left() == []
