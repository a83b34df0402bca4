"""Hostile and odd files over HTTP, on a server in a process of its own: taken, or refused with what is wrong with them.

Every file is given as a web address and, where it fits into a body, as a data URL, named and typed as something else.
"""

import base64
import itertools
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hostile_media import CORPUS, Hostile, Lure
from hostile_media.canaries import Canary, canaries
from hostile_media.reading import peak_kb
from media_host import MediaHost, Reply, file, gzip_bomb, gzip_lie, gzipped, media_host
from odd_media import film, heic, picture, sound
from serve_process import UNDERSTUDY, ready
from understudy.core.modality import Modality

TASKS = "/api/v3/contents/generations/tasks"
MODEL = "doubao-seedance-2-0-260128"
AT_ONCE = 3
BODY_BYTES_MAX = 30 << 20
"""What is larger is given as an address only: as base64 it would not fit into a body."""

SERVER_KB_MAX = 400 << 10
"""The server's own memory, whatever it is given."""

TIMEOUT_S = 120
ROLES = {kind: f"reference_{kind}" for kind in (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)}
LABELS = {
    "a.png": "image/png",
    "a.jpg": "image/jpeg",
    "a.heic": "image/heic",
    "a.svg": "image/svg+xml",
    "a.mp4": "video/mp4",
    "a.m3u8": "application/vnd.apple.mpegurl",
    "a.wav": "audio/wav",
    "a.mp3": "audio/mpeg",
    "a.html": "text/html",
    "a": "application/octet-stream",
    "%2e%2e%2fa%00.txt": "text/plain",
}
DATA_TYPES = {
    Modality.IMAGE: ("png", "jpeg", "webp", "svg+xml", "heic"),
    Modality.VIDEO: ("mp4", "quicktime"),
    Modality.AUDIO: ("wav", "mpeg", "x-what"),
}


@dataclass(frozen=True)
class Server:
    """A server as a caller sees it. polls: the statuses that somebody who asks all the time was answered with."""

    url: str
    api_key: str
    pid: int
    host: MediaHost
    canary: Canary
    stderr: Path
    polls: list[int] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read) if read else None
        finally:
            connection.close()

    def submit(self, modality: Modality, url: str) -> tuple[int, Any]:
        """Give one medium, as the second item, and take the task back if there is one."""
        kind = f"{modality}_url"
        content: list[dict[str, Any]] = [
            {"type": "text", "text": "a hill"},
            {"type": kind, kind: {"url": url}, "role": ROLES[modality]},
        ]
        if modality is Modality.AUDIO:
            beside = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
            content.append({"type": "image_url", "image_url": {"url": beside}, "role": ROLES[Modality.IMAGE]})
        body = {"model": MODEL, "content": content, "resolution": "480p", "duration": 4}
        status, answer = self.call("POST", TASKS, body)
        if status == 200:
            self.call("DELETE", f"{TASKS}/{answer['id']}")
        return status, answer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("hostile")
    stderr = directory / "stderr"
    # Loopback is allowed, so that who follows a lure does get there, and is noticed.
    allowed = {"FETCH_NETWORKS": "127.0.0.0/8", "PROBE_TIMEOUT_S": "60", "FETCH_DEADLINE_S": "100"}
    environment = os.environ | {f"UNDERSTUDY_{name}": value for name, value in allowed.items()}
    command = [*UNDERSTUDY, "serve", "--port", "0", "--data-dir", str(directory / "data"), "--json"]
    with ExitStack() as stack:
        canary = stack.enter_context(canaries(directory))
        host = stack.enter_context(media_host())
        errors = stack.enter_context(stderr.open("wb"))
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        )
        try:
            told = ready(process)
            yield Server(told["url"], told["api_key"], process.pid, host, canary, stderr)
            process.terminate()
            assert process.wait(timeout=TIMEOUT_S) == 0
        finally:
            process.kill()


@contextmanager
def polled(server: Server) -> Iterator[None]:
    """Ask for the list of tasks over and over while the block lasts."""
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            server.polls.append(server.call("GET", TASKS)[0])
            is_over.wait(0.02)

    server.polls.clear()
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join(timeout=TIMEOUT_S)


def wrong(hostile: Hostile, status: int, answer: Any) -> str:
    """Return what is wrong with an answer, or nothing."""
    if status == 200:
        return "" if hostile.is_read else "it is taken"
    if status != 400 or answer.keys() != {"error"} or answer["error"].keys() != {"code", "message", "param", "type"}:
        return f"{status} {answer}"
    message, param = answer["error"]["message"], answer["error"]["param"]
    if not message.startswith("The parameter `content") and "content[1]" not in param:
        return f"it names no item: {answer}"
    # Too large, too long or of too odd a shape: that is for the rules to say, whatever the file is.
    if "specified in the request must" in message:
        return ""
    if hostile.modality is Modality.VIDEO and "must be provided as a web url" in message:
        return ""
    reasons = [part.strip() for part in hostile.reason.split(" | ")] if hostile.reason else []
    is_empty = "is expected" in message
    return "" if is_empty or any(part in message for part in reasons) else f"another reason: {message}"


def given(server: Server, numbered: tuple[int, str], *, as_data: bool) -> str:
    """Give one file of the corpus; return what is wrong with what became of it."""
    number, name = numbered
    hostile = CORPUS[name]
    content = hostile.content(server.canary.lure)
    if as_data:
        if len(content) > BODY_BYTES_MAX:
            return ""
        types = DATA_TYPES[hostile.modality]
        url = f"data:{hostile.modality}/{types[number % len(types)]};base64,{base64.b64encode(content).decode()}"
        return wrong(hostile, *server.submit(hostile.modality, url))
    label, media_type = list(LABELS.items())[number % len(LABELS)]
    path = f"/{number}/{label}"
    server.host.on(path, file(content, media_type=media_type))
    try:
        return wrong(hostile, *server.submit(hostile.modality, server.host.url + path))
    finally:
        server.host.on(path)


def all_wrong(server: Server, names: Sequence[str], *, as_data: bool) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda numbered: given(server, numbered, as_data=as_data), enumerate(names))
        return {name: what for name, what in zip(names, found, strict=True) if what}


def is_unharmed(server: Server) -> None:
    """Assert that nobody was led anywhere or made to wait, and that the server is as it was."""
    assert server.canary.touched() == ()
    assert set(server.polls) == {200}
    assert "Traceback" not in server.stderr.read_text()
    assert 0 < peak_kb(server.pid) < SERVER_KB_MAX
    status, answer = server.submit(Modality.IMAGE, f"data:image/png;base64,{base64.b64encode(picture()).decode()}")
    assert status == 200, answer


NAMES = sorted(CORPUS)
SMALL_ENOUGH = 4 << 20
EACH = 20


def sample() -> list[str]:
    """Every so many of them, but not those that are large."""
    chosen = itertools.islice(NAMES, 0, None, EACH)
    return [name for name in chosen if len(CORPUS[name].content(Lure())) < SMALL_ENOUGH]


@pytest.mark.parametrize("as_data", [False, True], ids=["address", "data"])
def test_some_of_the_files_are_taken_or_refused_in_words(server, as_data):
    names = sample()
    assert len(names) >= 30
    with polled(server):
        assert all_wrong(server, names, as_data=as_data) == {}
    is_unharmed(server)


@pytest.mark.parametrize(
    "as_data",
    [
        pytest.param(False, marks=pytest.mark.full, id="address"),
        # A twentieth of them come as data in `make test`; what becomes of them then is the same.
        pytest.param(True, marks=pytest.mark.long, id="data"),
    ],
)
def test_all_files_are_taken_or_refused_in_words(server, as_data):
    assert len(NAMES) >= 700
    with polled(server):
        assert all_wrong(server, NAMES, as_data=as_data) == {}
    is_unharmed(server)


KINDS = {
    **{kind: (Modality.IMAGE, picture(kind)) for kind in ("png", "jpeg", "webp", "bmp", "tiff", "gif")},
    "heic": (Modality.IMAGE, heic()),
    "mp4": (Modality.VIDEO, film()),
    "mov": (Modality.VIDEO, film(container="mov")),
    "wav": (Modality.AUDIO, sound()),
    "mp3": (Modality.AUDIO, sound("mp3")),
}


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_neither_name_nor_type_makes_a_file_another_kind(server, kind):
    modality, content = KINDS[kind]
    statuses = {}
    for label, media_type in LABELS.items():
        url = server.host.on(f"/{kind}/{label}", file(content, media_type=media_type))
        statuses[label] = server.submit(modality, url)[0]
    assert set(statuses.values()) == {200}
    for other in set(ROLES) - {modality}:
        url = server.host.on(f"/{kind}/{other}", file(content, media_type=f"{other}/{kind}"))
        status, answer = server.submit(other, url)
        assert status == 400
        assert f"({kind})" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (gzipped(picture()), 200),
        (gzip_lie(picture()), 200),
        (gzipped(picture() + bytes(40 << 20)), 400),
        (gzip_bomb(1 << 30), 400),
        (gzipped(CORPUS["m3u8 of a path"].content(Lure())), 400),
    ],
    ids=["packed", "said to be packed", "too large when unpacked", "a gigabyte when unpacked", "packed playlist"],
)
def test_what_comes_packed_is_unpacked_within_bounds(server: Server, reply: Reply, status: int):
    answered, answer = server.submit(Modality.IMAGE, server.host.on("/packed.png", reply))
    assert answered == status, answer
    assert 0 < peak_kb(server.pid) < SERVER_KB_MAX


def test_an_answer_that_is_wrong_is_noticed():
    refused, read = CORPUS["m3u8 of a path"], CORPUS["png of one pixel"]
    error = {"code": "InvalidParameter", "param": "content[1]", "type": "BadRequest"}
    assert wrong(refused, 200, {"id": "cgt-1"})
    assert wrong(refused, 500, {"error": error | {"message": "The parameter `content[1]` m3u8"}})
    assert wrong(refused, 400, {"error": error | {"message": "The parameter `content[1]` is bad"}})
    assert wrong(read, 400, {"error": error | {"message": "The parameter `content[1]` is damaged"}})
