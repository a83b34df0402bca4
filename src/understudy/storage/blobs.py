"""Stored bytes in a local directory. Keys are made by the server; one that is not of its making names nothing."""

import asyncio
import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from understudy.core.ports import BlobFacts
from understudy.storage.lifecycle import unavailable

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,99}/[a-z0-9][a-z0-9_]{0,79}\.[a-z0-9]{1,8}", re.ASCII)
"""``<task id>-<attempt>/<name>.<ending>``: no dot can begin a part, so no key climbs out of the root."""

_CHUNK_BYTES = 256 * 1024
_PART_SUFFIX = ".part"
_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


class LocalBlobStore:
    """`core.ports.BlobStore` below one directory, which only this program writes.

    Symbolic links below the root are never followed: such a blob does not exist.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()

    async def put(self, path: Path, key: str) -> None:
        """See the port.

        Raises:
            ValueError: the key is malformed, or the path is no regular file.
            FileNotFoundError: there is no file at the path.
            Unavailable: the disk is full or cannot be written.
        """
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no blob key")
        try:
            await asyncio.to_thread(self._put, path, self._root / key)
        except OSError as error:
            if error.errno in _CANNOT_WRITE:
                raise unavailable("its storage does not answer") from error
            raise

    async def stat(self, key: str) -> BlobFacts | None:
        """See the port."""
        path = self.local_path(key)
        if path is None:
            return None
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        return BlobFacts(size_bytes=size_bytes, etag=f'"{key}"', path=path)

    async def read(self, key: str, *, start: int, length_bytes: int) -> AsyncIterator[bytes]:
        """See the port."""
        path = self.local_path(key)
        if path is None:
            raise FileNotFoundError(key)
        file = await asyncio.to_thread(path.open, "rb", 0)
        try:
            await asyncio.to_thread(file.seek, start)
            left = length_bytes
            while left:
                chunk = await asyncio.to_thread(file.read, min(left, _CHUNK_BYTES))
                if not chunk:
                    raise OSError(f"the blob {key} is shorter than it was")
                left -= len(chunk)
                yield chunk
        finally:
            file.close()

    async def local_copy(self, key: str, directory: Path) -> Path:
        """See the port; there is never anything to copy."""
        path = self.local_path(key)
        if path is None:
            raise FileNotFoundError(key)
        return path

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds the blob, or None when there is none. A malformed key is None, never a path."""
        if not _KEY.fullmatch(key):
            return None
        path = self._root / key
        try:
            is_blob = stat.S_ISDIR(path.parent.lstat().st_mode) and stat.S_ISREG(path.lstat().st_mode)
        except OSError:
            return None
        return path if is_blob else None

    async def delete(self, key: str) -> None:
        """See the port; a malformed key is an unknown one."""
        path = self.local_path(key)
        if path is not None:
            await asyncio.to_thread(_remove, path)

    def _put(self, source: Path, target: Path) -> None:
        folder = target.parent
        is_new = not folder.exists()
        folder.mkdir(exist_ok=True)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise ValueError(f"{folder} is a link, not a folder of blobs")
        if not stat.S_ISREG(source.lstat().st_mode):
            raise ValueError(f"{source} is no regular file")
        # In this order: the bytes, then the name that shows them, then the folder that holds the name.
        _sync(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target)
            source.unlink()
        _sync(folder)
        if is_new:
            _sync(self._root)


def _copy(source: Path, target: Path) -> None:
    """Bring a file over from another file system; the target shows the whole of it or nothing."""
    handle, name = tempfile.mkstemp(suffix=_PART_SUFFIX, dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError as error:
        # Other blobs of the attempt may be there still, or another delete was faster.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
