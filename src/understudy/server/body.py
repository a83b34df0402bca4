"""Reading request bodies within bounds: size, memory, how many at once, and how slowly.

A small body is gathered and parsed. Of a large one the media go to files while it arrives, see `json_spool` and
`multipart`, and only the rest is held. The time of the whole body is `protocol`'s.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from understudy.core.errors import Rejected, Violation
from understudy.dialects.form import FORM_TYPES, MULTIPART, object_of, open_multipart, read_form
from understudy.dialects.json_body import read_object, read_text, text_of
from understudy.dialects.json_spool import JsonSpool, Spool
from understudy.dialects.multipart import MultipartForm
from understudy.server.endpoint import Call, ClientGone
from understudy.server.house import Limits
from understudy.server.spool import GATHERED_BYTES, BodySpool, SpoolDir
from understudy.service.places import Places

_UNENCODED = (b"", b"identity")
_SLICE_BYTES = 1 << 15
"""Scanned in one go, while everybody else waits: some 20 us of base64, 12 ms of text made to be slow."""


class BodyReader:
    """Reads requests. spool_dir: where media are written while their request is answered; emptied here."""

    def __init__(self, limits: Limits, spool_dir: Path | None = None) -> None:
        self._limits = limits
        self._spools = SpoolDir(spool_dir)
        self._spooling = Places(limits.bodies_spooled_at_once, wait_s=limits.large_body_wait_s)
        self._decoding = Places(limits.large_bodies_at_once, wait_s=limits.large_body_wait_s)

    async def read(self, call: Call) -> Mapping[str, Any]:
        """Read the body's object: JSON, or a form where one of the dialects that can be meant takes forms.

        The files of a large body are in ``call.spooled`` then, for as long as the request is answered.

        Raises: Rejected: too large, too slow, compressed, or no object. RateLimited: no place became free.
        Unavailable: the disk is full. ClientGone.
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
        async with self._spooling.place(call.owner):
            arriving = _Arriving(call, self._limits, most_bytes=most, parts=parts, is_whole=is_whole)
            return await self._read_large(call, arriving)

    async def _receive(self, call: Call, parts: list[bytes], enough_bytes: int) -> tuple[int, bool]:
        """Add to ``parts`` until the body ends or they are more than enough; return their size and whether it ended."""
        size_bytes = 0
        while size_bytes <= enough_bytes:
            message = await call.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message["body"])
            size_bytes += len(message["body"])
            if not message["more_body"]:
                return size_bytes, True
        return size_bytes, False

    async def _read_large(self, call: Call, arriving: "_Arriving") -> Mapping[str, Any]:
        spool = call.spool = self._spools.open()
        sink = _sink_of(call, spool, arriving.first_byte())
        try:
            async with AsyncExitStack() as held:
                is_decoding = False
                while (data := await arriving.slice()) is not None:
                    sink.feed(data)
                    if not is_decoding and sink.text_bytes > self._limits.large_body_bytes:
                        await held.enter_async_context(self._decoding.place(call.owner))
                        is_decoding = True
                    if spool.gathered_bytes >= GATHERED_BYTES:
                        await spool.flush()
                # In a thread where it is much, because everybody else would wait.
                fields = await asyncio.to_thread(sink.fields) if is_decoding else sink.fields()
                await spool.flush()
        finally:
            sink.close()
        call.spooled = spool.files
        return fields


class _Arriving:
    """A large body on its way. parts: what has come already."""

    def __init__(self, call: Call, limits: Limits, *, most_bytes: int, parts: list[bytes], is_whole: bool) -> None:
        self._call = call
        self._limits = limits
        self._most_bytes = most_bytes
        self._parts = parts
        self._is_whole = is_whole
        self._size_bytes = 0
        self._data, self._at = b"", 0
        # Waiting for the client only: what the server itself is slow at is not held against her.
        self._waited_s = 0.0
        self._paced_bytes = 0

    def first_byte(self) -> bytes:
        """Return the first byte that is no white space; b"" where there is none yet."""
        return next((part.lstrip()[:1] for part in self._parts if not part.isspace()), b"")

    async def slice(self) -> bytes | None:
        """Return the next small part of the body, having given way to others; None at its end.

        Raises: Rejected: too large, too slow. ClientGone.
        """
        if self._at >= len(self._data):
            if self._parts:
                self._data = self._parts.pop(0)
            elif self._is_whole:
                return None
            else:
                self._data = await self._next()
            self._at = 0
            self._size_bytes += len(self._data)
            if self._size_bytes > self._most_bytes:
                raise _too_large(self._most_bytes)
        await asyncio.sleep(0)
        start, self._at = self._at, self._at + _SLICE_BYTES
        return self._data[start : self._at]

    async def _next(self) -> bytes:
        limits, loop = self._limits, asyncio.get_running_loop()
        asked = loop.time()
        try:
            async with asyncio.timeout(max(limits.body_pace_s - self._waited_s, 0.0)):
                message = await self._call.receive()
        except TimeoutError:
            told = f"at least {limits.body_pace_bytes} bytes in {limits.body_pace_s:g} seconds are expected"
            raise _refusal("body", f"The request body arrives too slowly: {told}.") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        data: bytes = message["body"]
        self._is_whole = not message["more_body"]
        self._waited_s += loop.time() - asked
        self._paced_bytes += len(data)
        if self._paced_bytes >= limits.body_pace_bytes:
            self._waited_s, self._paced_bytes = 0.0, 0
        return data


class _Sink(Protocol):
    """Takes a large body as it comes. text_bytes: what it holds in memory."""

    @property
    def text_bytes(self) -> int: ...

    def feed(self, data: bytes) -> None: ...

    def fields(self) -> Mapping[str, Any]: ...

    def close(self) -> None: ...


class _JsonSink:
    def __init__(self, spool: Spool) -> None:
        self._json = JsonSpool(spool)

    @property
    def text_bytes(self) -> int:
        return len(self._json.text)

    def feed(self, data: bytes) -> None:
        self._json.feed(data)

    def fields(self) -> Mapping[str, Any]:
        self._json.end()
        text = text_of(self._json.text)
        # Before it is parsed: each of the two may be tens of megabytes.
        self._json.text.clear()
        return read_text(text)

    def close(self) -> None:
        self._json.text.clear()


class _MultipartSink:
    def __init__(self, form: MultipartForm) -> None:
        self._form = form

    @property
    def text_bytes(self) -> int:
        return self._form.text_bytes

    def feed(self, data: bytes) -> None:
        self._form.feed(data)

    def fields(self) -> Mapping[str, Any]:
        return object_of(self._form.end())

    def close(self) -> None:
        self._form.close()


class _UrlencodedSink:
    def __init__(self, content_type: bytes) -> None:
        self._content_type = content_type
        self._body = bytearray()

    @property
    def text_bytes(self) -> int:
        return len(self._body)

    def feed(self, data: bytes) -> None:
        self._body += data

    def fields(self) -> Mapping[str, Any]:
        return read_form(self._content_type, bytes(self._body))

    def close(self) -> None:
        self._body.clear()


def _sink_of(call: Call, spool: BodySpool, first_byte: bytes) -> _Sink:
    content_type = call.headers.get(b"content-type", b"")
    kind = _form_type(call)
    if kind == MULTIPART:
        return _MultipartSink(open_multipart(content_type, spool))
    if kind is None or first_byte == b"{":
        return _JsonSink(spool)
    return _UrlencodedSink(content_type)


def _object_of(call: Call, body: bytes) -> Mapping[str, Any]:
    if _form_type(call) is None:
        return read_object(body)
    return read_form(call.headers.get(b"content-type", b""), body)


def _form_type(call: Call) -> bytes | None:
    """Return which kind of form the body is said to be, where a dialect that can be meant takes forms."""
    kind = call.headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    if kind in FORM_TYPES and any(call.house.codecs[name].profile.takes_forms for name in call.dialects):
        return kind
    return None


def _too_large(size_bytes: int) -> Rejected:
    return _refusal("body", f"The request body must be at most {size_bytes} bytes. Send media as URLs instead.")


def _refusal(param: str, message: str) -> Rejected:
    return Rejected(Violation("InvalidParameter", param, message))
