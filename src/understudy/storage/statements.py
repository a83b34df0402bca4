"""Every statement of the SQLite store that reads or changes rows: constant text, values are always bound.

The tables and indexes they rely on are in `migrations`; `tests/unit/test_storage_tables.py` holds them to each other.
"""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

from functools import cache

COLUMNS = (
    "id, owner, dialect, engine, seed, status, created_at, updated_at, expires_at, attempt, progress, "
    "completion_tokens, error, warnings, film, archived, key_id, request"
)
"""What `rows.task_of` expects, in this order."""

GET = f"SELECT {COLUMNS} FROM task WHERE id = ? AND owner = ?"

INSERT = """
INSERT INTO task (id, owner, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect,
    engine, seed, attempt, progress, warnings, request, key_id)
VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0.0, ?, ?, ?)
"""

USE_KEY = "INSERT INTO idempotency (owner, key, fingerprint, task_id, used_at) VALUES (?, ?, ?, ?, ?)"

ADD_TARGET = """
INSERT INTO callback_task (task_id, owner, created_at, url, root, origin, dialect, engine, seed, expires_at, key_id,
    request)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# What a task that is new tells: its first change, as it was stored.
ADD_CALLBACK = """
INSERT INTO callback (task_id, number, origin, state, is_first, due_at, tries, status, updated_at, attempt, progress,
    warnings, archived)
VALUES (?, 1, ?, 'pending', 1, ?, 0, 'queued', ?, 0, 0.0, ?, ?)
"""

JOIN_LANES = """
INSERT INTO lane SELECT value ->> 0, value ->> 1, value ->> 2, 0, 0 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET queued = queued + excluded.queued
"""

EARLIER = """
SELECT owner, idempotency.key, fingerprint, task_id
FROM json_each(?) AS asked
    CROSS JOIN idempotency ON owner = asked.value ->> 0 AND idempotency.key = asked.value ->> 1
"""

WAITING = """
SELECT key_id, engine, queued
FROM json_each(?) AS asked CROSS JOIN lane ON key_id = asked.value ->> 0 AND engine = asked.value ->> 1
"""


@cache
def for_rows(insertion: str, rows: int) -> str:
    """Give an insertion of one row for several; the bindings follow each other. rows: few values, each is prepared."""
    head, _, row = insertion.partition("VALUES")
    return f"{head}VALUES{','.join([row] * rows)}"


LANES_LOOKED_AT = 8
HEADS_LOOKED_AT = 32
"""How far a claim looks past tasks whose time is over. Where that is not far enough, it clears its way first."""

_IN_TURN = f"""
    SELECT key_id, engine, queued, running, turn FROM lane WHERE queued > 0 AND running < :concurrency
    ORDER BY running, turn, key_id, engine LIMIT {LANES_LOOKED_AT}
"""

# Every lane that is looked at gives its first task that is not late, or nothing. One with nothing that has more tasks
# than were looked at ends the search: what it has behind them is not known, and it is its turn.
CLAIM = f"""
UPDATE task SET status = 'running', attempt = attempt + 1, progress = 0.0, updated_at = max(updated_at, :now),
    lease_until = :lease_until, worker = :worker
WHERE id = (
    SELECT id FROM (
        SELECT id, priority, created_at FROM task WHERE id = (
            SELECT head FROM (
                SELECT running, turn, key_id, engine, queued, (
                    SELECT id FROM (
                        SELECT id, priority, created_at, expires_at FROM task
                        WHERE status = 'queued' AND key_id = lane.key_id AND engine = lane.engine
                        ORDER BY priority DESC, created_at, id LIMIT {HEADS_LOOKED_AT})
                    WHERE expires_at > :now ORDER BY priority DESC, created_at, id LIMIT 1) AS head
                FROM ({_IN_TURN}) AS lane)
            WHERE head IS NOT NULL OR queued > {HEADS_LOOKED_AT}
            ORDER BY running, turn, key_id, engine LIMIT 1)
        UNION ALL
        SELECT * FROM (
            SELECT id, priority, created_at FROM task
            WHERE status = 'running' AND lease_until <= :lease_now AND expires_at > :now
            ORDER BY priority DESC, created_at, id LIMIT 1)
    ) ORDER BY priority DESC, created_at, id LIMIT 1)
RETURNING {COLUMNS}
"""

IS_IN_THE_WAY = f"""
SELECT count(*) = {LANES_LOOKED_AT} OR ifnull(max(queued) > {HEADS_LOOKED_AT}, 0) FROM ({_IN_TURN})
"""


@cache
def of_engine(claim: str) -> str:
    """Give `CLAIM`, or what belongs to it, for the tasks of one engine: a statement of its own has its own index."""
    return claim.replace("running < :concurrency", "running < :concurrency AND engine = :engine").replace(
        "lease_until <= :lease_now", "lease_until <= :lease_now AND engine = :engine"
    )


LANES = """
SELECT key_id, engine, queued, running FROM lane WHERE queued > 0 OR running > 0
ORDER BY running, turn, key_id, engine
"""

QUEUED_IDS = """
SELECT id FROM task WHERE status = 'queued' AND key_id = ? AND engine = ?
ORDER BY priority DESC, created_at, id LIMIT ?
"""

RECALL = "SELECT key, fingerprint, task_id FROM idempotency WHERE owner = ? AND key = ?"

FORGET_IDEMPOTENCY = """
DELETE FROM idempotency WHERE (owner, key) IN (
    SELECT owner, key FROM idempotency WHERE used_at < ? ORDER BY used_at LIMIT ?)
"""

LEAD = """
INSERT INTO duty (name, worker, until) VALUES (:duty, :worker, :until)
ON CONFLICT DO UPDATE SET worker = excluded.worker, until = excluded.until
    WHERE worker = excluded.worker OR until <= :now
"""

NOTE_RENDER = """
INSERT INTO render_time (kind, number, film_s, took_s, noted_at)
SELECT ?1, 1 + coalesce((SELECT max(number) FROM render_time WHERE kind = ?1), 0), ?2, ?3, ?4
"""

FORGET_RENDERS = """
DELETE FROM render_time WHERE kind = ?1 AND number <= (SELECT max(number) FROM render_time WHERE kind = ?1) - ?2
"""

RENDER_TIMES = """
SELECT kind, film_s, took_s FROM render_time WHERE kind IN (SELECT value FROM json_each(?))
ORDER BY noted_at DESC, number DESC
"""

_IS_CURRENT = "id = ? AND attempt = ? AND status = 'running'"

HEARTBEAT = f"UPDATE task SET lease_until = ?, progress = ? WHERE {_IS_CURRENT}"

FINISH = f"""
UPDATE task SET status = ?, updated_at = max(updated_at, ?), lease_until = NULL, worker = NULL,
    progress = coalesce(?, progress), film = ?, completion_tokens = ?, error = ?, warnings = ?
WHERE {_IS_CURRENT}
"""

_BACK = """
UPDATE task SET status = 'queued', updated_at = max(updated_at, ?), lease_until = NULL, worker = NULL, progress = 0.0
"""

HAND_BACK = f"{_BACK} WHERE {_IS_CURRENT}"

HAND_BACK_ALL = f"{_BACK} WHERE status = 'running'"

EXPIRE = """
UPDATE task SET status = 'expired', updated_at = max(updated_at, ?1), lease_until = NULL, worker = NULL
WHERE id IN (
    SELECT id FROM task WHERE status IN ('queued', 'running') AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
RETURNING id
"""

CANCEL = """
UPDATE task SET status = 'cancelled', updated_at = max(updated_at, ?), lease_until = NULL, worker = NULL WHERE id = ?
"""

_PURGE = f"""
DELETE FROM task WHERE id IN (SELECT id FROM ({{choice}} LIMIT ?)) RETURNING {COLUMNS}
"""

PURGE_ENDED = _PURGE.format(
    choice="SELECT id FROM task WHERE status IN ('succeeded', 'failed', 'expired', 'cancelled') AND archived = 0"
    " AND created_at < ? ORDER BY created_at"
)

PURGE_CANCELLED = _PURGE.format(
    choice="SELECT id FROM task WHERE status = 'cancelled' AND archived = 0 AND updated_at < ? ORDER BY updated_at"
)

WRITE_ENTRY = """
INSERT INTO ledger (task_id, kind, owner, written_at, currency, amount_micros, completion_tokens)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

VOID = """
INSERT INTO ledger (task_id, kind, owner, written_at, currency, amount_micros, completion_tokens)
SELECT task_id, 'voided', owner, ?, currency, amount_micros, completion_tokens
FROM ledger WHERE task_id = ? AND kind = 'hold'
"""

LEDGER = """
SELECT task_id, kind, currency, amount_micros, completion_tokens FROM ledger WHERE task_id = ? ORDER BY kind
"""

KEYS = "SELECT id, owner, digest, created_at FROM api_key ORDER BY created_at, id"

CURRENT = f"SELECT owner, warnings FROM task WHERE {_IS_CURRENT}"

REMOVE = "DELETE FROM task WHERE id = ?"

ARCHIVE = f"UPDATE task SET archived = ? WHERE id = ? AND owner = ? RETURNING {COLUMNS}"

TAKE_REMOVED = """
UPDATE removed_task SET tried_at = :now
WHERE id IN (SELECT id FROM removed_task WHERE tried_at < :now ORDER BY tried_at, id LIMIT :most)
RETURNING id, attempt
"""

FORGET_REMOVED = "DELETE FROM removed_task WHERE id = ?"

ADD_KEY = "INSERT INTO api_key (id, owner, digest, created_at) VALUES (?, ?, ?, ?)"

# A filter that is not set is NULL. Only owner and place choose the index, so one text serves all filters. Both bounds
# are always set and outside: "created since" and "behind this task" are one and the same condition on the index.
_SHOWN = """
    (created_at, id) > (:after_created_at, :after_id) AND (created_at, id) < (:before_created_at, :before_id)
    AND (status <> 'cancelled' OR updated_at >= :cancelled_after OR archived)
    AND (:status IS NULL OR status = :status)
    AND (:model IS NULL OR model = :model)
    AND (:service_tier IS NULL OR service_tier = :service_tier)
"""

_OF_OWNER = f"FROM task WHERE owner = :owner AND {_SHOWN}"

# The plus keeps the planner on the primary key: a few ids are fewer than an owner's tasks.
_OF_IDS = f"FROM task WHERE +owner = :owner AND id IN (SELECT value FROM json_each(:task_ids)) AND {_SHOWN}"

COUNT_OF_OWNER = f"SELECT count(*) {_OF_OWNER}"

COUNT_OF_IDS = f"SELECT count(*) {_OF_IDS}"

_PAGE = "ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset"

_OLDEST_FIRST = "ORDER BY created_at, id LIMIT :limit OFFSET :offset"

PAGE_OF_OWNER = f"SELECT {COLUMNS} {_OF_OWNER} {_PAGE}"

PAGE_OF_IDS = f"SELECT {COLUMNS} {_OF_IDS} {_PAGE}"

OLDEST_OF_OWNER = f"SELECT {COLUMNS} {_OF_OWNER} {_OLDEST_FIRST}"

OLDEST_OF_IDS = f"SELECT {COLUMNS} {_OF_IDS} {_OLDEST_FIRST}"


@cache
def of_archive(listing: str) -> str:
    """Give a listing, or a count, of archived tasks alone: what is shown of the time before the records that are kept.

    A statement of its own, so that the ordinary one looks at no more than it must. Besides archived ones, its range
    holds only what is purged within moments.
    """
    return listing.replace("FROM task WHERE", "FROM task WHERE archived AND")


PLACE = "SELECT created_at, id FROM task WHERE id = ? AND owner = ?"
