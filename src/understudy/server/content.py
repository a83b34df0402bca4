"""Result files: a signed link gives the bytes, whole or in part, so that players can seek."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from urllib.parse import parse_qs

from understudy.core.errors import NotFound, Unavailable, Violation
from understudy.core.media_types import MEDIA_TYPES
from understudy.dialects.codec import Codec
from understudy.server.endpoint import Call
from understudy.server.reply import JSON, Answer, Header, Reply, StreamReply
from understudy.service.films import VIDEO_NAME
from understudy.service.shelf import is_medium_key

_RANGE = re.compile(rb"[ \t]*bytes[ \t]*=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)
_QUERY_FIELDS_MAX = 20
_DOWNLOAD = frozenset({"1", "true", "yes", ""})
_DIGEST_CHARS_SHOWN = 12

_log = logging.getLogger(__name__)


class Unsatisfiable(Exception):
    """The range asked for lies wholly outside the file."""


async def send_file(call: Call) -> Answer:
    """Answer GET and HEAD of a result link."""
    key = call.path_params["key"]
    query = _query(call)
    expires, signature = query.get("expires", [""])[0], query.get("signature", [""])[0]
    now_s = call.house.clock.now().timestamp()
    fresh_s = call.house.links.check(key, expires=expires, signature=signature, now_s=now_s)
    return await _send(call, key, fresh_s=fresh_s)


def _query(call: Call) -> dict[str, list[str]]:
    text = call.scope["query_string"].decode("ascii", "replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        # No link of ours has so many: it is told as any other that is not genuine.
        return {}


async def send_blob(call: Call, key: str) -> Answer:
    """Answer with a result file to somebody whose key was checked; it may be kept as long as a link lives."""
    return await _send(call, key, fresh_s=call.house.links.fresh_s)


async def _send(call: Call, key: str, *, fresh_s: int) -> Answer:
    found = await call.house.blobs.stat(key)
    if found is None and await call.house.stills.make(key):
        found = await call.house.blobs.stat(key)
    if found is None:
        raise _gone()
    size_bytes, etag = found.size_bytes, found.etag.encode("ascii")
    headers = _headers(call, key, etag, fresh_s=fresh_s)
    wanted = call.headers.get(b"if-match")
    if wanted is not None and not _names(wanted, etag):
        violation = Violation("InvalidParameter", "If-Match", "The file has changed.")
        return Reply(412, call.codec.encode_error(violation, call.request_id).body)
    # Weak comparison (RFC 9110 13.1.2): a proxy may have made the validator weak.
    if _names(call.headers.get(b"if-none-match", b"").replace(b"W/", b""), etag):
        return Reply(304, b"", headers)
    try:
        part = _part_asked(call, size_bytes, etag)
    except Unsatisfiable:
        violation = Violation("InvalidParameter", "Range", f"The range lies outside the file of {size_bytes} bytes.")
        body = call.codec.encode_error(violation, call.request_id).body
        return Reply(416, body, (*JSON, (b"content-range", b"bytes */%d" % size_bytes)))
    if part is None:
        return await _stream(call, key, status=200, headers=headers, part=(0, size_bytes - 1))
    headers = (*headers, (b"content-range", b"bytes %d-%d/%d" % (*part, size_bytes)))
    return await _stream(call, key, status=206, headers=headers, part=part)


def _names(header: bytes, etag: bytes) -> bool:
    return header.strip() == b"*" or etag in (tag.strip() for tag in header.split(b","))


def _part_asked(call: Call, size_bytes: int, etag: bytes) -> tuple[int, int] | None:
    asked = call.headers.get(b"range")
    # RFC 9110 14.2: a Range means something to GET alone. And part of one version and part of another make no film: a
    # validator that does not match, a weak one and a date included, means the whole file.
    if asked is None or call.scope["method"] != "GET" or call.headers.get(b"if-range", etag).strip() != etag:
        return None
    return byte_range(asked, size_bytes)


async def _stream(
    call: Call, key: str, *, status: int, headers: tuple[Header, ...], part: tuple[int, int]
) -> StreamReply:
    """Answer with a part of the blob, whose beginning was read already: what is gone is told, and not begun."""
    start, length_bytes = part[0], part[1] - part[0] + 1
    if call.scope["method"] == "HEAD" or not length_bytes:
        return StreamReply(status, headers, length_bytes)
    parts = call.house.blobs.read(key, start=start, length_bytes=length_bytes)
    try:
        return StreamReply(status, headers, length_bytes, await _begun(parts))
    except FileNotFoundError:
        raise _gone() from None
    except OSError as error:
        _log.warning("request %s: a file cannot be read: %s", call.request_id, error)
        violation = Violation("ServiceUnavailable", "", "The file cannot be read now, please try again.")
        raise Unavailable(violation) from error


async def _begun(parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Return the same parts, of which the first one was read.

    Raises: FileNotFoundError, OSError.
    """
    # Popped, not kept: a slow client would hold it in memory to its end.
    first = [await anext(parts)]

    async def all_parts() -> AsyncGenerator[bytes]:
        async with aclosing(parts):
            yield first.pop()
            async for part in parts:
                yield part

    return all_parts()


def _gone() -> NotFound:
    return NotFound(Violation("NotFound.File", "", "The file does not exist any more."))


def byte_range(header: bytes, size_bytes: int) -> tuple[int, int] | None:
    """Return the first and last byte that a Range header asks for, or None where the whole file is the right answer.

    None for what is malformed, of another unit or more than one range: RFC 9110 14.2 lets a server ignore these.

    Raises: Unsatisfiable.
    """
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first_text, last_text, suffix_text = match.groups()
    if suffix_text is not None:
        suffix = int(suffix_text)
        if suffix == 0 or size_bytes == 0:
            raise Unsatisfiable
        return max(0, size_bytes - suffix), size_bytes - 1
    first = int(first_text)
    last = int(last_text) if last_text else size_bytes - 1
    if last_text and last < first:
        return None
    if first >= size_bytes:
        raise Unsatisfiable
    return first, min(last, size_bytes - 1)


def _headers(call: Call, key: str, etag: bytes, *, fresh_s: int) -> tuple[Header, ...]:
    name = file_name(key, call.codec).encode("ascii")
    is_download = _query(call).get("download", ["no"])[0].lower() in _DOWNLOAD
    return (
        # By the ending of the key, which the server chose after it had looked at the bytes; all others are only bytes.
        (b"content-type", MEDIA_TYPES.get(Path(key).suffix[1:], "application/octet-stream").encode("ascii")),
        (b"accept-ranges", b"bytes"),
        (b"etag", etag),
        # Private, because the link is a key, and no longer than the link lives. What is compressed has no ranges, and
        # a film grows by it.
        (b"cache-control", b"private, max-age=%d, immutable, no-transform" % fresh_s),
        (b"content-disposition", b'%b; filename="%b"' % (b"attachment" if is_download else b"inline", name)),
        (b"x-content-type-options", b"nosniff"),
    )


def file_name(key: str, codec: Codec) -> str:
    """Name the download after its task, as the dialect spells it: "cgt-20261121031309-abcde.mp4".

    What belongs to a film adds its own name: "cgt-20261121031309-abcde-last_frame.png". A medium, which belongs to no
    task, is named after its bytes. key: ``<task id>-<attempt>/<name>.<ending>``; of any other the name is only safe to
    quote.
    """
    folder, _, name = key.partition("/")
    stem, ending = Path(name).stem, Path(name).suffix
    if is_medium_key(key):
        return _safe(f"media-{stem[:_DIGEST_CHARS_SHOWN]}{ending}")
    task_id = codec.wire_id(folder.rpartition("-")[0])
    return _safe(task_id + ending if stem == VIDEO_NAME else f"{task_id}-{stem}{ending}")


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
