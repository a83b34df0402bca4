"""Reading request bodies within bounds: size and, for large ones, how many at once. Their time is `protocol`'s."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from understudy.core.errors import RateLimited, Rejected, Violation
from understudy.dialects.form import FORM_TYPES, read_form
from understudy.dialects.json_body import read_object
from understudy.server.endpoint import Call, ClientGone
from understudy.server.house import Limits

_UNENCODED = (b"", b"identity")


class BodyReader:
    """Reads requests; holds the slots for large bodies."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.large_bodies_at_once)

    async def read(self, call: Call) -> Mapping[str, Any]:
        """Read the body's object: JSON, or a form where one of the dialects that can be meant takes forms.

        Raises: Rejected: too large, compressed, or no object. RateLimited: no slot became free.
        ClientGone.
        """
        encoding = call.headers.get(b"content-encoding")
        if encoding is not None and encoding.strip().lower() not in _UNENCODED:
            raise _refusal("Content-Encoding", "The request body must not be compressed: send plain JSON.")
        most = call.codec.profile.body_bytes_max
        declared = call.headers.get(b"content-length")
        if declared is not None and int(declared) > most:
            raise _too_large(most)
        parts: list[bytes] = []
        small_most = min(self._limits.large_body_bytes, most)
        size_bytes, is_whole = await self._receive(call, parts, small_most)
        if is_whole and size_bytes <= small_most:
            return _object_of(call, parts[0] if len(parts) == 1 else b"".join(parts))
        async with self._slot():
            if not is_whole:
                size_bytes, is_whole = await self._receive(call, parts, most)
            if size_bytes > most:
                raise _too_large(most)
            body = b"".join(parts)
            parts.clear()
            # In a thread, because tens of megabytes take a while and everybody else would wait.
            return await asyncio.to_thread(_object_of, call, body)

    async def _receive(self, call: Call, parts: list[bytes], enough_bytes: int) -> tuple[int, bool]:
        """Add to ``parts`` until the body ends or they are more than enough; return their size and whether it ended."""
        size_bytes = sum(map(len, parts))
        while size_bytes <= enough_bytes:
            message = await call.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message["body"])
            size_bytes += len(message["body"])
            if not message["more_body"]:
                return size_bytes, True
        return size_bytes, False

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._limits.large_body_wait_s):
                await self._slots.acquire()
        except TimeoutError:
            message = "The server is reading too many large requests at once. Send media as URLs, or try again later."
            raise RateLimited(Violation("ServerOverloaded", "body", message)) from None
        try:
            yield
        finally:
            self._slots.release()


def _object_of(call: Call, body: bytes) -> Mapping[str, Any]:
    content_type = call.headers.get(b"content-type", b"")
    is_form = content_type.split(b";", 1)[0].strip().lower() in FORM_TYPES
    if is_form and any(call.house.codecs[name].profile.takes_forms for name in call.dialects):
        return read_form(content_type, body)
    return read_object(body)


def _too_large(size_bytes: int) -> Rejected:
    return _refusal("body", f"The request body must be at most {size_bytes} bytes. Send media as URLs instead.")


def _refusal(param: str, message: str) -> Rejected:
    return Rejected(Violation("InvalidParameter", param, message))
