"""The data directory: locked for one server, and the secrets kept in it."""

import base64
import hmac
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from understudy.settings import MEMORY, Settings
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


KEY_PREFIX = "sk-"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Secrets:
    """What a server knows and nobody else. pepper: of API keys. signing: of links and callbacks. api_key: the first."""

    pepper: bytes
    signing: bytes
    api_key: str


def kept_secrets(settings: Settings, data_dir: Path) -> Secrets:
    """Return the secrets of this server, or of all that share its database: those follow from the one in the settings.

    Raises: CannotOpen.
    """
    shared = settings.secret.encode()
    if settings.database:
        drawn = hmac.digest(shared, b"understudy first api key", "sha256")
        made_up = KEY_PREFIX + base64.urlsafe_b64encode(drawn).decode("ascii").rstrip("=")
        return Secrets(pepper=shared, signing=shared, api_key=settings.first_api_key or made_up)
    own = bytes.fromhex(kept_secret(data_dir / "secret", lambda: secrets.token_hex(SECRET_BYTES)))
    api_key = settings.first_api_key or kept_secret(
        data_dir / "api_key", lambda: KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    )
    return Secrets(pepper=own, signing=shared or own, api_key=api_key)


def emptied_work_dir(data_dir: Path) -> Path:
    """Return the directory where films and media are made, without what an earlier process left there."""
    work_dir = data_dir / "work"
    shutil.rmtree(work_dir, ignore_errors=True)
    work_dir.mkdir(parents=True)
    return work_dir


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
