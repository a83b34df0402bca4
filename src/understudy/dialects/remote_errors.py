"""Error answers of other servers, read into the core's tree; what the status means is the same in every dialect."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from understudy.core.errors import (
    CODES,
    Conflict,
    Forbidden,
    InsufficientFunds,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnderstudyError,
    Violation,
)

_BY_STATUS: Mapping[int, type[UnderstudyError]] = {
    401: Unauthorized,
    402: InsufficientFunds,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}

_CODE_OF_STATUS = {
    401: "AuthenticationError",
    402: "InsufficientBalance",
    403: "AccessDenied",
    404: "NotFound.Path",
    405: "InvalidAction.MethodNotAllowed",
    409: "InvalidAction.RunningTaskDeletion",
    429: "QuotaExceeded",
    503: "ServiceUnavailable",
}
_LEAST_ERROR, _LEAST_FAULT = 400, 500

T = TypeVar("T")


def remote_error(status: int, violation: Violation) -> UnderstudyError:
    """Return the error that an HTTP status stands for; a code of the core's own says it better than the status."""
    known = CODES.get(violation.code)
    meant = known.status if known and status >= _LEAST_ERROR else status
    if meant in _BY_STATUS:
        return _BY_STATUS[meant](violation)
    return Rejected(violation) if _LEAST_ERROR <= meant < _LEAST_FAULT else Unavailable(violation)


def code_of_status(status: int) -> str:
    """Return the core's code for an error of which only the HTTP status is known."""
    found = _CODE_OF_STATUS.get(status)
    return found or ("InvalidParameter" if _LEAST_ERROR <= status < _LEAST_FAULT else "InternalServiceError")


def told_in(body: bytes | str, read: Callable[[Any], T]) -> T | None:
    """Return what ``read`` finds in the JSON of an answer, or None where it is no JSON or has another shape.

    read: may raise KeyError, TypeError and AttributeError for what it does not know.
    """
    try:
        return read(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def unreadable(status: int, body: bytes) -> UnderstudyError:
    """Return the error for an answer that is not in the dialect's shape, a proxy's page: only its status says more."""
    text = body[:200].decode("utf-8", "replace")
    return remote_error(status, Violation(code_of_status(status), "", f"The server answered {status}: {text}"))
