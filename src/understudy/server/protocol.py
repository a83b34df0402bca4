"""The HTTP parser's edge: bounds that uvicorn lacks, and no answer in a framework's shape.

uvicorn waits for ever for the end of a request's headers, takes headers of any size, reads the rest of a body for
ever after the answer went out, and speaks plain text when bytes are not HTTP. Each of these ends here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from understudy.core.errors import Violation
from understudy.server.house import Limits
from understudy.server.reply import Reply


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge needs to know. answer: spells a violation in the server's shape.

    excess_bytes: how much of a body is still taken, unread, after the answer went out. A client that gets its
    connection cut while it sends would never see the answer.
    """

    limits: Limits
    excess_bytes: int
    answer: Callable[[Violation], Reply]


class EdgeProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection, with bounds; made by `protocol_for`."""

    edge: Edge

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._in_message = False
        self._head_bytes = 0
        self._excess_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._excess_timer: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.edge.limits.connections:
            message = "The server has too many open connections, please try again later."
            self._refuse(Violation("ServerOverloaded", "", message))
            return
        self._arm_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and see to it that an unfinished head ends in time and size."""
        if self.transport.is_closing():
            return
        if self._is_refused:
            self._count_excess(len(data))
            return
        super().data_received(data)
        if self._in_head and not self._is_refused and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self.edge.limits.head_bytes:
                message = f"The request's headers must be at most {self.edge.limits.head_bytes} bytes."
                self._refuse(Violation("InvalidParameter", "headers", message))
            elif self._head_timer is None and self._in_message:
                self._arm_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._refuse(Violation("InvalidParameter", "", "The request is not valid HTTP."))

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Note that the head is whole."""
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; after the answer, only up to a bound."""
        if self.cycle.response_complete:
            self._count_excess(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request has been read to its end."""
        self._in_message = False
        self._excess_bytes = 0
        if self._excess_timer is not None:
            self._excess_timer.cancel()
            self._excess_timer = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the answer is out; what is left of the request has a bounded time to arrive."""
        super().on_response_complete()
        if self._in_message and not self._in_head and not self.transport.is_closing():
            self._excess_timer = self.loop.call_later(self.edge.limits.body_timeout_s, self.transport.close)

    def _arm_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.edge.limits.head_timeout_s, self._give_up_on_head)

    def _give_up_on_head(self) -> None:
        if self.transport.is_closing() or self._is_refused:
            return
        if self._in_message:
            seconds = f"{self.edge.limits.head_timeout_s:g}"
            message = f"The request's headers did not arrive within {seconds} seconds."
            self._refuse(Violation("InvalidParameter", "headers", message))
        else:
            self.transport.close()

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
        self._disarm()
        self._excess_timer = self.loop.call_later(self.edge.limits.head_timeout_s, self.transport.close)

    def _count_excess(self, size_bytes: int) -> None:
        self._excess_bytes += size_bytes
        if self._excess_bytes > self.edge.excess_bytes:
            self.transport.close()

    def _disarm(self) -> None:
        for timer in (self._head_timer, self._excess_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._excess_timer = None


def protocol_for(edge: Edge) -> type[EdgeProtocol]:
    """Return the protocol class of one server; uvicorn makes one object per connection."""
    return type("BoundEdgeProtocol", (EdgeProtocol,), {"edge": edge})
