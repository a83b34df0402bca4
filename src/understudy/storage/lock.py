"""One server per data directory: an exclusive lock that ends with the process, however it ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from understudy.storage.cannot_open import CannotOpen

_FILE_NAME = "lock"


class DataDirLock:
    """Holds a data directory for this process from construction until `release`.

    The kernel releases it when the process ends, so there is no stale lock to clean up after a crash. The file stays:
    removing it would let two processes lock two files of one name.

    Raises:
        CannotOpen: another process holds it (the message names its pid), or the directory cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._file = os.open(data_dir / _FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotOpen(f"cannot use the data directory {data_dir}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise CannotOpen(
                f"the data directory {data_dir} is in use by another Understudy, process {holder}: stop it, or choose "
                f"another directory with --data-dir"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the directory free; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> "DataDirLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
