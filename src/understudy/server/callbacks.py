"""Callbacks as the server sees them: what is told of a task, and the routes that show, repeat and help to check it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from starlette.routing import Route

from understudy.core.callbacks import Callback, Delivery, Try
from understudy.core.errors import Rejected, Unavailable, Violation
from understudy.core.ports import Clock
from understudy.dialects.codec import Codec
from understudy.server.body import BodyReader
from understudy.server.endpoint import DEFAULT_DIALECTS, Call, Endpoint, printable, wire_task_id
from understudy.server.house import House
from understudy.server.links import LinkSigner, RequestLinks
from understudy.server.reply import JSON, Reply
from understudy.service.callback_log import CallbackLog
from understudy.service.retention import Retention

LOG_PATH = "/understudy/v1/tasks/{task_id}/callbacks"
RESEND_PATH = f"{LOG_PATH}/resend"
SECRET_PATH = "/understudy/v1/callbacks/secret"  # noqa: S105 - a path
_NUMBER_MOST = 2**31 - 1
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackBodies:
    """Writes what is told of a task: to the byte what its GET would have answered, in its own dialect.

    public_url: as `House` has it; None = links begin with where the caller reached this server when creating the task.
    """

    codecs: Mapping[str, Codec]
    links: LinkSigner
    clock: Clock
    retention: Retention
    public_url: str | None = None

    def encode(self, callback: Callback) -> bytes:
        """Return the body; links in it are good from now."""
        kept_s = int(self.retention.record_retention_s) or None
        root = self.public_url or callback.target.root
        links = RequestLinks(self.links, root, self.clock.now().timestamp(), kept_s=kept_s)
        return self.codecs[callback.task.dialect].encode_task(callback.task, links)


class CallbackTry(msgspec.Struct, omit_defaults=True):
    """One try to tell a change. status: the answer's, none without one."""

    at: float
    took_s: float
    status: int | None = None
    fault: str | None = None


class CallbackDelivery(msgspec.Struct, omit_defaults=True):
    """A change that is told. next_try_at: only while it is pending."""

    number: int
    id: str
    status: str
    changed_at: float
    state: str
    tried: int
    tries: list[CallbackTry]
    next_try_at: float | None = None


class CallbackDeliveries(msgspec.Struct):
    """The changes of a task that are told, in order."""

    object: str
    data: list[CallbackDelivery]


class CallbackResend(msgspec.Struct, omit_defaults=True):
    """Which change is told again; the latest one by default."""

    number: int | None = None


class CallbackResent(msgspec.Struct):
    """How many changes are told again."""

    resent: int


class CallbackSecret(msgspec.Struct):
    """What signatures of the caller's callbacks are checked with."""

    secret: str


CALLBACK_BODIES = (CallbackDeliveries, CallbackResent, CallbackSecret)


def callback_routes(house: House, bodies: BodyReader) -> Iterator[Route]:
    """Yield the routes, which are the same whoever made the task."""

    async def resend(call: Call) -> Reply:
        """Tell a change again."""
        number = _number(await bodies.read(call)) if _has_body(call) else None
        resent = await _log_of(call).resend(call.owner, wire_task_id(call), number)
        return Reply(200, _encode(CallbackResent(resent=resent)))

    yield Route(LOG_PATH, Endpoint(house, {"GET": _show}, dialects={"GET": DEFAULT_DIALECTS}))
    yield Route(RESEND_PATH, Endpoint(house, {"POST": resend}, dialects={"POST": DEFAULT_DIALECTS}))
    yield Route(SECRET_PATH, Endpoint(house, {"GET": _show_secret}, dialects={"GET": DEFAULT_DIALECTS}))


async def _show(call: Call) -> Reply:
    task_id = wire_task_id(call)
    found = await _log_of(call).deliveries(call.owner, task_id)
    data = [_shown(task_id, each) for each in found]
    return Reply(200, _encode(CallbackDeliveries(object="list", data=data)))


async def _show_secret(call: Call) -> Reply:
    secret = CallbackSecret(secret=_log_of(call).secret(call.owner))
    return Reply(200, _encode(secret), (*JSON, (b"cache-control", b"no-store")))


def _shown(task_id: str, delivery: Delivery) -> CallbackDelivery:
    return CallbackDelivery(
        number=delivery.number,
        id=f"{task_id}-{delivery.number}",
        status=str(delivery.status),
        changed_at=round(delivery.changed_at.timestamp(), 3),
        state=delivery.state.replace(" ", "_"),
        tried=delivery.tried,
        tries=[_shown_try(each) for each in delivery.tries],
        next_try_at=None if delivery.due_at is None else round(delivery.due_at.timestamp(), 3),
    )


def _shown_try(tried: Try) -> CallbackTry:
    at = round(tried.at.timestamp(), 3)
    return CallbackTry(at=at, took_s=tried.took_s, status=tried.status, fault=tried.fault or None)


def _number(given: Mapping[str, object]) -> int | None:
    number = given.get("number")
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _NUMBER_MOST:
        message = f"The parameter `number` must be that of a change, from 1; it is {printable(repr(number))}."
        raise Rejected(Violation("InvalidParameter", "number", message))
    return number


def _has_body(call: Call) -> bool:
    return b"transfer-encoding" in call.headers or call.headers.get(b"content-length", b"0") != b"0"


def _log_of(call: Call) -> CallbackLog:
    if call.house.callbacks is None:
        raise Unavailable(Violation("ServiceUnavailable", "", "This server sends no callbacks."))
    return call.house.callbacks
