"""What the tables of the PostgreSQL store refuse, whoever writes to them."""

import asyncpg
import pytest

TASK = (
    "id, owner, key_id, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine, "
    "seed, attempt, progress, request"
)
QUEUED = "'{0}', 'o', 'k', 'queued', 0, 1, 1, 9, 'm', NULL, 'ark', 'e', 1, 0, 0, '{{}}'"


@pytest.fixture
def run(postgres, postgres_database, emptied_postgres_url):
    return lambda statement: postgres.sql(statement, postgres_database)


def insert(run, task_id="t", **changed):
    run(f"INSERT INTO task ({TASK}) VALUES ({QUEUED.format(task_id)})")
    if changed:
        run(f"UPDATE task SET {', '.join(f'{name} = {value}' for name, value in changed.items())}")


RUNNING = {"status": "'running'", "attempt": "1", "lease_until": "5", "worker": "'w'"}
FAILED = {"status": "'failed'", "error": "'{}'", "attempt": "1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "'Queued'"},
        {"status": "'running'", "attempt": "1", "worker": "'w'"},
        {"status": "'running'", "attempt": "1", "lease_until": "5"},
        {"status": "'running'", "lease_until": "5", "worker": "'w'"},
        {"status": "'succeeded'", "attempt": "1", "film": "'{}'"},
        {"status": "'succeeded'", "attempt": "1", "completion_tokens": "1"},
        {"status": "'failed'", "attempt": "1"},
        {"error": "'{}'"},
        {"progress": "1.1"},
        {"progress": "'NaN'"},
        {"attempt": "2"},
        {"attempt": "0"},
    ],
)
def test_the_tables_refuse_what_is_no_task(run, changed):
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        insert(run, **changed)


@pytest.mark.parametrize("column", [each for each in TASK.split(", ") if each != "id"])
def test_a_task_that_has_ended_does_not_change(run, column):
    insert(run, **FAILED)
    with pytest.raises(
        asyncpg.IntegrityConstraintViolationError, match=r"does not change|keeps its owner|grows by one"
    ):
        run(f"UPDATE task SET {column} = {column}")


def test_a_task_that_has_ended_can_still_be_kept(run):
    insert(run, **FAILED)
    run("UPDATE task SET archived = true")
    assert run("SELECT archived FROM task") == [(True,)]


@pytest.mark.parametrize("changed", [{}, RUNNING])
def test_a_task_that_has_not_ended_is_not_removed(run, changed):
    insert(run, **changed)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="is not removed"):
        run("DELETE FROM task")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger SET amount_micros = 1", "DELETE FROM ledger", "TRUNCATE ledger", "TRUNCATE ledger, task"],
)
def test_the_ledger_is_append_only(run, statement):
    run("INSERT INTO ledger VALUES ('t', 'hold', 'o', 1, 'CNY', 1, 1)")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append only"):
        run(statement)


@pytest.mark.parametrize("kind", ["hold", "posted", "voided"])
def test_the_ledger_settles_once(run, kind):
    run("INSERT INTO ledger VALUES ('t', 'hold', 'o', 1, 'CNY', 1, 1), ('t', 'posted', 'o', 1, 'CNY', 1, 1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        run(f"INSERT INTO ledger VALUES ('t', '{kind}', 'o', 1, 'CNY', 1, 1)")


@pytest.mark.parametrize("column", ["amount_micros", "completion_tokens"])
def test_the_ledger_holds_no_negative_amounts(run, column):
    values = {"amount_micros": "1", "completion_tokens": "1"} | {column: "-1"}
    with pytest.raises(asyncpg.CheckViolationError):
        run(f"INSERT INTO ledger VALUES ('t', 'hold', 'o', 1, 'CNY', {', '.join(values.values())})")


def test_a_medium_that_is_not_whole_is_not_used(run):
    run("INSERT INTO medium (sha256, state, key, needed_until) VALUES ('s', 'leaving', 'k', 1)")
    for name in ("s", "unknown"):
        with pytest.raises(asyncpg.PostgresError, match="is not stored"):
            run(f"INSERT INTO medium_use VALUES ('{name}', 'task:t')")


def test_a_medium_that_is_used_does_not_leave(run):
    run("INSERT INTO medium (sha256, state, key, facts, needed_until) VALUES ('s', 'whole', 'k', '{}', 1)")
    run("INSERT INTO medium_use VALUES ('s', 'task:t')")
    with pytest.raises(asyncpg.CheckViolationError):
        run("UPDATE medium SET state = 'leaving'")
