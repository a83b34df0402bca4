"""The routes of the library of assets: which path leads where, and seed 003's actions in their envelope."""

from collections.abc import Awaitable, Iterator

from starlette.routing import Route

from understudy.core.errors import UnderstudyError
from understudy.core.task import Warned
from understudy.dialects import apimart_assets, plain_assets
from understudy.dialects.ark_assets import ACTIONS
from understudy.dialects.octopus_assets import (
    PATH,
    decode_asset,
    decode_group,
    decode_query,
    encode_asset,
    encode_asset_created,
    encode_asset_error,
    encode_done,
    encode_group_created,
)
from understudy.server.asset_actions import address_of, perform
from understudy.server.avatars import AvatarRoutes
from understudy.server.body import BodyReader
from understudy.server.control_plane import ControlPlane
from understudy.server.endpoint import Call, Endpoint, Handler
from understudy.server.house import House
from understudy.server.own_assets import PlainAssetRoutes
from understudy.server.reply import Reply
from understudy.server.uploads import UploadRoutes
from understudy.server.warned import answered, strictly_told

Answered = tuple[bytes, tuple[Warned, ...]]


def asset_routes(house: House, bodies: BodyReader, welcome: Handler) -> Iterator[Route]:
    """Yield every route of the library. welcome: answers a GET of the root, where the control plane takes POSTs."""
    control = ControlPlane(bodies)
    yield Route("/", Endpoint(house, {"GET": welcome, "POST": control.answer}, is_open=True))
    yield Route("/ark", Endpoint(house, {"POST": control.answer}, is_open=True))
    yield from _octopus_routes(house, bodies)
    yield from _avatar_routes(house, bodies)
    yield from _plain_routes(house, bodies)


def _octopus_routes(house: House, bodies: BodyReader) -> Iterator[Route]:
    """Seed 003's actions, at their own path and below its mount."""
    routes = OctopusRoutes(bodies)
    own: dict[str, Handler] = {
        "CreateAssetGroup": routes.create_group,
        "CreateAsset": routes.create_asset,
        "GetAsset": routes.get_asset,
    }
    for mount in ("", "/octopus"):
        for action in ACTIONS:
            handlers = {"POST": own.get(action, routes.others)}
            yield Route(f"{mount}{PATH}/{action}", Endpoint(house, handlers, dialects={"POST": ("octopus",)}))


def _avatar_routes(house: House, bodies: BodyReader) -> Iterator[Route]:
    avatars = AvatarRoutes(bodies)
    handlers: dict[str, Handler] = {
        apimart_assets.PATH: avatars.create,
        f"{apimart_assets.PATH}/assets": avatars.create,
        apimart_assets.REAL_PATH: avatars.refuse_real,
    }
    for mount in ("", "/apimart"):
        for path, handler in handlers.items():
            yield Route(f"{mount}{path}", Endpoint(house, {"POST": handler}, dialects={"POST": ("apimart",)}))


def _plain_routes(house: House, bodies: BodyReader) -> Iterator[Route]:
    assets, uploads = PlainAssetRoutes(bodies), UploadRoutes(bodies)
    one_asset = f"{plain_assets.ASSETS_PATH}/{{id}}"
    paths: dict[str, dict[str, Handler]] = {
        plain_assets.ASSETS_PATH: {"GET": assets.list_assets, "POST": assets.create},
        one_asset: {"GET": assets.get, "PATCH": assets.rename, "DELETE": assets.remove},
        f"{one_asset}/content": {"GET": assets.content},
        plain_assets.GROUPS_PATH: {"GET": assets.list_groups, "POST": assets.create_group},
        f"{plain_assets.GROUPS_PATH}/{{id}}": {
            "GET": assets.get_group,
            "PATCH": assets.change_group,
            "DELETE": assets.remove_group,
        },
        plain_assets.UPLOADS_PATH: {"POST": uploads.begin},
        f"{plain_assets.UPLOADS_PATH}/{{id}}": {
            "GET": uploads.get,
            "PATCH": uploads.append,
            "DELETE": uploads.discard,
        },
        plain_assets.CREDENTIALS_PATH: {"GET": assets.credentials},
    }
    for path, handlers in paths.items():
        yield Route(path, Endpoint(house, handlers, dialects=dict.fromkeys(handlers, ("openai",))))


class OctopusRoutes:
    """Handlers over one house."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def create_group(self, call: Call) -> Reply:
        """Store a group; it is there, durably, before the answer leaves."""
        return await _in_envelope(call, self._create_group(call))

    async def create_asset(self, call: Call) -> Reply:
        """Store an asset; it is there, durably, before the answer leaves."""
        return await _in_envelope(call, self._create_asset(call))

    async def get_asset(self, call: Call) -> Reply:
        """Show an asset."""
        return await _in_envelope(call, self._get_asset(call))

    async def others(self, call: Call) -> Reply:
        """Do what Ark's action of the same name does."""
        return await _in_envelope(call, self._others(call))

    async def _create_group(self, call: Call) -> Answered:
        new, told = decode_group(await self._bodies.read(call))
        told = strictly_told(call, told)
        group = await call.house.assets.create_group(call.owner, new)
        return encode_group_created(group, told), told

    async def _create_asset(self, call: Call) -> Answered:
        new, told = decode_asset(await self._bodies.read(call))
        told = strictly_told(call, told)
        asset = await call.house.assets.create_asset(call.owner, new)
        return encode_asset_created(asset, told), told

    async def _get_asset(self, call: Call) -> Answered:
        asset_id, told = decode_query(await self._bodies.read(call))
        told = strictly_told(call, told)
        asset = await call.house.assets.get(call.owner, asset_id)
        return encode_asset(asset, told, url=address_of(call, asset)), told

    async def _others(self, call: Call) -> Answered:
        action = call.scope["path"].rstrip("/").rpartition("/")[2]
        result, told = await perform(call, action, await self._bodies.read(call))
        return encode_done(result, told), told


async def _in_envelope(call: Call, work: Awaitable[Answered]) -> Reply:
    """Answer what was done, or what went wrong, in the envelope of these routes; a bug is the endpoint's to answer."""
    try:
        body, told = await work
    except UnderstudyError as error:
        answer = encode_asset_error(error.violation, call.request_id)
        return Reply(answer.status, answer.body)
    return answered(body, told)
