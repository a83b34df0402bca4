"""Every asset store passes the public suite, and the suite finds each planted bug."""

import inspect
from contextlib import asynccontextmanager

import apsw
import pytest

from understudy.core.errors import Unavailable
from understudy.core.ports import IdTaken
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.migrations import MIGRATIONS, migrate
from understudy.storage.sqlite import SqliteTaskStore
from understudy.storage.sqlite_assets import ASSETS
from understudy.testing.asset_stores import OWNER, AssetStoreConformance, sample_asset, sample_group


class TestMemoryAssetStore(AssetStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        yield MemoryAssetStore()


class TestSqliteAssetStore(AssetStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        store = SqliteTaskStore(folder / "understudy.db")
        try:
            yield store.assets
        finally:
            await store.close()


async def test_assets_are_still_there_when_the_database_is_opened_again(tmp_path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    await store.assets.add_group(sample_group())
    await store.assets.add_asset(sample_asset())
    await store.close()

    store = SqliteTaskStore(tmp_path / "understudy.db")
    assert await store.assets.assets(OWNER, [sample_asset().id]) == (sample_asset(),)
    await store.close()


def test_assets_are_read_by_their_ids_however_many_there_are(tmp_path):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {ASSETS}", ("[]", "o")).fetchall()]
    assert any(step.startswith("SEARCH asset USING INDEX sqlite_autoindex_asset_1") for step in plan), plan
    assert not any(step.startswith("SCAN asset") for step in plan), plan


@pytest.mark.parametrize(
    "row",
    [
        "('a', 'o', 'g', 'n', 'text', 'u', 'active', 1, 1)",
        "('a', 'o', 'g', 'n', 'image', 'u', 'Active', 1, 1)",
        "('a', 'o', 'g', 'n', 'image', NULL, 'active', 1, 1)",
    ],
)
def test_the_tables_refuse_what_is_no_asset(tmp_path, row):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    with pytest.raises(apsw.ConstraintError):
        connection.execute(f"INSERT INTO asset VALUES {row}")


async def test_a_database_from_before_there_were_assets_is_brought_up_to_date(tmp_path):
    path = tmp_path / "understudy.db"
    connection = apsw.Connection(str(path))
    migrate(connection, MIGRATIONS[:1])
    connection.close()
    store = SqliteTaskStore(path)
    await store.assets.add_group(sample_group())
    assert await store.assets.add_asset(sample_asset()) is True
    await store.close()


async def test_assets_of_a_closed_database_are_refused_as_unavailable(tmp_path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    await store.close()
    with pytest.raises(Unavailable):
        await store.assets.add_group(sample_group())
    with pytest.raises(Unavailable):
        await store.assets.assets(OWNER, [sample_asset().id])


class ShowsAnyOwner(MemoryAssetStore):
    async def assets(self, owner, asset_ids):
        return tuple(self._assets[each] for each in dict.fromkeys(asset_ids) if each in self._assets)


class TakesAnyGroup(MemoryAssetStore):
    async def add_asset(self, asset):
        if asset.id in self._assets:
            raise IdTaken(asset.id)
        self._assets[asset.id] = asset
        return True


class LeavesTheGroupToAnybody(MemoryAssetStore):
    async def add_asset(self, asset):
        if asset.group_id not in self._groups:
            return False
        self._groups[asset.group_id] = sample_group(owner=asset.owner)
        return await super().add_asset(asset)


class ReplacesAssets(MemoryAssetStore):
    async def add_asset(self, asset):
        self._assets.pop(asset.id, None)
        return await super().add_asset(asset)


class ReplacesGroups(MemoryAssetStore):
    async def add_group(self, group):
        self._groups[group.id] = group


class ReadsTwice(MemoryAssetStore):
    async def assets(self, owner, asset_ids):
        return tuple([asset for each in asset_ids for asset in await super(ReadsTwice, self).assets(owner, [each])])


@pytest.mark.parametrize(
    "planted",
    [ShowsAnyOwner, TakesAnyGroup, LeavesTheGroupToAnybody, ReplacesAssets, ReplacesGroups, ReadsTwice],
)
async def test_the_suite_finds_a_planted_bug(planted):
    failed = []
    for name, check in inspect.getmembers(AssetStoreConformance, inspect.iscoroutinefunction):
        if name.startswith("test_") and len(inspect.signature(check).parameters) == 2:
            try:
                await check(None, planted())
            except (AssertionError, pytest.fail.Exception):
                failed.append(name)
    assert failed
