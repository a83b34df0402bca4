"""What PostgreSQL and its driver raise, and what callers are told of it: no foreign error leaves the storage."""

import asyncio
import logging
import time

import asyncpg

from understudy.core.errors import Unavailable
from understudy.storage.lifecycle import unavailable

_log = logging.getLogger(__name__)

LOG_INTERVAL_S = 1.0
MEDIUM_IS_GONE = "US001"
"""What the trigger `medium_is_used` refuses with."""

_AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalServerError,
)
"""The server, its machine or the way to it: away, full, starting, stopping, a copy that only reads, too slow, damaged.

The driver's own InterfaceError is among them because that is how it says that a connection was closed.
"""


class AnswerLost(Unavailable):
    """The database was asked and its answer did not come: what was asked may have been done."""


def told(error: BaseException, *, was_asked: bool = False) -> BaseException:
    """Map what comes of the database's surroundings to `Unavailable`; the rest is a bug, or a rule of ours.

    was_asked: the error came after something was sent.
    """
    if not isinstance(error, _AWAY):
        return error
    _outage.log(error)
    refusal = unavailable("its storage does not answer")
    if was_asked:
        refusal = AnswerLost(refusal.violation)
    refusal.__cause__ = error
    return refusal


class _Outage:
    """Logs an outage once in a while: while it lasts, every request meets it."""

    def __init__(self) -> None:
        self._logged_at = -LOG_INTERVAL_S

    def log(self, error: BaseException) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = now
            _log.error("the database does not serve: %s: %s", type(error).__name__, error)


_outage = _Outage()
