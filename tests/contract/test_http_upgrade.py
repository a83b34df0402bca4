"""Clients that offer to go on in another protocol, as Java's HttpClient does with HTTP/2, are served in HTTP/1.1."""

import json
import socket

import pytest

from running_server import RunningServer

TASKS = "/api/v3/contents/generations/tasks"
BODY = json.dumps(
    {"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A cat"}], "duration": 4}
).encode()
OFFER = ("Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAAB", "Upgrade: h2c")
"""What Java's HttpClient sends with each first request to an http:// address, whatever it is asked for."""


def head(server: RunningServer, *lines: str, method: str = "POST") -> bytes:
    key = f"Authorization: Bearer {server.api_key}"
    return "\r\n".join([f"{method} {TASKS} HTTP/1.1", "Host: h", key, *lines, "", ""]).encode()


def exchange(server: RunningServer, *parts: bytes, answers: int = 1) -> bytes:
    """Send the parts, each in a packet of its own as far as that can be had, and read so many answers."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        for part in parts:
            connection.sendall(part)
        while received.count(b"HTTP/1.1 ") < answers or not received.endswith(b"}"):
            more = connection.recv(65536)
            if not more:
                break
            received += more
        return received


@pytest.mark.parametrize("length", [f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("in_one_packet", [True, False])
def test_a_body_behind_an_offer_to_upgrade_is_read(server, length, in_one_packet):
    body = BODY if length.startswith("Content") else b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    sent = (head(server, *OFFER, length), body)
    received = exchange(server, *([b"".join(sent)] if in_one_packet else sent))
    assert received.startswith(b"HTTP/1.1 200 "), received
    (task,) = server.stored()
    assert task.request.duration_s == 4


def test_a_body_behind_an_offer_to_upgrade_is_no_request_of_its_own(server):
    inner = head(server, f"Content-Length: {len(BODY)}") + BODY
    received = exchange(server, head(server, *OFFER, f"Content-Length: {len(inner)}"), inner)
    assert received.startswith(b"HTTP/1.1 400 "), received
    assert received.count(b"HTTP/1.1 ") == 1
    assert server.stored() == ()


def test_a_get_with_an_offer_to_upgrade_is_answered_and_so_is_what_follows(server):
    received = exchange(server, head(server, *OFFER, method="GET") * 3, answers=3)
    assert received.count(b"HTTP/1.1 200 ") == 3
    assert received.count(b'{"items":[],"total":0}') == 3


@pytest.mark.parametrize(
    "sent", ["HTTP/1.1\r\nConnection: close, Upgrade", "HTTP/1.0\r\nConnection: Upgrade"], ids=["close", "1.0"]
)
def test_an_offer_on_a_connection_that_is_to_be_closed_is_declined_with_an_answer(server, sent):
    asked = f"POST {TASKS} {sent}\r\nUpgrade: h2c\r\nHost: h\r\nAuthorization: Bearer {server.api_key}\r\n"
    received = exchange(server, f"{asked}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
    assert received.startswith(b"HTTP/1.1 200 "), received
    assert len(server.stored()) == 1


def test_an_offer_of_a_websocket_is_declined_with_an_answer(server):
    received = exchange(server, head(server, "Connection: Upgrade", "Upgrade: websocket", method="GET"))
    assert received.startswith(b"HTTP/1.1 200 "), received


def test_a_refused_body_behind_an_offer_to_upgrade_leaves_the_connection_in_step(server):
    bad = head(server, *OFFER, "Content-Length: 3") + b"no!"
    received = exchange(server, bad + head(server, method="GET"), answers=2)
    first, _, second = received.partition(b"}HTTP/1.1 ")
    assert first.startswith(b"HTTP/1.1 400 ")
    assert second.startswith(b"200 ")
