"""Idempotency keys: requests that carry the same one are one request, however often a client sends it again.

What clients do that time out: they send the same once more, and must neither pay twice nor lose the first. Source of
the behaviour: Stripe's and the IETF's "The Idempotency-Key HTTP Header Field".
"""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec

from understudy.core.errors import Rejected, Violation
from understudy.core.media import Spooled
from understudy.core.queueing import Idempotency
from understudy.core.request import GenerationRequest
from understudy.core.task import Status, Task

HEADER = "Idempotency-Key"
KEY_CHARS_MAX = 255
"""Source: Stripe's API reference, "Idempotent requests"."""


def checked_key(header: bytes) -> str:
    """Return the key in the header Idempotency-Key.

    Raises: Rejected.
    """
    key = header.decode("latin-1").strip()
    if 1 <= len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable():
        return key
    message = f"The header {HEADER} must have 1 to {KEY_CHARS_MAX} printable ASCII characters."
    raise Rejected(Violation("InvalidParameter", HEADER, message))


async def fingerprint_of(dialect: str, request: GenerationRequest, spooled: Spooled) -> bytes:
    """Return the SHA-256 of a request as it was decoded, by which the same request is known again.

    spooled: the files that stand for its media; their names are another each time, so their bytes count instead.
    """
    said = dialect.encode() + b"\n" + msgspec.json.encode(request)
    # The longest first: the tenth file's address begins with the first one's.
    for address, path in sorted(spooled.items(), key=lambda each: -len(each[0])):
        digest = await asyncio.to_thread(_digest, path)
        said = said.replace(address.encode(), digest)
    return hashlib.sha256(said).digest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode()


def first_answer(asked: Idempotency, earlier: Idempotency, task: Task | None) -> Task:
    """Return the task as it was answered when the key was used first. task: as it is now, None when it is gone.

    Raises: Rejected when the key stood for another request, or for a task that is gone.
    """
    if asked.fingerprint != earlier.fingerprint:
        message = f"The {HEADER} was used for another request before; use a new key for each request."
        raise Rejected(Violation("InvalidParameter", HEADER, message))
    if task is None:
        message = f"The task that the {HEADER} made was removed; use a new key to make another."
        raise Rejected(Violation("InvalidParameter", HEADER, message))
    return replace(
        task,
        status=Status.QUEUED,
        updated_at=task.created_at,
        attempt=0,
        progress=0.0,
        film=None,
        completion_tokens=None,
        error=None,
    )
