"""An HTTP host on a loopback port that serves real files and misbehaves on request, for whatever fetches media.

    with media_host() as host:
        url = host.on("/cat.png", file(Path("cat.png")))             # a file, with ETag and Range
        url = host.on("/cat.png", status(503), cut(png, 1000), file(png))   # in turn; the last one from then on
        url = host.on("/a", redirect("/b"))                          # or to any other address
        host.otherwise(file(png))                                    # every path that has no answer of its own
        host.requests                                                # what was asked: method, target, headers, body
        host.contacts                                                # connections made, whether or not they said a word

Replies (each is a function of the request and the connection; write your own where none fits):

``file(content)`` bytes or a path · ``status(403)`` · ``redirect(to, 307)`` · ``cut(content, n)`` n bytes, then the
connection is closed · ``reset(content, n)`` n bytes, then it is reset · ``chunked(content)`` no Content-Length ·
``declared(content, n)`` Content-Length says n · ``drip(content, pause_s)`` one byte at a time · ``endless()`` a body
that never ends, chunked or with a huge declared length · ``endless_headers()`` · ``gzipped(content)`` honest gzip ·
``gzip_lie(content)`` says gzip and is not · ``gzip_bomb(size_bytes)`` · ``raw(sent)`` these bytes and nothing else ·
``silent()`` says nothing until the caller leaves.

``media_host(address="127.0.0.2", port=host.port, tls=context)``: another loopback address, a chosen port, TLS. A host's
``url`` has no path; ``host.at("https://cdn.example/x/cat.png?v=1")`` is that path on this host. Every answer closes its
connection. Waiting replies end when the host does.
"""

import gzip
import hashlib
import mimetypes
import re
import socket
import socketserver
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

HEADERS_BYTES_MAX = 1 << 20
GONE = (ConnectionError, TimeoutError, ssl.SSLError)


@dataclass(frozen=True)
class Asked:
    """One request as it came. target: path and query as they were sent. headers: lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path if self.target.startswith("/") else self.target


@dataclass(frozen=True)
class Connection:
    """Where a reply is written to. is_over: set when the host stops."""

    socket: socket.socket
    is_over: threading.Event

    def send(self, sent: bytes) -> None:
        self.socket.sendall(sent)

    def head(self, code: int, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        lines = [f"HTTP/1.1 {code} Said", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def wait(self, pause_s: float) -> bool:
        """Return False once there is no use in going on."""
        return not self.is_over.wait(pause_s)


Reply = Callable[[Asked, Connection], None]

GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def _bytes_of(content: bytes | Path) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


def _type_of(asked: Asked, content: bytes | Path) -> str:
    name = content.name if isinstance(content, Path) else asked.path
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def file(content: bytes | Path, *, media_type: str = "", has_ranges: bool = True, etag: str | None = None) -> Reply:
    """Serve a file as a good host does. etag: as sent, quotes and all; "" = none; by default of the content."""

    def reply(asked: Asked, connection: Connection) -> None:
        body = _bytes_of(content)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if etag is None else etag
        headers = {"Content-Type": media_type or _type_of(asked, content)}
        headers |= {"ETag": tag} if tag else {}
        headers |= {"Accept-Ranges": "bytes"} if has_ranges else {}
        code, part = 200, body
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if has_ranges and wanted and asked.headers.get("if-range", tag) == tag:
            first, last = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
            if first > last:
                connection.head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
                return
            code, part = 206, body[first : last + 1]
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        connection.head(code, headers | {"Content-Length": str(len(part))})
        if asked.method != "HEAD":
            connection.send(part)

    return reply


def status(code: int, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    """Answer with a status and nothing more."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.head(code, {"Content-Length": str(len(body)), **headers})
        connection.send(body)

    return reply


def redirect(to: str, code: int = 302) -> Reply:
    """Lead elsewhere; the address is sent as it is written."""
    return status(code, b"moved", {"Location": to})


def declared(content: bytes, length_bytes: int, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    """Declare one length, send another."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.head(200, {"Content-Length": str(length_bytes), **headers})
        connection.send(content)

    return reply


def cut(content: bytes, after_bytes: int, *, etag: str | None = None) -> Reply:
    """Send the head of a whole file and its first bytes, then close."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"' if etag is None else etag
    headers = {"Accept-Ranges": "bytes"} | ({"ETag": tag} if tag else {})
    return declared(content[:after_bytes], len(content), headers)


def reset(content: bytes = b"", after_bytes: int = 0, *, etag: str | None = None) -> Reply:
    """Like `cut`, but the connection is reset; without content, before a word was said."""
    begun = cut(content, after_bytes, etag=etag)

    def reply(asked: Asked, connection: Connection) -> None:
        if content:
            begun(asked, connection)
        # A linger of no time turns the close into a reset (socket(7)).
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return reply


def _chunk(part: bytes) -> bytes:
    return f"{len(part):x}\r\n".encode() + part + b"\r\n"


def chunked(content: bytes, part_bytes: int = 65536) -> Reply:
    """Send a file in chunks, its length unsaid."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.head(200, {"Transfer-Encoding": "chunked"})
        for start in range(0, len(content), part_bytes):
            connection.send(_chunk(content[start : start + part_bytes]))
        connection.send(b"0\r\n\r\n")

    return reply


def drip(content: bytes, pause_s: float) -> Reply:
    """Send a file one byte at a time."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.head(200, {"Content-Length": str(len(content))})
        for each in content:
            if not connection.wait(pause_s):
                return
            connection.send(bytes([each]))

    return reply


def endless(declared_bytes: int | None = None) -> Reply:
    """Send a body until the caller leaves. declared_bytes: the Content-Length; None = chunked."""

    def reply(_: Asked, connection: Connection) -> None:
        part = bytes(65536)
        if declared_bytes is None:
            connection.head(200, {"Transfer-Encoding": "chunked"})
        else:
            connection.head(200, {"Content-Length": str(declared_bytes)})
        while not connection.is_over.is_set():
            connection.send(_chunk(part) if declared_bytes is None else part)

    return reply


def endless_headers() -> Reply:
    """Send header lines until the caller leaves."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while not connection.is_over.is_set():
            connection.send(b"X-More: and more\r\n" * 100)

    return reply


def endless_promises() -> Reply:
    """Send hints of an answer until the caller leaves."""

    def reply(_: Asked, connection: Connection) -> None:
        while not connection.is_over.is_set():
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    return reply


def gzipped(content: bytes) -> Reply:
    """Send a file compressed, and say so, whatever the caller accepts."""
    return status(200, gzip.compress(content, mtime=0), {"Content-Encoding": "gzip"})


def gzip_lie(content: bytes) -> Reply:
    """Send a file as it is and say that it is compressed (seed 004, "Technical Specifications")."""
    return status(200, content, {"Content-Encoding": "gzip"})


def gzip_bomb(size_bytes: int) -> Reply:
    """Send zeros, a thousandth of their size on the wire; in whole MiB."""
    part, count = bytes(1 << 20), -(-size_bytes >> 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # A full flush forgets what came before, so that one part, packed once, can be repeated: to pack all takes seconds.
    packed = packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(count):
        checksum = zlib.crc32(part, checksum)
    end = packer.flush() + struct.pack("<II", checksum, (count << 20) & 0xFFFFFFFF)
    return status(200, GZIP_HEAD + packed * count + end, {"Content-Encoding": "gzip"})


def raw(sent: bytes) -> Reply:
    """Send these bytes, whatever they are."""
    return lambda _, connection: connection.send(sent)


def silent() -> Reply:
    """Say nothing until the caller leaves or the host stops."""

    def reply(_: Asked, connection: Connection) -> None:
        connection.socket.settimeout(0.05)
        while not connection.is_over.is_set():
            with suppress(TimeoutError):
                if not connection.socket.recv(1024):
                    return

    return reply


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    accepted: Callable[[tuple[str, int]], None]

    def verify_request(self, request: object, client_address: tuple[str, int]) -> bool:
        # Still in the thread that accepts: connections are noted in the order they were made.
        self.accepted(client_address)
        return True


class MediaHost:
    """What a test has of the host. url: no path. requests: in the order they came, from whichever connection."""

    def __init__(self, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.requests: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}
        self._otherwise: Reply = status(404)
        self._over = threading.Event()
        self._lock = threading.Condition()
        self._peers: list[tuple[str, int]] = []
        self._own = 0
        self._tls = tls
        listener = type("_Family", (_Listener,), {"address_family": socket.AF_INET6}) if ":" in address else _Listener
        self._server = listener((address, port), self._answer)
        self._server.accepted = self._note
        self.port: int = self._server.server_address[1]
        self.address = address
        named = f"[{address}]" if ":" in address else address
        self.url = f"{'https' if tls else 'http'}://{named}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def on(self, path: str, *replies: Reply) -> str:
        """Answer a path with these, in turn, the last one from then on; return its address on this host."""
        with self._lock:
            self._replies[path] = list(replies)
        return self.url + path

    def otherwise(self, reply: Reply) -> None:
        """Answer every path that has no answer of its own; by default with 404."""
        self._otherwise = reply

    def at(self, url: str) -> str:
        """Return the address on this host that has the path and query of any other."""
        parts = urlsplit(url)
        return self.url + parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def contacts(self) -> int:
        """How many connections were made to this host. All of them are counted, also one made a moment ago."""
        # Connections are accepted in the order they were made: once our own was, so was every earlier one. What is ours
        # is counted and not remembered by its port, which a later connection may have again.
        with self._lock:
            earlier = len(self._peers)
        with socket.create_connection((self.address, self.port), timeout=10) as own:
            name = own.getsockname()[:2]
            with self._lock:
                is_seen = self._lock.wait_for(lambda: name in self._peers[earlier:], timeout=10)
                assert is_seen, "the host does not listen"
                self._own += 1
                return len(self._peers) - self._own

    def stop(self) -> None:
        """Stop listening and let replies that wait end."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def _note(self, peer: tuple[str, int]) -> None:
        with self._lock:
            self._peers.append(peer[:2])
            self._lock.notify_all()

    def _answer(self, connection: socket.socket, _: tuple[str, int], __: socketserver.BaseServer) -> None:
        with suppress(*GONE):
            self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            asked = _asked(connection)
            if asked is None:
                return
            with self._lock:
                self.requests.append(asked)
                replies = self._replies.get(asked.target) or self._replies.get(asked.path)
                reply = self._otherwise if not replies else replies.pop(0) if len(replies) > 1 else replies[0]
            reply(asked, Connection(connection, self._over))


def _asked(connection: socket.socket) -> Asked | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part or len(received) > HEADERS_BYTES_MAX:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length_bytes = int(headers.get("content-length", "0"))
    while len(body) < length_bytes and (part := connection.recv(65536)):
        body += part
    return Asked(method, target, headers, body)


@contextmanager
def media_host(address: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[MediaHost]:
    """Serve until the block ends."""
    host = MediaHost(address, port, tls)
    try:
        yield host
    finally:
        host.stop()
