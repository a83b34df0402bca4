"""The conformance suite of asset stores: subclass `AssetStoreConformance`, make a store, and let pytest collect it.

It holds a store to every sentence of `core.assets.AssetStore`. The media that assets use are kept beside them, so a
store comes together with its record of media. Needs pytest with pytest-asyncio in auto mode.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from understudy.core.assets import (
    Asset,
    AssetFault,
    AssetFilter,
    AssetGroup,
    AssetStatus,
    AssetStore,
    GroupFilter,
    Paging,
    SortBy,
)
from understudy.core.content import Modality
from understudy.core.errors import Unavailable
from understudy.core.media import MediaFacts, MediaStore, Medium, Origin
from understudy.core.ports import IdTaken
from understudy.testing.samples import NOW

OWNER = "project-a"
OTHER = "project-b"
LATER = NOW + timedelta(microseconds=1)
MUCH_LATER = NOW + timedelta(days=1)
FAULT = AssetFault(code="DownloadFailed", message='It said "no" 人.')
FACTS = MediaFacts(
    modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=7, width_px=300, height_px=400
)
ODD_IDS = ("", "\0", "\ud800", "asset-20261121120000-00000\0")


@dataclass(frozen=True, slots=True)
class Stores:
    """A store and the record of media beside it."""

    assets: AssetStore
    media: MediaStore

    async def keep(self, medium: Medium) -> Medium:
        """Record the medium as stored, with a reservation that is over at once."""
        await self.media.reserve(medium.sha256, NOW)
        record = await self.media.coming(medium.sha256, medium.key)
        await self.media.arrived(medium.sha256, medium.key, medium.facts, record=record)
        return medium

    async def unused(self) -> list[str]:
        """Return the keys of media that nobody needs; they are leaving from then on."""
        return sorted((await self.media.take_unused(MUCH_LATER, 100)).values())


def sample_group(number: int = 0, **changes: Any) -> AssetGroup:
    """Return a group; its id follows the number."""
    group = AssetGroup(
        id=f"group-20261121120000-{number:05d}",
        owner=OWNER,
        name='People, "gens", 人 🦊',
        description="",
        created_at=NOW,
        updated_at=LATER,
    )
    return replace(group, **changes)


def sample_medium(number: int = 0) -> Medium:
    """Return a stored picture; its bytes follow the number."""
    sha256 = f"{number:064x}"
    return Medium(key=f"media/{sha256}.png", sha256=sha256, origin=Origin.ASSET, facts=FACTS)


def ended_as(status: AssetStatus) -> dict[str, Any]:
    """Return what an asset in this status has beside it, as changes of the sample."""
    return {
        "status": status,
        "medium": sample_medium() if status is AssetStatus.ACTIVE else None,
        "fault": FAULT if status is AssetStatus.FAILED else None,
    }


def sample_asset(number: int = 0, **changes: Any) -> Asset:
    """Return an asset of the sample group that is being processed; its id follows the number."""
    asset = Asset(
        id=f"asset-20261121120000-{number:05d}",
        owner=OWNER,
        group_id=sample_group().id,
        name="child",
        modality=Modality.IMAGE,
        url="https://example.com/a b.webp?x=1&y=是",
        status=AssetStatus.PROCESSING,
        created_at=NOW,
        updated_at=LATER,
    )
    return replace(asset, **changes)


def wanted_assets(*, most: int = 100, **said: Any) -> AssetFilter:
    """Return a filter of assets; said: of its fields, paging in pieces."""
    return AssetFilter(paging=_paging(most, said), **said)


def wanted_groups(*, most: int = 100, **said: Any) -> GroupFilter:
    """Return a filter of groups; said: of its fields, paging in pieces."""
    return GroupFilter(paging=_paging(most, said), **said)


def _paging(most: int, said: dict[str, Any]) -> Paging:
    pieces = {name: said.pop(name) for name in ("skip", "after", "sort_by", "is_ascending") if name in said}
    return Paging(most=most, **pieces)


class AssetStoreConformance(ABC):  # tidy: one suite
    """What every asset store does."""

    @abstractmethod
    def opened(self, folder: Path) -> AbstractAsyncContextManager[Stores]:
        """Open empty stores; the folder is empty and its own."""

    @pytest.fixture
    async def stores(self, tmp_path: Path) -> AsyncIterator[Stores]:
        """Yield empty stores."""
        async with self.opened(tmp_path) as stores:
            yield stores

    @pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.VIDEO, Modality.AUDIO])
    @pytest.mark.parametrize("status", list(AssetStatus))
    async def test_an_asset_is_read_as_it_was_stored(
        self, stores: Stores, modality: Modality, status: AssetStatus
    ) -> None:
        await stores.keep(sample_medium())
        asset = sample_asset(modality=modality, upload="upload-1", batch="batch-1", **ended_as(status))
        await stores.assets.add_group(sample_group())
        assert await stores.assets.add_asset(asset) is True
        assert await stores.assets.assets(OWNER, [asset.id]) == (asset,)

    async def test_only_the_assets_that_were_asked_for_are_read_each_once(self, stores: Stores) -> None:
        assets = await _three(stores)
        found = await stores.assets.assets(OWNER, [assets[2].id, assets[0].id, assets[2].id, "asset-unknown"])
        assert sorted(asset.id for asset in found) == [assets[0].id, assets[2].id]

    async def test_nothing_is_read_for_no_ids_or_ids_that_cannot_be(self, stores: Stores) -> None:
        await _three(stores)
        assert list(await stores.assets.assets(OWNER, [])) == []
        assert list(await stores.assets.assets(OWNER, ODD_IDS)) == []

    async def test_an_asset_of_another_owner_is_not_there(self, stores: Stores) -> None:
        await _three(stores)
        assert list(await stores.assets.assets(OTHER, [sample_asset().id])) == []

    async def test_an_asset_needs_a_group(self, stores: Stores) -> None:
        assert await stores.assets.add_asset(sample_asset()) is False
        assert list(await stores.assets.assets(OWNER, [sample_asset().id])) == []

    async def test_a_group_of_another_owner_is_no_group(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group(owner=OTHER))
        assert await stores.assets.add_asset(sample_asset()) is False
        assert list(await stores.assets.assets(OWNER, [sample_asset().id])) == []

    async def test_the_id_of_a_group_is_taken_once_whoever_asks(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group())
        with pytest.raises(IdTaken):
            await stores.assets.add_group(sample_group(owner=OTHER))
        assert await stores.assets.add_asset(sample_asset()) is True

    async def test_the_id_of_an_asset_is_taken_once_by_each_owner(self, stores: Stores) -> None:
        others = sample_asset(owner=OTHER, group_id=sample_group(1).id, url="https://b/")
        await stores.assets.add_group(sample_group())
        await stores.assets.add_group(sample_group(1, owner=OTHER))
        await stores.assets.add_asset(sample_asset())
        with pytest.raises(IdTaken):
            await stores.assets.add_asset(sample_asset(url="https://c/"))
        assert await stores.assets.add_asset(others) is True
        assert await stores.assets.assets(OWNER, [sample_asset().id]) == (sample_asset(),)
        assert await stores.assets.assets(OTHER, [sample_asset().id]) == (others,)

    async def test_an_asset_becomes_active_with_its_medium(self, stores: Stores) -> None:
        await _three(stores)
        medium = await stores.keep(sample_medium())
        assert await stores.assets.settle(OWNER, sample_asset().id, outcome=medium, now=MUCH_LATER) is True
        (asset,) = await stores.assets.assets(OWNER, [sample_asset().id])
        assert asset == sample_asset(status=AssetStatus.ACTIVE, medium=medium, updated_at=MUCH_LATER)

    async def test_an_asset_fails_with_its_fault(self, stores: Stores) -> None:
        await _three(stores)
        assert await stores.assets.settle(OWNER, sample_asset().id, outcome=FAULT, now=MUCH_LATER) is True
        (asset,) = await stores.assets.assets(OWNER, [sample_asset().id])
        assert asset == sample_asset(status=AssetStatus.FAILED, fault=FAULT, updated_at=MUCH_LATER)

    async def test_an_asset_is_settled_once(self, stores: Stores) -> None:
        await _three(stores)
        medium = await stores.keep(sample_medium())
        await stores.assets.settle(OWNER, sample_asset().id, outcome=FAULT, now=LATER)
        assert await stores.assets.settle(OWNER, sample_asset().id, outcome=medium, now=MUCH_LATER) is False
        (asset,) = await stores.assets.assets(OWNER, [sample_asset().id])
        assert (asset.status, asset.updated_at) == (AssetStatus.FAILED, LATER)
        assert await stores.unused() == [medium.key]

    async def test_an_asset_that_is_gone_or_anothers_is_not_settled(self, stores: Stores) -> None:
        await _three(stores)
        assert await stores.assets.settle(OTHER, sample_asset().id, outcome=FAULT, now=LATER) is False
        assert await stores.assets.settle(OWNER, "asset-unknown", outcome=FAULT, now=LATER) is False
        assert (await stores.assets.assets(OWNER, [sample_asset().id]))[0].status is AssetStatus.PROCESSING

    async def test_an_asset_whose_medium_has_gone_stays_as_it_was(self, stores: Stores) -> None:
        await _three(stores)
        with pytest.raises(Unavailable):
            await stores.assets.settle(OWNER, sample_asset().id, outcome=sample_medium(), now=LATER)
        assert await stores.assets.assets(OWNER, [sample_asset().id]) == (sample_asset(),)

    async def test_a_medium_is_needed_as_long_as_an_active_asset_has_it(self, stores: Stores) -> None:
        await _three(stores)
        medium = await stores.keep(sample_medium())
        for number in (0, 1):
            await stores.assets.settle(OWNER, sample_asset(number).id, outcome=medium, now=LATER)
        assert await stores.assets.remove_asset(OWNER, sample_asset(0).id) is True
        assert await stores.unused() == []
        assert await stores.assets.remove_asset(OWNER, sample_asset(1).id) is True
        assert await stores.unused() == [medium.key]

    async def test_assets_of_two_owners_with_one_id_need_their_medium_each(self, stores: Stores) -> None:
        await _three(stores)
        await stores.assets.add_group(sample_group(1, owner=OTHER))
        await stores.assets.add_asset(sample_asset(owner=OTHER, group_id=sample_group(1).id))
        medium = await stores.keep(sample_medium())
        for owner in (OWNER, OTHER):
            await stores.assets.settle(owner, sample_asset().id, outcome=medium, now=LATER)
        await stores.assets.remove_asset(OWNER, sample_asset().id)
        assert await stores.unused() == []

    async def test_an_asset_that_is_gone_or_anothers_is_not_removed(self, stores: Stores) -> None:
        await _three(stores)
        assert await stores.assets.remove_asset(OTHER, sample_asset().id) is False
        for asset_id in ("asset-unknown", *ODD_IDS):
            assert await stores.assets.remove_asset(OWNER, asset_id) is False
        assert await stores.assets.remove_asset(OWNER, sample_asset().id) is True
        assert await stores.assets.remove_asset(OWNER, sample_asset().id) is False
        assert list(await stores.assets.assets(OWNER, [sample_asset().id])) == []

    async def test_a_group_goes_with_its_assets_and_what_they_need(self, stores: Stores) -> None:
        await _three(stores)
        await stores.assets.add_group(sample_group(1))
        await stores.assets.add_asset(sample_asset(9, group_id=sample_group(1).id))
        medium = await stores.keep(sample_medium())
        await stores.assets.settle(OWNER, sample_asset(0).id, outcome=medium, now=LATER)
        assert await stores.assets.remove_group(OWNER, sample_group().id) is True
        assert [each.id for each in (await stores.assets.list_assets(OWNER, wanted_assets())).assets] == [
            sample_asset(9).id
        ]
        assert (await stores.assets.list_groups(OWNER, wanted_groups())).groups == (sample_group(1),)
        assert await stores.unused() == [medium.key]

    async def test_a_group_of_another_owner_is_not_removed(self, stores: Stores) -> None:
        await _three(stores)
        assert await stores.assets.remove_group(OTHER, sample_group().id) is False
        assert await stores.assets.remove_group(OWNER, "group-unknown") is False
        assert (await stores.assets.list_assets(OWNER, wanted_assets())).total == 3

    async def test_an_asset_gets_another_name(self, stores: Stores) -> None:
        await _three(stores)
        changed = await stores.assets.change_asset(OWNER, sample_asset().id, name="人", now=MUCH_LATER)
        assert changed == sample_asset(name="人", updated_at=MUCH_LATER)
        assert await stores.assets.assets(OWNER, [sample_asset().id]) == (changed,)
        assert await stores.assets.change_asset(OTHER, sample_asset().id, name="x", now=LATER) is None
        assert await stores.assets.assets(OWNER, [sample_asset().id]) == (changed,)

    async def test_an_asset_that_was_settled_gets_another_name_too(self, stores: Stores) -> None:
        await _three(stores)
        await stores.assets.settle(OWNER, sample_asset().id, outcome=FAULT, now=LATER)
        changed = await stores.assets.change_asset(OWNER, sample_asset().id, name="x", now=LATER)
        assert changed is not None
        assert (changed.name, changed.fault) == ("x", FAULT)

    async def test_a_group_is_changed_by_its_owner(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group())
        changed = sample_group(name="x", description="y", updated_at=MUCH_LATER)
        assert await stores.assets.change_group(replace(changed, owner=OTHER)) is False
        assert await stores.assets.change_group(replace(changed, id="group-unknown")) is False
        assert (await stores.assets.list_groups(OWNER, wanted_groups())).groups == (sample_group(),)
        assert await stores.assets.change_group(replace(changed, created_at=LATER)) is True
        assert (await stores.assets.list_groups(OWNER, wanted_groups())).groups == (changed,)

    async def test_what_is_being_processed_is_found_the_oldest_first(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group())
        await stores.assets.add_group(sample_group(1, owner=OTHER))
        await stores.assets.add_asset(sample_asset(0, created_at=LATER))
        await stores.assets.add_asset(sample_asset(1))
        await stores.assets.add_asset(sample_asset(2, owner=OTHER, group_id=sample_group(1).id))
        await stores.assets.add_asset(sample_asset(3, **ended_as(AssetStatus.FAILED)))
        found = await stores.assets.processing(10)
        assert [each.id[-1] for each in found] == ["1", "2", "0"]

    async def test_what_one_owner_has_waiting_hides_nothing_of_another(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group())
        await stores.assets.add_group(sample_group(1, owner=OTHER))
        for number in range(3):
            await stores.assets.add_asset(sample_asset(number))
        await stores.assets.add_asset(sample_asset(3, owner=OTHER, group_id=sample_group(1).id, created_at=LATER))
        assert [each.id[-1] for each in await stores.assets.processing(2)] == ["0", "1", "3"]

    async def test_what_was_registered_together_is_found_together(self, stores: Stores) -> None:
        await stores.assets.add_group(sample_group())
        for number, batch in ((2, "b"), (1, "b"), (3, "c"), (4, "")):
            await stores.assets.add_asset(sample_asset(number, batch=batch))
        assert [each.id[-1] for each in await stores.assets.batch(OWNER, "b")] == ["1", "2"]
        for owner, batch in ((OTHER, "b"), (OWNER, ""), (OWNER, "\0"), (OWNER, "d")):
            assert list(await stores.assets.batch(owner, batch)) == []

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ({}, "3210"),
            ({"is_ascending": True}, "0123"),
            ({"sort_by": SortBy.UPDATED}, "0321"),
            ({"most": 2}, "32"),
            ({"most": 2, "skip": 1}, "21"),
            ({"most": 2, "skip": 9}, ""),
            ({"after": (LATER, "asset-20261121120000-00002")}, "10"),
            ({"after": (LATER, "asset-20261121120000-00002"), "is_ascending": True}, "3"),
            ({"after": (LATER, "asset-20261121120000-00002"), "skip": 1, "most": 1}, "1"),
            ({"name": "two"}, "2"),
            ({"name": "Two"}, ""),
            ({"name": "%"}, "3"),
            ({"name": "\0"}, ""),
            ({"statuses": frozenset({AssetStatus.FAILED})}, "1"),
            ({"statuses": frozenset({AssetStatus.FAILED, AssetStatus.PROCESSING})}, "3210"),
            ({"group_ids": frozenset({"group-20261121120000-00001"})}, "3"),
            ({"group_ids": frozenset({"group-20261121120000-00001", "group-unknown"})}, "3"),
            ({"modality": Modality.AUDIO}, "0"),
        ],
    )
    async def test_assets_are_listed_as_is_wanted(self, stores: Stores, said: dict[str, Any], expected: str) -> None:
        await stores.assets.add_group(sample_group())
        await stores.assets.add_group(sample_group(1))
        await stores.assets.add_group(sample_group(2, owner=OTHER))
        for asset in (
            sample_asset(0, name="zero", created_at=NOW, updated_at=MUCH_LATER, modality=Modality.AUDIO),
            sample_asset(1, name="one", created_at=LATER, **ended_as(AssetStatus.FAILED)),
            sample_asset(2, name="is two", created_at=LATER),
            sample_asset(3, name="100 %", created_at=LATER, group_id=sample_group(1).id),
            sample_asset(4, owner=OTHER, group_id=sample_group(2).id),
        ):
            await stores.assets.add_asset(asset)
        page = await stores.assets.list_assets(OWNER, wanted_assets(**said))
        assert "".join(each.id[-1] for each in page.assets) == expected

    async def test_a_page_says_how_many_assets_match_in_all(self, stores: Stores) -> None:
        assets = await _three(stores)
        for said in ({"most": 1}, {"most": 1, "skip": 2}, {"most": 1, "after": (NOW, assets[1].id)}):
            assert (await stores.assets.list_assets(OWNER, wanted_assets(**said))).total == 3
        assert (await stores.assets.list_assets(OWNER, wanted_assets(name="nobody"))).total == 0

    @pytest.mark.parametrize(
        ("said", "expected", "total"),
        [
            ({}, "210", 3),
            ({"is_ascending": True, "most": 1}, "0", 3),
            ({"after": (NOW, "group-20261121120000-00002")}, "10", 3),
            ({"name": "tw"}, "2", 1),
            ({"group_ids": frozenset({"group-20261121120000-00001"})}, "1", 1),
        ],
    )
    async def test_groups_are_listed_as_is_wanted(
        self, stores: Stores, said: dict[str, Any], expected: str, total: int
    ) -> None:
        for number, name in enumerate(("zero", "one", "two")):
            await stores.assets.add_group(sample_group(number, name=name))
        await stores.assets.add_group(sample_group(3, owner=OTHER))
        page = await stores.assets.list_groups(OWNER, wanted_groups(**said))
        assert ("".join(each.id[-1] for each in page.groups), page.total) == (expected, total)


async def _three(stores: Stores) -> list[Asset]:
    """Store three assets of one group."""
    assets = [sample_asset(number) for number in range(3)]
    await stores.assets.add_group(sample_group())
    for asset in assets:
        await stores.assets.add_asset(asset)
    return assets
