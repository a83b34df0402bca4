"""No statement of the PostgreSQL store looks at more rows the more tasks there are."""

import json
import re

import asyncpg
import pytest

from postgres_server import TEMPLATE
from understudy.core.task import Status
from understudy.storage import (
    postgres_admission,
    postgres_assets,
    postgres_callbacks,
    postgres_listing,
    postgres_media,
)
from understudy.storage import postgres_statements as sql

pytestmark = pytest.mark.full

ROWS = 50_000
LOOKED_AT_MOST = 300
"""Rows of one step of one statement, far below those there are; a page and its ends are the most."""

FILL = f"""
SET session_replication_role = replica;
INSERT INTO task (id, owner, key_id, status, priority, created_at, updated_at, expires_at, model, service_tier,
    dialect, engine, seed, attempt, progress, request, film, completion_tokens, lease_until, lease_us, worker,
    archived)
SELECT 't' || n, 'o' || n % 3, CASE WHEN n % 100 < 80 THEN 'k0' ELSE 'k' || n % 20 END, s, n % 10,
    n::bigint * 1000000, n::bigint * 1000000,
    9000000000000000, 'm', NULL, 'ark', 'e', 1, a, 0, '{{}}',
    CASE WHEN s = 'succeeded' THEN '{{}}' END, CASE WHEN s = 'succeeded' THEN 1 END,
    CASE WHEN s = 'running' THEN 9000000000000000 END,
    CASE WHEN s = 'running' THEN 1 END, CASE WHEN s = 'running' THEN 'w' END, n % 1000 = 0
FROM (
    SELECT n, CASE WHEN n % 10 < 5 THEN 'succeeded' WHEN n % 10 = 5 THEN 'cancelled' WHEN n % 500 = 6 THEN 'running'
        ELSE 'queued' END AS s, CASE WHEN n % 10 < 5 OR n % 500 = 6 THEN 1 ELSE 0 END AS a
    FROM generate_series(1, {ROWS}) AS n) AS given;
INSERT INTO lane SELECT key_id, engine, count(*) FILTER (WHERE status = 'queued'),
    count(*) FILTER (WHERE status = 'running'), 0 FROM task GROUP BY key_id, engine;
INSERT INTO task_tally
SELECT owner, level, created_at >> level, archived, model, '', count(*) FILTER (WHERE status = 'queued'),
    count(*) FILTER (WHERE status = 'running'), count(*) FILTER (WHERE status = 'succeeded'), 0, 0,
    count(*) FILTER (WHERE status = 'cancelled')
FROM task CROSS JOIN (VALUES (22), (28), (34)) AS levels (level) GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO ledger SELECT id, 'hold', owner, created_at, 'CNY', 1, 1 FROM task;
INSERT INTO idempotency SELECT owner, id, '\\x01', id, created_at FROM task;
INSERT INTO callback_target SELECT id, 'u', 'r',
    CASE WHEN created_at < 40000000000 THEN 'origin0' ELSE 'origin' || right(id, 1) END,
    CASE WHEN status = 'queued' THEN created_at END, owner, key_id, dialect, engine, seed,
    created_at, expires_at, request FROM task;
INSERT INTO callback (task_id, number, state, due_at, status, updated_at, attempt, progress, archived)
SELECT id, 1, CASE WHEN status = 'queued' THEN 'pending' ELSE 'delivered' END,
    CASE WHEN status = 'queued' THEN created_at END, 'queued', created_at, 0, 0, false FROM task;
INSERT INTO medium (sha256, state, key, facts, needed_until, uses)
SELECT id, 'whole', 'k', '{{}}', created_at, 1 FROM task;
INSERT INTO medium_use SELECT id, 'task:' || id FROM task;
INSERT INTO removed_task SELECT 'r' || id, 1, created_at FROM task;
INSERT INTO render_time (kind, film_s, took_s, noted_at) SELECT 'k' || n, 1, 1, 1 FROM generate_series(1, {ROWS}) AS n;
INSERT INTO asset_group SELECT 'g' || n, 'o' || n % 3, 'n', '', n, n FROM generate_series(1, {ROWS} / 10) AS n;
INSERT INTO asset
SELECT 'o' || n % 3, 'a' || n, 'g1', 'n', 'image', 'u', CASE WHEN n % 10 = 0 THEN 'processing' ELSE 'failed' END, n, n,
    '', 'b' || n / 5, NULL, CASE WHEN n % 10 = 0 THEN NULL ELSE '{{}}' END
FROM generate_series(1, {ROWS}) AS n;
SET session_replication_role = origin;
"""

NEW = (["x"], ["o1"], ["k1"], [0], [1], [1], [1], ["m"], [None], ["ark"], ["e"], [1], [None], ["{}"], [False])
SINCE, UNTIL = ROWS // 2 * 1_000_000, (ROWS // 2 + 4) * 1_000_000
SPAN = ("o1", 0, None, None, None, SINCE, "", UNTIL, "")
BUCKETS = ([22, 34], [1, 0], [16, 2])

STATEMENTS = {
    "get": (sql.GET, ["t7", "t77"]),
    "insert": (postgres_admission.INSERT, *NEW, ["CNY"], [1], [1]),
    "use keys": (postgres_admission.USE_KEYS, ["o1"], ["t7"], [b"1"], ["t"], [1]),
    "earlier": (postgres_admission.EARLIER, ["o1"], ["t7"]),
    "give keys back": (postgres_admission.GIVE_KEYS_BACK, ["o1"], ["t7"]),
    "lock media": (postgres_admission.LOCK_MEDIA, ["t7"]),
    "use media": (postgres_admission.USE_MEDIA, ["t7"], ["task:x"]),
    "taken ids": (postgres_admission.TAKEN_IDS, ["t7", "x"]),
    "add targets": (postgres_admission.ADD_TARGETS, *[["x"]] * 8, [1], [1], [1], ["{}"]),
    "claim": (sql.CLAIM, "w", 1, 1, None, 1000, None, [], []),
    "claim of an engine": (sql.CLAIM, "w", 1, 1, "e", 1000, None, [], []),
    "claim patiently": (sql.CLAIM_PATIENTLY, "w", 1, 1, "e", 1000, None, ["k1"], ["e"]),
    "heartbeat": (sql.HEARTBEAT, "t6", 1, 0.5, None),
    "finish": (sql.FINISH, "t6", 1, "failed", 1, None, None, None, "{}", None, "voided", "CNY", 1, 1),
    "hand back": (sql.HAND_BACK, "t6", 1, 1),
    "expire": (sql.EXPIRE, 1, 1000, False),
    "look": (sql.LOOK, "t7", "o1"),
    "cancel": (sql.CANCEL, 1, "t7"),
    "remove": (sql.REMOVE, "t1"),
    "archive": (sql.ARCHIVE, "t7", "o1", True),
    "purge ended": (sql.PURGE_ENDED, 9_000_000, 100),
    "purge cancelled": (sql.PURGE_CANCELLED, 90_000_000, 100),
    "take removed": (sql.TAKE_REMOVED, 10**15, 100),
    "forget removed": (sql.FORGET_REMOVED, ["t7"]),
    "ledger": (sql.LEDGER, "t7"),
    "recall": (sql.RECALL, "o1", "t7"),
    "forget idempotency": (sql.FORGET_IDEMPOTENCY, 10**15, 100),
    "queued ids": (sql.QUEUED_IDS, "e", "k7", 100),
    "render times": (sql.RENDER_TIMES, ["k7", "k8"]),
    "forget renders": (sql.FORGET_RENDERS, "k7", 50),
    "origins": (postgres_callbacks.ORIGINS, ""),
    "due callbacks": (postgres_callbacks.CHOOSE, 10**15, 10, ["origin0", "origin8"]),
    "take callbacks": (postgres_callbacks.TAKE, ["t7", "t17"], 10**15, 10**15),
    "next due": (postgres_callbacks.NEXT_DUE,),
    "deliveries": (postgres_callbacks.DELIVERIES, "t7", "o1"),
    "forget callbacks": (postgres_callbacks.FORGETTABLE, 10**15, 100),
    "reserve": (postgres_media.RESERVE, "t7", 1),
    "take unused": (postgres_media.TAKE_UNUSED, 10**15, 100),
    "place": (postgres_listing.PLACE, "t7", "o1"),
    "overdue": (postgres_listing.OVERDUE, "o1", 9_000_000, None, None, None),
    "count of a span": (postgres_listing.counting(of_ids=False, is_archive=False), *SPAN),
    "count of ids": (postgres_listing.counting(of_ids=True, is_archive=False), *SPAN, ["t7", "t77"]),
    "page": (
        postgres_listing.paging(of_ids=False, is_archive=False, is_oldest_first=False),
        *SPAN[:7],
        10**15,
        "",
        20,
        0,
    ),
    "oldest": (postgres_listing.paging(of_ids=False, is_archive=False, is_oldest_first=True), *SPAN, 20, 0),
    "page of ids": (
        postgres_listing.paging(of_ids=True, is_archive=False, is_oldest_first=False),
        *SPAN,
        ["t7"],
        20,
        0,
    ),
    "tallies": (postgres_listing.tallies(None, is_archive=False), "o1", None, None, *BUCKETS),
    "tallies of a status": (postgres_listing.tallies(Status.QUEUED, is_archive=False), "o1", "m", None, *BUCKETS),
    "assets": (postgres_assets.ASSETS, "o1", ["a7"]),
    "waiting assets": (postgres_assets.PROCESSING, 3),
    "batch": (postgres_assets.BATCH, "o1", "b7"),
}


@pytest.fixture(scope="module")
def filled(postgres):
    database = postgres.new_database(TEMPLATE)
    postgres.sql(FILL, database)
    postgres.sql("ANALYZE;", database)
    yield postgres.url(database)
    postgres.drop(database)


async def plans_of(url, statement, bindings):
    """Give what each step of a statement looked at: first times as it is planned for its values, then for any."""
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    try:
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET plan_cache_mode = {mode}")
            transaction = connection.transaction()
            await transaction.start()
            prepared = await connection.prepare(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement}")
            ((plan,),) = await prepared.fetch(*bindings)
            await transaction.rollback()
            yield json.loads(plan)[0]["Plan"]
    finally:
        await connection.close()


def steps_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps_of(part)


def too_much(plan):
    """Give the steps that looked at too many rows, or at all of a table that grows with the tasks."""
    for step in steps_of(plan):
        looked_at = (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        is_all = step["Node Type"] == "Seq Scan" and step["Relation Name"] not in ("lane", "callback_origin")
        if looked_at > LOOKED_AT_MOST or is_all:
            yield step


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_statement_looks_at_more_rows_the_more_there_are(filled, name):
    statement, *bindings = STATEMENTS[name]
    async for plan in plans_of(filled, statement, bindings):
        assert list(too_much(plan)) == []


@pytest.mark.parametrize(
    ("name", "sound", "planted"),
    [
        ("get", "id = ANY($1)", "id || '' = ANY($1)"),
        ("ledger", "task_id = $1", "task_id || '' = $1"),
        ("queued ids", "ORDER BY priority DESC", "ORDER BY priority"),
        ("page", "ORDER BY created_at DESC", "ORDER BY updated_at"),
        ("next due", "ORDER BY due_at + 0", "ORDER BY due_at + 1"),
    ],
)
async def test_a_statement_that_does_look_at_more_is_found(filled, name, sound, planted):
    statement, *bindings = STATEMENTS[name]
    assert sound in statement
    found = [list(too_much(plan)) async for plan in plans_of(filled, statement.replace(sound, planted), bindings)]
    assert any(found)


def test_every_statement_of_the_task_store_is_looked_at():
    """A new one is added to the table above, or here, where are those that run seldom or on small tables."""
    seldom = {"HAND_BACK_ALL", "LANES", "KEYS", "ADD_KEY", "LEAD", "NOTE_RENDER", "KEEP", "KEPT"}
    known = {statement for statement, *_ in STATEMENTS.values()}
    texts = {name: text for name, text in vars(sql).items() if re.fullmatch("[A-Z][A-Z_]+", name)}
    statements = {name for name, text in texts.items() if re.match(r"\s*(SELECT|UPDATE|INSERT|DELETE|WITH)\b", text)}
    assert {name for name in statements if texts[name] not in known} == seldom
