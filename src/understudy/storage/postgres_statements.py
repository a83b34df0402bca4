"""Every statement of the PostgreSQL store that reads or changes tasks: constant text, values are always bound.

The tables and indexes they rely on are in `postgres_tables`. What comes with a new task is in `postgres_admission`.

Leases are measured with the clock of the database, or with the moments that callers pass: `_NOW` and the like take the
passed moment where there is one.
"""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

from understudy.storage.statements import COLUMNS

CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The present moment by the clock of the database, in microseconds since 1970 UTC."""

GET = f"SELECT {COLUMNS} FROM task WHERE id = ANY($1)"
"""The owner is compared by the caller: several owners' tasks are read together."""

# $1 worker, $2 moment of the change, $3 the lease's length, $4 engine or null, $5 most running of a lane or null,
# $6 present moment of leases or null, $7 and $8 keys and engines of lanes to pass by.
_CLAIM = f"""
WITH clock AS MATERIALIZED (
    SELECT coalesce($6::bigint, {CLOCK}) AS lease_now,
        greatest($2::bigint, CASE WHEN $6::bigint IS NULL THEN {CLOCK} END) AS late),
lapsed AS MATERIALIZED (
    SELECT id, priority, created_at FROM task
    WHERE status = 'running' AND lease_until <= (SELECT lease_now FROM clock)
        AND expires_at > (SELECT late FROM clock) AND ($4::text IS NULL OR engine = $4)
    ORDER BY priority DESC, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
{{lane}},
waiting AS MATERIALIZED (
    SELECT id, priority, created_at FROM task
    WHERE status = 'queued' AND engine = (SELECT engine FROM chosen) AND key_id = (SELECT key_id FROM chosen)
        AND expires_at > (SELECT late FROM clock)
    ORDER BY priority DESC, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE task SET status = 'running', attempt = attempt + 1, progress = 0, worker = $1,
        updated_at = greatest(updated_at, $2), lease_until = coalesce($6::bigint, {CLOCK}) + $3::bigint, lease_us = $3
    WHERE id = (
        SELECT id FROM (SELECT * FROM lapsed UNION ALL SELECT * FROM waiting) AS next
        ORDER BY priority DESC, created_at, id LIMIT 1)
    RETURNING {COLUMNS})
SELECT {{looked_at}}.key_id AS lane_key_id, {{looked_at}}.engine AS lane_engine, claimed.*
FROM (VALUES (1)) AS always LEFT JOIN {{looked_at}} ON true LEFT JOIN claimed ON true
"""

_CAN_RUN = "queued > 0 AND ($4::text IS NULL OR engine = $4) AND ($5::bigint IS NULL OR running < $5)"

_IN_TURN = f"""{_CAN_RUN}
        AND (key_id, engine) NOT IN (SELECT * FROM unnest($7::text[], $8::text[]))
    ORDER BY running, turn, key_id, engine LIMIT 1"""

CLAIM = _CLAIM.format(
    lane=f"""chosen AS MATERIALIZED (
    SELECT key_id, engine FROM lane WHERE {_IN_TURN} FOR UPDATE SKIP LOCKED)""",
    looked_at="chosen",
)
"""Passes lanes by in which somebody else is claiming, or storing, at this moment. Its lane can have late tasks only."""

CLAIM_PATIENTLY = _CLAIM.format(
    lane=f"""best AS MATERIALIZED (
    SELECT lane.key_id, lane.engine FROM lane CROSS JOIN LATERAL (
        SELECT 1 FROM task
        WHERE status = 'queued' AND task.engine = lane.engine AND task.key_id = lane.key_id
            AND expires_at > (SELECT late FROM clock)
        ORDER BY priority DESC, created_at, id LIMIT 1) AS first
    WHERE {_IN_TURN}),
chosen AS MATERIALIZED (
    SELECT key_id, engine FROM lane
    WHERE key_id = (SELECT key_id FROM best) AND engine = (SELECT engine FROM best) AND {_CAN_RUN} FOR UPDATE)""",
    looked_at="best",
)
"""Looks for a lane with a task that is not late among all, and waits for that one.

It waits for one lane and no more: a lane that was waited for, and does not do any more, stays locked, and who then
waits for the next one can wait in a circle.
"""

_IS_CURRENT = "id = $1 AND attempt = $2 AND status = 'running'"

HEARTBEAT = f"""
UPDATE task SET progress = $3, lease_until = coalesce($4::bigint, {CLOCK} + lease_us) WHERE {_IS_CURRENT} RETURNING id
"""

FINISH = f"""
WITH ended AS (
    UPDATE task SET status = $3, updated_at = greatest(updated_at, $4::bigint), lease_until = NULL,
        lease_us = NULL, worker = NULL,
        progress = coalesce($5::float8, progress), film = $6, completion_tokens = $7, error = $8, warnings = $9
    WHERE {_IS_CURRENT} RETURNING id, owner)
INSERT INTO ledger (task_id, kind, owner, written_at, currency, amount_micros, completion_tokens)
SELECT id, $10, owner, $4, $11, $12, $13 FROM ended RETURNING task_id
"""

_BACK = """
UPDATE task SET status = 'queued', updated_at = greatest(updated_at, $3::bigint), lease_until = NULL, lease_us = NULL,
    worker = NULL,"""

HAND_BACK = f"{_BACK} progress = 0 WHERE {_IS_CURRENT} RETURNING id"

HAND_BACK_ALL = f"""
{_BACK.replace("$3", "$1")} progress = 0 WHERE id = ANY(ARRAY(
    SELECT id FROM task WHERE status = 'running' ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING id
"""

# What a step found is an array to the next one: of a set the planner does not know how small it is, and reads all.
_VOIDED = """
INSERT INTO ledger (task_id, kind, owner, written_at, currency, amount_micros, completion_tokens)
SELECT task_id, 'voided', ledger.owner, $1, currency, amount_micros, ledger.completion_tokens
FROM ledger WHERE task_id = ANY(ARRAY(SELECT id FROM ended)) AND kind = 'hold'
"""

EXPIRE = f"""
WITH late AS MATERIALIZED (
    SELECT id FROM task WHERE status IN ('queued', 'running')
        AND expires_at <= (SELECT CASE WHEN $3 THEN least($1::bigint, {CLOCK}) ELSE $1 END)
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED),
ended AS (
    UPDATE task SET status = 'expired', updated_at = greatest(updated_at, $1::bigint), lease_until = NULL,
        lease_us = NULL, worker = NULL
    WHERE id = ANY(ARRAY(SELECT id FROM late)) RETURNING id),
voided AS ({_VOIDED} RETURNING 1)
SELECT id FROM ended
"""

LOOK = f"SELECT {COLUMNS} FROM task WHERE id = $1 AND owner = $2 FOR UPDATE"

CANCEL = f"""
WITH ended AS (
    UPDATE task SET status = 'cancelled', updated_at = greatest(updated_at, $1::bigint), lease_until = NULL,
        lease_us = NULL, worker = NULL
    WHERE id = $2 RETURNING id)
{_VOIDED}
"""

REMOVE = "DELETE FROM task WHERE id = $1"

ARCHIVE = f"UPDATE task SET archived = $3 WHERE id = $1 AND owner = $2 RETURNING {COLUMNS}"

_PURGE = f"""
DELETE FROM task WHERE id = ANY(ARRAY({{choice}} LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING {COLUMNS}
"""

PURGE_ENDED = _PURGE.format(
    choice="SELECT id FROM task WHERE status IN ('succeeded', 'failed', 'expired', 'cancelled') AND NOT archived"
    " AND created_at < $1 ORDER BY created_at"
)

PURGE_CANCELLED = _PURGE.format(
    choice="SELECT id FROM task WHERE status = 'cancelled' AND NOT archived AND updated_at < $1 ORDER BY updated_at"
)

TAKE_REMOVED = """
WITH due AS MATERIALIZED (
    SELECT id, attempt, tried_at FROM removed_task WHERE tried_at < $1 ORDER BY tried_at, id LIMIT $2
    FOR UPDATE SKIP LOCKED),
taken AS (UPDATE removed_task SET tried_at = $1 WHERE id = ANY(ARRAY(SELECT id FROM due)) RETURNING id)
SELECT due.id, due.attempt FROM due JOIN taken USING (id) ORDER BY due.tried_at, due.id
"""

FORGET_REMOVED = "DELETE FROM removed_task WHERE id = ANY($1)"

LEDGER = """
SELECT task_id, kind, currency, amount_micros, completion_tokens FROM ledger WHERE task_id = $1 ORDER BY kind
"""

RECALL = "SELECT key, fingerprint, task_id FROM idempotency WHERE owner = $1 AND key = $2"

FORGET_IDEMPOTENCY = """
DELETE FROM idempotency WHERE (owner, key) IN (
    SELECT owner, key FROM idempotency WHERE used_at < $1 ORDER BY used_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING 1
"""

KEYS = "SELECT id, owner, digest, created_at FROM api_key ORDER BY created_at, id"

ADD_KEY = (
    "INSERT INTO api_key (id, owner, digest, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id"
)

LANES = """
SELECT key_id, engine, queued, running FROM lane WHERE queued > 0 OR running > 0 ORDER BY running, turn, key_id, engine
"""

QUEUED_IDS = """
SELECT id FROM task WHERE status = 'queued' AND engine = $1 AND key_id = $2
ORDER BY priority DESC, created_at, id LIMIT $3
"""

LEAD = f"""
INSERT INTO duty (name, worker, until)
SELECT $1, $2, moment.now + $3::bigint FROM (SELECT coalesce($4::bigint, {CLOCK}) AS now) AS moment
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until
    WHERE duty.worker = excluded.worker OR duty.until <= excluded.until - $3::bigint
RETURNING 1
"""

NOTE_RENDER = "INSERT INTO render_time (kind, film_s, took_s, noted_at) VALUES ($1, $2, $3, $4)"

FORGET_RENDERS = """
DELETE FROM render_time WHERE kind = $1 AND number <= (
    SELECT number FROM render_time WHERE kind = $1 ORDER BY number DESC OFFSET $2 LIMIT 1)
"""

RENDER_TIMES = """
SELECT kind, film_s, took_s FROM render_time WHERE kind = ANY($1) ORDER BY number DESC
"""

KEEP = "INSERT INTO kept (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"

KEPT = "SELECT value FROM kept WHERE name = $1"
