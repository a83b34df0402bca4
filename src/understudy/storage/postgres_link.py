"""The connections to a PostgreSQL database: a bounded pool that comes back by itself when the server does.

Every wait has a bound: for a free connection, for a new one, for an answer. The server has the shorter one, so that it
gives up a statement before we give up the connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import asyncpg

from understudy.storage.lifecycle import unavailable
from understudy.storage.postgres_faults import told

CONNECT_S = 5.0
ACQUIRE_S = 5.0
STATEMENT_S = 10
ANSWER_S = 15.0
"""A network that swallows everything is noticed after so long; a statement is ended by the server before."""

CLOSE_S = 5.0

_SESSION = {
    "application_name": "understudy",
    "statement_timeout": str(STATEMENT_S * 1000),
    "lock_timeout": str(STATEMENT_S * 1000),
    "idle_in_transaction_session_timeout": str(STATEMENT_S * 1000),
    "jit": "off",  # Compiling a statement that takes 100 us takes 100 ms.
    "timezone": "UTC",
    # A setting of the server's could make commits lazy, and then what was acknowledged could be lost.
    "synchronous_commit": "on",
}

Row = Any
"""A row as the driver gives it: by place and by name."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a database is. url: with the password, which is never shown."""

    url: str

    @property
    def shown(self) -> str:
        """The address without its password and options, for messages."""
        try:
            parts = urlsplit(self.url)
            user = f"{parts.username}@" if parts.username else ""
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return "that is no address"
        return urlunsplit((parts.scheme, f"{user}{parts.hostname or ''}{port}", parts.path, "", ""))

    def cleared(self, message: str) -> str:
        """Return a message without the password, should it be in it."""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return "it cannot be read"
        for password in (unquote(parts.password or ""), parts.password, *parse_qs(parts.query).get("password", ())):
            message = message.replace(password, "***") if password else message
        return message

    async def connect(self) -> asyncpg.Connection:
        """Open a connection.

        Raises: what `postgres_faults.told` maps, ValueError.
        """
        return await asyncpg.connect(self.url, timeout=CONNECT_S, command_timeout=ANSWER_S, server_settings=_SESSION)


class Link:
    """A pool of connections; every method raises Unavailable when the database does not answer."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._is_closed = False

    @classmethod
    async def opened(cls, address: Address, *, connections: int) -> "Link":
        """Open one connection; the others are opened as they are needed.

        connections: how many there are at most.
        """
        pool = await asyncpg.create_pool(
            address.url,
            min_size=1,
            max_size=connections,
            timeout=CONNECT_S,
            command_timeout=ANSWER_S,
            server_settings=_SESSION,
            reset=_leave_as_it_is,
        )
        return cls(pool)

    async def fetch(self, statement: str, *bindings: Any) -> list[Row]:
        """Run one statement in a transaction of its own."""
        async with self._connection() as connection:
            rows: list[Row] = await connection.fetch(statement, *bindings)
            return rows

    @asynccontextmanager
    async def transaction(self, *, is_snapshot: bool = False) -> AsyncIterator[asyncpg.Connection]:
        """Begin a transaction, which is committed when the block ends.

        is_snapshot: it reads only, and all its statements see the same.
        """
        async with self._connection() as connection:
            how: dict[str, Any] = {"isolation": "repeatable_read", "readonly": True} if is_snapshot else {}
            async with connection.transaction(**how):
                yield connection

    async def close(self) -> None:
        """Close all connections; what still runs has some seconds to end."""
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except Exception:  # boundary: a server that is away must not keep us from ending
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._is_closed:
            raise unavailable("it is shutting down")
        was_asked = False
        try:
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                was_asked = True
                yield connection
        except Exception as error:  # boundary: foreign errors become ours, in one table
            mapped = told(error, was_asked=was_asked)
            if mapped is error:
                raise
            raise mapped from error


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    """Skip what the driver cleans up after each use, a round trip: nothing here changes a session."""
