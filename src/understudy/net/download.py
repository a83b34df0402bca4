"""The bytes behind a web address, brought into a file: bounded, tried again, and continued where they broke off."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from understudy.net.encodings import Damaged, PlainBytes
from understudy.net.http import Answer, HttpClient, Unreached

PAUSES_S = (0.25, 0.75, 1.5)
"""Before each further try. Whoever asked waits for the whole, 20 seconds as a rule; a host that restarts is back."""

RETRY_AFTER_MAX_S = 3.0
"""A host that wants a longer pause is not asked again: the caller's time would be over."""

WRITTEN_AT_ONCE_BYTES = 1 << 18
"""Each write is a turn in a thread, which costs as much as writing some ten thousand bytes."""

OK, PARTIAL, RANGE_NOT_SATISFIABLE = 200, 206, 416
TRANSIENT, SERVER_ERRORS = frozenset({408, 425, 429}), 500
"""What another try may change (RFC 9110, 8470 and 6585)."""

Pause = Callable[[float], Awaitable[None]]


class TooMuch(Unreached):
    """There are more bytes than may be taken."""


class Downloader:
    """Downloads to files. pause: waits for so many seconds."""

    def __init__(self, client: HttpClient, *, redirects_max: int, pause: Pause = asyncio.sleep) -> None:
        self._client = client
        self._redirects_max = redirects_max
        self._pause = pause

    async def to_file(self, url: str, into: Path, *, most_bytes: int) -> int:
        """Write what is there to a new file and return its size; no file is left when that fails or is cancelled.

        How long the whole may take is the caller's to say, by cancelling.

        Raises: Refused; Unreached; OSError when the file cannot be written.
        """
        part = _Part(into, most_bytes)
        try:
            await self._with_tries(url, part)
            part.close()
        except BaseException:  # boundary: whatever ended it, half a file is no use to anybody
            part.discard()
            raise
        return part.size_bytes

    async def _with_tries(self, url: str, part: "_Part") -> None:
        for pause_s in (*PAUSES_S, None):
            try:
                async with self._client.get(url, headers=part.wanted(), redirects_max=self._redirects_max) as answer:
                    await _take(answer, part)
            except Unreached as error:
                if not error.is_transient or pause_s is None:
                    raise
                await self._pause(max(pause_s, error.retry_after_s))
            else:
                return


class _Part:
    """The file as far as it has come. size_bytes: written and about to be. tag: the strong validator of its bytes."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._file: BinaryIO = path.open("xb")
        self.most_bytes = most_bytes
        self.size_bytes = 0
        self.tag = ""

    def wanted(self) -> Mapping[str, str]:
        """Return the headers that ask for the rest, where the bytes at hand are known to be the file's beginning."""
        if not self.tag or not self.size_bytes:
            return {}
        return {"Range": f"bytes={self.size_bytes}-", "If-Range": self.tag}

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size_bytes, self.tag = 0, ""

    def judge(self, size_bytes: int) -> None:
        """Refuse a size. Raises: TooMuch."""
        if size_bytes > self.most_bytes:
            raise TooMuch(f"{size_bytes} bytes or more, at most {self.most_bytes} are taken", is_transient=False)

    def write(self, received: bytes, plain: PlainBytes) -> None:
        """Write what was received, without its coding. Raises: Unreached when it is too much or damaged."""
        try:
            for piece in plain.feed(received):
                self.append(piece)
        except Damaged as error:
            raise Unreached(str(error), is_transient=False) from error

    def append(self, piece: bytes) -> None:
        self.judge(self.size_bytes + len(piece))
        self._file.write(piece)
        self.size_bytes += len(piece)

    def close(self) -> None:
        self._file.close()

    def discard(self) -> None:
        self._path.unlink()
        self._file.close()


async def _take(answer: Answer, part: _Part) -> None:
    """Write the body of an answer, or say why it is none. Raises: Unreached."""
    first, total = _place_of(answer, part)
    length = answer.headers.get("content-length", "")
    if re.fullmatch(r"[0-9]{1,18}", length):
        part.judge(first + int(length))
    if first == 0:
        await _in_a_thread(part.restart)
    # What continues plain bytes is plain, whatever its header says.
    plain = PlainBytes("" if first else answer.headers.get("content-encoding", ""))
    tag = answer.headers.get("etag", part.tag if first else "")
    has_ranges = answer.headers.get("accept-ranges", "").lower() != "none"
    try:
        await _stream(answer, part, plain)
    except Unreached:
        is_strong = tag.startswith('"') and tag.endswith('"') and len(tag) > 1
        part.tag = tag if plain.is_plain and is_strong and has_ranges else ""
        raise
    if total is not None and part.size_bytes != total:
        part.tag = ""
        raise Unreached(f"{part.size_bytes} of {total} bytes came", is_transient=True)


def _place_of(answer: Answer, part: _Part) -> tuple[int, int | None]:
    """Return where in the file the body begins, and how many bytes there are in all where that is known.

    Raises: Unreached for an answer that has no such body.
    """
    if answer.status == OK:
        return 0, None
    if part.wanted() and answer.status in (PARTIAL, RANGE_NOT_SATISFIABLE):
        place = re.fullmatch(
            r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", answer.headers.get("content-range", "")
        )
        is_same = answer.headers.get("etag", part.tag) == part.tag
        if place and is_same and answer.status == PARTIAL and int(place[1]) == part.size_bytes:
            return part.size_bytes, None if place[2] == "*" else int(place[2])
        part.tag = ""
        raise Unreached("the rest of the file is another one's", is_transient=True)
    wait = answer.headers.get("retry-after", "")
    wait_s = float(wait) if re.fullmatch(r"[0-9]{1,9}", wait) else 0.0
    is_transient = answer.status in TRANSIENT or answer.status >= SERVER_ERRORS
    raise Unreached(
        f"HTTP {answer.status}", is_transient=is_transient and wait_s <= RETRY_AFTER_MAX_S, retry_after_s=wait_s
    )


async def _stream(answer: Answer, part: _Part, plain: PlainBytes) -> None:
    waiting = bytearray()
    try:
        async for chunk in answer.chunks:
            waiting += chunk
            if plain.is_plain:
                part.judge(part.size_bytes + len(waiting))
            if len(waiting) >= WRITTEN_AT_ONCE_BYTES:
                received, waiting = bytes(waiting), bytearray()
                await _in_a_thread(partial(part.write, received, plain))
    finally:
        # Also when the connection broke: another try may go on from here.
        if waiting:
            await _in_a_thread(partial(part.write, bytes(waiting), plain))
    try:
        part.append(plain.end())
    except Damaged as error:
        raise Unreached(str(error), is_transient=True) from error


async def _in_a_thread(work: Callable[[], None]) -> None:
    """Do something with the file in a thread; when cancelled, the thread is done with the file before this ends."""
    turn = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(turn)
    finally:
        while not turn.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([turn])
