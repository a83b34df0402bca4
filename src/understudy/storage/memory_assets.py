"""The asset store in plain dictionaries. No method awaits, so each is one transaction on the event loop."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

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
from understudy.core.media import Medium
from understudy.core.ports import IdTaken
from understudy.storage.media_uses import asset_user
from understudy.storage.memory_media import MemoryMediaStore

T = TypeVar("T", Asset, AssetGroup)


class MemoryAssetStore:
    """`core.assets.AssetStore` without files; everything is gone when the process ends.

    media: the record of media beside it, in which uses are written; None = nobody keeps one.
    """

    def __init__(self, media: MemoryMediaStore | None = None) -> None:
        self._groups: dict[str, AssetGroup] = {}
        self._assets: dict[tuple[str, str], Asset] = {}
        self._media = media

    async def add_group(self, group: AssetGroup) -> None:
        """See the port."""
        if group.id in self._groups:
            raise IdTaken(group.id)
        self._groups[group.id] = group

    async def add_asset(self, asset: Asset) -> bool:
        """See the port."""
        if self._group(asset.owner, asset.group_id) is None:
            return False
        if (asset.owner, asset.id) in self._assets:
            raise IdTaken(asset.id)
        self._keep(asset)
        return True

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """See the port."""
        found = (self._assets.get((owner, asset_id)) for asset_id in dict.fromkeys(asset_ids))
        return tuple(asset for asset in found if asset is not None)

    async def list_assets(self, owner: str, wanted: AssetFilter) -> AssetPage:
        """See the port."""
        found = [
            asset
            for asset in self._assets.values()
            if asset.owner == owner
            and wanted.name in asset.name
            and (not wanted.group_ids or asset.group_id in wanted.group_ids)
            and (not wanted.statuses or asset.status in wanted.statuses)
            and wanted.modality in (None, asset.modality)
        ]
        return AssetPage(assets=_page(found, wanted.paging), total=len(found))

    async def list_groups(self, owner: str, wanted: GroupFilter) -> GroupPage:
        """See the port."""
        found = [
            group
            for group in self._groups.values()
            if group.owner == owner
            and wanted.name in group.name
            and (not wanted.group_ids or group.id in wanted.group_ids)
        ]
        return GroupPage(groups=_page(found, wanted.paging), total=len(found))

    async def change_asset(self, owner: str, asset_id: str, *, name: str, now: datetime) -> Asset | None:
        """See the port."""
        asset = self._assets.get((owner, asset_id))
        if asset is None:
            return None
        self._assets[owner, asset_id] = replace(asset, name=name, updated_at=now)
        return self._assets[owner, asset_id]

    async def change_group(self, group: AssetGroup) -> bool:
        """See the port."""
        old = self._group(group.owner, group.id)
        if old is None:
            return False
        self._groups[group.id] = replace(
            old, name=group.name, description=group.description, updated_at=group.updated_at
        )
        return True

    async def remove_asset(self, owner: str, asset_id: str) -> bool:
        """See the port."""
        asset = self._assets.pop((owner, asset_id), None)
        if asset is not None and asset.medium is not None and self._media is not None:
            self._media.unuse(asset_user(owner, asset_id))
        return asset is not None

    async def remove_group(self, owner: str, group_id: str) -> bool:
        """See the port."""
        if self._group(owner, group_id) is None:
            return False
        for asset in [each for each in self._assets.values() if each.group_id == group_id]:
            await self.remove_asset(asset.owner, asset.id)
        del self._groups[group_id]
        return True

    async def settle(self, owner: str, asset_id: str, *, outcome: Medium | AssetFault, now: datetime) -> bool:
        """See the port."""
        asset = self._assets.get((owner, asset_id))
        if asset is None or asset.status is not AssetStatus.PROCESSING:
            return False
        if isinstance(outcome, Medium):
            self._keep(replace(asset, status=AssetStatus.ACTIVE, medium=outcome, updated_at=now))
        else:
            self._keep(replace(asset, status=AssetStatus.FAILED, fault=outcome, updated_at=now))
        return True

    async def processing(self, most_of_each: int) -> Sequence[Asset]:
        """See the port."""
        waiting = [asset for asset in self._assets.values() if asset.status is AssetStatus.PROCESSING]
        taken: Counter[str] = Counter()
        found: list[Asset] = []
        for asset in sorted(waiting, key=lambda asset: (asset.created_at, asset.owner, asset.id)):
            taken[asset.owner] += 1
            if taken[asset.owner] <= most_of_each:
                found.append(asset)
        return tuple(found)

    async def batch(self, owner: str, batch: str) -> Sequence[Asset]:
        """See the port."""
        found = [asset for asset in self._assets.values() if asset.owner == owner and batch and asset.batch == batch]
        return tuple(sorted(found, key=lambda asset: asset.id))

    def _group(self, owner: str, group_id: str) -> AssetGroup | None:
        group = self._groups.get(group_id)
        return group if group is not None and group.owner == owner else None

    def _keep(self, asset: Asset) -> None:
        if asset.medium is not None and self._media is not None:
            self._media.use([asset.medium.sha256], asset_user(asset.owner, asset.id))
        self._assets[asset.owner, asset.id] = asset


def _page(found: Iterable[T], paging: Paging) -> tuple[T, ...]:
    def place(item: T) -> tuple[datetime, str]:
        return getattr(item, paging.sort_by.value), item.id

    in_order = sorted(found, key=place, reverse=not paging.is_ascending)
    if paging.after is None:
        return tuple(in_order[paging.skip : paging.skip + paging.most])
    after = paging.after
    rest = [item for item in in_order if (place(item) > after if paging.is_ascending else place(item) < after)]
    return tuple(rest[: paging.most])
