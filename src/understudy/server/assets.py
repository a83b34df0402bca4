"""The three asset routes. What the bytes mean is the codec's, what happens the library's; here they meet."""

from collections.abc import Awaitable

from understudy.core.errors import Rejected, UnderstudyError
from understudy.core.task import Warned, told_in_brief
from understudy.dialects.octopus_assets import (
    decode_asset,
    decode_group,
    decode_query,
    encode_asset,
    encode_asset_created,
    encode_asset_error,
    encode_group_created,
)
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call
from understudy.server.reply import JSON, Reply
from understudy.server.tasks import asks_strictness, warnings_header
from understudy.service.assets import UNCHECKED
from understudy.service.examine import unwanted


class AssetRoutes:
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

    async def _create_group(self, call: Call) -> tuple[bytes, tuple[Warned, ...]]:
        new, told = decode_group(await self._bodies.read(call))
        told = _told(call, told)
        group = await call.house.assets.create_group(call.owner, new)
        return encode_group_created(group, told), told

    async def _create_asset(self, call: Call) -> tuple[bytes, tuple[Warned, ...]]:
        new, told = decode_asset(await self._bodies.read(call))
        told = _told(call, told)
        asset = await call.house.assets.create_asset(call.owner, new)
        told = (*told, UNCHECKED)
        return encode_asset_created(asset, told), told

    async def _get_asset(self, call: Call) -> tuple[bytes, tuple[Warned, ...]]:
        asset_id, told = decode_query(await self._bodies.read(call))
        told = _told(call, told)
        asset = await call.house.assets.get(call.owner, asset_id)
        told = (*told, UNCHECKED)
        return encode_asset(asset, told), told


def _told(call: Call, told: tuple[Warned, ...]) -> tuple[Warned, ...]:
    """Return what was ignored, or refuse it to a strict caller; that nothing is checked yet is no fault of hers.

    Raises: Rejected.
    """
    told = told_in_brief(told)
    if asks_strictness(call) and told:
        raise Rejected(*unwanted(told))
    return told


async def _in_envelope(call: Call, work: Awaitable[tuple[bytes, tuple[Warned, ...]]]) -> Reply:
    """Answer what was done, or what went wrong, in the envelope of these routes; a bug is the endpoint's to answer."""
    try:
        body, told = await work
    except UnderstudyError as error:
        answer = encode_asset_error(error.violation, call.request_id)
        return Reply(answer.status, answer.body)
    return Reply(200, body, (*JSON, warnings_header(told)) if told else JSON)
