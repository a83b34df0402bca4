"""Result links that authorise themselves: a signature, and an expiry unless they work for ever; nothing is stored."""

import hmac
import re
from contextlib import suppress
from urllib.parse import parse_qs, quote, unquote, urlsplit

from understudy.core.errors import Forbidden, Unavailable, Violation

_HOST = re.compile(rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_EXPIRES = re.compile(r"[1-9][0-9]{0,11}")
FILES_PATH = "/files/"
ENDLESS_FRESH_S = 31_536_000
"""How long caches may keep what an endless link gives: a year is as long as any keeps anything. Source: RFC 2616
14.21, which later ones no longer limit."""

_URL_CHARS_MAX = 2048
"""Our own bound: none of our links is nearly as long, and what is longer is not worth taking apart."""
_FIELDS_MAX = 8


class LinkSigner:
    """Signs and checks result links with the server's secret, so that they survive a restart.

    Every server with the same secret takes the links of the others. lifetime_s: how long a link works; 0 = for ever.
    """

    def __init__(self, secret: bytes, *, lifetime_s: int) -> None:
        if not secret:
            msg = "the secret that signs result links is empty"
            raise ValueError(msg)
        # A key of its own, because the same secret also peppers API keys.
        self._key = hmac.digest(secret, b"understudy result links", "sha256")
        self._lifetime_s = lifetime_s

    def url(self, root: str, blob_key: str, now_s: float) -> str:
        """Return the address of a blob below ``root``, good from now for the lifetime. now_s: epoch seconds."""
        end_s = self.expires_at_s(now_s)
        expires = "" if end_s is None else str(end_s)
        said = f"expires={expires}&" if expires else ""
        return f"{root}{FILES_PATH}{quote(blob_key)}?{said}signature={self._sign(blob_key, expires)}"

    def expires_at_s(self, now_s: float) -> int | None:
        """Return when an address that is made now stops working; both in epoch seconds. None = never."""
        return int(now_s) + self._lifetime_s if self._lifetime_s else None

    @property
    def fresh_s(self) -> int:
        """How long caches may keep what was given to somebody without a link, in seconds."""
        return self._lifetime_s or ENDLESS_FRESH_S

    def check(self, blob_key: str, *, expires: str, signature: str, now_s: float) -> int:
        """Let a genuine link pass; return for how many seconds caches may keep what it gives.

        expires: as the link says it; "" = it says nothing.

        Raises: Forbidden.
        """
        if not self._is_genuine(blob_key, expires, signature) or (expires and int(expires) <= now_s):
            message = "The link is not valid or has expired. Get the task again for a fresh one."
            raise Forbidden(Violation("AccessDenied", "signature", message))
        return int(int(expires) - now_s) if expires else ENDLESS_FRESH_S

    def key_of(self, url: str, now_s: float) -> str | None:
        """Return the blob key behind an address that is one of our links, at whatever host, or None.

        None also when its time is over. The signature decides, so the path may lie below a prefix.
        """
        if len(url) > _URL_CHARS_MAX or FILES_PATH not in url:
            return None
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query, max_num_fields=_FIELDS_MAX, keep_blank_values=True)
        except ValueError:
            return None
        expires, signature = query.get("expires", [""])[0], query.get("signature", [""])[0]
        # The prefix can hold the same word.
        for tail in (parts.path.partition(FILES_PATH)[2], parts.path.rpartition(FILES_PATH)[2]):
            with suppress(Forbidden):
                self.check(unquote(tail), expires=expires, signature=signature, now_s=now_s)
                return unquote(tail)
        return None

    def _is_genuine(self, blob_key: str, expires: str, signature: str) -> bool:
        given, expected = signature.encode("utf-8", "replace"), self._sign(blob_key, expires).encode("ascii")
        return hmac.compare_digest(given, expected) and (not expires or _EXPIRES.fullmatch(expires) is not None)

    def _sign(self, blob_key: str, expires: str) -> str:
        """Sign a key and its end, "" = none, as two lines; an end is digits alone, so no other pair gives the same."""
        signed = f"{blob_key}\n{expires}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, signed, "sha256").hex()


class RequestLinks:
    """The links of one answer: all below the same root, all of the same moment."""

    __slots__ = ("_now_s", "_root", "_signer", "kept_s")

    def __init__(self, signer: LinkSigner, root: str, now_s: float, *, kept_s: int | None = None) -> None:
        """Take what the links are made of. kept_s: how long what they lead to is kept, from its creation on."""
        self.kept_s = kept_s
        self._signer = signer
        self._root = root
        self._now_s = now_s

    @property
    def expires_at_s(self) -> int | None:
        """When the addresses of this answer stop working, epoch seconds; None = never."""
        return self._signer.expires_at_s(self._now_s)

    def url(self, blob_key: str) -> str:
        """Return an absolute, self-authorising address."""
        return self._signer.url(self._root, blob_key, self._now_s)


def root_of(scheme: str, host: bytes | None, server: tuple[str, int | None] | None) -> str:
    """Name the place the client reached us at: its Host header when well formed, else the address it connected to.

    A forged Host can only spoil the answer of the one who forged it: nothing is cached and nothing is sent there.
    """
    if host is not None and _HOST.fullmatch(host):
        return f"{scheme}://{host.decode('ascii')}"
    if server is None:
        raise Unavailable(Violation("ServiceUnavailable", "", "The server does not know its own address."))
    address, port = server
    address = f"[{address}]" if ":" in address else address
    return f"{scheme}://{address}" if port is None else f"{scheme}://{address}:{port}"
