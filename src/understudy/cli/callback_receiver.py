"""A small receiver of callbacks on this machine, for those who develop one: it checks, keeps, passes on and answers."""

import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from understudy.dialects.webhook_signature import ID, NotGenuine, check

BODY_BYTES_MAX = 1 << 24
"""Far above any task; a bound against senders that are none."""

FORWARD_TIMEOUT_S = 30.0
"""Longer than senders wait: whoever is debugging the other side may still see what it answered."""

WAITING_MAX = 1000
WAIT_S = 0.2
ANSWER_WAIT_S = 2.0
LENGTH_REQUIRED, BAD_GATEWAY = 411, 502
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "accept-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One callback. is_genuine: None = not checked. status: what was answered. headers: lower-case names."""

    at_s: float
    headers: Mapping[str, str]
    body: bytes
    is_genuine: bool | None
    fault: str
    status: int

    @property
    def id(self) -> str:
        """What repetitions are told by."""
        return self.headers.get(ID, "")

    def told(self) -> dict[str, Any]:
        """Return it for programs; a body that is no JSON as text."""
        try:
            body: Any = json.loads(self.body)
        except ValueError:
            body = self.body.decode("utf-8", "replace")
        found: dict[str, Any] = {"at": round(self.at_s, 3), "id": self.id, "genuine": self.is_genuine}
        fault = {"fault": self.fault} if self.fault else {}
        return {**found, **fault, "answered": self.status, "headers": dict(self.headers), "body": body}


class Receiver:
    """Takes callbacks. key: what signatures are checked with, None = they are not. status: the answer.

    forward_to: where each is passed on to; what comes back is the answer. What is not genuine is not passed on.

    Raises: ValueError for an address that is none.
    """

    def __init__(self, *, key: bytes | None, forward_to: str | None, status: int) -> None:
        if forward_to is not None and urlsplit(forward_to).scheme not in ("http", "https"):
            raise ValueError(f"--forward-to must be an http:// or https:// address, not {forward_to!r}")
        self._key = key
        self._forward_to = forward_to
        self._status = status
        self._came: queue.Queue[tuple[Received, threading.Event]] = queue.Queue(WAITING_MAX)
        # Not through a proxy: the address is the developer's own.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def take(self, headers: Mapping[str, str], body: bytes, *, is_answered: threading.Event) -> int:
        """Check one, pass it on and keep it; return the status to answer. is_answered: to be set after that."""
        at_s, is_genuine, fault, status = time.time(), None, "", self._status
        if self._key is not None:
            try:
                check(headers, body, key=self._key, now_s=at_s)
                is_genuine = True
            except NotGenuine as error:
                is_genuine, fault, status = False, str(error), 401
        if self._forward_to is not None and is_genuine is not False:
            status, fault = self._passed_on(self._forward_to, headers, body)
        received = Received(at_s=at_s, headers=headers, body=body, is_genuine=is_genuine, fault=fault, status=status)
        self._came.put((received, is_answered))
        return status

    def received(self) -> Iterator[Received]:
        """Yield each as it came, for ever, once it is answered: after the last one nobody is left to answer."""
        while True:
            try:
                # Not without a bound: Ctrl-C is heard between two waits.
                received, is_answered = self._came.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            is_answered.wait(ANSWER_WAIT_S)
            yield received

    def _passed_on(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        kept = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        request = urllib.request.Request(url, body, kept, method="POST")  # noqa: S310 - its scheme was checked
        try:
            with self._opener.open(request, timeout=FORWARD_TIMEOUT_S) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            return error.code, ""
        except (OSError, HTTPException) as error:
            return BAD_GATEWAY, f"it could not be passed on: {getattr(error, 'reason', error)}"


@contextmanager
def receiver_at(host: str, port: int, receiver: Receiver) -> Iterator[str]:
    """Listen until the block ends; gives the address. Raises: OSError."""

    class Handler(BaseHTTPRequestHandler):
        timeout = FORWARD_TIMEOUT_S

        def do_POST(self) -> None:  # tidy: the name that the library looks for
            size = self.headers.get("Content-Length", "0")
            if not (size.isascii() and size.isdigit() and int(size) <= BODY_BYTES_MAX):
                self._answer(LENGTH_REQUIRED)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_answered = threading.Event()
            self._answer(receiver.take(headers, self.rfile.read(int(size)), is_answered=is_answered))
            is_answered.set()

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer((host, port), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
