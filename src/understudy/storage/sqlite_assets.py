"""The asset store on SQLite: it shares the file, the writing thread and the reading connection of the task store.

A listing counts what matches: an index of the owner's assets serves it, about a millisecond for ten thousand of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import apsw
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
from understudy.storage.lifecycle import is_storable
from understudy.storage.media_uses import asset_user, unuse, use
from understudy.storage.rows import Row, fetch, micros_of, moment_of
from understudy.storage.writer import Writer, told

T = TypeVar("T")

_GROUP_COLUMNS = "id, owner, name, description, created_at, updated_at"
_COLUMNS = "id, owner, group_id, name, modality, url, status, created_at, updated_at, upload, batch, medium, fault"

_ADD_GROUP = f"INSERT INTO asset_group ({_GROUP_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - names of columns

_ADD_ASSET = f"""
INSERT INTO asset ({_COLUMNS})
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
WHERE EXISTS (SELECT 1 FROM asset_group WHERE id = ?3 AND owner = ?2)
"""  # noqa: S608 - names of columns

ASSETS = f"SELECT {_COLUMNS} FROM asset WHERE id IN (SELECT value FROM json_each(?)) AND owner = ?"  # noqa: S608

_CHANGE_ASSET = f"""
UPDATE asset SET name = ?, updated_at = ? WHERE owner = ? AND id = ? RETURNING {_COLUMNS}
"""  # noqa: S608 - names of columns
_CHANGE_GROUP = "UPDATE asset_group SET name = ?, description = ?, updated_at = ? WHERE owner = ? AND id = ?"
_SETTLE = """
UPDATE asset SET status = ?, medium = ?, fault = ?, updated_at = ?
WHERE owner = ? AND id = ? AND status = 'processing'
"""
_REMOVE_ASSET = "DELETE FROM asset WHERE owner = ? AND id = ? RETURNING id, medium"
_REMOVE_MEMBERS = "DELETE FROM asset WHERE owner = ? AND group_id = ? RETURNING id, medium"
_REMOVE_GROUP = "DELETE FROM asset_group WHERE owner = ? AND id = ?"
PROCESSING = f"""
WITH RECURSIVE waiting (who) AS (
    SELECT min(owner) FROM asset WHERE status = 'processing'
    UNION ALL
    SELECT (SELECT min(owner) FROM asset WHERE status = 'processing' AND owner > who)
    FROM waiting WHERE who IS NOT NULL)
SELECT {_COLUMNS} FROM waiting CROSS JOIN asset WHERE asset.rowid IN (
    SELECT rowid FROM asset WHERE owner = who AND status = 'processing' ORDER BY created_at, id LIMIT ?)
"""  # noqa: S608 - names of columns
"""From owner to owner, and of each the first: an index serves both, however much one of them has waiting."""
BATCH = f"SELECT {_COLUMNS} FROM asset WHERE owner = ? AND batch = ? AND batch <> '' ORDER BY id"  # noqa: S608

_UNIQUENESS = frozenset({apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE})
_json = msgspec.json.Encoder()
_medium = msgspec.json.Decoder(Medium)
_fault = msgspec.json.Decoder(AssetFault)


class SqliteAssetStore:
    """`core.assets.AssetStore` in the file that the writer and the reading connection have open; they close it.

    Every method raises Unavailable when the storage does not answer, or too many wait.
    """

    def __init__(self, writer: Writer, read: apsw.Connection) -> None:
        self._writer = writer
        self._read = read

    async def add_group(self, group: AssetGroup) -> None:
        """See the port."""
        created_at, updated_at = micros_of(group.created_at), micros_of(group.updated_at)
        row = (group.id, group.owner, group.name, group.description, created_at, updated_at)
        await self._writer.submit(partial(_add, statement=_ADD_GROUP, row=row), refusable=True)

    async def add_asset(self, asset: Asset) -> bool:
        """See the port."""
        return await self._writer.submit(partial(_add_asset, asset=asset), refusable=True)

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """See the port; a text that no store could hold names no asset."""
        wanted = [asset_id for asset_id in asset_ids if is_storable(asset_id)]
        if not wanted or not is_storable(owner):
            return ()
        return self._assets(ASSETS, (msgspec.json.encode(wanted).decode(), owner))

    async def list_assets(self, owner: str, wanted: AssetFilter) -> AssetPage:
        """See the port."""
        if not all(map(is_storable, (owner, wanted.name, *wanted.group_ids))):
            return AssetPage(assets=(), total=0)
        query = _Query(owner, wanted.paging)
        query.one_of("group_id", wanted.group_ids)
        query.one_of("status", frozenset(status.value for status in wanted.statuses))
        query.one_of("modality", frozenset({wanted.modality.value} if wanted.modality else ()))
        query.holds("name", wanted.name)
        total = self._rows(query.counting("asset"), tuple(query.bindings))[0][0]
        return AssetPage(assets=self._assets(*query.page(_COLUMNS, "asset")), total=total)

    async def list_groups(self, owner: str, wanted: GroupFilter) -> GroupPage:
        """See the port."""
        if not all(map(is_storable, (owner, wanted.name, *wanted.group_ids))):
            return GroupPage(groups=(), total=0)
        query = _Query(owner, wanted.paging)
        query.one_of("id", wanted.group_ids)
        query.holds("name", wanted.name)
        total = self._rows(query.counting("asset_group"), tuple(query.bindings))[0][0]
        rows = self._rows(*query.page(_GROUP_COLUMNS, "asset_group"))
        return GroupPage(groups=tuple(_group_of(row) for row in rows), total=total)

    async def change_asset(self, owner: str, asset_id: str, *, name: str, now: datetime) -> Asset | None:
        """See the port."""
        if not is_storable(asset_id):
            return None
        bindings = (name, micros_of(now), owner, asset_id)
        rows = await self._writer.submit(partial(fetch, statement=_CHANGE_ASSET, bindings=bindings), refusable=True)
        return _asset_of(rows[0]) if rows else None

    async def change_group(self, group: AssetGroup) -> bool:
        """See the port."""
        if not is_storable(group.id):
            return False
        bindings = (group.name, group.description, micros_of(group.updated_at), group.owner, group.id)
        return await self._writer.submit(partial(_change, statement=_CHANGE_GROUP, bindings=bindings), refusable=True)

    async def remove_asset(self, owner: str, asset_id: str) -> bool:
        """See the port."""
        if not is_storable(asset_id):
            return False
        removal = partial(_remove, statement=_REMOVE_ASSET, owner=owner, given_id=asset_id)
        return bool(await self._writer.submit(removal, refusable=True))

    async def remove_group(self, owner: str, group_id: str) -> bool:
        """See the port."""
        if not is_storable(group_id):
            return False
        return await self._writer.submit(partial(_remove_group, owner=owner, group_id=group_id), refusable=True)

    async def settle(self, owner: str, asset_id: str, *, outcome: Medium | AssetFault, now: datetime) -> bool:
        """See the port."""
        end = _End(owner=owner, asset_id=asset_id, outcome=outcome, moment=micros_of(now))
        return await self._writer.submit(partial(_settle, end=end), refusable=False)

    async def processing(self, most_of_each: int) -> Sequence[Asset]:
        """See the port."""
        found = self._assets(PROCESSING, (most_of_each,))
        return tuple(sorted(found, key=lambda asset: (asset.created_at, asset.owner, asset.id)))

    async def batch(self, owner: str, batch: str) -> Sequence[Asset]:
        """See the port."""
        return self._assets(BATCH, (owner, batch)) if is_storable(batch) else ()

    def _assets(self, statement: str, bindings: tuple[Any, ...]) -> tuple[Asset, ...]:
        return tuple(_asset_of(row) for row in self._rows(statement, bindings))

    def _rows(self, statement: str, bindings: tuple[Any, ...]) -> list[Row]:
        try:
            return fetch(self._read, statement, bindings)
        except apsw.Error as error:
            raise told(error) from error


class _Query:
    """The conditions of one listing: names of columns are this module's, values are bound."""

    def __init__(self, owner: str, paging: Paging) -> None:
        self._conditions = ["owner = ?"]
        self.bindings: list[Any] = [owner]
        self._paging = paging

    def one_of(self, column: str, values: frozenset[str]) -> None:
        if values:
            self._conditions.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608
            self.bindings.append(msgspec.json.encode(sorted(values)).decode())

    def holds(self, column: str, part: str) -> None:
        if part:
            self._conditions.append(f"instr({column}, ?) > 0")
            self.bindings.append(part)

    def counting(self, table: str) -> str:
        return f"SELECT count(*) FROM {table} WHERE {' AND '.join(self._conditions)}"  # noqa: S608

    def page(self, columns: str, table: str) -> tuple[str, tuple[Any, ...]]:
        paging = self._paging
        conditions, bindings = list(self._conditions), list(self.bindings)
        sort, way, than = paging.sort_by.value, *(("ASC", ">") if paging.is_ascending else ("DESC", "<"))
        skip = paging.skip
        if paging.after is not None:
            moment, last_id = paging.after
            conditions.append(f"({sort}, id) {than} (?, ?)")
            bindings += [micros_of(moment), last_id]
            skip = 0
        statement = (
            f"SELECT {columns} FROM {table} WHERE {' AND '.join(conditions)} "  # noqa: S608 - names of columns
            f"ORDER BY {sort} {way}, id {way} LIMIT ? OFFSET ?"
        )
        return statement, (*bindings, paging.most, skip)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    owner: str
    asset_id: str
    outcome: Medium | AssetFault
    moment: int


def _add(connection: apsw.Connection, *, statement: str, row: tuple[Any, ...]) -> bool:
    """Write one row; says whether it was written.

    Raises:
        IdTaken: a row of this id exists.
    """
    try:
        connection.execute(statement, row)
    except apsw.ConstraintError as error:
        if getattr(error, "extendedresult", None) in _UNIQUENESS:
            raise IdTaken(row[0]) from error
        raise
    return connection.changes() == 1


def _add_asset(connection: apsw.Connection, *, asset: Asset) -> bool:
    row = (
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
        None if asset.medium is None else _json.encode(asset.medium),
        None if asset.fault is None else _json.encode(asset.fault),
    )
    is_written = _add(connection, statement=_ADD_ASSET, row=row)
    if is_written and asset.medium is not None:
        use(connection, asset.medium.sha256, asset_user(asset.owner, asset.id))
    return is_written


def _settle(connection: apsw.Connection, *, end: _End) -> bool:
    is_medium = isinstance(end.outcome, Medium)
    kept = _json.encode(end.outcome)
    status = AssetStatus.ACTIVE if is_medium else AssetStatus.FAILED
    bindings = (status.value, kept if is_medium else None, None if is_medium else kept, end.moment)
    is_written = _change(connection, statement=_SETTLE, bindings=(*bindings, end.owner, end.asset_id))
    if is_written and isinstance(end.outcome, Medium):
        use(connection, end.outcome.sha256, asset_user(end.owner, end.asset_id))
    return is_written


def _remove(connection: apsw.Connection, *, statement: str, owner: str, given_id: str) -> int:
    """Remove assets and their uses; gives how many."""
    rows = fetch(connection, statement, (owner, given_id))
    for asset_id, medium in rows:
        if medium is not None:
            unuse(connection, asset_user(owner, asset_id))
    return len(rows)


def _remove_group(connection: apsw.Connection, *, owner: str, group_id: str) -> bool:
    _remove(connection, statement=_REMOVE_MEMBERS, owner=owner, given_id=group_id)
    return _change(connection, statement=_REMOVE_GROUP, bindings=(owner, group_id))


def _change(connection: apsw.Connection, *, statement: str, bindings: tuple[Any, ...]) -> bool:
    connection.execute(statement, bindings)
    return connection.changes() == 1


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
