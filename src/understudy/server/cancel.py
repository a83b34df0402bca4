"""Stopping a task, also one that runs: this server's own, because no dialect has a word for it."""

from collections.abc import Iterator

import msgspec
from starlette.routing import Route

from understudy.server.endpoint import DEFAULT_DIALECTS, Call, Endpoint, wire_task_id
from understudy.server.house import House
from understudy.server.reply import Reply

PATH = "/understudy/v1/tasks/{task_id}/cancel"


class CancelBody(msgspec.Struct):
    """What became of it. id: as it was asked for. was: what it was before, queued or running."""

    id: str
    status: str
    was: str


def cancel_routes(house: House) -> Iterator[Route]:
    """Yield the one route."""
    yield Route(PATH, Endpoint(house, {"POST": _cancel}, dialects={"POST": DEFAULT_DIALECTS}))


async def _cancel(call: Call) -> Reply:
    """Cancel the task for good. A body is not read."""
    before = await call.house.queries.cancel(call.owner, wire_task_id(call))
    told = CancelBody(id=call.path_params["task_id"], status="cancelled", was=before.status.value)
    return Reply(200, msgspec.json.encode(told))
