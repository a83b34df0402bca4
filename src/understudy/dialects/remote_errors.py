"""Error answers of other servers, read into the core's tree; what the status means is the same in every dialect."""

from collections.abc import Mapping

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

_LEAST_ERROR, _LEAST_FAULT = 400, 500


def remote_error(status: int, violation: Violation) -> UnderstudyError:
    """Return the error that an HTTP status stands for; a code of the core's own says it better than the status."""
    known = CODES.get(violation.code)
    meant = known.status if known and status >= _LEAST_ERROR else status
    if meant in _BY_STATUS:
        return _BY_STATUS[meant](violation)
    return Rejected(violation) if _LEAST_ERROR <= meant < _LEAST_FAULT else Unavailable(violation)


def unreadable(status: int, body: bytes) -> Violation:
    """Return the violation for an error answer that is not in the dialect's shape."""
    text = body[:200].decode("utf-8", "replace")
    return Violation("InternalServiceError", "", f"The server answered {status}: {text}")
