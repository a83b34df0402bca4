"""Listings count by stretches of time: they show what a look at every task shows, and cost the same among many."""

import random
from datetime import timedelta

import apsw
import pytest

from listing_rows import BOTH, COLUMNS, INSERT, NOW, a_listing, row_of, rows_of, shown
from understudy.core.task import Status, TaskFilter
from understudy.storage import listing, listing_steps
from understudy.storage.listing_steps import LAST_MICROS, LEVELS, Buckets, Span, divided
from understudy.storage.listing_tables import COUNT_INSERTED
from understudy.storage.migrations import migrate
from understudy.storage.rows import micros_of


@pytest.fixture
def connection(tmp_path):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    connection.pragma("synchronous", "off")
    migrate(connection)
    connection.execute(COUNT_INSERTED)
    with connection:
        yield connection
    connection.close()


def put(connection, number, created_at, **changes):
    """Insert a task."""
    connection.execute(INSERT, row_of(number, created_at, **changes))


def counted(connection):
    """Give what the tallies must hold, from the tasks themselves, and what they hold."""
    columns = ", ".join(f"sum(status = '{each.value}')" for each in Status)
    levels = " UNION ALL ".join(f"SELECT {level} AS level" for level in LEVELS)
    tasks = f"""
        SELECT owner, level, created_at >> level, archived, model, coalesce('=' || service_tier, '') AS tier, {columns}
        FROM task CROSS JOIN ({levels}) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"""
    return connection.execute(tasks).fetchall(), connection.execute("SELECT * FROM task_tally").fetchall()


@pytest.mark.parametrize("seed", range(6))
def test_any_listing_shows_what_a_look_at_every_task_shows(connection, seed):
    dice = random.Random(seed)
    connection.executemany(INSERT, rows_of(dice, 600))
    rows = connection.execute(f"SELECT {COLUMNS} FROM task WHERE owner = 'o'").fetchall()
    for _ in range(150):
        wanted = a_listing(dice)
        page = listing.select_page(connection, "o", wanted)
        assert ([task.id for task in page.tasks], page.total) == shown(rows, wanted), wanted


def test_tasks_are_counted_through_all_that_happens_to_them(connection):
    dice = random.Random(7)
    connection.executemany(INSERT, rows_of(dice, 300))
    connection.execute("UPDATE task SET archived = 1 - archived WHERE rowid % 3 = 0")
    connection.execute(
        "UPDATE task SET status = 'running', attempt = attempt + 1, lease_until = 1, worker = 'w'"
        " WHERE status = 'queued'"
    )
    connection.execute(
        "UPDATE task SET status = 'expired', lease_until = NULL, worker = NULL"
        " WHERE status = 'running' AND rowid % 2 = 0"
    )
    connection.execute("DELETE FROM task WHERE rowid % 5 = 0")
    expected, held = counted(connection)
    assert held == expected
    connection.execute("DELETE FROM task")
    assert counted(connection) == ([], [])


@pytest.mark.parametrize("change", ["owner = 'p'", "created_at = 1", "model = 'm'", "service_tier = NULL"])
def test_what_a_task_is_counted_by_does_not_change(connection, change):
    put(connection, 1, NOW)
    with pytest.raises(apsw.ConstraintError, match="keeps its owner"):
        connection.execute(f"UPDATE task SET {change}")


def test_a_span_is_divided_into_parts_that_follow_each_other():
    dice = random.Random(3)
    edges = [0, -LAST_MICROS, LAST_MICROS, *(dice.randrange(1 << 45) for _ in range(30))]
    edges += [edge >> level << level for edge in edges for level in LEVELS]
    places = [(edge, name) for edge in edges for name in ("", "a")]
    for _ in range(3000):
        first, last = sorted(dice.sample(places, 2))
        if first == last:
            continue
        ends, whole = divided(Span(first=first, last=last, is_archive=False))
        parts = [(end.first, end.last) for end in ends]
        parts += [((some.first << some.level, ""), (some.last << some.level, "")) for some in whole]
        parts.sort()
        assert [part[0] for part in parts] == [first, *(part[1] for part in parts[:-1])]
        assert parts[-1][1] == last
        assert sum(some.last - some.first for some in whole if some.level < LEVELS[-1]) <= 4 * 64
        assert all(end.last[0] - end.first[0] <= 1 << LEVELS[0] for end in ends)


def steps_of(connection, work):
    """Count the steps of SQLite's machine."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1
        return False

    connection.set_progress_handler(count, 1)
    work()
    connection.set_progress_handler(None)
    return steps


WANTED = {
    "the first page": {},
    "the hundredth page": {"page": 100},
    "the oldest": {"is_oldest_first": True},
    "what failed": {"status": Status.FAILED},
    "a deep page of what failed": {"status": Status.FAILED, "page": 20},
    "what one model has made": {"model": "model-b", "status": Status.SUCCEEDED},
    "what stands behind a task": {"after": "t0000500"},
}


@pytest.fixture(scope="module")
def crowds(tmp_path_factory):
    """Two databases: 1,500 tasks, and 12,000 among which are the same, an hour and ten hours of one pace."""
    connections = []
    for number in (1500, 12000):
        connection = apsw.Connection(str(tmp_path_factory.mktemp("crowd") / "understudy.db"))
        connection.pragma("synchronous", "off")
        migrate(connection)
        connection.execute(COUNT_INSERTED)
        with connection:
            for each in range(number):
                kind = (Status.FAILED, Status.SUCCEEDED, Status.QUEUED)[0 if each % 7 == 0 else 1 + each % 2]
                model = "model-b" if each % 5 == 0 else "model-a"
                put(connection, each, NOW - timedelta(seconds=3 * each), status=kind, model=model)
        connections.append(connection)
    yield connections
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("name", WANTED)
def test_a_listing_costs_hardly_more_among_eight_times_as_many_tasks(crowds, name):
    changes = {"page": 1, "page_size": 10} | WANTED[name]
    wanted = TaskFilter(created_after=NOW - timedelta(days=7), cancelled_after=NOW - timedelta(days=1), **changes)
    few, many = (steps_of(each, lambda each=each: listing.select_page(each, "o", wanted)) for each in crowds)
    assert listing.select_page(crowds[1], "o", wanted).total > 1000
    # A look at every task of the greater crowd would take over 100,000 steps; wider stretches, and the tasks of the one
    # that is looked through, take some thousands.
    assert many < few * 1.2 + 8000


def test_the_tallies_are_read_by_their_key(connection):
    for status in (None, Status.FAILED):
        for is_archive in BOTH:
            text = listing.tallies(status, is_archive=is_archive)
            bindings = {"owner": "o", "level": 22, "first": 0, "last": 9, "model": None, "service_tier": None}
            plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", bindings).fetchall()
            assert [row[3] for row in plan] == [
                "SEARCH task_tally USING PRIMARY KEY (owner=? AND level=? AND bucket>? AND bucket<?)"
            ]


def test_what_was_cancelled_too_long_ago_is_found_by_its_index(connection):
    bindings = {"owner": "o", "cancelled_after": 1, "model": None, "service_tier": None}
    plan = connection.execute(f"EXPLAIN QUERY PLAN {listing.OVERDUE}", bindings).fetchall()
    assert [row[3] for row in plan] == ["SEARCH task USING INDEX task_cancelled (updated_at<?)"]


def test_the_levels_of_the_tables_are_those_of_the_steps(connection):
    put(connection, 1, NOW)
    levels = connection.execute("SELECT level, bucket FROM task_tally").fetchall()
    assert levels == [(level, micros_of(NOW) >> level) for level in listing_steps.LEVELS]
    assert all(
        Buckets(level=level, first=0, last=LAST_MICROS >> level).last << level == LAST_MICROS for level in LEVELS
    )
