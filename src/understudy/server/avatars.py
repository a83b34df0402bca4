"""APIMart's avatars: registering several assets with one request, and asking how far they are like a task."""

from dataclasses import replace

from understudy.core.errors import NotFound, Rejected
from understudy.dialects.apimart_assets import (
    TASK_PREFIX,
    decode_avatar,
    encode_avatar,
    names_of,
    new_batch,
    real_avatar,
)
from understudy.dialects.naming import renamed_all
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call, printable
from understudy.server.reply import Reply
from understudy.server.warned import answered, strictly_told
from understudy.service.query import no_such_task


class AvatarRoutes:
    """Handlers over one house; answers and errors are in APIMart's shape."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def create(self, call: Call) -> Reply:
        """Register the assets; all of them or, when one cannot be, none."""
        library, owner = call.house.assets, call.owner
        new, told = decode_avatar(await self._bodies.read(call), library.limits)
        told = strictly_told(call, told)
        for index, asset in enumerate(new.assets):
            try:
                library.check(asset)
            except Rejected as error:
                raise renamed_all(error, names_of(index, len(new.assets))) from None
        if new.group is not None:
            group_id = (await library.create_group(owner, new.group)).id
        else:
            group_id = (await library.group(owner, new.group_id)).id
        batch = new_batch(library.new_id())
        for asset in new.assets:
            await library.create_asset(owner, replace(asset, group_id=group_id, batch=batch))
        return answered(encode_avatar(batch, await library.batch(owner, batch), told), told)

    async def refuse_real(self, call: Call) -> Reply:
        """Say what is not offered, and what is."""
        raise real_avatar()


async def show_avatar(call: Call, batch: str) -> Reply:
    """Say how far the assets are that were registered together.

    Raises: NotFound.
    """
    assets = await call.house.assets.batch(call.owner, batch)
    if not assets:
        raise NotFound(no_such_task(printable(TASK_PREFIX + batch)))
    return answered(encode_avatar(batch, assets), ())
