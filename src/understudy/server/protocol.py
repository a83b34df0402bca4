"""The HTTP parser's edge: bounds that uvicorn lacks, and no answer in a framework's shape.

uvicorn waits for ever for the end of a request's headers, takes headers of any size, reads the rest of a body for
ever after the answer went out, waits for ever for a client that does not read its answer, speaks plain text when bytes
are not HTTP, and loses the body of a request that offers another protocol. Each of these ends here.
"""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from understudy.core.errors import Violation
from understudy.server.house import Limits
from understudy.server.reply import BROKEN_OFF, ClientLeft, Reply

JOINED_BYTES = 64 * 1024
"""Up to this size head and body are joined for one write; a larger part is not worth a copy, time or memory."""

CHUNKS_AT_ONCE_MAX = 2000
"""Of a body, in what is read at once, some 250 kB. A chunk costs as much as a thousand bytes, and everybody else waits:
eight strangers who sent chunks of one byte kept a server from all others for as long as they liked."""


class _Crumbs(Exception):
    """The body comes in chunks that are not worth parsing."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge needs to know. answer: spells a violation in the server's shape.

    excess_bytes: how much of a body is still taken, unread, after the answer went out. A client whose connection is cut
    while it sends would never see the answer.
    """

    limits: Limits
    excess_bytes: int
    answer: Callable[[Violation], Reply]


class EdgeCycle(RequestResponseCycle):
    """uvicorn's request and answer, sent in one write: head and first part of the body leave together.

    uvicorn writes them one after the other, which is two system calls and to some clients two packets, and matches two
    patterns against each header. Here every answer states its length or has none, as `reply` sees to.
    """

    _head: bytes = b""
    stall_timeout_s: float

    async def send(self, message: Any) -> None:
        """Send a part of the answer; the head waits for the first part of the body.

        Raises: ClientLeft: more is to come and nobody takes it.
        """
        if self.flow.write_paused:
            await self._wait_for_client()
        if self.disconnected:
            if message.get("more_body", False):
                raise ClientLeft
            return
        if message["type"] == BROKEN_OFF:
            # The connection ends before the stated length: only that tells a client that something is missing.
            self.disconnected = True
            self.transport.close()
            return
        if not self.response_started:
            self._start(message["status"], message["headers"])
            return
        body, is_last = message["body"], not message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            body = b""
        if len(body) > JOINED_BYTES:
            self.transport.writelines((self._head, body))
        else:
            self.transport.write(self._head + body)
        self._head = b""
        if is_last:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()
        elif self.flow.write_paused:
            # Before the next part is read: a client that is slow has one part in memory and not two.
            await self._wait_for_client()

    async def _wait_for_client(self) -> None:
        """Wait until the client has taken what was written, however slowly; hang up on one that takes nothing."""
        while self.flow.write_paused and not self.disconnected:
            unsent = unsent_bytes(self.transport)
            try:
                async with asyncio.timeout(self.stall_timeout_s):
                    await self.flow.drain()
            except TimeoutError:
                if unsent_bytes(self.transport) >= unsent:
                    self.disconnected = True
                    self.transport.abort()

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        headers = [*self.default_headers, *headers]
        if not self.keep_alive:
            headers.append((b"connection", b"close"))
        head = b"".join((STATUS_LINE[status], *[b"%b: %b\r\n" % header for header in headers], b"\r\n"))
        if head.count(b"\n") != len(headers) + 2:
            msg = "a header of the answer holds a line break"
            raise ValueError(msg)
        self.response_started = True
        self.waiting_for_100_continue = False
        self._head = head


def unsent_bytes(transport: asyncio.Transport) -> int:
    """Return how much the client has not acknowledged yet of what was written, the kernel's part included.

    The transport alone would not do: the kernel takes up to megabytes at once, and then nothing for as long as a slow
    client needs for them.
    """
    unsent = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    try:
        (in_kernel,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:
        # The connection is gone, or the system does not tell.
        return unsent
    return unsent + int(in_kernel)


class EdgeProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection, with bounds; made by `protocol_for`."""

    edge: Edge

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._is_in_message = False
        self._is_refused = False
        self._has_offer = False
        self._head_bytes = 0
        self._excess_bytes = 0
        self._chunks_at_once = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.edge.limits.connections:
            message = "The server has too many open connections, please try again later."
            self._refuse(Violation("ServerOverloaded", "", message))
        else:
            self._arm(self.edge.limits.head_timeout_s, self._give_up_on_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and see to it that a request that is not whole yet becomes so in time."""
        if self.transport.is_closing():
            return
        if self._is_refused:
            self._count_excess(len(data))
            return
        self._unset_keepalive_if_required()
        self._chunks_at_once = 0
        self._parse(data)
        if self._is_in_message and not self._is_refused:
            self._guard_rest(len(data))

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._refuse(Violation("InvalidParameter", "", "The request is not valid HTTP."))

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._is_in_head = self._is_in_message = True
        self._head_bytes = self._chunks_at_once = 0

    def on_headers_complete(self) -> None:
        """Start the request; its time for headers is over, that for its body begins."""
        self._has_offer = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if self._has_offer:
            return
        self._is_in_head = False
        if self._timer is not None:
            self._disarm()
        super().on_headers_complete()
        # uvicorn makes the object and offers no way to choose its class; it has not run yet.
        self.cycle.__class__ = EdgeCycle
        self.cycle.__dict__["stall_timeout_s"] = self.edge.limits.idle_timeout_s

    def on_response_complete(self) -> None:
        """Go on to the next request, or see the connection closed."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._see_it_closed()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which no other request came, and see it closed."""
        super().timeout_keep_alive_handler()
        self._see_it_closed()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; after the answer, only up to a bound."""
        self._chunks_at_once += 1
        if self._chunks_at_once > CHUNKS_AT_ONCE_MAX:
            raise _Crumbs
        if self.cycle.response_complete:
            self._count_excess(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request has been read to its end."""
        if self._has_offer:
            return
        self._is_in_message = False
        self._excess_bytes = 0
        if self._timer is not None:
            self._disarm()
        super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        """Feed the parser, which stops behind each head that offers to go on in another protocol.

        It takes what follows for that protocol, but the offer may be declined, and then a body follows as ever. Java's
        HttpClient offers HTTP/2 with its first request to an http:// address.
        """
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if not self._has_offer:
                    return
                # A new parser, because this one takes nothing more where the connection is to be closed.
                head, self.parser = self._head_without_offer(), httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                data = head + data[stop.args[0] :]
            except httptools.HttpParserError as error:
                if isinstance(error.__context__, _Crumbs):
                    self._end_body("The request body comes in too many small chunks: send larger ones.")
                else:
                    self.send_400_response("")
                return
            else:
                return

    def _head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode("ascii")
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join((b"%b %b HTTP/%b\r\n" % (method, self.url, version), *lines, b"\r\n"))

    def _guard_rest(self, size_bytes: int) -> None:
        if self._is_in_head:
            self._head_bytes += size_bytes
            if self._head_bytes > self.edge.limits.head_bytes:
                message = f"The request's headers must be at most {self.edge.limits.head_bytes} bytes."
                self._refuse(Violation("InvalidParameter", "headers", message))
            elif self._timer is None:
                self._arm(self.edge.limits.head_timeout_s, self._give_up_on_head)
        elif self._timer is None:
            self._arm(self.edge.limits.body_timeout_s, self._give_up_on_body)

    def _give_up_on_head(self) -> None:
        if self._is_in_message:
            seconds = f"{self.edge.limits.head_timeout_s:g}"
            message = f"The request's headers did not arrive within {seconds} seconds."
            self._refuse(Violation("InvalidParameter", "headers", message))
        else:
            self.transport.close()

    def _give_up_on_body(self) -> None:
        self._end_body(f"The request body did not arrive within {self.edge.limits.body_timeout_s:g} seconds.")

    def _end_body(self, message: str) -> None:
        """Refuse a body that is still coming; hang up where the answer is under way or gone."""
        if self.cycle.response_started:
            self.transport.close()
            return
        # To the application the client has hung up: what it might still answer goes nowhere.
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self._refuse(Violation("InvalidParameter", "body", message))

    def _refuse(self, violation: Violation) -> None:
        """Answer outside any request, and close once the client has had the time to read the answer.

        Closing at once, with bytes of the client's still unread, would reset the connection and lose the answer.
        """
        reply = self.edge.answer(violation)
        head = [STATUS_LINE[reply.status]]
        for name, value in (*reply.headers, (b"content-length", b"%d" % len(reply.body)), (b"connection", b"close")):
            head.extend((name, b": ", value, b"\r\n"))
        self._is_refused = True
        self.transport.write(b"".join((*head, b"\r\n", reply.body)))
        self.transport.write_eof()
        self._arm(self.edge.limits.head_timeout_s, self.transport.close)

    def _see_it_closed(self) -> None:
        """Cut a closing connection once its client takes nothing more of what was written before: it would stay."""
        if self not in self.connections:
            return
        unsent = unsent_bytes(self.transport)
        self.loop.call_later(self.edge.limits.idle_timeout_s, self._cut_if_still, unsent)

    def _cut_if_still(self, unsent: int) -> None:
        if self in self.connections and unsent_bytes(self.transport) >= unsent:
            self.transport.abort()
        else:
            self._see_it_closed()

    def _count_excess(self, size_bytes: int) -> None:
        self._excess_bytes += size_bytes
        if self._excess_bytes > self.edge.excess_bytes:
            self.transport.close()

    def _arm(self, timeout_s: float, action: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self.loop.call_later(timeout_s, self._on_time, action)

    def _on_time(self, action: Callable[[], None]) -> None:
        self._timer = None
        if not self.transport.is_closing():
            action()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def protocol_for(edge: Edge) -> type[EdgeProtocol]:
    """Return the protocol class of one server; uvicorn makes one object per connection."""
    return type("BoundEdgeProtocol", (EdgeProtocol,), {"edge": edge})
