"""The errors of new-api and its kin, both ways: flat from the task's own code, nested from what stands before it.

Source: new-api's middleware (``{"error": {"message", "type", "code"}}``, with the request id in the message) and its
task controller (``{"code", "message", "data"}``). ``param`` in the flat form is ours: their messages do not name one.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from understudy.core.errors import CODES, UnderstudyError, Violation
from understudy.dialects.codec import ErrorAnswer
from understudy.dialects.remote_errors import code_of_status, remote_error, told_in, unreadable


class FlatError(msgspec.Struct, omit_defaults=True):
    """An error of a task. data: always null."""

    code: str
    message: str
    data: None
    param: str = ""


class NestedDetail(msgspec.Struct):
    """What is wrong before a task is thought of."""

    message: str
    type: str
    code: str


class NestedError(msgspec.Struct):
    """An error of authentication, routing or files."""

    error: NestedDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """How a code is told. word: new-api's code; type: of the nested form, None = flat; status: None = the core's."""

    word: str
    status: int | None = None
    type: str | None = None


_GATEWAY, _REQUEST = "new_api_error", "invalid_request_error"
_WORDS = {
    "AuthenticationError": _Word(word="", type=_GATEWAY),
    "AccessDenied": _Word(word="", type=_GATEWAY),
    "InsufficientBalance": _Word(word="insufficient_user_quota", status=403, type=_GATEWAY),
    "InvalidEndpointOrModel.NotFound": _Word(word="model_not_found", status=503, type=_GATEWAY),
    "NotFound.TaskId": _Word(word="task_not_exist", status=400),
    "NotFound.Path": _Word(word="", type=_REQUEST),
    "NotFound.File": _Word(word="file_not_found", type=_REQUEST),
    "InvalidAction.MethodNotAllowed": _Word(word="method_not_allowed", type=_REQUEST),
    "InvalidAction.TaskNotCompleted": _Word(word="task_not_completed", type=_REQUEST),
}
"""Core code -> how it is told; every other one is flat."""
_OF_PARAM = {
    "body": "invalid_json",
    "duration": "invalid_seconds",
    "seconds": "invalid_seconds",
}
"""Parameter that is not valid -> new-api's word for it; every other one is "invalid_request"."""
_CODE_OF_WORD = {
    "invalid_request": "InvalidParameter",
    "invalid_json": "InvalidParameter",
    "invalid_seconds": "InvalidParameter",
    "invalid_multipart_form": "InvalidParameter",
    "missing_model": "MissingParameter",
    "model_price_error": "InternalServiceError",
    "channel_not_found": "ServiceUnavailable",
    "get_channel_failed": "ServiceUnavailable",
}
_IS_MISSING = re.compile(r"is (required|missing `[^`]*` parameter)")


def encode_flat_or_nested(violation: Violation, request_id: str) -> ErrorAnswer:
    """Write an error the way new-api's parts do."""
    word = _WORDS.get(violation.code) or _Word(word=_word_of(violation))
    status = word.status or CODES[violation.code].status
    if word.type is not None:
        message = f"{violation.message} (request id: {request_id})"
        detail = NestedDetail(message=message, type=word.type, code=word.word)
        return ErrorAnswer(status=status, body=msgspec.json.encode(NestedError(detail)))
    flat = FlatError(code=word.word, message=violation.message, data=None, param=violation.param)
    return ErrorAnswer(status=status, body=msgspec.json.encode(flat))


def decode_flat_or_nested(status: int, body: bytes) -> UnderstudyError:
    """Read an error of either form; a task handler's word says more than the HTTP status."""
    told = told_in(body, _told)
    if told is None:
        return unreadable(status, body)
    word, message, param = told
    if word == "fail_to_fetch_task":
        return _of_upstream(status, message)
    code = _code_of(word, status, message)
    violation = Violation(code, param or ("model" if word == "missing_model" else ""), message)
    return remote_error(CODES[code].status, violation)


def _told(raw: Any) -> tuple[str, str, str]:
    """Return code, sentence and parameter of an error of either form."""
    told = raw["error"] if isinstance(raw.get("error"), dict) else raw
    return str(told.get("code") or ""), str(told["message"]), str(told.get("param") or "")


def _word_of(violation: Violation) -> str:
    if violation.code == "MissingParameter" and violation.param == "model":
        return "missing_model"
    if CODES[violation.code].status == CODES["InvalidParameter"].status:
        is_of_value = violation.code == "InvalidParameter"
        return _OF_PARAM.get(violation.param, "invalid_request") if is_of_value else "invalid_request"
    return _snake(violation.code)


def _snake(code: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", code.rpartition(".")[2]).lower()


_OWN_WORDS = {_snake(code): code for code in CODES} | {each.word: code for code, each in _WORDS.items() if each.word}


def _code_of(word: str, status: int, message: str) -> str:
    if word == "invalid_request" and _IS_MISSING.search(message):
        return "MissingParameter"
    return _CODE_OF_WORD.get(word) or _OWN_WORDS.get(word) or code_of_status(status)


def _of_upstream(status: int, message: str) -> UnderstudyError:
    """Read the error of the server behind, which new-api puts into its message as a JSON text."""
    told = told_in(message, _told)
    if told is None or not told[0]:
        return remote_error(status, Violation(_code_of("", status, message), "", message))
    word, sentence, param = told
    return remote_error(status, Violation(word, param, sentence))
