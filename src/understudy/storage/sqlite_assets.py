"""The asset store on SQLite: it shares the file, the writing thread and the reading connection of the task store."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import apsw
import msgspec

from understudy.core.assets import Asset, AssetGroup, AssetStatus
from understudy.core.content import Modality
from understudy.core.ports import IdTaken
from understudy.storage.lifecycle import is_storable
from understudy.storage.rows import Row, fetch, micros_of, moment_of
from understudy.storage.writer import Writer, told

_ADD_GROUP = """
INSERT INTO asset_group (id, owner, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
"""

_ADD_ASSET = """
INSERT INTO asset (id, owner, group_id, name, modality, url, status, created_at, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM asset_group WHERE id = ?3 AND owner = ?2)
"""

ASSETS = """
SELECT id, owner, group_id, name, modality, url, status, created_at, updated_at
FROM asset WHERE id IN (SELECT value FROM json_each(?)) AND owner = ?
"""

_UNIQUENESS = frozenset({apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE})


class SqliteAssetStore:
    """`core.assets.AssetStore` in the file that the writer and the reading connection have open; they close it."""

    def __init__(self, writer: Writer, read: apsw.Connection) -> None:
        self._writer = writer
        self._read = read

    async def add_group(self, group: AssetGroup) -> None:
        """See the port.

        Raises:
            Unavailable: the storage does not answer, or too many wait.
        """
        row = (
            group.id,
            group.owner,
            group.name,
            group.description,
            micros_of(group.created_at),
            micros_of(group.updated_at),
        )
        await self._writer.submit(partial(_add, statement=_ADD_GROUP, row=row), refusable=True)

    async def add_asset(self, asset: Asset) -> bool:
        """See the port.

        Raises:
            Unavailable: the storage does not answer, or too many wait.
        """
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
        )
        return await self._writer.submit(partial(_add, statement=_ADD_ASSET, row=row), refusable=True)

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """See the port; a text that no store could hold names no asset."""
        wanted = [asset_id for asset_id in asset_ids if is_storable(asset_id)]
        if not wanted or not is_storable(owner):
            return ()
        try:
            rows = fetch(self._read, ASSETS, (msgspec.json.encode(wanted).decode(), owner))
        except apsw.Error as error:
            raise told(error) from error
        return tuple(_asset_of(row) for row in rows)


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


def _asset_of(row: Row) -> Asset:
    """Decode a row of `ASSETS`."""
    asset_id, owner, group_id, name, modality, url, status, created_at, updated_at = row
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
    )
