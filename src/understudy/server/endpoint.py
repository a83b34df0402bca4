"""The boundary of one request: id, method, key, handler, errors, headers. Every answer leaves through here."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

from understudy.core.errors import UnderstudyError
from understudy.dialects.codec import Codec
from understudy.server.errors import bug_reply, error_reply, wrong_method_reply
from understudy.server.house import House
from understudy.server.reply import CORS, Answer, Header, Receive, Reply, Scope, Send

_log = logging.getLogger("understudy.server")
_access = logging.getLogger("understudy.access")

# A preflight's answer: any header may be sent; "*" alone would not cover Authorization.
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-headers", b"Authorization, Content-Type, Range, If-Range, X-Client-Request-Id, *"),
    (b"access-control-max-age", b"600"),
)


class ClientGone(Exception):
    """The client hung up before its request was whole: there is nobody left to answer."""


class Call(NamedTuple):
    """One request on its way to a handler. headers: lower-case names; owner: "" at endpoints that need no key."""

    house: House
    codec: Codec
    scope: Scope
    receive: Receive
    headers: Mapping[bytes, bytes]
    owner: str
    request_id: str

    @property
    def path_params(self) -> dict[str, str]:
        """The variable parts of the path."""
        params: dict[str, str] = self.scope["path_params"]
        return params


Handler = Callable[[Call], Awaitable[Answer]]


class Endpoint:
    """An ASGI application for one path: a handler per method behind one boundary."""

    def __init__(self, house: House, codec: Codec, handlers: Mapping[str, Handler], *, is_open: bool = False) -> None:
        self._house = house
        self._codec = codec
        self._handlers = dict(handlers)
        self._is_open = is_open
        if "GET" in handlers:
            self._handlers.setdefault("HEAD", handlers["GET"])
        self._allowed = ", ".join([*self._handlers, "OPTIONS"]).encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        started = perf_counter()
        request_id = self._house.request_id()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            answer = await self._answer(scope, receive, headers, request_id=request_id)
        except ClientGone:
            return
        except UnderstudyError as error:
            answer = error_reply(error, self._codec, request_id)
        except Exception:  # boundary: a bug in one request must not show, nor stop the server
            _log.exception("request %s failed: %s %s", request_id, scope["method"], printable(scope["path"]))
            answer = bug_reply(self._codec, request_id)
        if self._house.is_access_logged:
            _write_access(scope, answer.status, spent_s=perf_counter() - started, request_id=request_id)
        named = (b"x-request-id", request_id.encode("ascii"))
        # Only pages send Origin. Files always say it: a copy that a player cached must serve a page, too.
        shared = (named, *CORS) if self._is_open or b"origin" in headers else (named,)
        await answer.send(send, shared, is_head=scope["method"] == "HEAD")

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes], *, request_id: str
    ) -> Answer:
        method = scope["method"]
        handler = self._handlers.get(method)
        if handler is None:
            if method == "OPTIONS":
                allowed = (b"allow", self._allowed), (b"access-control-allow-methods", self._allowed)
                return Reply(204, b"", (*allowed, *_PREFLIGHT))
            return wrong_method_reply(self._codec, request_id, method=method, allowed=self._allowed)
        owner = "" if self._is_open else self._house.keys.owner_of(headers.get(b"authorization"))
        return await handler(Call(self._house, self._codec, scope, receive, headers, owner, request_id))


def _write_access(scope: Scope, status: int, *, spent_s: float, request_id: str) -> None:
    """Write one line, before the answer goes out; the query stays out of it: that is where signatures travel.

    spent_s: until the answer was ready; how fast the client takes it is not the server's.
    """
    fields: dict[str, Any] = {
        "method": scope["method"],
        "path": printable(scope["path"]),
        "status": status,
        "ms": round(spent_s * 1000, 1),
        "request_id": request_id,
    }
    _access.info(" ".join(f"{name}={value}" for name, value in fields.items()), extra=fields)


def printable(text: str) -> str:
    """Keep a caller's text on one line: ASCII without control characters or spaces, at most 200 characters."""
    return "".join(c if "!" <= c <= "~" else "?" for c in text[:200])
