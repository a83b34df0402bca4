"""The tables that listings count by, for SQLite and for PostgreSQL: tasks summed up over stretches of time.

A task is counted at each level of `listing_steps.LEVELS`, in the bucket ``created_at >> level``, in the column of its
status. Triggers keep the counts in the transaction of the change. An empty ``service_tier`` stands for none; others
begin with ``=``.
"""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

_COLUMNS = ("queued", "running", "succeeded", "failed", "expired", "cancelled")
_PLACE = "owner, level, bucket, archived, model, service_tier"


def _each(form: str, joint: str = ", ") -> str:
    return joint.join(form.format(column) for column in _COLUMNS)


_NAMES = _each("{0}")
_ADDED = _each("{0} = task_tally.{0} + excluded.{0}")
_TAKEN = _each("{0} = {0} - (old.status = '{0}')")
_MOVED = _each("{0} = {0} - (old.status = '{0}') + (new.status = '{0}')")
_EMPTY = _each("task_tally.{0} = 0", " AND ")


def _rows(side: str) -> str:
    """Give a task's three rows: side is new or old."""
    place = "{0}.owner, {1}, {0}.created_at >> {1}, {0}.archived, {0}.model, coalesce('=' || {0}.service_tier, '')"
    counts = _each("{{0}}.status = '{0}'").format(side)
    return ",\n    ".join(f"({place.format(side, level)}, {counts})" for level in (22, 28, 34))


_ADD = f"""
INSERT INTO task_tally ({_PLACE}, {_NAMES}) VALUES
    {_rows("new")}
ON CONFLICT ({_PLACE}) DO UPDATE SET {_ADDED};
"""

_WHERE = """
WHERE owner = old.owner AND archived = old.archived AND model = old.model
    AND service_tier = coalesce('=' || old.service_tier, '')
    AND (level, bucket) IN (VALUES (22, old.created_at >> 22), (28, old.created_at >> 28), (34, old.created_at >> 34))
"""

_TAKE = f"""
UPDATE task_tally SET {_TAKEN} {_WHERE};
DELETE FROM task_tally {_WHERE} AND {_EMPTY};
"""

_MOVE = f"UPDATE task_tally SET {_MOVED} {_WHERE};"

SQLITE = f"""
CREATE TABLE task_tally (
    owner TEXT NOT NULL,
    level INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    model TEXT NOT NULL,
    service_tier TEXT NOT NULL,
    {_each("{0} INTEGER NOT NULL")},
    PRIMARY KEY ({_PLACE})
) STRICT, WITHOUT ROWID;

-- What a task is counted by, beside its status and the archive.
CREATE TRIGGER task_stays_in_its_place BEFORE UPDATE OF owner, created_at, model, service_tier ON task
WHEN (new.owner, new.created_at, new.model, new.service_tier)
    IS NOT (old.owner, old.created_at, old.model, old.service_tier)
BEGIN SELECT RAISE(ABORT, 'a task keeps its owner, its model, its tier and the moment of its creation'); END;

-- New tasks are counted by who inserts them, many at once: a trigger for each row takes longer than the row.

CREATE TRIGGER task_is_counted_elsewhere AFTER UPDATE OF status ON task
WHEN new.status <> old.status AND new.archived = old.archived
BEGIN {_MOVE} END;

CREATE TRIGGER task_is_counted_in_the_archive AFTER UPDATE OF archived ON task
WHEN new.archived <> old.archived
BEGIN {_TAKE} {_ADD} END;

CREATE TRIGGER task_is_counted_no_more AFTER DELETE ON task BEGIN {_TAKE} END;

INSERT INTO task_tally
SELECT owner, level, created_at >> level, archived, model, coalesce('=' || service_tier, '') AS tier,
    {_each("sum(status = '{0}')")}
FROM task CROSS JOIN (SELECT 22 AS level UNION ALL SELECT 28 UNION ALL SELECT 34)
GROUP BY owner, level, created_at >> level, archived, model, tier;
"""

COUNT_NEW = f"""
INSERT INTO task_tally ({_PLACE}, {_NAMES})
SELECT value ->> 0, level, (value ->> 1) >> (level - 22), 0, value ->> 2, value ->> 3, value ->> 4, 0, 0, 0, 0, 0
FROM json_each(?) CROSS JOIN (SELECT 22 AS level UNION ALL SELECT 28 UNION ALL SELECT 34) WHERE true
ON CONFLICT DO UPDATE SET queued = queued + excluded.queued
"""
"""Counts new tasks, in SQLite: JSON of (owner, bucket of the lowest level, model, tier as it is counted, how many)."""

COUNT_INSERTED = f"CREATE TRIGGER task_is_counted AFTER INSERT ON task BEGIN {_ADD} END;"
"""For whoever writes rows past the store, in whatever state."""

_SUMMED = f"""
    INSERT INTO task_tally ({_PLACE}, {_NAMES})
    SELECT owner, level, created_at >> level, archived, model, coalesce('=' || service_tier, ''),
        {_each("sum(sign * (status = '{0}')::int)")}
    FROM ({{changed}}) AS changed CROSS JOIN (VALUES (22), (28), (34)) AS levels (level)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT ({_PLACE}) DO UPDATE SET {_ADDED};
"""

_SIGNED = "SELECT {sign} AS sign, owner, created_at, archived, model, service_tier, status FROM {rows}"

_EMPTIED = f"""
    DELETE FROM task_tally USING (
        SELECT DISTINCT owner, level, created_at >> level AS bucket, archived, model,
            coalesce('=' || service_tier, '') AS service_tier
        FROM {{rows}} CROSS JOIN (VALUES (22), (28), (34)) AS levels (level)) AS gone
    WHERE {" AND ".join(f"task_tally.{name} = gone.{name}" for name in _PLACE.split(", "))}
        AND {_EMPTY};
"""

_FUNCTION = "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN{body}    RETURN NULL;\nEND $$;"

_UNCHANGED = """
    -- A sign of life changes no count.
    IF NOT EXISTS (
        SELECT 1 FROM earlier JOIN later USING (id)
        WHERE earlier.status <> later.status OR earlier.archived <> later.archived)
    THEN
        RETURN NULL;
    END IF;"""

_ARCHIVED = """
    -- To and from the archive alone, a row can be left without a task: statuses are columns.
    IF EXISTS (SELECT 1 FROM earlier JOIN later USING (id) WHERE earlier.archived <> later.archived) THEN{emptied}
    END IF;
"""

_BOTH = f"{_SIGNED.format(sign=-1, rows='earlier')} UNION ALL {_SIGNED.format(sign=1, rows='later')}"

_COUNTED = _FUNCTION.format(
    name="understudy_task_is_counted", body=_SUMMED.format(changed=_SIGNED.format(sign=1, rows="added"))
)
_COUNTED_ELSEWHERE = _FUNCTION.format(
    name="understudy_task_is_counted_elsewhere",
    body=_UNCHANGED + _SUMMED.format(changed=_BOTH) + _ARCHIVED.format(emptied=_EMPTIED.format(rows="earlier")),
)
_COUNTED_NO_MORE = _FUNCTION.format(
    name="understudy_task_is_counted_no_more",
    body=_SUMMED.format(changed=_SIGNED.format(sign=-1, rows="removed")) + _EMPTIED.format(rows="removed"),
)

POSTGRES = f"""
CREATE TABLE task_tally (
    owner text COLLATE "C" NOT NULL,
    level integer NOT NULL,
    bucket bigint NOT NULL,
    archived boolean NOT NULL,
    model text COLLATE "C" NOT NULL,
    service_tier text COLLATE "C" NOT NULL,
    {_each("{0} bigint NOT NULL")},
    PRIMARY KEY ({_PLACE})
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);

-- What a task is counted by, beside its status and the archive.
CREATE TRIGGER task_stays_in_its_place BEFORE UPDATE OF owner, created_at, model, service_tier ON task
FOR EACH ROW WHEN ((new.owner, new.created_at, new.model, new.service_tier)
    IS DISTINCT FROM (old.owner, old.created_at, old.model, old.service_tier))
EXECUTE FUNCTION understudy_refuses('a task keeps its owner, its model, its tier and the moment of its creation');

-- All rows of a statement are taken in their order, after the lanes, so that nobody waits in a circle.
{_COUNTED}

CREATE TRIGGER task_is_counted AFTER INSERT ON task REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION understudy_task_is_counted();

{_COUNTED_ELSEWHERE}

CREATE TRIGGER task_is_counted_elsewhere AFTER UPDATE ON task REFERENCING OLD TABLE AS earlier NEW TABLE AS later
FOR EACH STATEMENT EXECUTE FUNCTION understudy_task_is_counted_elsewhere();

{_COUNTED_NO_MORE}

CREATE TRIGGER task_is_counted_no_more AFTER DELETE ON task REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION understudy_task_is_counted_no_more();

INSERT INTO task_tally
SELECT owner, level, created_at >> level, archived, model, coalesce('=' || service_tier, ''),
    {_each("count(*) FILTER (WHERE status = '{0}')")}
FROM task CROSS JOIN (VALUES (22), (28), (34)) AS levels (level)
GROUP BY 1, 2, 3, 4, 5, 6;
"""
