"""Bad connections: what is not HTTP, what never ends, what comes too slowly; each is told off and closed."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from running_server import RunningServer, running_server
from understudy.server.house import Limits

TASKS = "/api/v3/contents/generations/tasks"
BODY = json.dumps(
    {"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A cat"}], "seed": -2}
).encode()


@pytest.fixture(autouse=True)
def nothing_is_stored_and_the_server_still_serves(server: RunningServer) -> Iterator[None]:
    yield
    assert server.stored() == ()
    assert server.call("GET", TASKS).json() == {"items": [], "total": 0}


# What is not HTTP


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nBad Header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_what_is_not_http_is_answered_in_arks_shape_and_closed(server, sent):
    received = server.say(sent)
    head, _, answered = received.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), received
    assert json.loads(answered[: answered.rindex(b"}") + 1])["error"]["message"]


def test_headers_without_end_are_cut_off_by_size(server):
    line = b"X-Padding: " + b"x" * 1000 + b"\r\n"
    received = server.say(b"GET / HTTP/1.1\r\nHost: h\r\n" + line * 5000)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"param":"headers"' in received
    assert b"must be at most" in received


def in_crumbs(server: RunningServer, count: int) -> bytes:
    head = f"POST {TASKS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.api_key}\r\nConnection: close\r\n"
    return server.say(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * count + b"0\r\n\r\n")


def test_a_body_in_crumbs_is_refused_before_it_keeps_others_waiting(server):
    assert b"too many small chunks" in in_crumbs(server, 20_000)


def test_a_body_in_a_few_small_chunks_is_read(server):
    assert b"too many small chunks" not in in_crumbs(server, 500)


# Time, with limits short enough for a test


@pytest.fixture
def hasty(tmp_path: Any) -> Iterator[RunningServer]:
    limits = Limits(head_timeout_s=0.2, body_timeout_s=0.2, large_body_bytes=1000, large_bodies_at_once=1)
    with running_server(tmp_path, limits=limits) as running:
        yield running


def post_head(server: RunningServer, *lines: str) -> bytes:
    head = [f"POST {TASKS} HTTP/1.1", "Host: h", f"Authorization: Bearer {server.api_key}", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def test_a_body_that_never_comes_is_told_off_in_time_and_cut(hasty):
    received = hasty.say(post_head(hasty, "Content-Length: 100") + b'{"model"')
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"param":"body"' in received
    assert b"did not arrive within 0.2 seconds" in received


def test_headers_that_never_end_are_told_off_in_time_and_cut(hasty):
    received = hasty.say(b"POST / HTTP/1.1\r\nHost: h\r\nX-")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"param":"headers"' in received


def test_a_connection_that_says_nothing_is_closed(hasty):
    assert hasty.say(b"") == b""


def test_a_large_body_that_finds_no_slot_is_told_to_come_back(tmp_path):
    limits = Limits(large_body_wait_s=0.1, large_body_bytes=1000, large_bodies_at_once=0)
    with running_server(tmp_path, limits=limits) as server:
        answer = server.call("POST", TASKS, BODY + b" " * 2000)
        assert (answer.status, answer.error["code"], answer.error["param"]) == (429, "ServerOverloaded", "body")


def test_a_client_that_hangs_up_in_mid_body_gives_its_slot_back(tmp_path):
    limits = Limits(body_timeout_s=20.0, large_body_bytes=1000, large_bodies_at_once=1)
    with running_server(tmp_path, limits=limits) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(post_head(server, "Content-Length: 5000") + b" " * 2000)
        for _ in range(2):
            assert server.call("POST", TASKS, BODY + b" " * 2000).error["param"] == "seed"
