"""Every statement of the SQLite store that reads or changes rows: constant text, values are always bound.

The tables and indexes they rely on are in `migrations`; `tests/unit/test_storage_tables.py` holds them to each other.
"""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

from functools import cache

COLUMNS = (
    "id, owner, dialect, engine, seed, status, created_at, updated_at, expires_at, attempt, progress, "
    "completion_tokens, error, warnings, film, archived, request"
)
"""What `rows.task_of` expects, in this order."""

GET = f"SELECT {COLUMNS} FROM task WHERE id = ? AND owner = ?"

INSERT = """
INSERT INTO task (id, owner, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect,
    engine, seed, attempt, progress, warnings, request)
VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0.0, ?, ?)
"""


@cache
def for_rows(insertion: str, rows: int) -> str:
    """Give an insertion of one row for several; the bindings follow each other. rows: few values, each is prepared."""
    head, _, row = insertion.partition("VALUES")
    return f"{head}VALUES{','.join([row] * rows)}"


CLAIM = f"""
UPDATE task SET status = 'running', attempt = attempt + 1, progress = 0.0, updated_at = :now,
    lease_until = :lease_until, worker = :worker
WHERE id = (
    SELECT id FROM (
        SELECT * FROM (
            SELECT id, priority, created_at FROM task WHERE status = 'queued' AND expires_at > :now
            ORDER BY priority DESC, created_at, id LIMIT 1)
        UNION ALL
        SELECT * FROM (
            SELECT id, priority, created_at FROM task
            WHERE status = 'running' AND lease_until <= :now AND expires_at > :now
            ORDER BY priority DESC, created_at, id LIMIT 1)
    ) ORDER BY priority DESC, created_at, id LIMIT 1)
RETURNING {COLUMNS}
"""

_IS_CURRENT = "id = ? AND attempt = ? AND status = 'running'"

HEARTBEAT = f"UPDATE task SET lease_until = ?, progress = ? WHERE {_IS_CURRENT}"

FINISH = f"""
UPDATE task SET status = ?, updated_at = ?, lease_until = NULL, worker = NULL, progress = coalesce(?, progress),
    film = ?, completion_tokens = ?, error = ?, warnings = ?
WHERE {_IS_CURRENT}
"""

_BACK = "UPDATE task SET status = 'queued', updated_at = ?, lease_until = NULL, worker = NULL, progress = 0.0"

HAND_BACK = f"{_BACK} WHERE {_IS_CURRENT}"

HAND_BACK_ALL = f"{_BACK} WHERE status = 'running'"

EXPIRE = """
UPDATE task SET status = 'expired', updated_at = ?1, lease_until = NULL, worker = NULL
WHERE id IN (
    SELECT id FROM task WHERE status IN ('queued', 'running') AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
RETURNING id
"""

CANCEL = "UPDATE task SET status = 'cancelled', updated_at = ? WHERE id = ?"

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
