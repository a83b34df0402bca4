"""The tables of the PostgreSQL store: what each migration runs.

What SQLite holds by its triggers is held here as well: an ended task does not change, the ledger is append only and
settles once, a medium that is used is whole. Names and orders are compared byte by byte (`COLLATE "C"`), whatever the
language of the database is.
"""

FIRST_TABLES = """
CREATE FUNCTION understudy_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$;

-- Times are microseconds since 1970 UTC. lease_us: how long the claim's lease is, from each sign of life on.
-- has_callback: its changes are told to an address.
CREATE TABLE task (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL
        CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled')),
    priority integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    model text COLLATE "C" NOT NULL,
    service_tier text COLLATE "C",
    dialect text NOT NULL,
    engine text COLLATE "C" NOT NULL,
    seed bigint NOT NULL,
    attempt integer NOT NULL CHECK (attempt >= 0),
    progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 1),
    lease_until bigint,
    lease_us bigint,
    worker text,
    completion_tokens bigint CHECK (completion_tokens >= 0),
    archived boolean NOT NULL DEFAULT false,
    has_callback boolean NOT NULL DEFAULT false,
    error text,
    warnings text,
    film text,
    request text NOT NULL,
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status = 'running') = (worker IS NOT NULL)),
    CHECK ((status = 'succeeded') = (film IS NOT NULL)),
    CHECK ((status = 'succeeded') = (completion_tokens IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK (attempt > 0 OR status IN ('queued', 'expired', 'cancelled'))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
        autovacuum_analyze_scale_factor = 0.02);

-- What is asked again and again, each question with its own index, so that none depends on how many tasks there are.
CREATE INDEX task_to_claim ON task (engine, key_id, priority DESC, created_at, id) WHERE status = 'queued';
CREATE INDEX task_leased ON task (lease_until) WHERE status = 'running';
CREATE INDEX task_to_expire ON task (expires_at) WHERE status IN ('queued', 'running');
CREATE INDEX task_to_purge ON task (created_at)
    WHERE status IN ('succeeded', 'failed', 'expired', 'cancelled') AND NOT archived;
CREATE INDEX task_cancelled ON task (updated_at) WHERE status = 'cancelled' AND NOT archived;
-- Holds every column that a listing filters by, so that counting and skipping need not touch the rows.
CREATE INDEX task_listed ON task (owner, created_at DESC, id DESC)
    INCLUDE (status, updated_at, model, service_tier, archived);

-- All columns but `archived`: to be kept is the one thing that can still be said of a task that has ended.
CREATE TRIGGER task_end_is_final BEFORE UPDATE OF
    id, owner, key_id, status, priority, created_at, updated_at, expires_at, model, service_tier, dialect, engine, seed,
    attempt, progress, lease_until, lease_us, worker, completion_tokens, has_callback, error, warnings, film, request
ON task FOR EACH ROW WHEN (old.status IN ('succeeded', 'failed', 'expired', 'cancelled'))
EXECUTE FUNCTION understudy_refuses('a task that has ended does not change');

CREATE TRIGGER task_attempt_grows BEFORE UPDATE OF attempt ON task
FOR EACH ROW WHEN (new.attempt <> old.attempt + 1)
EXECUTE FUNCTION understudy_refuses('the attempt of a task grows by one');

CREATE TRIGGER task_is_removed_after_its_end BEFORE DELETE ON task
FOR EACH ROW WHEN (old.status IN ('queued', 'running'))
EXECUTE FUNCTION understudy_refuses('a task that has not ended is not removed');

-- The tasks of one key for one engine, counted. Who changes many tasks takes the lanes in order, so that nobody waits
-- in a circle. turn: grows each time that a lane has its turn.
CREATE SEQUENCE lane_turn AS bigint;

CREATE TABLE lane (
    key_id text COLLATE "C" NOT NULL,
    engine text COLLATE "C" NOT NULL,
    queued bigint NOT NULL CHECK (queued >= 0),
    running bigint NOT NULL CHECK (running >= 0),
    turn bigint NOT NULL,
    PRIMARY KEY (key_id, engine)
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500);

CREATE FUNCTION understudy_lane_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lane (key_id, engine, queued, running, turn)
    SELECT key_id, engine, count(*), 0, 0 FROM added WHERE status = 'queued'
    GROUP BY key_id, engine ORDER BY key_id, engine
    ON CONFLICT (key_id, engine) DO UPDATE SET queued = lane.queued + excluded.queued;
    RETURN NULL;
END $$;

CREATE TRIGGER task_grows_its_lane AFTER INSERT ON task REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION understudy_lane_grows();

CREATE FUNCTION understudy_lane_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A sign of life changes no lane.
    IF NOT EXISTS (SELECT 1 FROM earlier JOIN later USING (id) WHERE earlier.status <> later.status) THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM lane
    WHERE (key_id, engine) IN (
        SELECT later.key_id, later.engine FROM earlier JOIN later USING (id) WHERE earlier.status <> later.status)
    ORDER BY key_id, engine FOR UPDATE;
    UPDATE lane SET
        queued = lane.queued + change.queued,
        running = lane.running + change.running,
        turn = CASE WHEN change.turns > 0 THEN nextval('lane_turn') ELSE lane.turn END
    FROM (
        SELECT later.key_id, later.engine,
            sum((later.status = 'queued')::int - (earlier.status = 'queued')::int) AS queued,
            sum((later.status = 'running')::int - (earlier.status = 'running')::int) AS running,
            count(*) FILTER (WHERE later.status = 'running') AS turns
        FROM earlier JOIN later USING (id) WHERE earlier.status <> later.status
        GROUP BY later.key_id, later.engine) AS change
    WHERE lane.key_id = change.key_id AND lane.engine = change.engine;
    RETURN NULL;
END $$;

CREATE TRIGGER task_changes_its_lane AFTER UPDATE ON task REFERENCING OLD TABLE AS earlier NEW TABLE AS later
FOR EACH STATEMENT EXECUTE FUNCTION understudy_lane_changes();

-- A task has at most a hold and its end, so kind sorts in the order written: hold < posted, hold < voided.
CREATE TABLE ledger (
    task_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('hold', 'posted', 'voided')),
    owner text COLLATE "C" NOT NULL,
    written_at bigint NOT NULL,
    currency text NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    completion_tokens bigint NOT NULL CHECK (completion_tokens >= 0),
    PRIMARY KEY (task_id, kind)
) WITH (autovacuum_analyze_scale_factor = 0.02);

CREATE UNIQUE INDEX ledger_settled_once ON ledger (task_id) WHERE kind IN ('posted', 'voided');

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON ledger
FOR EACH ROW EXECUTE FUNCTION understudy_refuses('the ledger is append only');

CREATE TRIGGER ledger_is_never_emptied BEFORE TRUNCATE ON ledger
FOR EACH STATEMENT EXECUTE FUNCTION understudy_refuses('the ledger is append only');

CREATE TABLE idempotency (
    owner text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    used_at bigint NOT NULL,
    PRIMARY KEY (owner, key)
);

CREATE INDEX idempotency_to_forget ON idempotency (used_at);

CREATE TABLE api_key (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    digest bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL
);

-- What one of several servers does at a time, and until when it has it.
CREATE TABLE duty (name text COLLATE "C" NOT NULL PRIMARY KEY, worker text NOT NULL, until bigint NOT NULL);

-- What all servers of this database have in common.
CREATE TABLE kept (name text COLLATE "C" NOT NULL PRIMARY KEY, value text NOT NULL);
"""

MEDIA_AND_ASSETS = """
-- arriving: reserved, the key is known from the moment before the bytes are stored. whole: stored, can be used.
-- leaving: the bytes are being removed. returned: they were stored once more meanwhile, so they are removed again.
-- record: another number each time that the same bytes are recorded anew.
CREATE TABLE medium (
    sha256 text COLLATE "C" NOT NULL PRIMARY KEY,
    state text COLLATE "C" NOT NULL CHECK (state IN ('arriving', 'whole', 'leaving', 'returned')),
    record bigserial NOT NULL,
    key text,
    facts text,
    needed_until bigint NOT NULL,
    uses bigint NOT NULL DEFAULT 0 CHECK (uses >= 0),
    CHECK (state = 'arriving' OR key IS NOT NULL),
    CHECK (state <> 'whole' OR facts IS NOT NULL),
    CHECK (state = 'whole' OR uses = 0)
);

CREATE INDEX medium_unused ON medium (needed_until, sha256) WHERE uses = 0;

-- used_by: 'task:' or 'asset:' and its id.
CREATE TABLE medium_use (
    sha256 text COLLATE "C" NOT NULL,
    used_by text COLLATE "C" NOT NULL,
    PRIMARY KEY (sha256, used_by)
);

CREATE INDEX medium_used_by ON medium_use (used_by);

-- Looking and counting are one statement: between them, somebody could mark the medium as leaving.
CREATE FUNCTION understudy_medium_is_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE medium SET uses = uses + 1 WHERE sha256 = new.sha256 AND state = 'whole';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the medium is not stored' USING ERRCODE = 'US001';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER medium_is_used AFTER INSERT ON medium_use
FOR EACH ROW EXECUTE FUNCTION understudy_medium_is_used();

CREATE FUNCTION understudy_medium_is_used_less() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM medium WHERE sha256 IN (SELECT sha256 FROM unused) ORDER BY sha256 FOR UPDATE;
    UPDATE medium SET uses = medium.uses - gone.times
    FROM (SELECT sha256, count(*) AS times FROM unused GROUP BY sha256) AS gone
    WHERE medium.sha256 = gone.sha256;
    RETURN NULL;
END $$;

CREATE TRIGGER medium_is_used_less AFTER DELETE ON medium_use REFERENCING OLD TABLE AS unused
FOR EACH STATEMENT EXECUTE FUNCTION understudy_medium_is_used_less();

CREATE TABLE own_film (sha256 bytea NOT NULL PRIMARY KEY);

-- Tasks whose record is gone and whose files may be there still. tried_at: when removing them was last begun.
CREATE TABLE removed_task (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    attempt integer NOT NULL,
    tried_at bigint NOT NULL
);

CREATE INDEX removed_task_to_try ON removed_task (tried_at, id);

CREATE FUNCTION understudy_task_drops_its_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM medium_use WHERE used_by IN (SELECT 'task:' || id FROM gone);
    INSERT INTO removed_task SELECT id, attempt, -1 FROM gone WHERE attempt > 0;
    RETURN NULL;
END $$;

-- Its name comes before those of the triggers that count: everybody takes media first, then lanes, then counts.
CREATE TRIGGER task_drops_its_media AFTER DELETE ON task REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION understudy_task_drops_its_media();

CREATE TABLE asset_group (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

CREATE INDEX asset_group_created ON asset_group (owner, created_at, id);
CREATE INDEX asset_group_updated ON asset_group (owner, updated_at, id);

CREATE TABLE asset (
    owner text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    group_id text COLLATE "C" NOT NULL REFERENCES asset_group (id),
    name text COLLATE "C" NOT NULL,
    modality text COLLATE "C" NOT NULL CHECK (modality IN ('image', 'video', 'audio')),
    url text NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('processing', 'active', 'failed')),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    upload text NOT NULL,
    batch text COLLATE "C" NOT NULL,
    medium text,
    fault text,
    PRIMARY KEY (owner, id),
    CHECK ((status = 'active') = (medium IS NOT NULL)),
    CHECK ((status = 'failed') = (fault IS NOT NULL))
);

CREATE INDEX asset_created ON asset (owner, created_at, id);
CREATE INDEX asset_updated ON asset (owner, updated_at, id);
CREATE INDEX asset_of_group ON asset (group_id);
CREATE INDEX asset_processing ON asset (owner, created_at, id) WHERE status = 'processing';
CREATE INDEX asset_batch ON asset (owner, batch, id) WHERE batch <> '';

CREATE TRIGGER asset_end_is_final BEFORE UPDATE OF status, medium, fault ON asset
FOR EACH ROW WHEN (old.status <> 'processing')
EXECUTE FUNCTION understudy_refuses('an asset that was settled is not settled again');
"""

CALLBACKS = """
-- Whom a task's changes are told to, with what of the task never changes: its record can be gone before all is told.
-- due_at: of the first callback that is pending, none when none is.
CREATE TABLE callback_target (
    task_id text COLLATE "C" NOT NULL PRIMARY KEY,
    url text NOT NULL,
    root text NOT NULL,
    origin text COLLATE "C" NOT NULL,
    due_at bigint,
    owner text COLLATE "C" NOT NULL,
    key_id text NOT NULL,
    dialect text NOT NULL,
    engine text NOT NULL,
    seed bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    request text NOT NULL
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

-- A sum: a plain column would be taken by the planner for what is due of one origin as well, passing by all others.
CREATE INDEX callback_due ON callback_target ((due_at + 0)) WHERE due_at IS NOT NULL;
CREATE INDEX callback_due_of_origin ON callback_target (origin, due_at, task_id) WHERE due_at IS NOT NULL;
CREATE INDEX callback_to_forget ON callback_target (created_at) WHERE due_at IS NULL;

-- One change of a task's status, with what of the task changes. tried, recorded: the number of the latest try, and of
-- the latest one that was settled. tries: JSON, the latest ones.
CREATE TABLE callback (
    task_id text COLLATE "C" NOT NULL REFERENCES callback_target (task_id),
    number integer NOT NULL CHECK (number > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'given up')),
    due_at bigint,
    tried integer NOT NULL DEFAULT 0 CHECK (tried >= 0),
    recorded integer NOT NULL DEFAULT 0,
    tries text,
    status text NOT NULL,
    updated_at bigint NOT NULL,
    attempt integer NOT NULL,
    progress double precision NOT NULL,
    completion_tokens bigint,
    archived boolean NOT NULL,
    error text,
    warnings text,
    film text,
    PRIMARY KEY (task_id, number),
    CHECK ((state = 'pending') = (due_at IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

CREATE INDEX callback_pending ON callback (task_id, number) WHERE state = 'pending';

-- When an origin last had its turn.
CREATE SEQUENCE callback_turn AS bigint;
CREATE TABLE callback_origin (origin text COLLATE "C" NOT NULL PRIMARY KEY, turn bigint NOT NULL);

-- Due at once, also where the clock of whoever made the change is ahead.
CREATE FUNCTION understudy_callback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE due bigint := least(new.updated_at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
BEGIN
    INSERT INTO callback (task_id, number, state, due_at, status, updated_at, attempt, progress, completion_tokens,
        archived, error, warnings, film)
    SELECT new.id, coalesce(max(number), 0) + 1, 'pending', due, new.status, new.updated_at, new.attempt,
        new.progress, new.completion_tokens, new.archived, new.error, new.warnings, new.film
    FROM callback WHERE task_id = new.id;
    UPDATE callback_target SET due_at = due WHERE task_id = new.id AND due_at IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER task_is_told_when_new AFTER INSERT ON task
FOR EACH ROW WHEN (new.has_callback) EXECUTE FUNCTION understudy_callback();

-- A cancelled task is the caller's own doing, and told to nobody.
CREATE TRIGGER task_is_told AFTER UPDATE OF status ON task
FOR EACH ROW WHEN (new.has_callback AND new.status <> old.status AND new.status <> 'cancelled')
EXECUTE FUNCTION understudy_callback();
"""

RENDER_TIMES = """
CREATE TABLE render_time (
    kind text COLLATE "C" NOT NULL,
    number bigserial NOT NULL,
    film_s double precision NOT NULL,
    took_s double precision NOT NULL,
    noted_at bigint NOT NULL,
    PRIMARY KEY (kind, number)
);
"""
