"""Error answers of other servers, read into the core's tree; what the status means is the same in every dialect."""

from collections.abc import Mapping

from understudy.core.errors import (
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


def remote_error(status: int, violation: Violation) -> UnderstudyError:
    """Return the error that an HTTP status stands for."""
    if status in _BY_STATUS:
        return _BY_STATUS[status](violation)
    return Rejected(violation) if 400 <= status < 500 else Unavailable(violation)


def unreadable(status: int, body: bytes) -> Violation:
    """Return the violation for an error answer that is not in the dialect's shape."""
    text = body[:200].decode("utf-8", "replace")
    return Violation("InternalServiceError", "", f"The server answered {status}: {text}")
