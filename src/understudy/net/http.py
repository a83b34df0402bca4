"""The one HTTP client of the server: whatever it contacts was judged by the guard, on each hop, as it connected.

A host is resolved once for a request; unless every address it has may be contacted, none is. The connection is made to
one of these very addresses and to nothing else. No proxy, cookie or password of the environment is used.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from understudy.net.guard import Guard, literal
from understudy.net.resolve import Resolve
from understudy.net.web_address import REASON_CHARACTERS_MAX, Refused, redirected, web_address

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CONNECT_TIMEOUT_S = 5.0
"""For one address; a machine on the other side of the Earth answers in a third of a second."""

IDLE_TIMEOUT_S = 10.0
"""Without a byte. Whoever waits sets the time for the whole; this lets a second try begin within it."""

CONNECTIONS_MAX = 256
"""Of one client. Far above what the server does at once; a bound against running out of files."""

ADDRESSES_MAX = 8
"""Of one host that are tried; all of them are judged. Large services give up to eight."""

HEADERS_MAX = 100
HEADER_BYTES_MAX = 16_384
"""Of one answer. The longest that a good host sends is a redirect to a signed address, about two thousand."""

HINTS_MAX = 16
"""Answers of the kind 1xx before the one that counts; good hosts send one or two. aiohttp reads on for ever, and does
nothing else meanwhile where they come fast."""

CHUNKS_FREE = 1000
CHUNK_BYTES_MIN = 64
"""What chunks must hold on average once so many came. A chunk costs as much as thousands of bytes: one host that sends
its file in crumbs would keep the server busy at the speed of the line."""

READ_BYTES = 1 << 18

USER_AGENT = f"Understudy/{version('understudy')} (self-hosted video server; asked for by one of its users)"
"""Says who is asking: some hosts refuse programs that do not."""


class Unreached(Exception):
    """No answer could be had, or not the whole of it. reason: for the log. is_transient: another try may succeed.

    retry_after_s: what the other side asked to wait before that; 0 = nothing.
    """

    def __init__(self, reason: str, *, is_transient: bool, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_transient = is_transient
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The head of an answer, and its body as it arrives. headers: lower-case names; of several the first one.

    chunks: the bytes as sent, whatever their Content-Encoding. Raises: Unreached.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole small answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Checked:
    host: str
    addresses: tuple[str, ...]


_QUOTED = re.compile(r"\n|\bb['\"]")
_CHECKED: ContextVar[_Checked | None] = ContextVar("checked", default=None)


class _CheckedAddresses(AbstractResolver):
    """Gives aiohttp the addresses that were judged for the request at hand, and asks nobody."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        checked = _CHECKED.get()
        if checked is None or checked.host != host:
            raise OSError(f"{host} was not checked")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in checked.addresses
        ]

    async def close(self) -> None:
        return None


def _socket_to_a_checked_address(place: Any) -> socket.socket:
    """Make the socket of a connection; the last look at where it leads, which literal addresses pass as well."""
    family, kind, protocol, _, address = place
    checked = _CHECKED.get()
    if checked is None or address[0] not in checked.addresses:
        raise OSError(f"{address[0]} was not checked")
    return socket.socket(family=family, type=kind, proto=protocol)


class _Response(aiohttp.ClientResponse):
    """aiohttp's answer, whose beginning is bounded."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read up to the head of the answer that counts.

        Raises: aiohttp.ClientResponseError: nothing but hints comes.
        """
        protocol, heads = connection.protocol, 0
        read = protocol.read

        async def read_bounded() -> Any:
            nonlocal heads
            heads += 1
            if heads > HINTS_MAX + 1:
                raise aiohttp.ClientResponseError(self.request_info, (), message="it hints at an answer for ever")
            return await read()

        # There is no other place to count: aiohttp passes over them in a loop of its own.
        protocol.read = read_bounded
        try:
            return await super().start(connection)
        finally:
            del protocol.read


class HttpClient:
    """Asks other machines, behind a guard. To be used on one event loop, and closed there.

    resolve: who knows the addresses of names. tls: who is trusted; None = the system's authorities.
    """

    def __init__(self, guard: Guard, resolve: Resolve, *, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._resolve = resolve
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Mapping[str, str] = MappingProxyType({}), redirects_max: int = 0
    ) -> AsyncIterator[Answer]:
        """Ask for an address and follow where it leads; the connection ends with the block.

        The body is asked for as it is, uncompressed. With redirects_max 0 a redirect is an answer like any other.

        Raises: Refused, Unreached.
        """
        here = web_address(url, self._guard)
        for hops in range(redirects_max + 1):
            async with self._ask("GET", here, headers) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None or not redirects_max:
                    yield _answer(response)
                    return
            if hops < redirects_max:
                here = redirected(here, location, self._guard)
        raise Unreached(f"more than {redirects_max} redirects", is_transient=False)

    async def post_json(
        self,
        url: str,
        body: bytes,
        *,
        timeout_s: float,
        most_bytes: int,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        """Send JSON and return the whole answer, whatever its status; a redirect is an answer, and not followed.

        Raises: Refused; Unreached, also for a late answer and one of more than most_bytes.
        """
        sent = {"Content-Type": "application/json", **headers}
        return await self._posted(url, body, timeout_s=timeout_s, most_bytes=most_bytes, headers=sent)

    async def post_form(
        self,
        url: str,
        form: aiohttp.FormData,
        *,
        timeout_s: float,
        most_bytes: int,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        """Send a form, whose files are read as they are sent; else as `post_json`."""
        return await self._posted(url, form, timeout_s=timeout_s, most_bytes=most_bytes, headers=headers)

    async def post_for_status(
        self, url: str, body: bytes, *, timeout_s: float, headers: Mapping[str, str] = MappingProxyType({})
    ) -> int:
        """Send JSON and return the answer's status, once that is there; the answer's body is not waited for.

        timeout_s: until then. A redirect is an answer, and not followed.

        Raises: Refused; Unreached, also for a late answer.
        """
        sent = {"Content-Type": "application/json", **headers}
        with _late_after(timeout_s):
            async with asyncio.timeout(timeout_s):
                async with self._ask("POST", web_address(url, self._guard), sent, body=body) as response:
                    return response.status

    async def _posted(
        self, url: str, body: bytes | aiohttp.FormData, *, timeout_s: float, most_bytes: int, headers: Mapping[str, str]
    ) -> Reply:
        with _late_after(timeout_s):
            async with asyncio.timeout(timeout_s):
                async with self._ask("POST", web_address(url, self._guard), headers, body=body) as response:
                    answer, received = _answer(response), bytearray()
                    async for chunk in answer.chunks:
                        received += chunk
                        if len(received) > most_bytes:
                            raise Unreached(f"the answer has more than {most_bytes} bytes", is_transient=False)
                    return Reply(status=answer.status, headers=answer.headers, body=bytes(received))

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _ask(
        self, method: str, url: URL, headers: Mapping[str, str], *, body: bytes | aiohttp.FormData | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        sent = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        checked = await self._checked(url)
        token = _CHECKED.set(checked)
        try:
            with _Faults():
                response = await self._opened().request(
                    method, url, headers=sent, data=body, timeout=_timeout(body), allow_redirects=False
                )
        finally:
            _CHECKED.reset(token)
        try:
            yield response
        finally:
            # Closed and not released: the rest of an endless body is nobody's.
            if response.content.is_eof():
                response.release()
            else:
                response.close()

    async def _checked(self, url: URL) -> _Checked:
        """Return the host with its addresses, all of which may be contacted.

        Raises: Refused, Unreached.
        """
        host, port = url.raw_host or "", url.port or 0
        addresses: Sequence[str] = (host,)
        if literal(host) is None:
            try:
                addresses = await self._resolve(host, port)
            except OSError as error:
                is_transient = getattr(error, "errno", None) == socket.EAI_AGAIN
                raise Unreached(f"{host} has no address: {error}", is_transient=is_transient) from error
        if not addresses:
            raise Unreached(f"{host} has no address", is_transient=False)
        for address in addresses:
            if refusal := self._guard.refusal(address, host):
                raise Refused(f"{host}: {refusal}")
        return _Checked(host, tuple(dict.fromkeys(addresses))[:ADDRESSES_MAX])

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_CheckedAddresses(),
                    socket_factory=_socket_to_a_checked_address,
                    use_dns_cache=False,
                    limit=CONNECTIONS_MAX,
                    ssl=self._tls or True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                read_bufsize=READ_BYTES,
                max_line_size=HEADER_BYTES_MAX,
                max_field_size=HEADER_BYTES_MAX,
                max_headers=HEADERS_MAX,
                response_class=_Response,
            )
        return self._session


@contextmanager
def _late_after(timeout_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Unreached(f"no answer within {timeout_s:g} s", is_transient=True) from error


def _timeout(body: object) -> aiohttp.ClientTimeout:
    """Return the bounds within an exchange; who is sent something may think about it, within the bound of the whole."""
    idle_timeout_s = IDLE_TIMEOUT_S if body is None else None
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=idle_timeout_s)


def _answer(response: aiohttp.ClientResponse) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        headers.setdefault(name.lower(), value)
    return Answer(status=response.status, headers=MappingProxyType(headers), chunks=_chunks(response))


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    chunks = size_bytes = 0
    with _Faults():
        async for piece, is_end_of_chunk in response.content.iter_chunks():
            chunks += is_end_of_chunk
            size_bytes += len(piece)
            if chunks > CHUNKS_FREE and size_bytes < chunks * CHUNK_BYTES_MIN:
                raise Unreached(f"{chunks} chunks hold {size_bytes} bytes only", is_transient=False)
            if piece:
                yield piece


class _Faults:
    """Turns aiohttp's exceptions into ours: what may go away by itself, and what will not."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        match error:
            case aiohttp.ClientSSLError():
                raise Unreached(f"no trust in the other side: {_said(error)}", is_transient=False) from error
            case aiohttp.ServerTimeoutError():
                raise Unreached(f"no sign of life: {_said(error)}", is_transient=True) from error
            case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
                raise Unreached(f"the connection failed: {_said(error)}", is_transient=True) from error
            case aiohttp.ClientError() | ValueError():
                raise Unreached(f"the answer cannot be read: {_said(error)}", is_transient=False) from error


def _said(error: Exception) -> str:
    """Return what aiohttp says up to where it quotes the other side, and without the URL, which may be signed."""
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return _QUOTED.split(said or type(error).__name__)[0].rstrip(": ")[:REASON_CHARACTERS_MAX]
