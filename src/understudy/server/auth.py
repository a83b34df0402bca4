"""API keys at the door: who is calling, told from a digest, never from a stored secret."""

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from understudy.core.errors import Unauthorized, Violation
from understudy.core.ports import ApiKey

KEY_CHARS_MAX = 512
ACCESS_KEY_PREFIX = "AK"
_KEY = re.compile(b"[!-~]{1,%d}" % KEY_CHARS_MAX)
MISSING = "The API key or AK/SK in the request is missing or invalid."
MALFORMED = "The API key format is incorrect."
UNKNOWN = "The API key doesn't exist."


def key_digest(pepper: bytes, secret: bytes) -> bytes:
    """Return what is stored of a key: HMAC-SHA256 under the server's pepper.

    A keyed hash and not a slow one: keys are 256 random bits, which nobody guesses, and this runs on every request.
    """
    return hmac.digest(pepper, b"understudy api key\n" + secret, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An API key in its other form, which signs requests instead of travelling with them."""

    access_key_id: str
    secret_access_key: str


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
        self._by_digest: dict[bytes, ApiKey] = {}
        self._by_access_key: dict[str, ApiKey] = {}
        self._admitted: dict[bytes, ApiKey] = {}
        for key in keys:
            self.add(key)

    def key_of(self, authorization: bytes | None) -> ApiKey:
        """Return the key in an Authorization header.

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
        key = self._by_digest.get(key_digest(self._pepper, secret))
        if key is None:
            raise _refusal(UNKNOWN)
        if authorization == b"Bearer " + secret:
            # One entry per key at most: a caller cannot grow this by spelling the header in other ways.
            self._admitted[authorization] = key
        return key

    def add(self, key: ApiKey) -> None:
        """Let a new key in from now on."""
        self._by_digest[key.digest] = key
        self._by_access_key[ACCESS_KEY_PREFIX + key.id] = key

    def signer(self, access_key_id: str) -> tuple[str, str] | None:
        """Return owner and secret of an access key, or None when there is no such key.

        The secret follows from the key's id and the server's own secret, because what is stored of an API key is a
        digest, which signs nothing.
        """
        key = self._by_access_key.get(access_key_id)
        return None if key is None else (key.owner, self._secret_access_key(key))

    def credentials_of(self, authorization: bytes | None) -> Credentials:
        """Return the other form of the key in an Authorization header.

        Raises: Unauthorized.
        """
        key = self.key_of(authorization)
        return Credentials(access_key_id=ACCESS_KEY_PREFIX + key.id, secret_access_key=self._secret_access_key(key))

    def _secret_access_key(self, key: ApiKey) -> str:
        said = b"understudy secret access key\n" + key.id.encode() + b"\n" + key.digest
        return base64.b64encode(hmac.digest(self._pepper, said, "sha256")).decode("ascii")


def _refusal(message: str) -> Unauthorized:
    return Unauthorized(Violation("AuthenticationError", "", message))
