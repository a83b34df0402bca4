"""The record of media on SQLite: it shares the file, the writing thread and the reading connection of the task store.

What the states mean is told where the table is made, in `migrations`. Who uses a medium is written by `media_uses`.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import apsw
import msgspec

from understudy.core.media import MediaFacts, Reservation, Reserved
from understudy.storage.media_uses import gone
from understudy.storage.rows import fetch, micros_of
from understudy.storage.writer import Writer, told

RESERVE = """
INSERT INTO medium (sha256, state, needed_until) VALUES (?, 'arriving', ?)
ON CONFLICT DO UPDATE SET needed_until = max(needed_until, excluded.needed_until)
    WHERE state IN ('arriving', 'whole')
RETURNING state, facts
"""

COMING = """
UPDATE medium SET key = coalesce(key, ?2) WHERE sha256 = ?1 AND state IN ('arriving', 'whole') RETURNING record
"""

ARRIVED = """
UPDATE medium SET
    state = CASE state WHEN 'leaving' THEN 'returned' WHEN 'arriving' THEN 'whole' ELSE state END,
    facts = coalesce(facts, ?2)
WHERE sha256 = ?1 AND record = ?3
"""

CAME_TOO_LATE = """
INSERT INTO medium (sha256, state, key, needed_until) VALUES (?, 'leaving', ?, 0)
ON CONFLICT DO UPDATE SET key = coalesce(key, excluded.key)
"""

TAKE_UNUSED = """
UPDATE medium SET state = 'leaving', key = coalesce(key, ''), needed_until = :now
WHERE sha256 IN (
    SELECT sha256 FROM medium WHERE uses = 0 AND needed_until <= :now ORDER BY needed_until, sha256 LIMIT :most)
RETURNING sha256, key
"""

LEFT = "DELETE FROM medium WHERE sha256 = ? AND state = 'leaving'"

LEAVES_AGAIN = "UPDATE medium SET state = 'leaving' WHERE sha256 = ? AND state = 'returned'"

REMEMBER_FILM = "INSERT OR IGNORE INTO own_film (sha256) VALUES (?)"

IS_OWN_FILM = "SELECT 1 FROM own_film WHERE sha256 = ?"

_facts = msgspec.json.Decoder(MediaFacts)


class SqliteMediaStore:
    """`core.media.MediaStore` in the file that the writer and the reading connection have open; they close it.

    Every method raises Unavailable when the storage does not answer; reserving also when too many wait.
    """

    def __init__(self, writer: Writer, read: apsw.Connection) -> None:
        self._writer = writer
        self._read = read

    async def reserve(self, sha256: str, until: datetime) -> Reserved:
        """See the port."""
        reserve = partial(_reserve, sha256=sha256, until=micros_of(until))
        return await self._writer.submit(reserve, refusable=True)

    async def coming(self, sha256: str, key: str) -> int:
        """See the port; a key that was recorded before stays."""
        return await self._writer.submit(partial(_coming, sha256=sha256, key=key), refusable=True)

    async def arrived(self, sha256: str, key: str, facts: MediaFacts, *, record: int) -> None:
        """See the port; of bytes that are known already, what was recorded first stays."""
        arrived = partial(_arrived, sha256=sha256, key=key, facts=msgspec.json.encode(facts), record=record)
        await self._writer.submit(arrived, refusable=False)

    async def take_unused(self, now: datetime, most: int) -> Mapping[str, str]:
        """See the port; those that were taken longest ago come first, and what was never stored is only forgotten."""
        take = partial(_take_unused, now=micros_of(now), most=most)
        return await self._writer.submit(take, refusable=False)

    async def left(self, sha256: str) -> None:
        """See the port; bytes that came back meanwhile are still to be removed."""
        await self._writer.submit(partial(_left, sha256=sha256), refusable=False)

    async def remember_film(self, sha256: str) -> None:
        """See the port."""
        bindings = (bytes.fromhex(sha256),)
        await self._writer.submit(partial(_run, statement=REMEMBER_FILM, bindings=bindings), refusable=False)

    async def is_own_film(self, sha256: str) -> bool:
        """See the port."""
        try:
            return bool(fetch(self._read, IS_OWN_FILM, (bytes.fromhex(sha256),)))
        except apsw.Error as error:
            raise told(error) from error


def _run(connection: apsw.Connection, *, statement: str, bindings: tuple[object, ...]) -> None:
    connection.execute(statement, bindings)


def _reserve(connection: apsw.Connection, *, sha256: str, until: int) -> Reserved:
    """Reserve, in one statement; nothing comes back of a medium that is leaving. until: microseconds since 1970."""
    rows = fetch(connection, RESERVE, (sha256, until))
    if not rows:
        return Reserved(what=Reservation.LEAVING)
    ((state, facts),) = rows
    if state == "arriving":
        return Reserved(what=Reservation.NEW)
    return Reserved(what=Reservation.KNOWN, facts=_facts.decode(facts))


def _coming(connection: apsw.Connection, *, sha256: str, key: str) -> int:
    """Record the key; gives the record's number."""
    rows = fetch(connection, COMING, (sha256, key))
    if not rows:
        raise gone()
    record: int = rows[0][0]
    return record


def _arrived(connection: apsw.Connection, *, sha256: str, key: str, facts: bytes, record: int) -> None:
    """Record that the bytes are there, or that they may be there although nobody counts on them any more."""
    connection.execute(ARRIVED, (sha256, facts, record))
    if not connection.changes():
        connection.execute(CAME_TOO_LATE, (sha256, key))


def _take_unused(connection: apsw.Connection, *, now: int, most: int) -> dict[str, str]:
    """Mark what nobody needs; of what has no key, no bytes were ever stored, so it is forgotten at once."""
    taken: dict[str, str] = dict(fetch(connection, TAKE_UNUSED, {"now": now, "most": most}))
    connection.executemany(LEFT, ((sha256,) for sha256, key in taken.items() if not key))
    return {sha256: key for sha256, key in taken.items() if key}


def _left(connection: apsw.Connection, *, sha256: str) -> None:
    connection.execute(LEFT, (sha256,))
    if not connection.changes():
        connection.execute(LEAVES_AGAIN, (sha256,))
