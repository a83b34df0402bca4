"""The boundary of one request: id, method, key, handler, errors, headers. Every answer leaves through here."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from types import MappingProxyType
from typing import Any

from understudy.core.errors import NotFound, Rejected, UnderstudyError, Violation
from understudy.core.media import Spooled
from understudy.dialects.codec import Codec
from understudy.dialects.select import MOUNTS, narrowed
from understudy.server.errors import bug_reply, error_reply, wrong_method_reply
from understudy.server.house import House
from understudy.server.reply import CORS, Answer, Header, Receive, Reply, Scope, Send
from understudy.server.spool import BodySpool
from understudy.service.query import no_such_task

DEFAULT_DIALECTS = ("ark",)
"""Who spells the answers of paths that belong to no dialect."""

_log = logging.getLogger("understudy.server")
_access = logging.getLogger("understudy.access")

# A preflight's answer: any header may be sent; "*" alone would not cover Authorization.
_PREFLIGHT: tuple[Header, ...] = (
    (
        b"access-control-allow-headers",
        (
            b"Authorization, Content-Type, Range, If-Range, Idempotency-Key, Last-Event-ID, X-Client-Request-Id, "
            b"X-Understudy-Strict, X-Understudy-Dialect, *"
        ),
    ),
    (b"access-control-max-age", b"600"),
)


class ClientGone(Exception):
    """The client hung up before its request was whole: there is nobody left to answer."""


class Call:
    """One request on its way to a handler.

    headers: lower-case names. dialects: who can be meant, the likeliest first. codec: speaks for them; a handler puts
    another in its place once it knows who is. owner, key_id: the key's; "" at endpoints that need none. spooled: the
    files of its body. spool: where they are; it is removed before the answer leaves.
    """

    __slots__ = (
        "codec",
        "dialects",
        "headers",
        "house",
        "key_id",
        "owner",
        "receive",
        "request_id",
        "scope",
        "spool",
        "spooled",
    )

    def __init__(  # tidy: the parts of one request, set once
        self, house: House, scope: Scope, receive: Receive, *, dialects: tuple[str, ...], request_id: str
    ) -> None:
        self.house = house
        self.scope = scope
        self.receive = receive
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.dialects = dialects
        self.codec: Codec = house.codecs[dialects[0]]
        self.owner = ""
        self.key_id = ""
        self.spooled: Spooled = MappingProxyType({})
        self.spool: BodySpool | None = None
        self.request_id = request_id

    @property
    def path_params(self) -> dict[str, str]:
        """The variable parts of the path."""
        params: dict[str, str] = self.scope["path_params"]
        return params


Handler = Callable[[Call], Awaitable[Answer]]


def wire_task_id(call: Call) -> str:
    """Return the id of the task that the path names, in whatever spelling.

    Raises: NotFound for what is no id.
    """
    wire_id = call.path_params["task_id"]
    task_id = call.codec.task_id(wire_id)
    if task_id is None:
        raise NotFound(no_such_task(printable(wire_id)))
    return task_id


class Endpoint:
    """An ASGI application for one path: a handler per method behind one boundary.

    dialects: who can be meant there, per method; who is not named in ``dialects`` speaks Ark.
    """

    def __init__(
        self,
        house: House,
        handlers: Mapping[str, Handler],
        *,
        dialects: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        is_open: bool = False,
    ) -> None:
        self._house = house
        self._handlers = dict(handlers)
        self._is_open = is_open
        preferred = house.preferred_dialect
        self._dialects = {method: narrowed(each, named=None, preferred=preferred) for method, each in dialects.items()}
        if "GET" in dialects:
            self._dialects["HEAD"] = self._dialects["GET"]
        # Who answers a method that the path does not have: whoever owns the path.
        self._owners = next(iter(self._dialects.values()), DEFAULT_DIALECTS)
        if "GET" in handlers:
            self._handlers.setdefault("HEAD", handlers["GET"])
        self._allowed = ", ".join([*self._handlers, "OPTIONS"]).encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        started = perf_counter()
        request_id = self._house.request_id()
        dialects = self._dialects.get(scope["method"], self._owners)
        call = Call(self._house, scope, receive, dialects=dialects, request_id=request_id)
        try:
            answer = await self._answer(call)
        except ClientGone:
            return
        except UnderstudyError as error:
            answer = error_reply(error, call.codec, request_id)
        except Exception:  # boundary: a bug in one request must not show, nor stop the server
            _log.exception("request %s failed: %s %s", request_id, scope["method"], printable(scope["path"]))
            answer = bug_reply(call.codec, request_id)
        finally:
            if call.spool is not None:
                await call.spool.remove()
        if self._house.is_access_logged:
            _write_access(scope, answer.status, spent_s=perf_counter() - started, request_id=request_id)
        named = (b"x-request-id", request_id.encode("ascii"))
        # Only pages send Origin. Files always say it: a copy that a player cached must serve a page, too.
        shared = (named, *CORS) if self._is_open or b"origin" in call.headers else (named,)
        await answer.send(send, shared, is_head=scope["method"] == "HEAD")

    async def _answer(self, call: Call) -> Answer:
        method = call.scope["method"]
        handler = self._handlers.get(method)
        if handler is None:
            if method == "OPTIONS":
                allowed = (b"allow", self._allowed), (b"access-control-allow-methods", self._allowed)
                return Reply(204, b"", (*allowed, *_PREFLIGHT))
            return wrong_method_reply(call.codec, call.request_id, method=method, allowed=self._allowed)
        if not self._is_open:
            key = self._house.keys.key_of(call.headers.get(b"authorization"))
            call.owner, call.key_id = key.owner, key.id
        named = call.headers.get(b"x-understudy-dialect")
        if named is not None:
            call.dialects = narrowed(call.dialects, named=_mount_named(named), preferred=None)
            call.codec = self._house.codecs[call.dialects[0]]
        return await handler(call)


def _mount_named(header: bytes) -> str:
    """Return the dialect that the header X-Understudy-Dialect names.

    Raises: Rejected.
    """
    name = header.decode("latin-1").strip().lower()
    if name in MOUNTS:
        return name
    message = f"There is no dialect {printable(name)!r}; supported values are: {', '.join(MOUNTS)}."
    raise Rejected(Violation("InvalidParameter", "X-Understudy-Dialect", message))


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
