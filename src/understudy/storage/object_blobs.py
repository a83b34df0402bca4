"""Stored bytes in an object store: S3 and what speaks like it, Google Cloud Storage, Azure.

Only this module imports obstore, an extra, and only `blob_places` imports this one.
"""

import asyncio
import errno
import logging
import os
import re
import stat
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from understudy.core.errors import Unavailable
from understudy.core.ports import BlobFacts
from understudy.storage.blob_keys import checked_key, etag_of, is_by_content, is_key
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.lifecycle import unavailable

if TYPE_CHECKING:
    from obstore import GetOptions

_log = logging.getLogger(__name__)

Piece = tuple[memoryview, str | None]
"""Bytes, and what the store calls their version."""

UPLOAD_PART_BYTES = 8 * 1024 * 1024
UPLOAD_PARTS_AT_ONCE = 3
"""Together what an upload holds in memory. S3 takes 10,000 parts: 80 GB, and no film or upload comes near."""

PIECE_BYTES = 2 * 1024 * 1024
"""Read by one request: a reader that is slow never keeps a connection to the store open, which the store would cut."""

CHUNK_BYTES = 256 * 1024
"""Given on at once; as from local files."""

READ_AHEADS = 32
"""Pieces fetched before they are needed, over all readers: it bounds the memory. A reader without one only waits."""

_REQUEST_TIMEOUT = timedelta(seconds=60)
_CONNECT_TIMEOUT = timedelta(seconds=5)
_RETRIES = 4
_RETRY_TIMEOUT = timedelta(seconds=20)
_BACKOFF_FIRST, _BACKOFF_LAST = timedelta(milliseconds=100), timedelta(seconds=2)
_RETRIES_AT_START = 1
_PROBE = "understudy-probe"
_PART_SUFFIX = ".part"
_QUERY = re.compile(r"\?\S*")
_TOLD_CHARS = 300
_WEAK = "W/"


class ObjectBlobStore:
    """`core.ports.BlobStore` below one prefix of a bucket. Several servers may share it.

    An object appears whole or not at all; nothing is kept on this machine.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._aheads_left = READ_AHEADS

    @classmethod
    def opened(cls, url: str) -> "ObjectBlobStore":
        """Open what the URL names, having written there once. Keys and endpoints come from the usual variables.

        Raises: CannotOpen.
        """
        try:
            # A bucket that is not there, or must not be written, is told at the start and not when a film is done.
            trial = _connected(url, retries=_RETRIES_AT_START)
            obstore.put(trial, _PROBE, b"Written by Understudy at its start.")
            return cls(_connected(url, retries=_RETRIES))
        except (BaseError, OSError, ValueError) as error:
            raise CannotOpen(f"the object store {_told(url)} cannot be written: {_told(error)}") from error

    async def put(self, path: Path, key: str) -> None:
        """See the port.

        Raises:
            ValueError: the key is malformed, or the path is no regular file.
            FileNotFoundError: there is no file at the path.
            Unavailable: the store does not answer or does not take it.
        """
        checked_key(key)
        facts = await asyncio.to_thread(path.lstat)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{path} is no regular file")
        known = await self.stat(key) if is_by_content(key) else None
        if known is None or known.size_bytes != facts.st_size:
            await self._upload(path, key)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def stat(self, key: str) -> BlobFacts | None:
        """See the port.

        Raises: Unavailable: the store does not answer.
        """
        if not is_key(key):
            return None
        try:
            found = await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _silent(error) from error
        # Some stores tell no ETag; and what they tell, weak ones included, need not be good HTTP.
        version = found["e_tag"] or found["last_modified"].isoformat()
        return BlobFacts(size_bytes=found["size"], etag=etag_of(key, found["size"], version))

    async def read(self, key: str, *, start: int, length_bytes: int) -> AsyncGenerator[bytes]:
        """See the port."""
        async with aclosing(self._pieces(key, start=start, end=start + length_bytes)) as pieces:
            async for piece in pieces:
                for first in range(0, len(piece), CHUNK_BYTES):
                    yield bytes(piece[first : first + CHUNK_BYTES])

    async def local_copy(self, key: str, directory: Path) -> Path:
        """See the port; the copy is named after the whole key, so that no two keys share one.

        Raises: Unavailable, too: the store does not answer.
        """
        found = await self.stat(key)
        if found is None:
            raise FileNotFoundError(key)
        handle, name = await asyncio.to_thread(tempfile.mkstemp, suffix=_PART_SUFFIX, dir=directory)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as copy:
                async for piece in self._pieces(key, start=0, end=found.size_bytes):
                    await asyncio.to_thread(copy.write, piece)
            return await asyncio.to_thread(part.replace, directory / key.replace("/", "."))
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def delete(self, key: str) -> None:
        """See the port; a malformed key is an unknown one.

        Raises: Unavailable: the store does not answer.
        """
        if not is_key(key):
            return
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise _silent(error) from error

    async def _upload(self, path: Path, key: str) -> None:
        try:
            await obstore.put_async(
                self._store, key, path, chunk_size=UPLOAD_PART_BYTES, max_concurrency=UPLOAD_PARTS_AT_ONCE
            )
        except (BaseError, FileNotFoundError) as error:
            # The file was there a moment ago: what is not found is the bucket.
            raise _silent(error) from error

    async def _pieces(self, key: str, *, start: int, end: int) -> AsyncGenerator[memoryview]:
        """Yield the part, a piece at a time, the next one under way meanwhile; all are of the same object.

        Raises: FileNotFoundError before the first piece; OSError.
        """
        if not is_key(key):
            raise FileNotFoundError(key)
        if start == end:
            return
        piece, version = await self._piece(key, start, end)
        while (start := start + len(piece)) < end:
            ahead = self._fetched_ahead(key, start, end, version=version)
            try:
                yield piece
                piece, _ = await (ahead or self._piece(key, start, end, version=version))
            except FileNotFoundError as error:
                raise OSError(errno.EIO, f"the blob {key} was removed while it was read") from error
            finally:
                if ahead is not None:
                    ahead.cancel()
                    self._aheads_left += 1
        yield piece

    def _fetched_ahead(self, key: str, start: int, end: int, *, version: str | None) -> asyncio.Task[Piece] | None:
        """Begin to fetch the next piece, unless too many are held already."""
        if not self._aheads_left:
            return None
        self._aheads_left -= 1
        ahead = asyncio.create_task(self._piece(key, start, end, version=version))
        # A reader that went away never asks how it ended.
        ahead.add_done_callback(lambda task: task.cancelled() or task.exception())
        return ahead

    async def _piece(self, key: str, start: int, end: int, *, version: str | None = None) -> Piece:
        """Fetch a piece that begins at start, not going over the end, and the version that it is of.

        Raises: FileNotFoundError, OSError.
        """
        stop = min(start + PIECE_BYTES, end)
        options: GetOptions = {"range": (start, stop)}
        if version is not None and not version.startswith(_WEAK):
            options["if_match"] = version
        try:
            found = await obstore.get_async(self._store, key, options=options)
            piece = memoryview(await found.bytes_async())
        except BaseError as error:
            raise OSError(errno.EIO, f"the object store broke off: {_told(error)}") from error
        if len(piece) != stop - start:
            raise OSError(errno.EIO, f"the blob {key} is shorter than it was")
        return piece, found.meta["e_tag"]


def _connected(url: str, *, retries: int) -> ObjectStore:
    return from_url(
        url,
        # Plain HTTP is used only where the operator names such an endpoint, as a store in his own network.
        client_options={"allow_http": True, "timeout": _REQUEST_TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT},
        retry_config={
            "max_retries": retries,
            "retry_timeout": _RETRY_TIMEOUT,
            "backoff": {"init_backoff": _BACKOFF_FIRST, "max_backoff": _BACKOFF_LAST, "base": 2},
        },
    )


def _silent(error: Exception) -> Unavailable:
    _log.error("the object store failed: %s", _told(error))
    return unavailable("its storage does not answer")


def _told(error: object) -> str:
    """Return the first line of what was said, without queries of addresses: Azure's carry a signature."""
    return _QUERY.sub("", str(error).partition("\n")[0])[:_TOLD_CHARS]
