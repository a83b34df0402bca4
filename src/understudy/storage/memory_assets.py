"""The asset store in plain dictionaries. No method awaits, so each is one transaction on the event loop."""

from collections.abc import Sequence

from understudy.core.assets import Asset, AssetGroup
from understudy.core.ports import IdTaken


class MemoryAssetStore:
    """`core.assets.AssetStore` without files; everything is gone when the process ends."""

    def __init__(self) -> None:
        self._groups: dict[str, AssetGroup] = {}
        self._assets: dict[str, Asset] = {}

    async def add_group(self, group: AssetGroup) -> None:
        """See the port."""
        if group.id in self._groups:
            raise IdTaken(group.id)
        self._groups[group.id] = group

    async def add_asset(self, asset: Asset) -> bool:
        """See the port."""
        group = self._groups.get(asset.group_id)
        if group is None or group.owner != asset.owner:
            return False
        if asset.id in self._assets:
            raise IdTaken(asset.id)
        self._assets[asset.id] = asset
        return True

    async def assets(self, owner: str, asset_ids: Sequence[str]) -> Sequence[Asset]:
        """See the port."""
        found = (self._assets.get(asset_id) for asset_id in dict.fromkeys(asset_ids))
        return tuple(asset for asset in found if asset is not None and asset.owner == owner)
