"""Every asset store passes the public suite, and the suite finds each planted bug."""

import inspect
from contextlib import asynccontextmanager
from dataclasses import replace

import apsw
import pytest

from understudy.core.assets import AssetStatus, Paging
from understudy.core.errors import Unavailable
from understudy.core.ports import IdTaken
from understudy.storage.media_uses import asset_user
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.memory_media import MemoryMediaStore
from understudy.storage.migrations import MIGRATIONS, migrate
from understudy.storage.sqlite import SqliteTaskStore
from understudy.storage.sqlite_assets import ASSETS, BATCH, PROCESSING
from understudy.testing.asset_stores import OWNER, AssetStoreConformance, Stores, sample_asset, sample_group


class TestMemoryAssetStore(AssetStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        yield in_memory(MemoryAssetStore)


class TestSqliteAssetStore(AssetStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        store = SqliteTaskStore(folder / "understudy.db")
        try:
            yield Stores(store.assets, store.media)
        finally:
            await store.close()


def in_memory(kind):
    media = MemoryMediaStore()
    return Stores(kind(media), media)


async def test_assets_are_still_there_when_the_database_is_opened_again(tmp_path):
    store = SqliteTaskStore(tmp_path / "understudy.db")
    await store.assets.add_group(sample_group())
    await store.assets.add_asset(sample_asset())
    await store.close()

    store = SqliteTaskStore(tmp_path / "understudy.db")
    assert await store.assets.assets(OWNER, [sample_asset().id]) == (sample_asset(),)
    assert await store.assets.processing(1) == (sample_asset(),)
    await store.close()


@pytest.mark.parametrize(
    ("statement", "bindings", "index"),
    [
        (ASSETS, ("[]", "o"), "sqlite_autoindex_asset_"),
        (PROCESSING, (1,), "asset_processing"),
        (BATCH, ("o", "b"), "asset_batch"),
        ("SELECT id FROM asset WHERE owner = ? ORDER BY created_at DESC, id DESC LIMIT 9", ("o",), "asset_created"),
        ("SELECT id FROM asset WHERE owner = ? ORDER BY updated_at, id LIMIT 9", ("o",), "asset_updated"),
    ],
)
def test_assets_are_found_by_an_index_however_many_there_are(tmp_path, statement, bindings, index):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings).fetchall()]
    assert any(index in step for step in plan), plan
    assert not any(step == "SCAN asset" or "TEMP B-TREE" in step for step in plan), plan


@pytest.mark.parametrize(
    "row",
    [
        "('o', 'a', 'g', 'n', 'text', 'u', 'processing', 1, 1, '', '', NULL, NULL)",
        "('o', 'a', 'g', 'n', 'image', 'u', 'Processing', 1, 1, '', '', NULL, NULL)",
        "('o', 'a', 'g', 'n', 'image', NULL, 'processing', 1, 1, '', '', NULL, NULL)",
        "('o', 'a', 'g', 'n', 'image', 'u', 'active', 1, 1, '', '', NULL, NULL)",
        "('o', 'a', 'g', 'n', 'image', 'u', 'failed', 1, 1, '', '', NULL, NULL)",
        "('o', 'a', 'g', 'n', 'image', 'u', 'processing', 1, 1, '', '', x'00', NULL)",
    ],
)
def test_the_tables_refuse_what_is_no_asset(tmp_path, row):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    with pytest.raises(apsw.ConstraintError):
        connection.execute(f"INSERT INTO asset VALUES {row}")


def test_the_tables_refuse_to_settle_an_asset_twice(tmp_path):
    connection = apsw.Connection(str(tmp_path / "understudy.db"))
    migrate(connection)
    connection.execute(
        "INSERT INTO asset VALUES ('o', 'a', 'g', 'n', 'image', 'u', 'failed', 1, 1, '', '', NULL, x'00')"
    )
    with pytest.raises(apsw.ConstraintError, match="is not settled again"):
        connection.execute("UPDATE asset SET status = 'processing', fault = NULL")


async def test_assets_from_before_their_bytes_were_kept_are_taken_in_again(tmp_path):
    path = tmp_path / "understudy.db"
    connection = apsw.Connection(str(path))
    migrate(connection, MIGRATIONS[:2])
    connection.execute("INSERT INTO asset_group VALUES ('g', 'o', 'n', '', 1, 1)")
    connection.execute("INSERT INTO asset VALUES ('a', 'o', 'g', 'n', 'image', 'https://x/', 'active', 1, 1)")
    connection.close()
    store = SqliteTaskStore(path)
    (asset,) = await store.assets.processing(9)
    assert (asset.id, asset.url, asset.status) == ("a", "https://x/", AssetStatus.PROCESSING)
    await store.close()


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
        return tuple(asset for asset in self._assets.values() if asset.id in asset_ids)


class TakesAnyGroup(MemoryAssetStore):
    async def add_asset(self, asset):
        if (asset.owner, asset.id) in self._assets:
            raise IdTaken(asset.id)
        self._assets[asset.owner, asset.id] = asset
        return True


class LeavesTheGroupToAnybody(MemoryAssetStore):
    async def add_asset(self, asset):
        if asset.group_id not in self._groups:
            return False
        self._groups[asset.group_id] = sample_group(owner=asset.owner)
        return await super().add_asset(asset)


class ReplacesAssets(MemoryAssetStore):
    async def add_asset(self, asset):
        self._assets.pop((asset.owner, asset.id), None)
        return await super().add_asset(asset)


class OneIdForAllOwners(MemoryAssetStore):
    async def add_asset(self, asset):
        if any(each.id == asset.id for each in self._assets.values()):
            raise IdTaken(asset.id)
        return await super().add_asset(asset)


class ReplacesGroups(MemoryAssetStore):
    async def add_group(self, group):
        self._groups[group.id] = group


class ReadsTwice(MemoryAssetStore):
    async def assets(self, owner, asset_ids):
        return tuple([asset for each in asset_ids for asset in await super(ReadsTwice, self).assets(owner, [each])])


class SettlesAgain(MemoryAssetStore):
    async def settle(self, owner, asset_id, *, outcome, now):
        if (owner, asset_id) in self._assets:
            asset = replace(self._assets[owner, asset_id], status=AssetStatus.PROCESSING, fault=None, medium=None)
            self._assets[owner, asset_id] = asset
        return await super().settle(owner, asset_id, outcome=outcome, now=now)


class SettlesAnyOwners(MemoryAssetStore):
    async def settle(self, owner, asset_id, *, outcome, now):
        owner = next((each.owner for each in self._assets.values() if each.id == asset_id), owner)
        return await super().settle(owner, asset_id, outcome=outcome, now=now)


class NeedsNothing(MemoryAssetStore):
    def __init__(self, media):
        super().__init__()


class LetsGoOfNothing(MemoryAssetStore):
    async def remove_asset(self, owner, asset_id):
        return self._assets.pop((owner, asset_id), None) is not None


class LetsGoOfOthers(MemoryAssetStore):
    async def remove_asset(self, owner, asset_id):
        is_removed = await super().remove_asset(owner, asset_id)
        for each in self._assets.values():
            self._media.unuse(asset_user(each.owner, each.id))
        return is_removed


class LeavesOrphans(MemoryAssetStore):
    async def remove_group(self, owner, group_id):
        if self._group(owner, group_id) is None:
            return False
        del self._groups[group_id]
        return True


class RemovesAnyOwners(MemoryAssetStore):
    async def remove_asset(self, owner, asset_id):
        owner = next((each.owner for each in self._assets.values() if each.id == asset_id), owner)
        return await super().remove_asset(owner, asset_id)


class RenamesAnyOwners(MemoryAssetStore):
    async def change_asset(self, owner, asset_id, *, name, now):
        owner = next((each.owner for each in self._assets.values() if each.id == asset_id), owner)
        return await super().change_asset(owner, asset_id, name=name, now=now)


class RewritesGroups(MemoryAssetStore):
    async def change_group(self, group):
        self._groups[group.id] = group
        return True


class CountsThePage(MemoryAssetStore):
    async def list_assets(self, owner, wanted):
        page = await super().list_assets(owner, wanted)
        return replace(page, total=len(page.assets))


class IgnoresTheFilter(MemoryAssetStore):
    async def list_assets(self, owner, wanted):
        return await super().list_assets(owner, replace(wanted, name="", statuses=frozenset()))


class IgnoresThePaging(MemoryAssetStore):
    async def list_groups(self, owner, wanted):
        return await super().list_groups(owner, replace(wanted, paging=Paging(most=100)))


class ForgetsTheBatch(MemoryAssetStore):
    async def batch(self, owner, batch):
        return tuple(each for each in self._assets.values() if each.owner == owner)


class HidesWhatOthersHaveWaiting(MemoryAssetStore):
    async def processing(self, most_of_each):
        return (await super().processing(most_of_each))[:most_of_each]


class NewestFirst(MemoryAssetStore):
    async def processing(self, most_of_each):
        return tuple(reversed(await super().processing(most_of_each)))


PLANTED = [
    kind
    for kind in list(globals().values())
    if inspect.isclass(kind) and issubclass(kind, MemoryAssetStore) and kind is not MemoryAssetStore
]


async def findings(kind):
    """Run the suite's checks over a kind of store; return the names of those that fail."""
    failed = []
    for name, check in inspect.getmembers(AssetStoreConformance, inspect.iscoroutinefunction):
        if name.startswith("test_"):
            for arguments in arguments_of(check):
                try:
                    await check(None, in_memory(kind), **arguments)
                except (AssertionError, IdTaken, Unavailable, pytest.fail.Exception):
                    failed.append(name)
    return failed


def arguments_of(check):
    marks = [mark for mark in getattr(check, "pytestmark", ()) if mark.name == "parametrize"]
    found = [{}]
    for mark in marks:
        names, values = mark.args
        rows = [(value,) if isinstance(names, str) else value for value in values]
        names = (names,) if isinstance(names, str) else names
        found = [{**one, **dict(zip(names, row, strict=True))} for one in found for row in rows]
    return found


@pytest.mark.parametrize("planted", PLANTED)
async def test_the_suite_finds_a_planted_bug(planted):
    assert await findings(planted)


async def test_the_suite_finds_nothing_in_a_good_store():
    assert await findings(MemoryAssetStore) == []
