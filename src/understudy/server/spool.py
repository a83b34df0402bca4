"""The files that media in request bodies are written to: they live as long as their request is answered.

Bytes are gathered and written in a thread, so that a disk that takes its time holds up nobody but who is writing.
"""

import asyncio
import logging
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from understudy.core.errors import Unavailable, Violation
from understudy.core.media import SPOOLED

_log = logging.getLogger(__name__)

GATHERED_BYTES = 1 << 20
"""Written at once: enough that a thread pays, little enough to hold for many bodies."""
_TOKEN_BYTES = 16

_Gathered = dict[int, bytearray]


class SpoolDir:
    """The directory below which each request has one of its own; emptied when the server starts.

    Without a path it is a temporary one, which goes when the server does.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="understudy-spool-") if path is None else None
        self._path = Path(self._temporary.name) if self._temporary else path or Path()
        if path is not None:
            # What an earlier process left when it was killed.
            shutil.rmtree(path, ignore_errors=True)
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def open(self) -> "BodySpool":
        """Return the spool of one request; nothing is on disk yet."""
        return BodySpool(self._path, secrets.token_hex(_TOKEN_BYTES))


class BodySpool:
    """The files of one request. gathered_bytes: how much waits for `flush`."""

    def __init__(self, directory: Path, token: str) -> None:
        self.gathered_bytes = 0
        self._directory = directory / token
        self._prefix = f"{SPOOLED}{token}/"
        self._numbers: list[int] = []
        self._begun = 0
        self._gathered: _Gathered = {}
        self._has_directory = False
        self._writing: asyncio.Future[None] | None = None

    @property
    def files(self) -> Mapping[str, Path]:
        """Return the files by their addresses; whole once all was flushed."""
        return MappingProxyType({self._prefix + str(each): self._path(each) for each in self._numbers})

    def begin(self) -> str:
        """Start a file and return its address."""
        number = self._begun
        self._begun += 1
        self._numbers.append(number)
        self._gathered[number] = bytearray()
        return self._prefix + str(number)

    def write(self, data: bytes) -> None:
        """Add to the file begun last."""
        self._gathered.setdefault(self._numbers[-1], bytearray()).extend(data)
        self.gathered_bytes += len(data)

    def drop(self) -> None:
        """Forget the file begun last; what of it is on disk goes with the rest."""
        left = self._gathered.pop(self._numbers.pop(), b"")
        self.gathered_bytes -= len(left)

    async def flush(self) -> None:
        """Write what was gathered.

        Raises: Unavailable: the disk is full, or broken.
        """
        gathered, self._gathered, self.gathered_bytes = self._gathered, {}, 0
        if not gathered:
            return
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, gathered))
        try:
            # Shielded, because a thread cannot be stopped: `remove` waits for it.
            await asyncio.shield(self._writing)
        except OSError as error:
            _log.warning("media of a request cannot be written to disk: %s", error)
            message = "The server has no room for the media of this request now, please try again later."
            raise Unavailable(Violation("ServiceUnavailable", "body", message)) from error

    async def remove(self) -> None:
        """Remove what is on disk; nothing is written after that."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._has_directory:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def _write(self, gathered: _Gathered) -> None:
        if not self._has_directory:
            self._directory.mkdir(mode=0o700)
            self._has_directory = True
        for number, data in gathered.items():
            with self._path(number).open("ab", buffering=0) as file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]

    def _path(self, number: int) -> Path:
        return self._directory / str(number)
