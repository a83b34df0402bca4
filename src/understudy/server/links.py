"""Result links that authorise themselves: an expiry and a signature in the address, nothing stored."""

import hmac
import re
from urllib.parse import quote

from understudy.core.errors import Forbidden, Unavailable, Violation

_HOST = re.compile(rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_EXPIRES = re.compile(r"[1-9][0-9]{0,11}")
FILES_PATH = "/files/"


class LinkSigner:
    """Signs and checks result links with the server's secret, so that they survive a restart."""

    def __init__(self, secret: bytes, *, lifetime_s: int) -> None:
        if not secret:
            msg = "the secret that signs result links is empty"
            raise ValueError(msg)
        # A key of its own, because the same secret also peppers API keys.
        self._key = hmac.digest(secret, b"understudy result links", "sha256")
        self._lifetime_s = lifetime_s

    def url(self, root: str, blob_key: str, now_s: float) -> str:
        """Return the address of a blob below ``root``, good from now for the lifetime. now_s: epoch seconds."""
        expires = str(self.expires_at_s(now_s))
        return f"{root}{FILES_PATH}{quote(blob_key)}?expires={expires}&signature={self._sign(blob_key, expires)}"

    def expires_at_s(self, now_s: float) -> int:
        """Return when an address that is made now stops working; both in epoch seconds."""
        return int(now_s) + self._lifetime_s

    def check(self, blob_key: str, *, expires: str, signature: str, now_s: float) -> None:
        """Let a genuine link pass.

        Raises: Forbidden.
        """
        given, expected = signature.encode("utf-8", "replace"), self._sign(blob_key, expires).encode("ascii")
        is_genuine = hmac.compare_digest(given, expected)
        if not is_genuine or not _EXPIRES.fullmatch(expires) or int(expires) <= now_s:
            message = "The link is not valid or has expired. Get the task again for a fresh one."
            raise Forbidden(Violation("AccessDenied", "signature", message))

    def _sign(self, blob_key: str, expires: str) -> str:
        signed = f"{blob_key}\n{expires}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, signed, "sha256").hex()


class RequestLinks:
    """The links of one answer: all below the same root, all of the same moment."""

    __slots__ = ("_now_s", "_root", "_signer")

    def __init__(self, signer: LinkSigner, root: str, now_s: float) -> None:
        self._signer = signer
        self._root = root
        self._now_s = now_s

    @property
    def expires_at_s(self) -> int:
        """When the addresses of this answer stop working, epoch seconds."""
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
