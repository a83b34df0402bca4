"""The asset store on PostgreSQL, in the database of the task store.

A listing counts what matches: an index of the owner's assets serves it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from understudy.core.assets import (
    Asset,
    AssetFault,
    AssetFilter,
    AssetGroup,
    AssetPage,
    AssetStatus,
    GroupFilter,
    GroupPage,
    Paging,
)
from understudy.core.content import Modality
from understudy.core.media import Medium
from understudy.core.ports import IdTaken
from understudy.storage.lifecycle import is_storable, unstorable
from understudy.storage.media_uses import asset_user
from understudy.storage.postgres_link import Link, Row
from understudy.storage.postgres_media import unuse, use
from understudy.storage.rows import micros_of, moment_of

_GROUP_COLUMNS = "id, owner, name, description, created_at, updated_at"
_COLUMNS = "id, owner, group_id, name, modality, url, status, created_at, updated_at, upload, batch, medium, fault"

_ADD_GROUP = f"""
INSERT INTO asset_group ({_GROUP_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608 - names of columns

# The group is taken first: it cannot be removed before the asset is in it.
_FIND_GROUP = "SELECT id FROM asset_group WHERE id = $1 AND owner = $2 FOR KEY SHARE"

_ADD_ASSET = f"""
INSERT INTO asset ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608 - names of columns

ASSETS = f"SELECT {_COLUMNS} FROM asset WHERE owner = $1 AND id = ANY($2)"  # noqa: S608 - names of columns

_CHANGE_ASSET = f"""
UPDATE asset SET name = $1, updated_at = $2 WHERE owner = $3 AND id = $4 RETURNING {_COLUMNS}
"""  # noqa: S608 - names of columns
_CHANGE_GROUP = """
UPDATE asset_group SET name = $1, description = $2, updated_at = $3 WHERE owner = $4 AND id = $5 RETURNING id
"""
_SETTLE = """
UPDATE asset SET status = $1, medium = $2, fault = $3, updated_at = $4
WHERE owner = $5 AND id = $6 AND status = 'processing' RETURNING id
"""
_REMOVE_ASSET = "DELETE FROM asset WHERE owner = $1 AND id = $2 RETURNING id, medium"
_TAKE_GROUP = "SELECT id FROM asset_group WHERE owner = $1 AND id = $2 FOR UPDATE"
_REMOVE_MEMBERS = "DELETE FROM asset WHERE owner = $1 AND group_id = $2 RETURNING id, medium"
_REMOVE_GROUP = "DELETE FROM asset_group WHERE owner = $1 AND id = $2"
PROCESSING = f"""
WITH RECURSIVE waiting (who) AS (
    (SELECT owner FROM asset WHERE status = 'processing' ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT (SELECT owner FROM asset WHERE status = 'processing' AND owner > who ORDER BY owner LIMIT 1)
    FROM waiting WHERE who IS NOT NULL)
SELECT first.* FROM waiting CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM asset WHERE owner = who AND status = 'processing' ORDER BY created_at, id LIMIT $1) AS first
ORDER BY created_at, owner, id
"""  # noqa: S608 - names of columns
"""From owner to owner, and of each the first: an index serves both, however much one of them has waiting."""
BATCH = f"SELECT {_COLUMNS} FROM asset WHERE owner = $1 AND batch = $2 AND batch <> '' ORDER BY id"  # noqa: S608

_json = msgspec.json.Encoder()
_medium = msgspec.json.Decoder(Medium)
_fault = msgspec.json.Decoder(AssetFault)


class PostgresAssetStore:
    """`core.assets.AssetStore` over connections that the task store closes.

    Every method raises Unavailable when the database does not answer.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def add_group(self, group: AssetGroup) -> None:
        """See the port.

        Raises:
            Rejected: a text in it cannot be stored.
        """
        _check(Id=group.id, Name=group.name, Description=group.description)
        created_at, updated_at = micros_of(group.created_at), micros_of(group.updated_at)
        row = (group.id, group.owner, group.name, group.description, created_at, updated_at)
        if not await self._link.fetch(_ADD_GROUP, *row):
            raise IdTaken(group.id)

    async def add_asset(self, asset: Asset) -> bool:
        """See the port.

        Raises:
            Rejected: a text in it cannot be stored.
        """
        if not is_storable(asset.group_id):
            return False
        _check(Id=asset.id, Name=asset.name, URL=asset.url, Upload=asset.upload, Batch=asset.batch)
        async with self._link.transaction() as connection:
            if not await connection.fetch(_FIND_GROUP, asset.group_id, asset.owner):
                return False
            if not await connection.fetch(_ADD_ASSET, *_row_of(asset)):
                raise IdTaken(asset.id)
            if asset.medium is not None:
                await use(connection, asset.medium.sha256, asset_user(asset.owner, asset.id))
        return True

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """See the port; a text that no store could hold names no asset."""
        wanted = [asset_id for asset_id in asset_ids if is_storable(asset_id)]
        if not wanted or not is_storable(owner):
            return ()
        return await self._assets(ASSETS, owner, wanted)

    async def list_assets(self, owner: str, wanted: AssetFilter) -> AssetPage:
        """See the port."""
        if not all(map(is_storable, (owner, wanted.name, *wanted.group_ids))):
            return AssetPage(assets=(), total=0)
        query = _Query(owner, wanted.paging)
        query.one_of("group_id", wanted.group_ids)
        query.one_of("status", frozenset(status.value for status in wanted.statuses))
        query.one_of("modality", frozenset({wanted.modality.value} if wanted.modality else ()))
        query.holds("name", wanted.name)
        rows, total = await self._page(query, _COLUMNS, "asset")
        return AssetPage(assets=tuple(map(_asset_of, rows)), total=total)

    async def list_groups(self, owner: str, wanted: GroupFilter) -> GroupPage:
        """See the port."""
        if not all(map(is_storable, (owner, wanted.name, *wanted.group_ids))):
            return GroupPage(groups=(), total=0)
        query = _Query(owner, wanted.paging)
        query.one_of("id", wanted.group_ids)
        query.holds("name", wanted.name)
        rows, total = await self._page(query, _GROUP_COLUMNS, "asset_group")
        return GroupPage(groups=tuple(map(_group_of, rows)), total=total)

    async def change_asset(self, owner: str, asset_id: str, *, name: str, now: datetime) -> Asset | None:
        """See the port."""
        if not is_storable(asset_id):
            return None
        _check(Name=name)
        rows = await self._link.fetch(_CHANGE_ASSET, name, micros_of(now), owner, asset_id)
        return _asset_of(rows[0]) if rows else None

    async def change_group(self, group: AssetGroup) -> bool:
        """See the port."""
        if not is_storable(group.id):
            return False
        _check(Name=group.name, Description=group.description)
        bindings = (group.name, group.description, micros_of(group.updated_at), group.owner, group.id)
        return bool(await self._link.fetch(_CHANGE_GROUP, *bindings))

    async def remove_asset(self, owner: str, asset_id: str) -> bool:
        """See the port."""
        if not is_storable(asset_id):
            return False
        async with self._link.transaction() as connection:
            return bool(await _remove(connection, _REMOVE_ASSET, owner=owner, given_id=asset_id))

    async def remove_group(self, owner: str, group_id: str) -> bool:
        """See the port."""
        if not is_storable(group_id):
            return False
        async with self._link.transaction() as connection:
            if not await connection.fetch(_TAKE_GROUP, owner, group_id):
                return False
            await _remove(connection, _REMOVE_MEMBERS, owner=owner, given_id=group_id)
            await connection.execute(_REMOVE_GROUP, owner, group_id)
        return True

    async def settle(self, owner: str, asset_id: str, *, outcome: Medium | AssetFault, now: datetime) -> bool:
        """See the port."""
        is_medium = isinstance(outcome, Medium)
        kept = _json.encode(outcome).decode()
        status = AssetStatus.ACTIVE if is_medium else AssetStatus.FAILED
        bindings = (status.value, kept if is_medium else None, None if is_medium else kept, micros_of(now))
        async with self._link.transaction() as connection:
            if not await connection.fetch(_SETTLE, *bindings, owner, asset_id):
                return False
            if isinstance(outcome, Medium):
                await use(connection, outcome.sha256, asset_user(owner, asset_id))
        return True

    async def processing(self, most_of_each: int) -> Sequence[Asset]:
        """See the port."""
        return await self._assets(PROCESSING, most_of_each)

    async def batch(self, owner: str, batch: str) -> Sequence[Asset]:
        """See the port."""
        return await self._assets(BATCH, owner, batch) if is_storable(batch) else ()

    async def _assets(self, statement: str, *bindings: Any) -> tuple[Asset, ...]:
        return tuple(map(_asset_of, await self._link.fetch(statement, *bindings)))

    async def _page(self, query: "_Query", columns: str, table: str) -> tuple[list[Row], int]:
        async with self._link.transaction(is_snapshot=True) as connection:
            total = await connection.fetchval(query.counting(table), *query.bindings)
            statement, bindings = query.page(columns, table)
            return await connection.fetch(statement, *bindings), total


class _Query:
    """A listing's conditions, each with what is bound to it."""

    def __init__(self, owner: str, paging: Paging) -> None:
        self._paging = paging
        self._conditions = ["owner = $1"]
        self.bindings: list[Any] = [owner]

    def one_of(self, column: str, values: frozenset[str]) -> None:
        """Want one of the values, or any where there are none."""
        if values:
            self.bindings.append(sorted(values))
            self._conditions.append(f"{column} = ANY(${len(self.bindings)})")

    def holds(self, column: str, part: str) -> None:
        """Want a text that holds the part, letter by letter."""
        if part:
            self.bindings.append(part)
            self._conditions.append(f"position(${len(self.bindings)} IN {column}) > 0")

    def counting(self, table: str) -> str:
        """Give the statement that counts what matches."""
        return f"SELECT count(*) FROM {table} WHERE {' AND '.join(self._conditions)}"  # noqa: S608

    def page(self, columns: str, table: str) -> tuple[str, list[Any]]:
        """Give the statement that reads the page, and what is bound to it."""
        paging = self._paging
        conditions, bindings = list(self._conditions), list(self.bindings)
        sort, way, than = paging.sort_by.value, *(("ASC", ">") if paging.is_ascending else ("DESC", "<"))
        skip = paging.skip
        if paging.after is not None:
            moment, last_id = paging.after
            bindings += [micros_of(moment), last_id]
            conditions.append(f"({sort}, id) {than} (${len(bindings) - 1}, ${len(bindings)})")
            skip = 0
        bindings += [paging.most, skip]
        statement = (
            f"SELECT {columns} FROM {table} WHERE {' AND '.join(conditions)} "  # noqa: S608 - names of columns
            f"ORDER BY {sort} {way}, id {way} LIMIT ${len(bindings) - 1} OFFSET ${len(bindings)}"
        )
        return statement, bindings


def _check(**texts: str) -> None:
    """Refuse a text that cannot be kept, by the name of its parameter."""
    for param, text in texts.items():
        if not is_storable(text):
            raise unstorable(param)


async def _remove(connection: asyncpg.Connection, statement: str, *, owner: str, given_id: str) -> int:
    """Remove assets and their uses; gives how many."""
    rows = await connection.fetch(statement, owner, given_id)
    await unuse(connection, [asset_user(owner, asset_id) for asset_id, medium in rows if medium is not None])
    return len(rows)


def _row_of(asset: Asset) -> tuple[object, ...]:
    """Encode the bindings of `_ADD_ASSET`."""
    return (
        asset.id,
        asset.owner,
        asset.group_id,
        asset.name,
        asset.modality.value,
        asset.url,
        asset.status.value,
        micros_of(asset.created_at),
        micros_of(asset.updated_at),
        asset.upload,
        asset.batch,
        None if asset.medium is None else _json.encode(asset.medium).decode(),
        None if asset.fault is None else _json.encode(asset.fault).decode(),
    )


def _asset_of(row: Row) -> Asset:
    """Decode a row of `_COLUMNS`."""
    asset_id, owner, group_id, name, modality, url, status, *rest = row
    created_at, updated_at, upload, batch, medium, fault = rest
    return Asset(
        id=asset_id,
        owner=owner,
        group_id=group_id,
        name=name,
        modality=Modality(modality),
        url=url,
        status=AssetStatus(status),
        created_at=moment_of(created_at),
        updated_at=moment_of(updated_at),
        upload=upload,
        batch=batch,
        medium=None if medium is None else _medium.decode(medium),
        fault=None if fault is None else _fault.decode(fault),
    )


def _group_of(row: Row) -> AssetGroup:
    """Decode a row of `_GROUP_COLUMNS`."""
    group_id, owner, name, description, created_at, updated_at = row
    return AssetGroup(
        id=group_id,
        owner=owner,
        name=name,
        description=description,
        created_at=moment_of(created_at),
        updated_at=moment_of(updated_at),
    )
