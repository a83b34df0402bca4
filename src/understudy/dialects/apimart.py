"""APIMart's dialect: `POST /v1/videos/generations`, `GET /v1/tasks/{task_id}`.

Source: seed 002; the answer to a get from APIMart's page "Get Task Status". Quirks, explained in docs/decisions: an
error's ``code`` is the HTTP status; the create answers with a list; what a status word cannot say the error says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, UnderstudyError, Violation
from understudy.core.model_spec import Profile
from understudy.core.request import GenerationRequest
from understudy.core.task import Task
from understudy.dialects.apimart_request import Create, decode_create, encode_create
from understudy.dialects.apimart_task import OK, SUBMITTED, TaskAnswer, remote_task, task_data
from understudy.dialects.codec import Decoded, Encoded, ErrorAnswer, Links, RemoteTask, Shapes
from understudy.dialects.ids import internal_id, with_wire_ids
from understudy.dialects.remote_errors import remote_error, told_in, unreadable


class Submitted(msgspec.Struct):
    """One task that was accepted; its status is `submitted`."""

    status: str
    task_id: str


class Created(msgspec.Struct):
    """The answer to a create."""

    code: int
    data: list[Submitted]


class ErrorDetail(msgspec.Struct, omit_defaults=True):
    """What is wrong. code: the HTTP status. `param`, `detail` and `reason` are ours and left out when empty."""

    code: int
    message: str
    type: str
    param: str = ""
    detail: str = ""
    reason: str = ""


class ErrorEnvelope(msgspec.Struct):
    """An error answer."""

    error: ErrorDetail


@dataclass(frozen=True, slots=True)
class _Told:
    """How a status is told: its type, and the sentence APIMart prints for it, where it prints one."""

    type: str
    message: str = ""
    code: str = ""


_BAD_REQUEST, _SERVER_FAULT = 400, 500
_TOLD = {
    _BAD_REQUEST: _Told("invalid_request_error", "Invalid request parameters", "InvalidParameter"),
    401: _Told("authentication_error", "Authentication failed, please check your API key", "AuthenticationError"),
    402: _Told("payment_required", "Insufficient account balance, please top up and try again", "InsufficientBalance"),
    403: _Told("permission_error", code="AccessDenied"),
    404: _Told("not_found_error", code="NotFound.TaskId"),
    405: _Told("invalid_request_error", code="InvalidAction.MethodNotAllowed"),
    409: _Told("conflict_error", code="InvalidAction.RunningTaskDeletion"),
    429: _Told("rate_limit_error", "Too many requests, please try again later", "QuotaExceeded"),
    500: _Told("server_error", "Internal server error, please try again later", "InternalServiceError"),
    503: _Told("server_error", code="ServiceUnavailable"),
}
"""By HTTP status; code: what is meant when the answer gives no ``reason``.

Source: seed 002, lines 295-343; the types of 403, 404, 405, 409 and 503 are ours.
"""


class ApimartCodec:
    """The codec; stateless but for its profile. See `dialects.codec.Codec`."""

    shapes = Shapes(request=Create, created=Created, task=TaskAnswer, error=ErrorEnvelope)

    def __init__(self, profile: Profile) -> None:
        self.name = profile.name
        self.profile = profile

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        return decode_create(fields, self.profile)

    def encode_request(self, request: GenerationRequest) -> Encoded:
        return encode_create(request, self.profile)

    def encode_created(self, task: Task) -> bytes:
        return msgspec.json.encode(Created(OK, [Submitted(SUBMITTED, self.wire_id(task.id))]))

    def decode_created(self, body: bytes) -> str:
        return msgspec.json.decode(body, type=Created).data[0].task_id

    def encode_task(self, task: Task, links: Links) -> bytes:
        return msgspec.json.encode(TaskAnswer(OK, task_data(task, links, self.wire_id(task.id))))

    def decode_task(self, body: bytes) -> RemoteTask:
        return remote_task(msgspec.json.decode(body)["data"])

    def encode_error(self, violation: Violation, request_id: str) -> ErrorAnswer:
        status = CODES[violation.code].status
        told = _TOLD.get(status) or _Told("server_error" if status >= _SERVER_FAULT else "invalid_request_error")
        sentence = with_wire_ids(violation.message, self.profile)
        sentence += f" Request id: {request_id}" if sentence else ""
        error = ErrorDetail(code=status, message=told.message or sentence, type=told.type, param=violation.param)
        if status == _BAD_REQUEST and sentence:
            error.message = f"{told.message}: {sentence}"
        elif told.message:
            error.detail = sentence
        if violation.code != told.code:
            error.reason = violation.code
        return ErrorAnswer(status=status, body=msgspec.json.encode(ErrorEnvelope(error)))

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        found = told_in(body, lambda answer: _violation(answer["error"], status))
        return remote_error(status, found) if found else unreadable(status, body)

    def wire_id(self, task_id: str) -> str:
        return self.profile.wire_id_prefix + task_id

    def task_id(self, wire_id: str) -> str | None:
        return internal_id(wire_id)


def _violation(error: Mapping[str, Any], status: int) -> Violation:
    told = _TOLD.get(status) or _TOLD[_SERVER_FAULT if status >= _SERVER_FAULT else _BAD_REQUEST]
    code = error.get("reason") or told.code
    message = error.get("detail") or error["message"]
    return Violation(str(code), str(error.get("param") or ""), str(message))


APIMART = ApimartCodec(load_catalogue().profiles["apimart"])
