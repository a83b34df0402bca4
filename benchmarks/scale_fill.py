"""Databases with any number of stored tasks, filled in bulk: what a store would hold after as many creates and ends.

Rows are made once and copied in with the triggers off; what triggers keep (lanes, counts, callbacks) is then written
from the tasks in one statement each. `scale.py` measures on them; a store opened on one of them finds nothing amiss.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from understudy.core.task import Film, Status
from understudy.storage import listing_tables
from understudy.storage.rows import encode_part, micros_of
from understudy.testing.samples import sample_request, sample_task

OWNER = "default"
ENGINE = "previz"
MODELS = ("doubao-seedance-2-0-260128", "doubao-seedance-2-0-fast-260128")
PROMPT = "A cat yawning at the camera, soft lighting, close-up shot. " * 4
COLUMNS = (
    "id, owner, key_id, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine, "
    "seed, attempt, progress, lease_until, worker, completion_tokens, archived, error, film, request"
)
LEDGER = "task_id, kind, owner, written_at, currency, amount_micros, completion_tokens"
MIXED = (Status.SUCCEEDED,) * 85 + (Status.FAILED,) * 8 + (Status.CANCELLED,) * 3 + (Status.EXPIRED,) * 2
MIXED += (Status.QUEUED, Status.RUNNING)
TOLD_EACH = 10
CHUNK = 20_000

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is stored. lanes: 0 = tasks of all states, the newest waiting; else all wait, in so many lanes.

    span_s: over how long they were created, up to now.
    """

    tasks: int
    lanes: int = 0
    span_s: float = 6 * 86400.0

    @property
    def name(self) -> str:
        """A short name for files and databases."""
        return f"t{self.tasks}l{self.lanes}"

    def task_id(self, number: int, now: datetime) -> str:
        """Return the id of a task; they are as old as their numbers are high."""
        return f"{self._created(number, now):%Y%m%d%H%M%S}-{number:05x}"

    def rows(self, now: datetime) -> Iterator[Row]:
        """Yield tasks of `COLUMNS`, the oldest first."""
        ask = replace(sample_request(), content=(replace(sample_request().content[0], value=PROMPT),))
        requests = [encode_part(replace(ask, model=model), "content").decode() for model in MODELS]
        film, error = _film(), '{"code":"OutputVideoSensitiveContentDetected","message":"The film was refused."}'
        late, soon = micros_of(now) + 3_600_000_000, micros_of(now) + 2 * 86_400_000_000
        for number in reversed(range(self.tasks)):
            status = Status.QUEUED if self.lanes else MIXED[number * 37 % len(MIXED)]
            if not self.lanes and number < 10:
                # The newest wait, so that there is something to claim.
                status = Status.QUEUED
            created_at = micros_of(self._created(number, now))
            is_begun = status not in (Status.QUEUED, Status.CANCELLED, Status.EXPIRED)
            is_running, is_done = status is Status.RUNNING, status is Status.SUCCEEDED
            yield (
                self.task_id(number, now),
                OWNER if self.lanes or number % 10 else f"project-{number // 10 % 9}",
                f"key-{number % self.lanes if self.lanes else number % 50}",
                status.value,
                0,
                created_at,
                micros_of(now) if status is Status.CANCELLED else created_at + 60_000_000,
                soon,
                MODELS[number % 10 == 3],
                "default",
                "ark",
                ENGINE,
                number,
                int(is_begun),
                1.0 if is_done else 0.0,
                late if is_running else None,
                "worker-0" if is_running else None,
                108_000 if is_done else None,
                int(is_done and number % 500 == 7),
                error if status is Status.FAILED else None,
                film if is_done else None,
                requests[number % 10 == 3],
            )

    def entries(self, now: datetime) -> Iterator[Row]:
        """Yield the ledger of those tasks."""
        for row in self.rows(now):
            hold = (row[0], "hold", row[1], row[5], "CNY", 5_000_000, 108_900)
            yield hold
            if row[3] not in ("queued", "running"):
                yield (row[0], "posted" if row[3] == "succeeded" else "voided", *hold[2:])

    def _created(self, number: int, now: datetime) -> datetime:
        return now - timedelta(seconds=1 + number * self.span_s / self.tasks)


def is_film(number: int) -> bool:
    """Say whether the task of this number succeeded, where tasks are of all states."""
    return MIXED[number * 37 % len(MIXED)] is Status.SUCCEEDED


def present() -> datetime:
    """Return the moment that a fill is made for."""
    return datetime.now(UTC).replace(microsecond=0)


def _film() -> str:
    film = Film(
        video_blob=f"{sample_task().id}-1/video.mp4",
        last_frame_blob=None,
        ratio="16:9",
        width_px=1280,
        height_px=720,
        duration_s=5,
        fps=24,
        num_frames=121,
        has_sound=True,
    )
    return encode_part(film, "film").decode()


_LANES = """
INSERT INTO lane (key_id, engine, queued, running, turn)
SELECT key_id, engine, sum(CASE status WHEN 'queued' THEN 1 ELSE 0 END),
    sum(CASE status WHEN 'running' THEN 1 ELSE 0 END), 0
FROM task WHERE status IN ('queued', 'running') GROUP BY key_id, engine
"""


def fill_sqlite(path: Path, shape: Shape, now: datetime) -> None:
    """Fill the tables of a file that a store has made."""
    connection = apsw.Connection(str(path))
    connection.pragma("synchronous", "off")
    connection.pragma("cache_size", -512 * 1024)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    blobs = [COLUMNS.split(", ").index(name) for name in ("error", "film", "request")]

    def stored(row: Row) -> Row:
        return tuple(
            value.encode() if place in blobs and value is not None else value for place, value in enumerate(row)
        )

    with connection:
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        places = ", ".join("?" * len(COLUMNS.split(", ")))
        connection.executemany(f"INSERT INTO task ({COLUMNS}) VALUES ({places})", map(stored, shape.rows(now)))
        connection.executemany(f"INSERT INTO ledger ({LEDGER}) VALUES (?, ?, ?, ?, ?, ?, ?)", shape.entries(now))
        connection.execute(_LANES)
        connection.execute(listing_tables.SQLITE[listing_tables.SQLITE.rindex("INSERT INTO task_tally") :])
        if not shape.lanes:
            _tell_sqlite(connection)
        for _, text in triggers:
            connection.execute(text)
    connection.pragma("wal_checkpoint", "TRUNCATE")
    connection.close()


def _tell_sqlite(connection: apsw.Connection) -> None:
    some = f"FROM task WHERE task.rowid % {TOLD_EACH} = 0"
    connection.execute(f"""
        INSERT INTO callback_task (task_id, owner, created_at, url, root, origin, dialect, engine, seed, expires_at,
            key_id, request)
        SELECT id, owner, created_at, 'https://example.org/told?task=1', 'http://127.0.0.1', 'https://example.org:443',
            dialect, engine, seed, expires_at, key_id, request {some}""")
    connection.execute(f"""
        INSERT INTO callback (task_id, number, origin, state, is_first, tries, status, updated_at, attempt, progress,
            completion_tokens, error, film, archived)
        SELECT id, number, 'https://example.org:443', 'delivered', 0, 1, 'queued', updated_at, attempt, progress,
            completion_tokens, error, film, archived
        FROM task CROSS JOIN (SELECT 1 AS number UNION ALL SELECT 2 UNION ALL SELECT 3) {some.removeprefix("FROM task")}
        """)


async def fill_postgres(url: str, shape: Shape, now: datetime) -> None:
    """Fill the tables of a database that a store has made."""
    import asyncpg

    connection = await asyncpg.connect(url, command_timeout=3600)
    kept = COLUMNS.split(", ")
    archived = kept.index("archived")
    try:
        # Triggers are off in a session that says it only copies.
        await connection.execute("SET session_replication_role = replica")
        async with connection.transaction():
            for table, columns, rows in (
                (
                    "task",
                    kept,
                    ((*row[:archived], bool(row[archived]), *row[archived + 1 :]) for row in shape.rows(now)),
                ),
                ("ledger", LEDGER.split(", "), shape.entries(now)),
            ):
                while some := [row for _, row in zip(range(CHUNK), rows, strict=False)]:
                    await connection.copy_records_to_table(table, records=some, columns=columns)
            await connection.execute("UPDATE task SET lease_us = 3600000000 WHERE status = 'running'")
            await connection.execute(_LANES)
            await connection.execute(
                listing_tables.POSTGRES[listing_tables.POSTGRES.rindex("INSERT INTO task_tally") :]
            )
            if not shape.lanes:
                await _tell_postgres(connection)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _tell_postgres(connection: Any) -> None:
    some = f"seed % {TOLD_EACH} = 0"
    await connection.execute(f"UPDATE task SET has_callback = true WHERE {some}")
    await connection.execute(f"""
        INSERT INTO callback_target (task_id, url, root, origin, owner, key_id, dialect, engine, seed, created_at,
            expires_at, request)
        SELECT id, 'https://example.org/told?task=1', 'http://127.0.0.1', 'https://example.org:443', owner, key_id,
            dialect, engine, seed, created_at, expires_at, request
        FROM task WHERE {some}""")
    await connection.execute(f"""
        INSERT INTO callback (task_id, number, state, tried, status, updated_at, attempt, progress, completion_tokens,
            archived, error, film)
        SELECT id, number, 'delivered', 1, 'queued', updated_at, attempt, progress, completion_tokens, archived, error,
            film
        FROM task CROSS JOIN generate_series(1, 3) AS number WHERE {some}""")


def sizes(text: str) -> list[int]:
    """Read numbers such as "1k,100k,1m"."""
    scale = {"": 1, "k": 1000, "m": 1_000_000}
    found = [re.fullmatch(r"(\d+)([km]?)", part.strip().lower()) for part in text.split(",")]
    if not all(found):
        raise ValueError(f"{text!r} is no list of numbers such as 1k,100k,1m")
    return [int(each[1]) * scale[each[2]] for each in found if each]


async def made_sqlite(path: Path, shape: Shape, now: datetime) -> None:
    """Make and fill a file."""
    from understudy.storage.sqlite import SqliteTaskStore

    await SqliteTaskStore(path).close()
    await asyncio.to_thread(fill_sqlite, path, shape, now)


async def made_postgres(url: str, shape: Shape, now: datetime) -> None:
    """Make the tables of an empty database and fill them."""
    from understudy.storage.postgres_opening import open_postgres

    await (await open_postgres(url)).close()
    await fill_postgres(url, shape, now)
