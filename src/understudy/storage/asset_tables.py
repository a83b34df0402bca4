"""The tables of the library of assets as they are since media are kept: migrations 4 and 5."""

ASSET_LIFE = """
-- Ids may be chosen by their owners, so each owner has ids of its own. What was registered before bytes were kept is
-- taken in again.
CREATE TABLE asset_kept (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES asset_group (id),
    name TEXT NOT NULL,
    modality TEXT NOT NULL CHECK (modality IN ('image', 'video', 'audio')),
    url TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('processing', 'active', 'failed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    upload TEXT NOT NULL,
    batch TEXT NOT NULL,
    medium BLOB,
    fault BLOB,
    PRIMARY KEY (owner, id),
    CHECK ((status = 'active') = (medium IS NOT NULL)),
    CHECK ((status = 'failed') = (fault IS NOT NULL))
) STRICT;

INSERT INTO asset_kept
SELECT owner, id, group_id, name, modality, url, 'processing', created_at, updated_at, '', '', NULL, NULL FROM asset;

DROP TABLE asset;
ALTER TABLE asset_kept RENAME TO asset;

CREATE INDEX asset_created ON asset (owner, created_at, id);
CREATE INDEX asset_updated ON asset (owner, updated_at, id);
CREATE INDEX asset_of_group ON asset (group_id);
CREATE INDEX asset_processing ON asset (created_at, owner, id) WHERE status = 'processing';
CREATE INDEX asset_batch ON asset (owner, batch, id) WHERE batch <> '';
CREATE INDEX asset_group_created ON asset_group (owner, created_at, id);
CREATE INDEX asset_group_updated ON asset_group (owner, updated_at, id);

CREATE TRIGGER asset_end_is_final BEFORE UPDATE OF status, medium, fault ON asset
WHEN old.status <> 'processing'
BEGIN SELECT RAISE(ABORT, 'an asset that was settled is not settled again'); END;
"""

WAITING_ASSETS = """
-- By owner first: who takes assets in goes from owner to owner.
DROP INDEX asset_processing;
CREATE INDEX asset_processing ON asset (owner, created_at, id) WHERE status = 'processing';
"""
