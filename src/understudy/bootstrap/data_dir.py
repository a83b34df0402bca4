"""The data directory: locked for one server, and the secrets kept in it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.settings import MEMORY
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.lock import DataDirLock


@contextmanager
def opened_data_dir(data_dir: str) -> Iterator[Path]:
    """Yield the data directory, locked for this process; ``:memory:`` is a temporary one.

    Raises: CannotOpen.
    """
    if data_dir == MEMORY:
        with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
            yield Path(folder)
        return
    path = Path(data_dir).expanduser().resolve()
    lock = DataDirLock(path)
    try:
        yield path
    finally:
        lock.release()


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret kept in a file that only its owner can read, made on first use.

    Raises: CannotOpen.
    """
    try:
        if path.is_file():
            text = path.read_text(encoding="ascii").strip()
            if text:
                return text
        text = make()
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text + "\n", encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotOpen(f"cannot use the file {path}: {error}") from error
    return text
