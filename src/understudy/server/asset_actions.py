"""What the actions of the library of assets do, whichever envelope their answers travel in."""

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.core.assets import Asset, AssetPage, AssetStatus, GroupPage
from understudy.core.task import Warned
from understudy.dialects.ark_assets import (
    AssetResult,
    AssetsResult,
    GroupsResult,
    MadeResult,
    asset_filter,
    asset_result,
    decode_body,
    group_filter,
    group_result,
    new_asset,
    new_group,
    page_fields,
)
from understudy.server.endpoint import Call
from understudy.server.links import RequestLinks, root_of
from understudy.server.warned import strictly_told

Done = tuple[msgspec.Struct | None, tuple[Warned, ...]]
"""The result of an action, and what its caller is told."""


async def perform(call: Call, action: str, fields: Mapping[str, Any]) -> Done:  # tidy: one branch for each action
    """Do what one of `dialects.ark_assets.ACTIONS` asks for.

    Raises: Rejected, NotFound, RateLimited, Unavailable.
    """
    body, told = decode_body(fields, action)
    told = strictly_told(call, told)
    library, owner, limits = call.house.assets, call.owner, call.house.assets.limits
    result: msgspec.Struct | None = None
    match action:
        case "CreateAssetGroup":
            result = MadeResult(id=(await library.create_group(owner, new_group(body))).id)
        case "GetAssetGroup":
            result = group_result(await library.group(owner, body.id))
        case "UpdateAssetGroup":
            changed = await library.change_group(owner, body.id, name=body.name, description=body.description)
            result = MadeResult(id=changed.id)
        case "DeleteAssetGroup":
            await library.remove_group(owner, body.id)
        case "CreateAsset":
            result = MadeResult(id=(await library.create_asset(owner, new_asset(body))).id)
        case "GetAsset":
            result = shown_asset(call, await library.get(owner, body.id))
        case "UpdateAsset":
            result = MadeResult(id=(await library.rename(owner, body.id, body.name or "")).id)
        case "DeleteAsset":
            await library.remove(owner, body.id)
        case "ListAssets":
            assets_wanted = asset_filter(body, limits)
            assets = await library.list_assets(owner, assets_wanted) if assets_wanted else AssetPage(assets=(), total=0)
            rest = page_fields(body, assets.assets, total=assets.total, limits=limits)
            result = AssetsResult(items=[shown_asset(call, each) for each in assets.assets], **rest)
        case "ListAssetGroups":
            groups_wanted = group_filter(body, limits)
            groups = await library.list_groups(owner, groups_wanted) if groups_wanted else GroupPage(groups=(), total=0)
            rest = page_fields(body, groups.groups, total=groups.total, limits=limits)
            result = GroupsResult(items=[group_result(each) for each in groups.groups], **rest)
    return result, told


def shown_asset(call: Call, asset: Asset) -> AssetResult:
    """Show an asset as Ark does."""
    return asset_result(asset, address_of(call, asset))


def address_of(call: Call, asset: Asset) -> str:
    """Return where the medium of an asset is: a link to what is kept, or what its owner said until it is kept."""
    if asset.status is not AssetStatus.ACTIVE or asset.medium is None:
        return asset.url
    house, scope = call.house, call.scope
    root = house.public_url or root_of(scope["scheme"], call.headers.get(b"host"), scope["server"])
    return RequestLinks(house.links, root, house.clock.now().timestamp()).url(asset.medium.key)
