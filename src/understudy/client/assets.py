"""The library of assets for a client: files are sent in pieces, and go on where they stopped in another process."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from understudy.client.blocking import Client
from understudy.client.steps import Answer, Call, Pause, Program
from understudy.core.content import ASSET
from understudy.core.errors import NotFound, RateLimited, Unavailable
from understudy.dialects.plain_assets import ASSETS_PATH, CREDENTIALS_PATH, GROUPS_PATH, UPLOADS_PATH
from understudy.dialects.registry import CODECS

PIECE_BYTES = 8 * 1024 * 1024
"""Sent with one request: on a line of 2 Mbit/s about half a minute, less than servers wait for a body."""

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
POLL_PAUSE_S = 0.5
POLLS_MAX = 1200
_ERROR_STATUS = 300

Json = Mapping[str, Any]
OnSent = Callable[[int, int], None]
"""Called with (bytes there, bytes in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Call):
    """A piece of a file, and where in it it belongs."""

    offset_bytes: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say so."""
        return {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(self.offset_bytes)}


class Library:
    """The assets and groups of a client's key; answers are the server's own objects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, **wanted: str | int | None) -> Json:
        """Return a page of assets, newest first. wanted: name, status, type, group_id, limit, after."""
        return self._ask("GET", ASSETS_PATH, query=wanted)

    def groups(self, **wanted: str | int | None) -> Json:
        """Return a page of groups, newest first. wanted: name, limit, after."""
        return self._ask("GET", GROUPS_PATH, query=wanted)

    def get(self, asset_id: str) -> Json:
        """Return an asset as it is now."""
        return self._ask("GET", _path(asset_id))

    def add_url(self, url: str, **said: str | None) -> Json:
        """Register the medium at an address. said: name, group, type, id."""
        return self._ask("POST", ASSETS_PATH, fields={"url": url, **said})

    def add_file(self, path: Path, *, on_sent: OnSent | None = None, **said: str | None) -> Json:
        """Send a file and register it; what an earlier, broken off call has sent is not sent again.

        Raises: OSError.
        """
        return self._client._run(_sending(path, said, on_sent))

    def wait(self, asset_id: str) -> Json:
        """Return an asset once it is active or has failed, or as it is after ten minutes."""
        return self._client._run(_waiting(asset_id))

    def rename(self, asset_id: str, name: str) -> Json:
        """Give an asset another name."""
        return self._ask("PATCH", _path(asset_id), fields={"name": name})

    def remove(self, asset_id: str) -> None:
        """Remove an asset."""
        self._ask("DELETE", _path(asset_id))

    def credentials(self) -> Json:
        """Return the key in the form that signs requests."""
        return self._ask("GET", CREDENTIALS_PATH)

    def _ask(self, method: str, path: str, *, query: Json | None = None, fields: Json | None = None) -> Json:
        given = tuple((name, str(value)) for name, value in (query or {}).items() if value is not None)
        call = Call(method=method, path=path, query=given, body=None if fields is None else _encoded(fields))
        return self._client._run(_calling(call))


def _sending(path: Path, said: Mapping[str, str | None], on_sent: OnSent | None) -> Program[Json]:
    """Send a file in pieces; after a fault of the network the server is asked how far it is."""
    note = path.with_name(f".{path.name}.upload")
    size_bytes, digest = path.stat().st_size, _digest(path)
    upload = yield from _resumed(note, digest)
    if upload is None:
        fields = {"size_bytes": size_bytes, "sha256": digest, "name": path.name, **said}
        upload = yield from _calling(Call(method="POST", path=UPLOADS_PATH, body=_encoded(fields)))
        with contextlib.suppress(OSError):
            note.write_text(json.dumps({"id": upload["id"], "sha256": digest}))
    where = f"{UPLOADS_PATH}/{upload['id']}"
    offset_bytes, faults = upload["offset"], 0
    with path.open("rb") as file:
        while True:
            if on_sent is not None:
                on_sent(offset_bytes, size_bytes)
            file.seek(offset_bytes)
            piece = Piece(method="PATCH", path=where, body=file.read(PIECE_BYTES), offset_bytes=offset_bytes)
            try:
                upload = yield from _calling(piece)
            except (Unavailable, RateLimited):
                if faults == len(PAUSES_S):
                    raise
                yield Pause(pause_s=PAUSES_S[faults])
                faults += 1
                upload = yield from _calling(Call(method="GET", path=where))
            else:
                faults = 0
            offset_bytes = upload["offset"]
            if "asset" in upload:
                break
    if on_sent is not None:
        on_sent(size_bytes, size_bytes)
    note.unlink(missing_ok=True)
    return cast(Json, upload["asset"])


def _resumed(note: Path, digest: str) -> Program[Json | None]:
    """Return the upload that an earlier call began with the same bytes, if the server still has it."""
    try:
        told = json.loads(note.read_text())
        if told["sha256"] != digest:
            return None
        return (yield from _calling(Call(method="GET", path=f"{UPLOADS_PATH}/{quote(told['id'], safe='')}")))
    except (OSError, ValueError, KeyError, TypeError, NotFound):
        return None


def _waiting(asset_id: str) -> Program[Json]:
    for _ in range(POLLS_MAX):
        asset = yield from _calling(Call(method="GET", path=_path(asset_id)))
        if asset["status"] != "processing":
            break
        yield Pause(pause_s=POLL_PAUSE_S)
    return asset


def _calling(call: Call) -> Program[Json]:
    answer = yield call
    assert isinstance(answer, Answer)
    if answer.status >= _ERROR_STATUS:
        raise CODECS["openai"].decode_error(answer.status, answer.body)
    return cast(Json, json.loads(answer.body)) if answer.body else {}


def _path(asset_id: str) -> str:
    """Return where an asset is; its address in requests, as listings print it, names it too."""
    asset_id = asset_id.removeprefix(ASSET)
    return f"{ASSETS_PATH}/{quote(asset_id, safe='')}"


def _encoded(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
