"""Opening a PostgreSQL database, or saying in plain words why that cannot be."""

from typing import TYPE_CHECKING

from understudy.storage.cannot_open import CannotOpen

if TYPE_CHECKING:
    from understudy.storage.postgres import PostgresTaskStore

SCHEMES = ("postgresql://", "postgres://")


async def open_postgres(
    url: str,
    *,
    connections: int | None = None,
    waiting_max: int | None = None,
    migrates: bool = True,
    is_clock_ours: bool = False,
) -> "PostgresTaskStore":
    """Open the database, bring its tables to the newest version, and return the store.

    url: ``postgresql://user:password@host:port/database``, with options as libpq has them. connections, waiting_max:
    see `postgres`; None = as many as that says. migrates: False = its tables are left as they are, and what they lack
    is done without. is_clock_ours: see `PostgresTaskStore`.

    Raises:
        CannotOpen: the address is wrong, the server is away, too old or refuses us, or the package is not installed.
        Passwords are not in the message.
    """
    if not url.startswith(SCHEMES):
        raise CannotOpen("the address of a PostgreSQL database begins with postgresql://")
    try:
        import asyncpg
    except ImportError as error:
        raise CannotOpen("a PostgreSQL database needs the package asyncpg: install understudy[postgres]") from error

    from understudy.storage.postgres import CONNECTIONS, WAITING_MAX, PostgresTaskStore
    from understudy.storage.postgres_link import Address, Link
    from understudy.storage.postgres_migrations import migrated

    address = Address(url)
    try:
        connection = await address.connect()
        try:
            schema = await migrated(connection, migrates=migrates)
        finally:
            connection.terminate()
        link = await Link.opened(address, connections=connections or CONNECTIONS)
    except (ValueError, OverflowError, asyncpg.InterfaceError):
        # What the driver says of an address that it cannot read can hold the password, so the chain is cut as well.
        raise CannotOpen(
            "the address of the PostgreSQL database cannot be read: look at its port and options"
        ) from None
    except (OSError, asyncpg.PostgresError) as error:
        why = address.cleared(str(error)) or "it does not answer"
        raise CannotOpen(f"cannot open the database {address.shown}: {why}") from None
    return PostgresTaskStore(
        link, address, schema=schema, waiting_max=waiting_max or WAITING_MAX, is_clock_ours=is_clock_ours
    )
