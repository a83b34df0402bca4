"""The record of media on PostgreSQL, in the database of the task store.

What the states mean is told where the table is made, in `postgres_tables`. Many servers share the record, so each step
is one statement, or takes the row first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from understudy.core.media import MediaFacts, Reservation, Reserved
from understudy.storage.media_uses import gone
from understudy.storage.postgres_faults import MEDIUM_IS_GONE
from understudy.storage.postgres_link import Link
from understudy.storage.rows import micros_of

RESERVE = """
INSERT INTO medium (sha256, state, needed_until) VALUES ($1, 'arriving', $2)
ON CONFLICT (sha256) DO UPDATE SET needed_until = greatest(medium.needed_until, excluded.needed_until)
    WHERE medium.state IN ('arriving', 'whole')
RETURNING state, facts
"""

COMING = """
UPDATE medium SET key = coalesce(key, $2) WHERE sha256 = $1 AND state IN ('arriving', 'whole') RETURNING record
"""

ARRIVED = """
UPDATE medium SET
    state = CASE state WHEN 'leaving' THEN 'returned' WHEN 'arriving' THEN 'whole' ELSE state END,
    facts = coalesce(facts, $2)
WHERE sha256 = $1 AND record = $3 RETURNING record
"""

CAME_TOO_LATE = """
INSERT INTO medium (sha256, state, key, needed_until) VALUES ($1, 'leaving', $2, 0)
ON CONFLICT (sha256) DO UPDATE SET key = coalesce(medium.key, excluded.key)
"""

TAKE_UNUSED = """
WITH unused AS MATERIALIZED (
    SELECT sha256, needed_until FROM medium WHERE uses = 0 AND needed_until <= $1 ORDER BY needed_until, sha256
    LIMIT $2 FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE medium SET state = 'leaving', key = coalesce(key, ''), needed_until = $1
    WHERE sha256 = ANY(ARRAY(SELECT sha256 FROM unused)) RETURNING sha256, key)
SELECT sha256, taken.key FROM unused JOIN taken USING (sha256) ORDER BY unused.needed_until, sha256
"""

FORGET = "DELETE FROM medium WHERE sha256 = ANY($1) AND state = 'leaving' RETURNING sha256"

LEAVES_AGAIN = "UPDATE medium SET state = 'leaving' WHERE sha256 = $1 AND state = 'returned'"

REMEMBER_FILM = "INSERT INTO own_film (sha256) VALUES ($1) ON CONFLICT DO NOTHING"

IS_OWN_FILM = "SELECT 1 FROM own_film WHERE sha256 = $1"

_USE = "INSERT INTO medium_use (sha256, used_by) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_UNUSE = "DELETE FROM medium_use WHERE used_by = ANY($1)"

_facts = msgspec.json.Decoder(MediaFacts)


class PostgresMediaStore:
    """`core.media.MediaStore` over connections that the task store closes.

    Every method raises Unavailable when the database does not answer.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def reserve(self, sha256: str, until: datetime) -> Reserved:
        """See the port; nothing comes back of a medium that is leaving."""
        rows = await self._link.fetch(RESERVE, sha256, micros_of(until))
        if not rows:
            return Reserved(what=Reservation.LEAVING)
        ((state, facts),) = rows
        if state == "arriving":
            return Reserved(what=Reservation.NEW)
        return Reserved(what=Reservation.KNOWN, facts=_facts.decode(facts))

    async def coming(self, sha256: str, key: str) -> int:
        """See the port; a key that was recorded before stays."""
        rows = await self._link.fetch(COMING, sha256, key)
        if not rows:
            raise gone()
        record: int = rows[0][0]
        return record

    async def arrived(self, sha256: str, key: str, facts: MediaFacts, *, record: int) -> None:
        """See the port; of bytes that are known already, what was recorded first stays."""
        rows = await self._link.fetch(ARRIVED, sha256, msgspec.json.encode(facts).decode(), record)
        if not rows:
            await self._link.fetch(CAME_TOO_LATE, sha256, key)

    async def take_unused(self, now: datetime, most: int) -> Mapping[str, str]:
        """See the port; those that were taken longest ago come first, and what was never stored is only forgotten."""
        async with self._link.transaction() as connection:
            rows = await connection.fetch(TAKE_UNUSED, micros_of(now), most)
            taken: dict[str, str] = {row[0]: row[1] for row in rows}
            await connection.fetch(FORGET, [sha256 for sha256, key in taken.items() if not key])
        return {sha256: key for sha256, key in taken.items() if key}

    async def left(self, sha256: str) -> None:
        """See the port; bytes that came back meanwhile are still to be removed."""
        async with self._link.transaction() as connection:
            if not await connection.fetch(FORGET, [sha256]):
                await connection.execute(LEAVES_AGAIN, sha256)

    async def remember_film(self, sha256: str) -> None:
        """See the port."""
        await self._link.fetch(REMEMBER_FILM, bytes.fromhex(sha256))

    async def is_own_film(self, sha256: str) -> bool:
        """See the port."""
        return bool(await self._link.fetch(IS_OWN_FILM, bytes.fromhex(sha256)))


async def use(connection: asyncpg.Connection, sha256: str, user: str) -> None:
    """Record that somebody needs a medium; it stays until `unuse`. Doing so twice is doing so once.

    Raises:
        Unavailable: the medium is not there, or is being removed; nothing of the transaction may be kept then.
    """
    try:
        await connection.execute(_USE, sha256, user)
    except asyncpg.PostgresError as error:
        raise (gone() if error.sqlstate == MEDIUM_IS_GONE else error) from error


async def unuse(connection: asyncpg.Connection, users: Sequence[str]) -> None:
    """Record that some need no medium any more; who needed none before does no harm."""
    if users:
        await connection.execute(_UNUSE, users)
