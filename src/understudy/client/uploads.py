"""Sending files to the library of assets: in pieces, and on from where an earlier try stopped; for both clients.

Each function is a program of steps (see `client.steps`).
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from understudy.catalog.load import load_catalogue
from understudy.client.steps import Answer, Call, Pause, Program
from understudy.core.content import ASSET
from understudy.core.errors import Conflict, NotFound, RateLimited, Rejected, Unavailable
from understudy.core.modality import Modality
from understudy.dialects.plain_assets import ASSETS_PATH, UPLOADS_PATH
from understudy.dialects.registry import CODECS

PIECE_BYTES = 8 * 1024 * 1024
"""Sent with one request: on a line of 2 Mbit/s about half a minute, less than servers wait for a body."""

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
POLL_PAUSE_S = 0.5
POLLS_MAX = 1200
_ERROR_STATUS = 300
_BY_CONTENT = "sha256-"

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


def sending(path: Path, said: Mapping[str, str | None], on_sent: OnSent | None) -> Program[Json]:
    """Send a file in pieces; after a fault of the network the server is asked how far it is."""
    note = _note(path)
    size_bytes, digest = path.stat().st_size, _digest(path)
    upload = yield from _resumed(note, digest)
    if upload is None:
        fields = {"size_bytes": size_bytes, "sha256": digest, "name": path.name, **said}
        upload = yield from calling(Call(method="POST", path=UPLOADS_PATH, body=encoded(fields)))
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
                upload = yield from calling(piece)
            except (Unavailable, RateLimited):
                if faults == len(PAUSES_S):
                    raise
                yield Pause(pause_s=PAUSES_S[faults])
                faults += 1
                upload = yield from calling(Call(method="GET", path=where))
            else:
                faults = 0
            offset_bytes = upload["offset"]
            if "asset" in upload:
                break
    if on_sent is not None:
        on_sent(size_bytes, size_bytes)
    note.unlink(missing_ok=True)
    return cast(Json, upload["asset"])


def registering(path: Path, modality: Modality, on_sent: OnSent | None) -> Program[Json]:
    """Return the asset of a file once it is no longer being processed; bytes that are there already are not sent.

    Its id is made of the SHA-256, by which the next call finds it.

    Raises: OSError.
    """
    asset_id = f"{_BY_CONTENT}{_digest(path)}"
    asset = yield from _found(asset_id)
    if asset is not None and asset["status"] == "failed":
        # What failed may have failed for a reason that is gone, such as a full disk.
        yield from calling(Call(method="DELETE", path=asset_path(asset_id)))
        asset = None
    if asset is None:
        said = {"id": asset_id, "type": str(modality), "name": short_name(path.name)}
        asset = yield from _sent_by_somebody(path, said, on_sent)
    return (yield from waiting(asset["id"]))


def _sent_by_somebody(path: Path, said: Mapping[str, str | None], on_sent: OnSent | None) -> Program[Json]:
    """Send a file, or wait for whoever sends the same bytes at the same time: many films of one video, for one."""
    for pause_s in (*PAUSES_S, None):
        try:
            return (yield from sending(path, said, on_sent))
        except (Conflict, NotFound, Rejected) as error:
            asset = yield from _found(str(said["id"]))
            if asset is not None:
                _note(path).unlink(missing_ok=True)
                return asset
            if pause_s is None or not isinstance(error, Conflict):
                raise
        yield Pause(pause_s=pause_s)
    raise AssertionError("the last try returns or raises")


def short_name(name: str) -> str:
    """Return a file's name as long as names of assets may be, with its ending."""
    path = Path(name)
    return path.stem[: load_catalogue().assets.name_chars_max - len(path.suffix)] + path.suffix


def _found(asset_id: str) -> Program[Json | None]:
    try:
        return (yield from calling(Call(method="GET", path=asset_path(asset_id))))
    except NotFound:
        return None


def _resumed(note: Path, digest: str) -> Program[Json | None]:
    """Return the upload that an earlier call began with the same bytes, if the server still has it."""
    try:
        told = json.loads(note.read_text())
        if told["sha256"] != digest:
            return None
        return (yield from calling(Call(method="GET", path=f"{UPLOADS_PATH}/{quote(told['id'], safe='')}")))
    except (OSError, ValueError, KeyError, TypeError, NotFound):
        return None


def waiting(asset_id: str) -> Program[Json]:
    """Read an asset until it is active or has failed, for ten minutes at most."""
    for _ in range(POLLS_MAX):
        asset = yield from calling(Call(method="GET", path=asset_path(asset_id)))
        if asset["status"] != "processing":
            break
        yield Pause(pause_s=POLL_PAUSE_S)
    return asset


def calling(call: Call) -> Program[Json]:
    """Return the JSON of a good answer.

    Raises: what `core.errors` draws.
    """
    answer = yield call
    assert isinstance(answer, Answer)
    if answer.status >= _ERROR_STATUS:
        raise CODECS["openai"].decode_error(answer.status, answer.body)
    return cast(Json, json.loads(answer.body)) if answer.body else {}


def asset_path(asset_id: str) -> str:
    """Return where an asset is; its address in requests, as listings print it, names it too."""
    asset_id = asset_id.removeprefix(ASSET)
    return f"{ASSETS_PATH}/{quote(asset_id, safe='')}"


def encoded(fields: Mapping[str, Any]) -> bytes:
    """Return the body of what is said; None is not said."""
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def _note(path: Path) -> Path:
    """Return where it is written down which upload a file is being sent as."""
    return path.with_name(f".{path.name}.upload")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
