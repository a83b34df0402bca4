"""The conformance suite of asset stores: subclass `AssetStoreConformance`, make a store, and let pytest collect it.

It holds a store to every sentence of `core.assets.AssetStore`. Needs pytest with pytest-asyncio in auto mode.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from understudy.core.assets import Asset, AssetGroup, AssetStatus, AssetStore
from understudy.core.content import Modality
from understudy.core.ports import IdTaken
from understudy.testing.samples import NOW

OWNER = "project-a"
LATER = NOW + timedelta(microseconds=1)


def sample_group(number: int = 0, **changes: object) -> AssetGroup:
    """Return a group; its id follows the number."""
    group = AssetGroup(
        id=f"group-20261121120000-{number:05d}",
        owner=OWNER,
        name='People, "gens", 人 🦊',
        description="",
        created_at=NOW,
        updated_at=LATER,
    )
    return replace(group, **changes)  # type: ignore[arg-type]


def sample_asset(number: int = 0, **changes: object) -> Asset:
    """Return an asset of the sample group; its id follows the number."""
    asset = Asset(
        id=f"asset-20261121120000-{number:05d}",
        owner=OWNER,
        group_id=sample_group().id,
        name="child",
        modality=Modality.IMAGE,
        url="https://example.com/a b.webp?x=1&y=是",
        status=AssetStatus.ACTIVE,
        created_at=NOW,
        updated_at=LATER,
    )
    return replace(asset, **changes)  # type: ignore[arg-type]


class AssetStoreConformance(ABC):
    """What every asset store does."""

    @abstractmethod
    def opened(self, folder: Path) -> AbstractAsyncContextManager[AssetStore]:
        """Open an empty store; the folder is empty and its own."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[AssetStore]:
        """Yield an empty store."""
        async with self.opened(tmp_path) as store:
            yield store

    @pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.VIDEO, Modality.AUDIO])
    @pytest.mark.parametrize("status", list(AssetStatus))
    async def test_an_asset_is_read_as_it_was_stored(
        self, store: AssetStore, modality: Modality, status: AssetStatus
    ) -> None:
        asset = sample_asset(modality=modality, status=status)
        await store.add_group(sample_group())
        assert await store.add_asset(asset) is True
        assert await store.assets(OWNER, [asset.id]) == (asset,)

    async def test_only_the_assets_that_were_asked_for_are_read_each_once(self, store: AssetStore) -> None:
        assets = [sample_asset(number) for number in range(3)]
        await store.add_group(sample_group())
        for asset in assets:
            await store.add_asset(asset)
        found = await store.assets(OWNER, [assets[2].id, assets[0].id, assets[2].id, "asset-unknown"])
        assert sorted(asset.id for asset in found) == [assets[0].id, assets[2].id]

    async def test_nothing_is_read_for_no_ids_or_ids_that_cannot_be(self, store: AssetStore) -> None:
        await store.add_group(sample_group())
        await store.add_asset(sample_asset())
        assert list(await store.assets(OWNER, [])) == []
        assert list(await store.assets(OWNER, ["", "\0", "\ud800", "asset-20261121120000-00000\0"])) == []

    async def test_an_asset_of_another_owner_is_not_there(self, store: AssetStore) -> None:
        await store.add_group(sample_group())
        await store.add_asset(sample_asset())
        assert list(await store.assets("project-b", [sample_asset().id])) == []

    async def test_an_asset_needs_a_group(self, store: AssetStore) -> None:
        assert await store.add_asset(sample_asset()) is False
        assert list(await store.assets(OWNER, [sample_asset().id])) == []

    async def test_a_group_of_another_owner_is_no_group(self, store: AssetStore) -> None:
        await store.add_group(sample_group(owner="project-b"))
        assert await store.add_asset(sample_asset()) is False
        assert list(await store.assets(OWNER, [sample_asset().id])) == []

    async def test_the_id_of_a_group_is_taken_once_whoever_asks(self, store: AssetStore) -> None:
        await store.add_group(sample_group())
        with pytest.raises(IdTaken):
            await store.add_group(sample_group(owner="project-b"))
        assert await store.add_asset(sample_asset()) is True

    async def test_the_id_of_an_asset_is_taken_once_whoever_asks(self, store: AssetStore) -> None:
        await store.add_group(sample_group())
        await store.add_group(sample_group(1, owner="project-b"))
        await store.add_asset(sample_asset())
        with pytest.raises(IdTaken):
            await store.add_asset(sample_asset(owner="project-b", group_id=sample_group(1).id, url="https://b/"))
        assert await store.assets(OWNER, [sample_asset().id]) == (sample_asset(),)
