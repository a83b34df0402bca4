"""Uploads: files that come in pieces, over as many connections as it takes, and become assets when they are whole.

Each is two files in one directory: what was said of it, and the bytes that are here. The length of the second is how
far it is, so nothing has to be kept in step and a restart loses nothing. Source of the manner: tus 1.0, core protocol.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO
from weakref import WeakValueDictionary

import msgspec

from understudy.core.assets import Asset, NewAsset, not_registered
from understudy.core.case import invalid
from understudy.core.errors import Conflict, NotFound, RateLimited, Rejected, Violation
from understudy.core.first_bytes import HEAD_BYTES, modality_of
from understudy.core.modality import Modality
from understudy.service.assets import AssetLibrary
from understudy.service.shelf import sha256_of
from understudy.service.sources import from_base64
from understudy.service.unbroken import unbroken

_log = logging.getLogger(__name__)

OPEN_MOST = 20
"""Uploads of one owner that may be unfinished: bounds the disk that one key can fill with files nobody uses."""

ABANDONED_S = 24 * 3600.0
"""How long an upload may lie still: a night, and the morning after."""

_ID_BYTES = 16
_TOLD, _BYTES = ".json", ".data"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """What a client says of a file it is going to send. sha256: in hexadecimal; "" = it is not checked.

    modality: None = the first bytes tell. group: id or name of a group.
    """

    size_bytes: int
    name: str
    group: str
    sha256: str = ""
    modality: Modality | None = None
    chosen_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way. offset_bytes: how much of it is here."""

    id: str
    owner: str
    new: NewUpload
    group_id: str
    created_at: datetime
    offset_bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self.offset_bytes == self.new.size_bytes


_json = msgspec.json.Encoder()
_upload = msgspec.json.Decoder(Upload)


class Uploads:
    """The uploads of all owners, in a directory that is theirs alone. bytes_max: of one file."""

    def __init__(self, folder: Path, library: AssetLibrary, *, bytes_max: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._library = library
        self._busy: set[str] = set()
        self._beginning: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.bytes_max = bytes_max

    def path_of(self, upload_id: str) -> Path:
        """Return where the bytes of an upload are."""
        return upload_path(self._folder, upload_id)

    async def begin(self, owner: str, new: NewUpload) -> Upload:
        """Make room for a file.

        Raises: Rejected; NotFound for a group that the owner does not have; RateLimited.
        """
        upload_id = secrets.token_hex(_ID_BYTES)
        if not 0 < new.size_bytes <= self.bytes_max:
            reason = f"it must be between 1 and {self.bytes_max} bytes, it is {new.size_bytes}."
            raise Rejected(invalid("size_bytes", reason))
        self._library.check(_asset_of(new, upload=upload_id, group_id="-", modality=Modality.IMAGE))
        # One after the other, so that none is counted before another that begins in the same moment.
        async with self._beginning.setdefault(owner, asyncio.Lock()):
            return await self._begin(owner, new, upload_id)

    async def _begin(self, owner: str, new: NewUpload, upload_id: str) -> Upload:
        if new.chosen_id and await self._library.store.assets(owner, (new.chosen_id,)):
            raise Rejected(invalid("id", f"another asset has the id {new.chosen_id}."))
        if await asyncio.to_thread(self._open, owner) >= OPEN_MOST:
            message = f"At most {OPEN_MOST} uploads can be unfinished: finish or delete one of them."
            raise RateLimited(Violation("QuotaExceeded", "", message))
        group = await self._library.group_named(owner, new.group)
        # The id of the asset is settled now, so that finishing twice makes one asset.
        new = replace(new, chosen_id=new.chosen_id or self._library.new_id())
        now = self._library.clock.now()
        upload = Upload(id=upload_id, owner=owner, new=new, group_id=group.id, created_at=now)
        await asyncio.to_thread(self._write, upload)
        return upload

    async def get(self, owner: str, upload_id: str) -> Upload:
        """Return the owner's upload.

        Raises: NotFound.
        """
        upload = await asyncio.to_thread(self._read, upload_id)
        if upload is None or upload.owner != owner:
            raise _no_upload(upload_id)
        return upload

    async def append(self, upload: Upload, chunks: AsyncIterator[bytes], *, offset_bytes: int) -> Upload:
        """Add bytes at the end; what came before the chunks broke off is kept.

        Raises: Conflict: the end is elsewhere, or somebody else is adding to it. Rejected: more than was announced.
        """
        with self._alone(upload.id):
            here = await self.get(upload.owner, upload.id)
            if offset_bytes != here.offset_bytes:
                raise _conflict("offset", f"{here.offset_bytes} bytes of it are here, not {offset_bytes}")
            end = await self._add(here, chunks)
            return replace(here, offset_bytes=end)

    async def finish(self, upload: Upload) -> Asset:
        """Make an asset of a whole upload; doing so again gives the same asset.

        Raises: Rejected when it is not the file that was announced; it is gone then. As `AssetLibrary.create_asset`.
        """
        with self._alone(upload.id):
            expected = upload.new.sha256.lower()
            if expected and await asyncio.to_thread(sha256_of, self.path_of(upload.id)) != expected:
                await asyncio.to_thread(self._forget, upload.id)
                raise Rejected(invalid("sha256", "the bytes that came have another SHA-256; the upload is removed."))
            found = await self._library.store.assets(upload.owner, (upload.new.chosen_id,))
            asset = next((each for each in found if each.upload == upload.id), None)
            if asset is None:
                seen = await asyncio.to_thread(_seen, self.path_of(upload.id))
                modality = upload.new.modality or seen
                new = _asset_of(upload.new, upload=upload.id, group_id=upload.group_id, modality=modality)
                asset = await self._library.create_asset(upload.owner, new)
            await asyncio.to_thread(self._told_path(upload.id).unlink, missing_ok=True)
            return asset

    async def adopt(self, owner: str, new: NewUpload, path: Path) -> Asset:
        """Make an asset of a local file, which is moved away, or removed when it cannot be one.

        Raises: as `begin` and `finish`.
        """
        try:
            upload = await self.begin(owner, new)
        except BaseException:  # boundary: whatever ends it, the caller's file is nobody's any more
            await unbroken(asyncio.to_thread(path.unlink, missing_ok=True))
            raise
        try:
            await unbroken(asyncio.to_thread(_move, path, self.path_of(upload.id)))
            return await self.finish(replace(upload, offset_bytes=new.size_bytes))
        except BaseException:  # boundary: half an upload that nobody knows of would stay
            await unbroken(asyncio.to_thread(self._forget, upload.id))
            raise

    async def unpack(self, payload: str) -> Path:
        """Write the bytes of a base64 text to a file, for `adopt`.

        Raises: Rejected.
        """
        try:
            content = from_base64(payload)
        except ValueError:
            content = b""
        if not content:
            raise Rejected(invalid("file", "it is no file, nor base64 of one."))
        path = self._folder / f"{secrets.token_hex(_ID_BYTES)}.part"
        await unbroken(asyncio.to_thread(path.write_bytes, content))
        return path

    async def discard(self, upload: Upload) -> None:
        """Remove an upload.

        Raises: Conflict while bytes are being added.
        """
        with self._alone(upload.id):
            await asyncio.to_thread(self._forget, upload.id)

    async def sweep(self) -> int:
        """Remove what has lain still for too long and belongs to no asset; gives how many uploads."""
        return await asyncio.to_thread(self._sweep)

    async def _add(self, upload: Upload, chunks: AsyncIterator[bytes]) -> int:
        """Write what comes and return where the file ends then."""
        end, path = upload.offset_bytes, self.path_of(upload.id)
        file = await asyncio.to_thread(path.open, "ab", 0)
        try:
            async for chunk in chunks:
                if end + len(chunk) > upload.new.size_bytes:
                    reason = f"more than the {upload.new.size_bytes} bytes came that were announced."
                    raise Rejected(invalid("body", reason))
                await unbroken(asyncio.to_thread(_write_all, file.fileno(), chunk))
                end += len(chunk)
        finally:
            await unbroken(asyncio.to_thread(_close, file))
        return end

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        if upload_id in self._busy:
            raise _conflict("id", "bytes are being added to it over another connection")
        self._busy.add(upload_id)
        try:
            yield
        finally:
            self._busy.discard(upload_id)

    def _told_path(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}{_TOLD}"

    def _write(self, upload: Upload) -> None:
        self.path_of(upload.id).touch(mode=0o600)
        part = self._told_path(upload.id).with_suffix(".part")
        part.write_bytes(_json.encode(upload))
        part.replace(self._told_path(upload.id))

    def _read(self, upload_id: str) -> Upload | None:
        if not _is_id(upload_id):
            return None
        try:
            told = _upload.decode(self._told_path(upload_id).read_bytes())
            return replace(told, offset_bytes=self.path_of(upload_id).stat().st_size)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            # Left by a power failure, for one; it is swept like all that lies still.
            _log.warning("the record of the upload %s cannot be read: %s", upload_id, error)
            return None

    def _open(self, owner: str) -> int:
        """Count the owner's unfinished uploads; there are few files, because each is bounded and swept."""
        found = (self._read(path.stem) for path in self._folder.glob(f"*{_TOLD}"))
        return sum(1 for upload in found if upload is not None and upload.owner == owner)

    def _forget(self, upload_id: str) -> None:
        self._told_path(upload_id).unlink(missing_ok=True)
        self.path_of(upload_id).unlink(missing_ok=True)

    def _sweep(self) -> int:
        before = time.time() - ABANDONED_S
        stems = {path.stem for path in self._folder.iterdir()}
        still = [stem for stem in stems if stem not in self._busy and self._moved_at(stem) < before]
        for stem in still:
            for path in self._folder.glob(f"{stem}.*"):
                path.unlink(missing_ok=True)
        return len(still)

    def _moved_at(self, stem: str) -> float:
        """Return when any file of an upload was last written, in epoch seconds."""
        moments = [0.0]
        for path in self._folder.glob(f"{stem}.*"):
            try:
                moments.append(path.stat().st_mtime)
            except FileNotFoundError:
                continue
        return max(moments)


def _asset_of(new: NewUpload, *, upload: str, group_id: str, modality: Modality) -> NewAsset:
    return NewAsset(group_id=group_id, name=new.name, modality=modality, upload=upload, chosen_id=new.chosen_id)


def _is_id(text: str) -> bool:
    return len(text) == 2 * _ID_BYTES and all(character in "0123456789abcdef" for character in text)


def _no_upload(upload_id: str) -> NotFound:
    return NotFound(not_registered("id", "upload", upload_id))


def _conflict(param: str, what: str) -> Conflict:
    return Conflict(Violation("InvalidAction.UploadConflict", param, f"The upload cannot go on there: {what}."))


def _seen(path: Path) -> Modality:
    with path.open("rb") as file:
        return modality_of(file.read(HEAD_BYTES))


def _move(path: Path, into: Path) -> None:
    path.replace(into)
    into.chmod(0o600)


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _close(file: BinaryIO | RawIOBase) -> None:
    """Close a file, its bytes on the disk."""
    os.fsync(file.fileno())
    file.close()


def upload_path(folder: Path, upload_id: str) -> Path:
    """Return where the bytes of an upload are, in the directory of the uploads."""
    return folder / f"{upload_id}{_BYTES}"
