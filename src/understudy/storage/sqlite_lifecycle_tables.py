"""The tables of lanes, idempotency, callbacks, duties and render times: migration 6.

Triggers keep them in step with the tasks, so that no statement that changes a task can forget one of them. New tasks
are the exception: a trigger would run for each row of a statement that writes many, and take as long as the row itself,
so `operations.insert_together` writes what comes with new tasks for all of them at once.
"""

LIFECYCLE = """
ALTER TABLE task ADD COLUMN key_id TEXT NOT NULL DEFAULT '';

-- One row for each key and engine that ever had a task: its last turn must be known when it comes back.
-- turn: the number of its latest turn; the lowest had it longest ago, whatever the clock did since. 0: never.
CREATE TABLE lane (
    key_id TEXT NOT NULL,
    engine TEXT NOT NULL,
    queued INTEGER NOT NULL CHECK (queued >= 0),
    running INTEGER NOT NULL CHECK (running >= 0),
    turn INTEGER NOT NULL,
    PRIMARY KEY (key_id, engine)
) STRICT, WITHOUT ROWID;

INSERT INTO lane
SELECT key_id, engine, sum(status = 'queued'), sum(status = 'running'), 0
FROM task WHERE status IN ('queued', 'running') GROUP BY key_id, engine;

CREATE INDEX lane_to_serve ON lane (running, turn) WHERE queued > 0;
CREATE INDEX lane_of_engine ON lane (engine, running, turn) WHERE queued > 0;
CREATE INDEX lane_turn ON lane (turn);

DROP INDEX task_to_claim;
CREATE INDEX task_to_claim ON task (key_id, engine, priority DESC, created_at, id, expires_at) WHERE status = 'queued';

-- task_id may be of a task whose record, and whose callbacks, are gone.
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    task_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_used ON idempotency (used_at);

-- What is constant of a task whose changes are told: a callback outlives the task's record.
CREATE TABLE callback_task (
    task_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    url TEXT NOT NULL,
    root TEXT NOT NULL,
    origin TEXT NOT NULL,
    dialect TEXT NOT NULL,
    engine TEXT NOT NULL,
    seed INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    request BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX callback_task_created ON callback_task (created_at);

-- One row for each change, with the task as it was right after it. is_first: of its task's that are pending, the
-- first, and so the only one that may be told.
CREATE TABLE callback (
    task_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given up')),
    is_first INTEGER NOT NULL CHECK (is_first IN (0, 1)),
    due_at INTEGER,
    tries INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'expired')),
    updated_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    progress REAL NOT NULL,
    completion_tokens INTEGER,
    error BLOB,
    warnings BLOB,
    film BLOB,
    archived INTEGER NOT NULL,
    PRIMARY KEY (task_id, number),
    CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    CHECK (is_first = 0 OR state = 'pending')
) STRICT, WITHOUT ROWID;

CREATE INDEX callback_due ON callback (origin, due_at) WHERE is_first = 1;
CREATE INDEX callback_next ON callback (due_at) WHERE is_first = 1;

-- turn: as that of a lane. One that is not here had none for very long.
CREATE TABLE callback_origin (origin TEXT NOT NULL PRIMARY KEY, turn INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE INDEX callback_origin_turn ON callback_origin (turn);

-- nth: which of the callback's tries. status: of HTTP.
CREATE TABLE callback_try (
    task_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    at INTEGER NOT NULL,
    took_s REAL NOT NULL,
    status INTEGER,
    fault TEXT NOT NULL,
    PRIMARY KEY (task_id, number, nth)
) STRICT, WITHOUT ROWID;

CREATE TABLE duty (
    name TEXT NOT NULL PRIMARY KEY,
    worker TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE render_time (
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    film_s REAL NOT NULL,
    took_s REAL NOT NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER task_changes AFTER UPDATE OF status ON task WHEN new.status <> old.status
BEGIN
    UPDATE lane SET
        queued = queued + (new.status = 'queued') - (old.status = 'queued'),
        running = running + (new.status = 'running') - (old.status = 'running'),
        turn = CASE new.status WHEN 'running' THEN 1 + (SELECT max(turn) FROM lane) ELSE turn END
    WHERE key_id = new.key_id AND engine = new.engine;
    INSERT INTO callback
    SELECT new.id, 1 + coalesce((SELECT max(number) FROM callback WHERE task_id = new.id), 0), origin, 'pending',
        NOT EXISTS (SELECT 1 FROM callback WHERE task_id = new.id AND state = 'pending'), new.updated_at, 0,
        new.status, new.updated_at, new.attempt, new.progress, new.completion_tokens, new.error, new.warnings,
        new.film, new.archived
    FROM callback_task WHERE task_id = new.id AND new.status <> 'cancelled';
END;

CREATE TRIGGER task_leaves_its_lane AFTER DELETE ON task WHEN old.status IN ('queued', 'running')
BEGIN
    UPDATE lane SET queued = queued - (old.status = 'queued'), running = running - (old.status = 'running')
    WHERE key_id = old.key_id AND engine = old.engine;
END;

CREATE TRIGGER task_stays_in_its_lane BEFORE UPDATE OF key_id, engine ON task
WHEN new.key_id <> old.key_id OR new.engine <> old.engine
BEGIN SELECT RAISE(ABORT, 'a task stays in its lane'); END;

CREATE TRIGGER task_runs_before_it_succeeds BEFORE UPDATE OF status ON task
WHEN old.status = 'queued' AND new.status IN ('succeeded', 'failed')
BEGIN SELECT RAISE(ABORT, 'a task that waits neither succeeds nor fails'); END;

DROP TRIGGER task_end_is_final;
CREATE TRIGGER task_end_is_final BEFORE UPDATE OF
    id, owner, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine, seed,
    attempt, progress, lease_until, worker, completion_tokens, error, warnings, film, request, key_id ON task
WHEN old.status IN ('succeeded', 'failed', 'expired', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a task that has ended does not change'); END;
"""
