"""Answers as values: a status, headers and bytes, or bytes that stream from elsewhere; how each goes out over ASGI."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

Header = tuple[bytes, bytes]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EVENTS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    # Behind nginx and its kin an event would wait for a buffer to fill.
    (b"x-accel-buffering", b"no"),
)

JSON: tuple[Header, ...] = ((b"content-type", b"application/json; charset=utf-8"),)

# A browser page of any origin may call: keys travel in a header that the page sets, never in a cookie.
CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        (
            b"X-Request-Id, X-Understudy-Warnings, Idempotent-Replayed, Retry-After, Content-Range, Accept-Ranges, "
            b"Content-Length, ETag, Content-Disposition, Preference-Applied, X-Understudy-Queue-Position, "
            b"X-Understudy-Eta-S"
        ),
    ),
)

BROKEN_OFF = "understudy.response.broken_off"
"""The type of the message, ours and not ASGI's, after which the connection is closed: the rest cannot be had."""

# RFC 9110 8.6: these have no body, and a Content-Length would describe one.
_BODILESS = frozenset({204, 304})

_log = logging.getLogger(__name__)


class ClientLeft(Exception):
    """Nobody takes the rest of a streamed answer: the client hung up, or has read nothing for too long."""


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
class StreamReply:
    """So many bytes, a part at a time, as fast as the client takes them and never ahead of it.

    parts: all the bytes; it may break off with OSError. None where the answer needs none, to HEAD or of no bytes.
    """

    status: int
    headers: tuple[Header, ...]
    length_bytes: int
    parts: AsyncGenerator[bytes] | None = None

    async def send(self, send: Send, shared: tuple[Header, ...], *, is_head: bool) -> None:
        """Send the parts; where they break off, close the connection, so that the client sees it and can go on."""
        headers = [*self.headers, (b"content-length", b"%d" % self.length_bytes), *shared]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if is_head or self.parts is None:
            await send({"type": "http.response.body", "body": b""})
            return
        left = self.length_bytes
        async with aclosing(self.parts) as parts:
            try:
                while left:
                    part = await anext(parts)
                    left -= len(part)
                    await send({"type": "http.response.body", "body": part, "more_body": left > 0})
                    # To a client as fast as the disk nothing here would ever wait, and others would.
                    await asyncio.sleep(0)
            except ClientLeft:
                return
            except (OSError, StopAsyncIteration) as error:
                _log.warning("an answer broke off %d bytes before its end: %s", left, error)
                await send({"type": BROKEN_OFF})


@dataclass(frozen=True, slots=True)
class EventReply:
    """A stream of events: how long it will be is not known, and it ends when they do.

    events: each a whole event; None to HEAD. is_chunked: whether the connection outlives it, as HTTP/1.1 has it. The
    edge writes what it is given and frames nothing, so it is framed here.
    """

    events: AsyncGenerator[bytes] | None
    is_chunked: bool
    status: int = 200

    async def send(self, send: Send, shared: tuple[Header, ...], *, is_head: bool) -> None:
        """Send each event when it comes; the next is not made before the client took the one before."""
        framing: tuple[Header, ...] = ((b"transfer-encoding", b"chunked"),) if self.is_chunked else ()
        headers = [*EVENTS, *framing, *shared]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if is_head or self.events is None:
            await send({"type": "http.response.body", "body": b""})
            return
        async with aclosing(self.events) as events:
            try:
                async for event in events:
                    part = b"%x\r\n%b\r\n" % (len(event), event) if self.is_chunked else event
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except ClientLeft:
                return
            except Exception:  # boundary: the head is out; all that can still be said is that something is missing
                _log.exception("a stream of events broke off")
                await send({"type": BROKEN_OFF})
                return
        await send({"type": "http.response.body", "body": b"0\r\n\r\n" if self.is_chunked else b""})


Answer = Reply | StreamReply | EventReply
