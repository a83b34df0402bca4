"""Stored bytes in a local directory. Keys are made by the server; one that is not of its making names nothing."""

import asyncio
import errno
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from understudy.core.ports import BlobFacts
from understudy.storage.blob_keys import checked_key, etag_of, is_by_content, is_key
from understudy.storage.lifecycle import unavailable

CHUNK_BYTES = 256 * 1024
"""What is read at once; `benchmarks/media.py` shows that more gains nothing, and it costs memory for each reader."""

_PART_SUFFIX = ".part"
_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
_PUT_TRIES = 20
"""How often a put makes its folder again where deletes, each of the last blob in it, were faster every time."""

_READ_NOW: int = getattr(os, "RWF_NOWAIT", 0)
"""Linux: read what is in memory already, and fail at once where a disk would have to be waited for."""


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
        target = self._root / checked_key(key)
        try:
            await asyncio.to_thread(self._put, path, target, is_same=is_by_content(key))
        except OSError as error:
            if error.errno in _CANNOT_WRITE:
                raise unavailable("its storage does not answer") from error
            raise

    async def stat(self, key: str) -> BlobFacts | None:
        """See the port.

        Raises: Unavailable: the disk does not answer.
        """
        return await asyncio.to_thread(self._facts, key)

    async def read(self, key: str, *, start: int, length_bytes: int) -> AsyncGenerator[bytes]:
        """See the port."""
        handle = await asyncio.to_thread(self._open, key)
        try:
            end = start + length_bytes
            while start < end:
                most = min(end - start, CHUNK_BYTES)
                # A thread costs more than copying what is in memory: it is asked where there is a disk to wait for.
                chunk = _read_now(handle, start, most)
                if not chunk:
                    chunk = await asyncio.to_thread(os.pread, handle, most, start)
                if not chunk:
                    raise OSError(f"the blob {key} is shorter than it was")
                start += len(chunk)
                yield chunk
        finally:
            os.close(handle)

    async def local_copy(self, key: str, directory: Path) -> Path:
        """See the port; there is never anything to copy."""
        path = await asyncio.to_thread(self.local_path, key)
        if path is None:
            raise FileNotFoundError(key)
        return path

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds the blob, or None when there is none. A malformed key is None, never a path."""
        path, facts = self._found(key)
        return path if facts else None

    async def delete(self, key: str) -> None:
        """See the port; a malformed key is an unknown one."""
        await asyncio.to_thread(self._delete, key)

    def _found(self, key: str) -> tuple[Path, os.stat_result | None]:
        """Return where the blob would be, and what the system knows of it; None where there is no such blob.

        Raises: OSError: the disk does not answer.
        """
        path = self._root / key if is_key(key) else self._root
        if path is self._root:
            return path, None
        try:
            facts = path.lstat() if stat.S_ISDIR(path.parent.lstat().st_mode) else None
        except OSError as error:
            if error.errno in _NOT_THERE:
                return path, None
            raise
        return path, facts if facts and stat.S_ISREG(facts.st_mode) else None

    def _facts(self, key: str) -> BlobFacts | None:
        try:
            path, facts = self._found(key)
        except OSError as error:
            raise unavailable("its storage does not answer") from error
        if facts is None:
            return None
        # Two files that were there at once never share a number, and a later one never its moment.
        etag = etag_of(key, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        return BlobFacts(size_bytes=facts.st_size, etag=etag, path=path)

    def _open(self, key: str) -> int:
        path = self.local_path(key)
        if path is None:
            raise FileNotFoundError(key)
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise FileNotFoundError(key) from error
            raise

    def _put(self, source: Path, target: Path, *, is_same: bool) -> None:
        size_bytes = _regular_file(source).st_size
        folder = target.parent
        for left in reversed(range(_PUT_TRIES)):
            is_new = not folder.exists()
            try:
                folder.mkdir(exist_ok=True)
                if not stat.S_ISDIR(folder.lstat().st_mode):
                    raise ValueError(f"{folder} is a link, not a folder of blobs")
                if is_same and _is_kept(target, size_bytes):
                    source.unlink(missing_ok=True)
                else:
                    _move(source, target)
            except (FileNotFoundError, FileExistsError):
                # Somebody deleted the last blob of the folder, and the folder with it.
                if not left or not source.exists():
                    raise
            else:
                break
        with suppress(FileNotFoundError):
            _sync(folder)
        if is_new:
            _sync(self._root)

    def _delete(self, key: str) -> None:
        path, facts = self._found(key)
        if facts is None:
            return
        path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()
        except OSError as error:
            # Other blobs of the folder may be there still, or another delete was faster.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise


class _Buffer(threading.local):
    """One for all readers of a thread, because nothing is awaited while it is filled and emptied."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(CHUNK_BYTES))


_BUFFER = _Buffer()


def _read_now(handle: int, position: int, most: int) -> bytes:
    """Return what is in memory of so many bytes from the position: their beginning, or nothing."""
    if not _READ_NOW:
        return b""
    view = _BUFFER.view[:most]
    try:
        return bytes(view[: os.preadv(handle, [view], position, _READ_NOW)])
    except OSError:
        # Nothing of it is in memory, or the file system cannot tell.
        return b""


def _regular_file(path: Path) -> os.stat_result:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError(f"{path} is no regular file")
    return facts


def _is_kept(target: Path, size_bytes: int) -> bool:
    """Say whether the bytes are there: what was put is whole, but a disk may have been restored badly."""
    try:
        facts = target.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == size_bytes


def _move(source: Path, target: Path) -> None:
    """Put the bytes on disk, then the name that shows them; the caller sees to the folder that holds the name."""
    _sync(source)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        source.unlink()


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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
