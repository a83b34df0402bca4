"""Uploads over HTTP: announce a file, send it in pieces, ask how far it is; whole, it is an asset.

Source of the headers: tus 1.0 (``Upload-Offset``, ``Upload-Length``). A piece may also say where it belongs with
``Content-Range``, as clients of resumable uploads elsewhere do. Creating is JSON here, and so are answers.
"""

import re
from collections.abc import AsyncIterator

import msgspec

from understudy.core.assets import Asset
from understudy.core.case import invalid
from understudy.core.errors import Rejected
from understudy.dialects.plain_assets import (
    DEFAULT_GROUP,
    UPLOADS_PATH,
    PlainUpload,
    decode_upload,
    modality_named,
)
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call, ClientGone
from understudy.server.own_assets import shown, uploads_of
from understudy.server.reply import JSON, Header, Reply
from understudy.server.warned import strictly_told, warnings_header
from understudy.service.uploads import NewUpload, Upload

_GATHERED_BYTES = 1 << 20
"""Written in one go: enough for the disk, little beside what a connection has in its buffers."""

_OFFSET = re.compile(rb"[0-9]{1,15}")
_RANGE = re.compile(rb"bytes ([0-9]{1,15})-[0-9]{1,15}/(?:[0-9]{1,15}|\*)")
_encode = msgspec.json.encode


class UploadRoutes:
    """Handlers over one house."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def begin(self, call: Call) -> Reply:
        """Make room for a file."""
        body, told = decode_upload(await self._bodies.read(call))
        told = strictly_told(call, told)
        new = NewUpload(
            size_bytes=body.size_bytes,
            name=body.name or "",
            group=body.group or DEFAULT_GROUP,
            sha256=body.sha256 or "",
            modality=modality_named(body.type),
            chosen_id=body.id or "",
        )
        upload = await uploads_of(call).begin(call.owner, new)
        location = (b"location", f"{UPLOADS_PATH}/{upload.id}".encode("ascii"))
        headers = (location, warnings_header(told)) if told else (location,)
        return _shown(call, upload, status=201, headers=headers)

    async def get(self, call: Call) -> Reply:
        """Say how much of the file is here; HEAD says the same without a body."""
        return _shown(call, await _found(call))

    async def append(self, call: Call) -> Reply:
        """Take the next piece; with the last one the file becomes an asset."""
        upload = await _found(call)
        offset_bytes = _offset(call)
        uploads = uploads_of(call)
        upload = await uploads.append(upload, _pieces(call), offset_bytes=offset_bytes)
        asset = await uploads.finish(upload) if upload.is_whole else None
        return _shown(call, upload, asset=asset)

    async def discard(self, call: Call) -> Reply:
        """Remove an upload that nobody wants any more."""
        await uploads_of(call).discard(await _found(call))
        return Reply(204, b"", ())


async def _found(call: Call) -> Upload:
    return await uploads_of(call).get(call.owner, call.path_params["id"])


def _offset(call: Call) -> int:
    """Return where a piece belongs.

    Raises: Rejected.
    """
    given = call.headers.get(b"upload-offset")
    if given is not None and _OFFSET.fullmatch(given):
        return int(given)
    found = _RANGE.fullmatch(call.headers.get(b"content-range", b"")) if given is None else None
    if found is None:
        reason = "say where the piece begins, such as `Upload-Offset: 0` or `Content-Range: bytes 0-1023/4096`."
        raise Rejected(invalid("Upload-Offset", reason))
    return int(found[1])


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    """Yield the body, gathered to what is worth writing; what came before a client hung up is kept.

    Raises: ClientGone.
    """
    gathered = bytearray()
    is_more = True
    while is_more:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            if gathered:
                yield bytes(gathered)
            raise ClientGone
        gathered += message["body"]
        is_more = message["more_body"]
        if len(gathered) >= _GATHERED_BYTES or (gathered and not is_more):
            yield bytes(gathered)
            gathered.clear()


def _shown(
    call: Call, upload: Upload, *, asset: Asset | None = None, status: int = 200, headers: tuple[Header, ...] = ()
) -> Reply:
    body = PlainUpload(
        id=upload.id,
        object="upload",
        offset=upload.offset_bytes,
        size_bytes=upload.new.size_bytes,
        asset=None if asset is None else shown(call, asset),
    )
    told = (
        (b"upload-offset", b"%d" % upload.offset_bytes),
        (b"upload-length", b"%d" % upload.new.size_bytes),
        (b"cache-control", b"no-store"),
    )
    return Reply(status, _encode(body), (*JSON, *told, *headers))
