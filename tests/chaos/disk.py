"""A small disk of its own for a campaign, which can be filled to the last byte and emptied again.

It is a file system in memory, which only root can mount. Where that is not allowed, programs are kept from making any
file longer instead, which fails their writes as well, though with another error.
"""

import contextlib
import os
import resource
import subprocess
from collections.abc import Collection
from pathlib import Path

SIZE_BYTES = 768 << 20
PIECE_BYTES = 1 << 20
SHORT_FILE_BYTES = 1


class SmallDisk:
    """A folder. is_real: it is a file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        mount = ("mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=755", "understudy-chaos", str(folder))
        self.is_real = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self, pids: Collection[int]) -> None:
        """Leave no byte to be written. pids: of the programs that write here."""
        if not self.is_real:
            self._limit(pids, SHORT_FILE_BYTES)
            return
        with self._ballast.open("wb", buffering=0) as ballast:
            for size_bytes in (PIECE_BYTES, 4096):
                piece = bytes(size_bytes)
                with contextlib.suppress(OSError):
                    while ballast.write(piece) == size_bytes:
                        pass

    def free(self, pids: Collection[int]) -> None:
        """Let them write again."""
        if self.is_real:
            self._ballast.unlink(missing_ok=True)
        else:
            self._limit(pids, resource.RLIM_INFINITY)

    def close(self) -> None:
        """Give it back. Nothing is kept."""
        if self.is_real:
            subprocess.run(("umount", "--lazy", str(self.folder)), check=True)
            self.is_real = False

    def _limit(self, pids: Collection[int], most_bytes: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                soft = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
