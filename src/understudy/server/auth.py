"""API keys at the door: who is calling, told from a digest, never from a stored secret."""

import hmac
import re
from collections.abc import Iterable

from understudy.core.errors import Unauthorized, Violation
from understudy.core.ports import ApiKey

KEY_CHARS_MAX = 512
_KEY = re.compile(b"[!-~]{1,%d}" % KEY_CHARS_MAX)
MISSING = "The API key or AK/SK in the request is missing or invalid."
MALFORMED = "The API key format is incorrect."
UNKNOWN = "The API key doesn't exist."


def key_digest(pepper: bytes, secret: bytes) -> bytes:
    """Return what is stored of a key: HMAC-SHA256 under the server's pepper.

    A keyed hash and not a slow one: keys are 256 random bits, which nobody guesses, and this runs on every request.
    """
    return hmac.digest(pepper, b"understudy api key\n" + secret, "sha256")


class KeyRing:
    """All keys, in memory, by digest; headers that were admitted once are known again without a digest.

    The look-ups are a dictionary's and safe from timing: what decides whether bytes are compared at all is a keyed
    digest or a keyed hash, which a caller can neither choose nor predict.
    """

    def __init__(self, pepper: bytes, keys: Iterable[ApiKey]) -> None:
        if not pepper:
            msg = "the secret that peppers API keys is empty"
            raise ValueError(msg)
        self._pepper = pepper
        self._owners = {key.digest: key.owner for key in keys}
        self._admitted: dict[bytes, str] = {}

    def owner_of(self, authorization: bytes | None) -> str:
        """Return the owner of the key in an Authorization header.

        Raises: Unauthorized, in Ark's three wordings. Source: Ark error messages as measured by others (2026-08).
        """
        if not authorization:
            raise _refusal(MISSING)
        admitted = self._admitted.get(authorization)
        if admitted is not None:
            return admitted
        scheme, _, secret = authorization.partition(b" ")
        secret = secret.strip(b" ")
        if scheme.lower() != b"bearer" or not secret:
            raise _refusal(MISSING if scheme.lower() == b"bearer" else MALFORMED)
        if not _KEY.fullmatch(secret):
            raise _refusal(MALFORMED)
        owner = self._owners.get(key_digest(self._pepper, secret))
        if owner is None:
            raise _refusal(UNKNOWN)
        if authorization == b"Bearer " + secret:
            # One entry per key at most: a caller cannot grow this by spelling the header in other ways.
            self._admitted[authorization] = owner
        return owner

    def add(self, key: ApiKey) -> None:
        """Let a new key in from now on."""
        self._owners[key.digest] = key.owner


def _refusal(message: str) -> Unauthorized:
    return Unauthorized(Violation("AuthenticationError", "", message))
