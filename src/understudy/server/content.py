"""Result files: a signed link gives the bytes, whole or in part, so that players can seek."""

import re
from pathlib import Path
from urllib.parse import parse_qs

from understudy.core.errors import NotFound, Violation
from understudy.dialects.codec import Codec
from understudy.server.endpoint import Call
from understudy.server.reply import JSON, Answer, FileReply, Header, Reply

_RANGE = re.compile(rb"[ \t]*bytes[ \t]*=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)
_QUERY_FIELDS_MAX = 20
_MEDIA_TYPES = {
    ".mp4": b"video/mp4",
    ".mov": b"video/quicktime",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
    ".webp": b"image/webp",
}


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
    if found is None or found.path is None:
        raise NotFound(Violation("NotFound.File", "", "The file does not exist any more."))
    path, size_bytes, etag = found.path, found.size_bytes, found.etag.encode("ascii")
    headers = _headers(call, key, etag, fresh_s=fresh_s)
    if etag in (tag.strip() for tag in call.headers.get(b"if-none-match", b"").split(b",")):
        return Reply(304, b"", headers)
    asked = call.headers.get(b"range")
    # Part of one version and part of another make no film: a validator that does not match means the whole file.
    if asked is None or call.headers.get(b"if-range", etag) != etag:
        return FileReply(200, path, 0, size_bytes, headers)
    try:
        part = byte_range(asked, size_bytes)
    except Unsatisfiable:
        violation = Violation("InvalidParameter", "Range", f"The range lies outside the file of {size_bytes} bytes.")
        body = call.codec.encode_error(violation, call.request_id).body
        return Reply(416, body, (*JSON, (b"content-range", b"bytes */%d" % size_bytes)))
    if part is None:
        return FileReply(200, path, 0, size_bytes, headers)
    first, last = part
    headers = (*headers, (b"content-range", b"bytes %d-%d/%d" % (first, last, size_bytes)))
    return FileReply(206, path, first, last - first + 1, headers)


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
    return (
        (b"content-type", _MEDIA_TYPES.get(Path(key).suffix, b"application/octet-stream")),
        (b"accept-ranges", b"bytes"),
        (b"etag", etag),
        # Private, because the link is a key, and no longer than the link lives.
        (b"cache-control", b"private, max-age=%d, immutable" % fresh_s),
        (b"content-disposition", b'inline; filename="%s"' % name),
        (b"x-content-type-options", b"nosniff"),
    )


def file_name(key: str, codec: Codec) -> str:
    """Name the download after its task, as the dialect spells it: "cgt-20261121031309-abcde.mp4".

    key: ``<task id>-<attempt>/<name>.<ending>``; of any other the name is only safe to quote.
    """
    folder, _, name = key.partition("/")
    task_id = codec.wire_id(folder.rpartition("-")[0])
    return re.sub(r"[^A-Za-z0-9._-]", "_", task_id + Path(name).suffix)
