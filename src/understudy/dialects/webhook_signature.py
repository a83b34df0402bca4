"""Signatures of callbacks as Standard Webhooks has them: made by the server, checked by who receives them.

Signed are id, timestamp and body, with a dot between each two. The same id is at every try, the timestamp is the try's.
Source: the Standard Webhooks specification, 1.0.0.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from understudy.catalog.callbacks import load_callback_facts

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class NotGenuine(Exception):
    """The signature does not hold; the message says why, without the secret."""


def secret_text(key: bytes) -> str:
    """Spell a key as people copy it, "whsec_" and base64."""
    return load_callback_facts().signature.secret_prefix + base64.b64encode(key).decode("ascii")


def secret_key(text: str) -> bytes:
    """Return the key of a secret, with or without its prefix and its padding.

    Raises: ValueError.
    """
    plain = text.strip().removeprefix(load_callback_facts().signature.secret_prefix).rstrip("=")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("the secret is none: it begins with whsec_, and base64 follows")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is signed. epoch_s: when this try is made, whole seconds."""

    id: str
    epoch_s: int
    body: bytes

    def headers(self, key: bytes) -> Mapping[str, str]:
        """Return the three headers."""
        return {ID: self.id, TIMESTAMP: str(self.epoch_s), SIGNATURE: self._signature(key)}

    def _signature(self, key: bytes) -> str:
        digest = hmac.digest(key, f"{self.id}.{self.epoch_s}.".encode() + self.body, "sha256")
        return f"{load_callback_facts().signature.version},{base64.b64encode(digest).decode('ascii')}"

    def is_signed_by(self, key: bytes, signatures: str) -> bool:
        """Say whether one of the signatures, which stand with spaces between them, is the key's."""
        expected = self._signature(key).encode()
        return any(hmac.compare_digest(each.encode(), expected) for each in signatures.split())


def check(headers: Mapping[str, str], body: bytes, *, key: bytes, now_s: float) -> Signed:
    """Return what was signed, once its signature holds. headers: lower-case names. now_s: epoch seconds.

    Raises: NotGenuine.
    """
    given = [headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)]
    if not all(given):
        raise NotGenuine(
            "it is not signed: one of the headers " + ", ".join((ID, TIMESTAMP, SIGNATURE)) + " is missing"
        )
    if not (given[1].isascii() and given[1].isdigit()):
        raise NotGenuine(f"the header {TIMESTAMP} is no number")
    signed = Signed(id=given[0], epoch_s=int(given[1][:12]), body=body)
    if not signed.is_signed_by(key, given[2]):
        raise NotGenuine("the signature is another one's: the secret is wrong, or the body was changed")
    tolerance_s = load_callback_facts().signature.tolerance_s
    if abs(now_s - signed.epoch_s) > tolerance_s:
        raise NotGenuine(f"it was signed more than {tolerance_s:g} s from now: an old one, or the clocks differ")
    return signed
