"""Answers as values: a status, headers and bytes, or a part of a file; how each goes out over ASGI."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Header = tuple[bytes, bytes]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON: tuple[Header, ...] = ((b"content-type", b"application/json; charset=utf-8"),)

# A browser page of any origin may call: keys travel in a header that the page sets, never in a cookie.
CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"X-Request-Id, X-Understudy-Warnings, Content-Range, Accept-Ranges, Content-Length, ETag, Content-Disposition",
    ),
)

# RFC 9110 8.6: these have no body, and a Content-Length would describe one.
_BODILESS = frozenset({204, 304})
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer in memory."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = JSON

    async def send(self, send: Send, shared: tuple[Header, ...], *, is_head: bool) -> None:
        """Send the answer. shared: headers that every answer carries."""
        headers = [*self.headers, *shared]
        if self.status not in _BODILESS:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else self.body})


@dataclass(frozen=True, slots=True)
class FileReply:
    """Bytes ``start`` to ``start + length_bytes`` of a file that never changes."""

    status: int
    path: Path
    start: int
    length_bytes: int
    headers: tuple[Header, ...]

    async def send(self, send: Send, shared: tuple[Header, ...], *, is_head: bool) -> None:
        """Send the part, a chunk at a time, as fast as the client takes it."""
        # Opened before the status goes out: a file that was purged meanwhile must not become half an answer.
        file = await asyncio.to_thread(self.path.open, "rb", 0)
        try:
            length = (b"content-length", b"%d" % self.length_bytes)
            await send(
                {"type": "http.response.start", "status": self.status, "headers": [*self.headers, length, *shared]}
            )
            left = 0 if is_head else self.length_bytes
            if left:
                await asyncio.to_thread(file.seek, self.start)
            while left:
                chunk = await asyncio.to_thread(file.read, min(left, _CHUNK_BYTES))
                if not chunk:
                    msg = f"{self.path} is shorter than it was"
                    raise EOFError(msg)
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if is_head or not self.length_bytes:
                await send({"type": "http.response.body", "body": b""})
        finally:
            file.close()


Answer = Reply | FileReply
