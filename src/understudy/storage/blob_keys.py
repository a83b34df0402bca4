"""The keys of blobs, which the server makes, and what a key alone says of the bytes."""

import hashlib
import re

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,99}/[a-z0-9][a-z0-9_]{0,79}\.[a-z0-9]{1,8}", re.ASCII)
"""``<folder>/<name>.<ending>``: no dot can begin a part, so no key climbs out of a root or a prefix."""

_BY_CONTENT = re.compile(r"media(?:-[a-z0-9]+)?/([0-9a-f]{64})\.[a-z0-9]{1,8}", re.ASCII)
_ETAG_BYTES = 16


def is_key(key: str) -> bool:
    """Say whether the server can have made the key; one that it cannot have made names nothing."""
    return _KEY.fullmatch(key) is not None


def checked_key(key: str) -> str:
    """Return the key.

    Raises: ValueError.
    """
    if not is_key(key):
        raise ValueError(f"{key!r} is no blob key")
    return key


def is_by_content(key: str) -> bool:
    """Say whether the key names the SHA-256 of the bytes, so that it never stands for others."""
    return _BY_CONTENT.fullmatch(key) is not None


def etag_of(key: str, *version: object) -> str:
    """Return the strong ETag of a blob. version: what tells these bytes from others that were under the key.

    A key by content needs none: every store on every machine tells the same.
    """
    match = _BY_CONTENT.fullmatch(key)
    if match is not None:
        return f'"{match[1]}"'
    told = "\n".join(str(each) for each in version).encode()
    return f'"{hashlib.blake2b(told, digest_size=_ETAG_BYTES).hexdigest()}"'
