"""Large bodies over HTTP: what they may cost, whom they may hold up, and how what is wrong in them is told."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from running_server import RunningServer, running_server
from understudy.dialects.ark import ARK
from understudy.server.house import Limits

TASKS = "/api/v3/contents/generations/tasks"
BODY_MOST = ARK.profile.body_bytes_max
MB = 1 << 20
LARGE = base64.b64encode(bytes(range(256)) * 8192).decode()


def item(
    kind: str, data: str = LARGE, media_type: str = "image/png", role: str = "reference_image"
) -> dict[str, object]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": f"data:{media_type};base64,{data}"}, "role": role}


def body(*items: object, model: str = "doubao-seedance-2-0-260128") -> bytes:
    return json.dumps({"model": model, "content": [{"type": "text", "text": "A cat"}, *items]}).encode()


def head(server: RunningServer, size_bytes: int) -> bytes:
    lines = [f"POST {TASKS} HTTP/1.1", "Host: h", f"Authorization: Bearer {server.api_key}"]
    return ("\r\n".join([*lines, f"Content-Length: {size_bytes}"]) + "\r\n\r\n").encode()


@pytest.fixture(autouse=True)
def the_server_still_serves(server: RunningServer) -> Iterator[None]:
    yield
    assert server.call("GET", TASKS).status == 200


@pytest.mark.parametrize("cut", [1, 2, 5, 100_001])
def test_damaged_base64_is_refused_by_the_name_of_its_item(server, cut):
    answer = server.call("POST", TASKS, body(item("image"), item("image", LARGE[:-cut])))
    assert (answer.status, answer.error["param"]) == (400, "content[2].image_url.url")
    assert "base64" in answer.error["message"]
    assert len(answer.body) < 2000


def test_what_is_wrong_beside_large_media_is_told_as_ever(server):
    sent = [item("image"), item("audio", media_type="audio/wav", role="first_frame")]
    small = [item("image", "AAAA"), item("audio", "AAAA", media_type="audio/wav", role="first_frame")]
    large, same = (server.call("POST", TASKS, body(*each)).error for each in (sent, small))
    assert {**large, "message": ""} == {**same, "message": ""}


@pytest.mark.parametrize(
    ("text", "size_bytes", "told"),
    [
        (b'"' + b"a" * 1000, BODY_MOST + MB, "at most"),
        (b'{"a":"data:image/png;base64,' + b"A" * 5000, BODY_MOST + MB, "at most"),
        (b" ", BODY_MOST + MB, "at most"),
        (b"]", BODY_MOST + MB, "at most"),
        (b"[", 10 * MB, "commas and opening brackets"),
    ],
    ids=["text", "data", "spaces", "closers", "openers"],
)
def test_a_body_without_end_is_refused(server, text, size_bytes, told):
    def endless() -> Iterator[bytes]:
        yield text
        for _ in range(size_bytes // MB):
            yield text[-1:] * MB

    answer = server.call("POST", TASKS, endless())
    assert (answer.status, answer.error["param"]) == (400, "body")
    assert told in answer.error["message"]


def test_a_hundred_thousand_tiny_data_urls_are_refused(server):
    answer = server.call("POST", TASKS, json.dumps({"content": ["data:image/png;base64,AAAA"] * 100_000}).encode())
    assert (answer.status, answer.error["param"]) == (400, "body")


def test_a_prompt_that_is_a_data_url_stays_a_prompt(server):
    words = f"data:image/png;base64,{LARGE[:20_000]}"
    sent = {"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": words}], "x": LARGE}
    wire_id = server.call("POST", TASKS, json.dumps(sent).encode()).json()["id"]
    assert [each.value for each in server.task(wire_id).request.content] == [words]


def test_stalled_clients_of_one_key_do_not_hold_up_another(tmp_path):
    limits = Limits(large_body_bytes=1000, large_body_wait_s=0.1)
    large = body(item("image"), model="unknown")
    with running_server(tmp_path, limits=limits) as server, ExitStack() as opened:
        for _ in range(limits.bodies_spooled_at_once // 2):
            stalled = opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            stalled.sendall(head(server, len(large)) + large[:5000])
        while (refused := server.call("POST", TASKS, large)).status != 429:
            assert refused.status == 404
        assert refused.error["code"] == "ServerOverloaded"
        assert server.to_a_new_caller().call("POST", TASKS, large).status == 404


def test_a_client_that_stalls_is_told_so_and_leaves_its_place(tmp_path):
    limits = Limits(large_body_bytes=1000, body_pace_s=0.1, bodies_spooled_at_once=1, head_timeout_s=0.2)
    large = body(item("image"), model="unknown")
    with running_server(tmp_path, limits=limits) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as stalled:
            stalled.sendall(head(server, len(large)) + large[:5000])
            received = stalled.recv(65536)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b"arrives too slowly" in received
        assert server.call("POST", TASKS, large).status == 404
