"""Signed requests, as Volcengine's SDKs send them to Ark's control plane: HMAC-SHA256 over what is asked for.

Source: Volcengine's signature, version 4, and its signers for Python (volcenginesdkcore 5.0). Quirk: they leave the
ports 80 and 443 out of the host that they sign.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

from understudy.core.errors import Unauthorized, Violation
from understudy.server.auth import KeyRing
from understudy.server.reply import Message, Receive

ALGORITHM = "HMAC-SHA256"
SERVICE = "ark"
CLOCK_SKEW = timedelta(minutes=15)
"""How far the clocks of client and server may be apart; for so long a request that was overheard can be sent again."""

_NEEDED = frozenset({"host", "x-date", "x-content-sha256"})
_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 +Credential=(?P<key>[!-+\--.0-~]{1,128})/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]{1,64})"
    r"/(?P<service>[a-z0-9_-]{1,64})/request *, *SignedHeaders=(?P<headers>[a-z0-9;-]{1,1024}) *, *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_MOMENT = "%Y%m%dT%H%M%SZ"
_PLAIN_PORT = re.compile(r":(?:80|443)$")


class SignatureRefused(Unauthorized):
    """The signature does not let the request in. word: the code that Volcengine's gateway has for it."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(Violation("AuthenticationError", "Authorization", message))
        self.word = word


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a signature is over. headers: lower-case names. public_url: what clients call the server, if it is set."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    public_url: str | None = None

    @property
    def body_sha256(self) -> str:
        """The digest that the body must have."""
        return self.header("x-content-sha256").lower()

    def header(self, name: str) -> str:
        """Return a header's value, "" when there is none."""
        return self.headers.get(name.encode("ascii"), b"").decode("latin-1").strip()


def is_signed(authorization: bytes | None) -> bool:
    """Say whether a header Authorization holds a signature, good or bad, in place of a key."""
    return authorization is not None and authorization.startswith(ALGORITHM.encode("ascii"))


def owner_of_signature(keys: KeyRing, request: SignedRequest, now: datetime) -> str:
    """Return the owner of the key that a request is signed with. That its body is the signed one is still to be seen.

    Raises: SignatureRefused.
    """
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if found is None:
        raise SignatureRefused("InvalidAuthorization", "The Authorization header is no HMAC-SHA256 signature.")
    moment = _moment(request, found["date"], now)
    if found["service"] != SERVICE:
        raise SignatureRefused("InvalidCredential", f"The signature must be for the service `{SERVICE}`.")
    names = found["headers"].split(";")
    missing = sorted(_NEEDED.difference(names))
    if missing:
        raise SignatureRefused("InvalidAuthorization", f"The header `{missing[0]}` must be among those signed.")
    signer = keys.signer(found["key"])
    if signer is None:
        raise SignatureRefused("InvalidAccessKey", "The access key does not exist.")
    owner, secret = signer
    scope = f"{found['date']}/{found['region']}/{found['service']}/request"
    key = _signing_key(secret, scope)
    given = found["signature"].encode("ascii")
    is_genuine = False
    for host in _hosts(request):
        expected = _signature(key, f"{ALGORITHM}\n{moment}\n{scope}\n{_digest(_canonical(request, names, host))}")
        is_genuine |= hmac.compare_digest(expected.encode("ascii"), given)
    if not is_genuine:
        message = "The signature does not match the request: check the SecretAccessKey and what was signed."
        raise SignatureRefused("SignatureDoesNotMatch", message)
    return owner


class HashedBody:
    """Takes a request's body in, and knows its digest once it is whole."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._hash = hashlib.sha256()

    async def receive(self) -> Message:
        """Pass the next part on."""
        message = await self._receive()
        self._hash.update(message.get("body", b""))
        return message

    def check(self, request: SignedRequest) -> None:
        """Let the body that was signed pass.

        Raises: SignatureRefused.
        """
        if not hmac.compare_digest(self._hash.hexdigest().encode("ascii"), request.body_sha256.encode("latin-1")):
            raise SignatureRefused("SignatureDoesNotMatch", "The body is not the one that X-Content-Sha256 tells of.")


def _moment(request: SignedRequest, date: str, now: datetime) -> str:
    """Return the moment of signing as it was signed, having checked that it is near."""
    spelled = request.header("x-date")
    try:
        signed_at = datetime.strptime(spelled, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRefused("InvalidTimestamp", "The header X-Date must be such as 20261121T120000Z.") from None
    if spelled[: len(date)] != date:
        raise SignatureRefused("InvalidCredential", "The date of the credential is not that of X-Date.")
    if abs(now - signed_at) > CLOCK_SKEW:
        minutes = CLOCK_SKEW // timedelta(minutes=1)
        message = f"The request was signed more than {minutes} minutes from now: check the clock."
        raise SignatureRefused("InvalidTimestamp", message)
    return spelled


def _hosts(request: SignedRequest) -> Iterator[str]:
    """Yield what the client may have signed as the host: what arrived, or what it was before a proxy changed it."""
    known = {request.header("host"), urlsplit(request.public_url or "").netloc} - {""}
    yield from sorted(known | {_PLAIN_PORT.sub("", host) for host in known})


def _canonical(request: SignedRequest, names: list[str], host: str) -> str:
    values = {name: request.header(name) for name in names} | {"host": host}
    lines = "".join(f"{name}:{values[name]}\n" for name in sorted(names))
    query = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    asked = "&".join(f"{name}={value}" for name, value in pairs)
    path = quote(request.path, safe="/-_.~") or "/"
    return "\n".join((request.method, path, asked, lines, ";".join(sorted(names)), request.header("x-content-sha256")))


def _signing_key(secret: str, scope: str) -> bytes:
    key = secret.encode("utf-8")
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode("utf-8"), "sha256")
    return key


def _signature(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8"), "sha256").hex()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
