"""The tables hold the lifecycle by themselves, migrations are whole, and no frequent question reads a whole table."""

import re

import apsw
import pytest

from understudy.storage import sqlite_media, statements
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.migrations import MIGRATIONS, Migration, migrate

ROW = {
    "id": "'a'",
    "owner": "'o'",
    "status": "'queued'",
    "priority": "0",
    "created_at": "1",
    "updated_at": "1",
    "expires_at": "2",
    "model": "'m'",
    "dialect": "'ark'",
    "engine": "'previz'",
    "seed": "0",
    "attempt": "0",
    "progress": "0.0",
    "request": "x'7b7d'",
}
RUNNING = {"status": "'running'", "attempt": "1", "lease_until": "9", "worker": "'w'"}
SUCCEEDED = {"status": "'succeeded'", "attempt": "1", "film": "x'7b7d'", "completion_tokens": "1"}
FAILED = {"status": "'failed'", "attempt": "1", "error": "x'7b7d'"}


@pytest.fixture
def connection(tmp_path):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    yield connection
    connection.close()


def insert(connection, **changes):
    row = {**ROW, **changes}
    connection.execute(f"INSERT INTO task ({', '.join(row)}) VALUES ({', '.join(row.values())})")
    if row["status"] in ("'queued'", "'running'"):
        queued = row["status"] == "'queued'"
        connection.execute(
            "INSERT INTO lane VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET "
            "queued = queued + excluded.queued, running = running + excluded.running",
            (row.get("key_id", "").strip("'"), row["engine"].strip("'"), queued, not queued),
        )


@pytest.mark.parametrize(
    "changes",
    [{}, RUNNING, SUCCEEDED, FAILED, {"status": "'expired'"}, {"status": "'cancelled'"}, {"attempt": "3"}],
)
def test_a_row_of_each_state_is_taken(connection, changes):
    insert(connection, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "'done'"},
        {"lease_until": "9", "worker": "'w'"},
        {"film": "x'7b7d'"},
        {"completion_tokens": "1"},
        {"error": "x'7b7d'"},
        {"progress": "1.5"},
        {"attempt": "-1"},
        {"request": "NULL"},
        {"status": "'expired'", "film": "x'7b7d'"},
        {**RUNNING, "lease_until": "NULL"},
        {**RUNNING, "worker": "NULL"},
        {**RUNNING, "attempt": "0"},
        {**SUCCEEDED, "film": "NULL"},
        {**SUCCEEDED, "completion_tokens": "NULL"},
        {**SUCCEEDED, "error": "x'7b7d'"},
        {**SUCCEEDED, "lease_until": "9"},
        {**FAILED, "error": "NULL"},
        {**FAILED, "film": "x'7b7d'"},
    ],
)
def test_a_row_outside_the_lifecycle_is_refused(connection, changes):
    with pytest.raises(apsw.ConstraintError):
        insert(connection, **changes)


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, {"status": "'expired'"}, {"status": "'cancelled'"}])
def test_a_task_that_has_ended_never_changes(connection, end):
    insert(connection, **end)
    with pytest.raises(apsw.ConstraintError, match="has ended"):
        connection.execute("UPDATE task SET updated_at = 3")


def test_a_task_that_has_ended_can_still_be_archived(connection):
    insert(connection, **SUCCEEDED)
    connection.execute("UPDATE task SET archived = 1")
    with pytest.raises(apsw.ConstraintError):
        connection.execute("UPDATE task SET archived = 2")


def test_every_column_but_that_of_the_archive_is_final(connection):
    ((trigger,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'task_end_is_final'").fetchall()
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(task)")}
    named = set(re.findall(r"\w+", trigger.partition("UPDATE OF")[2].partition("ON task")[0]))
    assert columns - named == {"archived"}


def insert_medium(connection, **changes):
    row = {"sha256": "'s'", "state": "'whole'", "key": "'k'", "facts": "x'7b7d'", "needed_until": "5", **changes}
    connection.execute(f"INSERT INTO medium ({', '.join(row)}) VALUES ({', '.join(row.values())})")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "'gone'"},
        {"key": "NULL"},
        {"facts": "NULL"},
        {"state": "'leaving'", "key": "NULL"},
        {"state": "'leaving'", "uses": "1"},
        {"uses": "-1"},
    ],
)
def test_a_medium_outside_its_lifecycle_is_refused(connection, changes):
    with pytest.raises(apsw.ConstraintError):
        insert_medium(connection, **changes)


def test_a_medium_that_is_used_cannot_leave(connection):
    insert_medium(connection)
    connection.execute("INSERT INTO medium_use VALUES ('s', 'task:a')")
    with pytest.raises(apsw.ConstraintError):
        connection.execute("UPDATE medium SET state = 'leaving'")
    connection.execute("DELETE FROM medium_use")
    connection.execute("UPDATE medium SET state = 'leaving'")


def test_what_is_unused_is_found_without_a_look_at_what_is_used(connection):
    def cost(used):
        with connection:
            for number in range(used - 50, used):
                insert_medium(connection, sha256=f"'{number}'")
                connection.execute("INSERT INTO medium_use VALUES (?, 'task:a')", (str(number),))
        return cost_of(connection, sqlite_media.TAKE_UNUSED, {"now": 9, "most": 10})

    costs = [cost(used) for used in (50, 100, 150, 200)]
    # The first time, the statement is prepared too.
    assert len(set(costs[1:])) == 1


def test_the_tables_of_the_second_version_are_taken_over_with_what_is_in_them(tmp_path):
    older = apsw.Connection(str(tmp_path / "older.db"))
    migrate(older, MIGRATIONS[:2])
    insert(older, **SUCCEEDED)
    migrate(older)
    assert older.execute("SELECT id, status, archived FROM task").fetchall() == [("a", "succeeded", 0)]
    older.execute("DELETE FROM task")
    assert older.execute("SELECT id, attempt FROM removed_task").fetchall() == [("a", 1)]
    older.close()


@pytest.mark.parametrize("step", [-1, 0, 2])
def test_the_fencing_token_grows_by_one(connection, step):
    insert(connection, attempt="4")
    with pytest.raises(apsw.ConstraintError, match="grows by one"):
        connection.execute(f"UPDATE task SET attempt = attempt + {step}")


def entry(connection, kind):
    connection.execute("INSERT INTO ledger VALUES ('a', ?, 'o', 1, 'CNY', 1, 1)", (kind,))


@pytest.mark.parametrize("kinds", [("hold", "hold"), ("hold", "posted", "voided"), ("hold", "voided", "voided")])
def test_a_hold_is_settled_once(connection, kinds):
    for kind in kinds[:-1]:
        entry(connection, kind)
    with pytest.raises(apsw.ConstraintError):
        entry(connection, kinds[-1])


@pytest.mark.parametrize("change", ["UPDATE ledger SET amount_micros = 0", "DELETE FROM ledger"])
def test_the_ledger_is_append_only(connection, change):
    entry(connection, "hold")
    with pytest.raises(apsw.ConstraintError, match="append only"):
        connection.execute(change)


def test_migrating_again_changes_nothing(connection):
    insert(connection)
    migrate(connection)
    assert connection.execute("SELECT count(*) FROM task").fetchall() == [(1,)]


def test_only_new_migrations_are_applied(connection):
    insert(connection)
    next_number = MIGRATIONS[-1].number + 1
    added = Migration(next_number, "ALTER TABLE task ADD COLUMN note TEXT; UPDATE task SET note = 'kept'")
    migrate(connection, (*MIGRATIONS, added))
    assert connection.execute("SELECT note FROM task").fetchall() == [("kept",)]
    assert connection.execute("SELECT max(number) FROM schema_version").fetchall() == [(next_number,)]


def test_a_migration_that_fails_leaves_the_version_before_it(connection):
    insert(connection)
    next_number = MIGRATIONS[-1].number + 1
    broken = Migration(next_number, "ALTER TABLE task ADD COLUMN note TEXT; SELECT nothing FROM nowhere")
    with pytest.raises(apsw.SQLError):
        migrate(connection, (*MIGRATIONS, broken))
    with pytest.raises(apsw.SQLError, match="note"):
        connection.execute("SELECT note FROM task")
    migrate(connection)


def test_a_database_of_a_newer_version_is_refused(connection):
    connection.execute("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(CannotOpen, match="version 99 of the tables"):
        migrate(connection)


BOUND = {
    *("INSERT", "WRITE_ENTRY", "ADD_KEY", "ADD_TARGET", "ADD_CALLBACK", "JOIN_LANES", "USE_KEY", "LEAD"),
    *("KEYS", "COLUMNS", "LANES"),
}
"""Statements without a question, and those that read all keys, or the lanes, which are as few."""


def plan_of(connection, name):
    text = getattr(statements, name)
    named = dict.fromkeys(re.findall(r":(\w+)", text), 1)
    numbered = set(re.findall(r"\?\d", text))
    bindings = named or (1,) * (len(numbered) or text.count("?"))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", bindings).fetchall()]


QUESTIONS = sorted(
    name
    for name, value in vars(statements).items()
    if name.isupper() and name[0] != "_" and name not in BOUND and isinstance(value, str)
)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_whole_table(connection, name):
    steps = [step for step in plan_of(connection, name) if step.startswith(("SCAN", "SEARCH"))]
    assert steps
    for step in steps:
        # Walking the queue in order, or the leased tasks, is no scan: both indexes hold only those.
        assert not re.match(r"SCAN (task|ledger)(?! USING COVERING INDEX task_(to_claim|leased)$)", step), steps


def cost_of(connection, name, bindings):
    """Count the steps of SQLite's machine for one statement, named or given, that is undone afterwards."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1
        return False

    connection.execute("SAVEPOINT cost")
    connection.set_progress_handler(count, 1)
    connection.execute(getattr(statements, name, name), bindings).fetchall()
    connection.set_progress_handler(None)
    connection.execute("ROLLBACK TO cost; RELEASE cost")
    return steps


CLAIM = {"now": 5, "lease_now": 5, "lease_until": 9, "worker": "w", "concurrency": 9, "engine": "previz"}


def test_the_cost_of_a_task_does_not_grow_with_their_number(connection):
    def costs():
        measured()  # The first time, the statements are prepared too.
        return measured()

    def measured():
        return {
            "get": cost_of(connection, "GET", ("a", "o")),
            "claim": cost_of(connection, "CLAIM", CLAIM),
            "claim of one engine": cost_of(connection, statements.of_engine(statements.CLAIM), CLAIM),
            "claim of nothing": cost_of(connection, "IS_IN_THE_WAY", CLAIM),
            "waiting": cost_of(connection, "WAITING", ('[["", "previz"]]',)),
            "lanes": cost_of(connection, "LANES", ()),
            "queued ids": cost_of(connection, "QUEUED_IDS", ("", "previz", 20)),
            "heartbeat": cost_of(connection, "HEARTBEAT", (9, 0.5, "r", 1)),
            "finish": cost_of(connection, "CURRENT", ("r", 1)),
            "expire": cost_of(connection, "EXPIRE", (5, 1000)),
        }

    insert(connection, priority="1", expires_at="99")
    insert(connection, **{**RUNNING, "id": "'r'", "expires_at": "99"})
    with connection:
        for number in range(150):
            insert(connection, id=f"'q{number}'", expires_at="99")
    few = costs()
    with connection:
        for number in range(1500):
            state = [SUCCEEDED, FAILED, {"expires_at": "99"}][number % 3]
            insert(connection, **{**state, "id": f"'t{number}'"})
    assert costs() == few


@pytest.mark.parametrize("name", ["PAGE_OF_OWNER", "OLDEST_OF_OWNER"])
def test_the_cost_of_a_page_behind_a_cursor_does_not_grow_with_how_deep_it_lies(connection, name):
    with connection:
        for number in range(2000):
            insert(connection, id=f"'t{number:04d}'", created_at=str(number))

    def cost(number):
        bindings = dict.fromkeys(("status", "model", "service_tier"))
        bindings |= {"owner": "o", "cancelled_after": 0, "limit": 20, "offset": 0}
        bindings |= {"after_created_at": 0, "after_id": "", "before_created_at": 9999, "before_id": ""}
        bound = "before" if name == "PAGE_OF_OWNER" else "after"
        bindings |= {f"{bound}_created_at": number, f"{bound}_id": f"t{number:04d}"}
        return cost_of(connection, name, bindings)

    costs = [cost(number) for number in (500, 100, 1000, 1900)]
    # The first time, the statement is prepared too.
    assert len(set(costs[1:])) == 1


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("GET", "sqlite_autoindex_task_1"),
        ("CLAIM", "task_to_claim"),
        ("CLAIM", "task_leased"),
        ("EXPIRE", "task_to_expire"),
        ("PURGE_ENDED", "task_to_purge"),
        ("PURGE_CANCELLED", "task_cancelled"),
        ("HAND_BACK_ALL", "task_leased"),
        ("COUNT_OF_OWNER", "COVERING INDEX task_listed"),
        ("PAGE_OF_OWNER", "task_listed"),
        ("PAGE_OF_IDS", "sqlite_autoindex_task_1"),
        ("OLDEST_OF_OWNER", "task_listed"),
        ("OLDEST_OF_IDS", "sqlite_autoindex_task_1"),
        ("PLACE", "sqlite_autoindex_task_1"),
        ("ARCHIVE", "sqlite_autoindex_task_1"),
        ("TAKE_REMOVED", "removed_task_to_try"),
        *((f"{listing}_OF_OWNER", f"{bound}(?,?)") for listing in ("COUNT", "PAGE", "OLDEST") for bound in "<>"),
    ],
)
def test_each_question_has_its_index(connection, name, index):
    plan = plan_of(connection, name)
    assert any(index in step for step in plan), plan


@pytest.mark.parametrize("name", ["CLAIM", "PAGE_OF_OWNER", "OLDEST_OF_OWNER", "EXPIRE", "PURGE_ENDED"])
def test_what_is_ordered_is_not_sorted(connection, name):
    plan = plan_of(connection, name)
    # The few leased tasks, and the two candidates, are sorted; the queue is not.
    allowed = 2 if name == "CLAIM" else 0
    assert len([step for step in plan if "TEMP B-TREE" in step]) <= allowed, plan
