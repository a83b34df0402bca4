"""What tells when a local file or an address was touched that a hostile file named: nobody else knows of them.

with canaries(directory) as canary:
    canary.lure          to be named in hostile files
    canary.touched()     what was touched since the last time it was asked; () = nothing
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostile_media.kind import Lure
from media_host import MediaHost, media_host

IN_ACCESS, IN_OPEN, IN_CLOSE_NOWRITE = 0x1, 0x20, 0x10
SECRET = b"a secret of this machine\n" * 40


class Canary:
    """A local file that is watched by the kernel, and a listener that counts who comes. Source: inotify(7)."""

    def __init__(self, directory: Path, host: MediaHost) -> None:
        self.path = directory / "canary.mp4"
        self.path.write_bytes(SECRET)
        self.lure = Lure(path=str(self.path), url=host.url)
        self._host = host
        self._contacts = 0
        library = ctypes.CDLL(None, use_errno=True)
        self._watch = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._watch >= 0, "the kernel watches no files"
        masks = IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE
        assert library.inotify_add_watch(self._watch, os.fsencode(self.path), masks) >= 0

    def touched(self) -> tuple[str, ...]:
        """Say what was opened or contacted since the last time, however briefly."""
        found = []
        try:
            if os.read(self._watch, 1 << 16):
                found.append("the file")
        except BlockingIOError:
            pass
        contacts = self._host.contacts
        if contacts != self._contacts:
            found.append("the address")
        self._contacts = contacts
        return tuple(found)

    def close(self) -> None:
        os.close(self._watch)


@contextmanager
def canaries(directory: Path) -> Iterator[Canary]:
    with media_host() as host:
        canary = Canary(directory, host)
        try:
            yield canary
        finally:
            canary.close()
