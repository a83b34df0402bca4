"""A hub of models on loopback: as much of its HTTP API as the hub's own library asks for, and what can go wrong."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
LFS_FROM_BYTES = 512
"""Files from this size on are told of by SHA-256, as large ones are on the real hub."""


@dataclass
class HubRepository:
    """A repository. served: bytes that come instead of a file's own. cut_after: bytes after which a connection ends,
    once each. asks: status and code with which its files are refused, such as (403, "GatedRepo").
    """

    files: dict[str, bytes]
    commit: str = COMMIT
    older: frozenset[str] = frozenset()
    """Commits that it still has, with the same files."""
    served: dict[str, bytes] = field(default_factory=dict)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    asks: tuple[int, str] | None = None
    waits_for: threading.Event | None = None
    """Files stop in the middle until it is set."""


@dataclass
class Hub:
    """The server's address, its repositories, and what was asked: (method, path, range)."""

    url: str
    repositories: dict[str, HubRepository]
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)

    def gets(self, path: str) -> list[str]:
        """Return the ranges with which a file was got, "" = whole."""
        return [span for method, at, span in self.asked if method == "GET" and at.endswith(f"/{path}")]


@contextmanager
def running_hub(repositories: Mapping[str, HubRepository]) -> Iterator[Hub]:
    hub = Hub(url="", repositories=dict(repositories))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unused_url() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"


def git_digest(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        is_api = path.startswith("/api/models/")
        owner, name, *rest = path.removeprefix("/api/models" if is_api else "").strip("/").split("/")
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            self._refuse(404, "RepoNotFound")
        elif is_api and rest[:1] == ["tree"]:
            self._json([_entry(path, body) for path, body in repository.files.items()])
        elif is_api:
            self._json({"id": f"{owner}/{name}", "sha": repository.commit, "siblings": []})
        elif repository.asks is not None:
            self._refuse(*repository.asks)
        elif rest[1] not in {repository.commit, *repository.older}:
            self._refuse(404, "RevisionNotFound")
        else:
            self._file(repository, "/".join(rest[2:]))

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, repository: HubRepository, path: str) -> None:
        if path not in repository.files:
            self._refuse(404, "EntryNotFound")
            return
        entry = _entry(path, repository.files[path])
        body = repository.served.get(path, repository.files[path])
        span = self.headers.get("Range", "")
        start = int(span.removeprefix("bytes=").partition("-")[0] or 0)
        self.send_response(206 if span else 200)
        self.send_header("ETag", f'"{entry.get("lfs", entry)["oid"]}"')
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - start))
        if span:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            self._send(repository, path, body[start:])

    def _send(self, repository: HubRepository, path: str, body: bytes) -> None:
        cuts = repository.cut_after.get(path)
        if cuts:
            self.wfile.write(body[: cuts.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        half = len(body) // 2
        self.wfile.write(body[:half])
        self.wfile.flush()
        if repository.waits_for is not None and len(body) >= LFS_FROM_BYTES:
            self.hub.began.set()
            repository.waits_for.wait(timeout=60)
        self.wfile.write(body[half:])


def _entry(path: str, body: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(body), "oid": git_digest(body)}
    if len(body) >= LFS_FROM_BYTES:
        entry["lfs"] = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 130}
    return entry
