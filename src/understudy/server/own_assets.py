"""The library of assets in plain words: one file or address at a time, lists, names, groups, and the file itself."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from understudy.core.assets import Asset
from understudy.core.case import missing
from understudy.core.errors import NotFound, Rejected, Unavailable, Violation
from understudy.core.task import Warned
from understudy.dialects.advice import advice_of
from understudy.dialects.plain_assets import (
    DEFAULT_GROUP,
    PlainAsset,
    PlainAssets,
    PlainCredentials,
    PlainGroups,
    PlainNew,
    asset_filter,
    decode_change,
    decode_new,
    group_filter,
    modality_named,
    new_asset,
    next_of,
    plain_asset,
    plain_group,
)
from understudy.server.asset_actions import address_of
from understudy.server.body import BodyReader
from understudy.server.content import send_blob
from understudy.server.endpoint import Call
from understudy.server.reply import Answer, Reply
from understudy.server.warned import answered, strictly_told
from understudy.service.sources import BASE64
from understudy.service.uploads import NewUpload, Uploads

_QUERY_FIELDS_MAX = 100
_encode = msgspec.json.encode


class PlainAssetRoutes:
    """Handlers over one house; errors are in the shape that OpenAI's clients read."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def create(self, call: Call) -> Reply:
        """Register an address or a file; it is processed after the answer."""
        body, told = decode_new(await self._bodies.read(call))
        told = strictly_told(call, told)
        asset = await (_of_file(call, body) if body.file else _of_address(call, body))
        return answered(_encode(shown(call, asset, told)), told)

    async def list_assets(self, call: Call) -> Reply:
        """Show a page of the caller's assets."""
        wanted = asset_filter(query_of(call), call.house.assets.limits)
        page = await call.house.assets.list_assets(call.owner, wanted)
        data = [shown(call, asset) for asset in page.assets]
        next_page = next_of(page.assets, wanted.paging)
        return answered(_encode(PlainAssets(object="list", data=data, total=page.total, next=next_page)), ())

    async def get(self, call: Call) -> Reply:
        """Show an asset."""
        return answered(_encode(shown(call, await call.house.assets.get(call.owner, _id(call)))), ())

    async def rename(self, call: Call) -> Reply:
        """Give an asset another name."""
        body, told = decode_change(await self._bodies.read(call))
        told = strictly_told(call, told)
        asset = await call.house.assets.rename(call.owner, _id(call), body.name or "")
        return answered(_encode(shown(call, asset, told)), told)

    async def remove(self, call: Call) -> Reply:
        """Remove an asset; tasks that use it keep what they need."""
        await call.house.assets.remove(call.owner, _id(call))
        return Reply(204, b"", ())

    async def content(self, call: Call) -> Answer:
        """Send the file itself."""
        asset = await call.house.assets.get(call.owner, _id(call))
        if asset.medium is None:
            raise NotFound(Violation("NotFound.File", "id", f"The asset has no file: it is {asset.status}."))
        return await send_blob(call, asset.medium.key)

    async def create_group(self, call: Call) -> Reply:
        """Make a group."""
        body, told = decode_change(await self._bodies.read(call))
        told = strictly_told(call, told)
        if not body.name:
            raise Rejected(missing("name"))
        group = await call.house.assets.group_named(call.owner, body.name)
        if body.description is not None:
            group = await call.house.assets.change_group(call.owner, group.id, name=None, description=body.description)
        return answered(_encode(plain_group(group)), told)

    async def list_groups(self, call: Call) -> Reply:
        """Show a page of the caller's groups."""
        wanted = group_filter(query_of(call), call.house.assets.limits)
        page = await call.house.assets.list_groups(call.owner, wanted)
        data, next_page = [plain_group(group) for group in page.groups], next_of(page.groups, wanted.paging)
        return answered(_encode(PlainGroups(object="list", data=data, total=page.total, next=next_page)), ())

    async def get_group(self, call: Call) -> Reply:
        """Show a group."""
        return answered(_encode(plain_group(await call.house.assets.group(call.owner, _id(call)))), ())

    async def change_group(self, call: Call) -> Reply:
        """Give a group another name or description."""
        body, told = decode_change(await self._bodies.read(call))
        told = strictly_told(call, told)
        library = call.house.assets
        group = await library.change_group(call.owner, _id(call), name=body.name, description=body.description)
        return answered(_encode(plain_group(group)), told)

    async def remove_group(self, call: Call) -> Reply:
        """Remove a group with all its assets."""
        await call.house.assets.remove_group(call.owner, _id(call))
        return Reply(204, b"", ())

    async def credentials(self, call: Call) -> Reply:
        """Show the caller's key in the form that signs requests."""
        found = call.house.keys.credentials_of(call.headers.get(b"authorization"))
        shown_as = PlainCredentials(access_key_id=found.access_key_id, secret_access_key=found.secret_access_key)
        return answered(_encode(shown_as), (), headers=((b"cache-control", b"no-store"),))


def shown(call: Call, asset: Asset, told: tuple[Warned, ...] = ()) -> PlainAsset:
    """Show an asset in plain words."""
    found = plain_asset(asset, address_of(call, asset))
    found.warnings = advice_of(told)
    return found


def uploads_of(call: Call) -> Uploads:
    """Return the house's uploads.

    Raises: Unavailable where it takes none.
    """
    if call.house.uploads is None:
        raise Unavailable(Violation("ServiceUnavailable", "", "This server takes no uploads."))
    return call.house.uploads


def query_of(call: Call) -> Mapping[str, str]:
    """Return the fields of the query; of several with one name the last.

    Raises: Rejected.
    """
    try:
        text = call.scope["query_string"].decode("ascii", "replace")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX))
    except ValueError:
        message = f"The query must have at most {_QUERY_FIELDS_MAX} fields."
        raise Rejected(Violation("InvalidParameter", "query", message)) from None


async def _of_address(call: Call, body: PlainNew) -> Asset:
    library = call.house.assets
    library.check(new_asset(body, group_id="-"))
    group = await library.group_named(call.owner, body.group or DEFAULT_GROUP)
    return await library.create_asset(call.owner, new_asset(body, group.id))


async def _of_file(call: Call, body: PlainNew) -> Asset:
    """Register a file of the body, which was spooled while it came, or is small and in the body as base64.

    Raises: Rejected.
    """
    payload = (body.file or "").partition(BASE64)[2]
    uploads = uploads_of(call)
    path = call.spooled.get(payload) or await uploads.unpack(payload)
    new = NewUpload(
        size_bytes=(await asyncio.to_thread(path.stat)).st_size,
        name=body.name or "",
        group=body.group or DEFAULT_GROUP,
        modality=modality_named(body.type),
        chosen_id=body.id or "",
    )
    return await uploads.adopt(call.owner, new, path)


def _id(call: Call) -> str:
    return call.path_params["id"]
