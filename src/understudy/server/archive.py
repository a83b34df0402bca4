"""Keeping a task for good, and no longer: this server's own, told alike whoever made the task."""

from collections.abc import Iterator

import msgspec
from starlette.routing import Route

from understudy.server.endpoint import DEFAULT_DIALECTS, Call, Endpoint, wire_task_id
from understudy.server.house import House
from understudy.server.reply import Reply

PATH = "/v1/tasks/{task_id}/archive"


class ArchiveBody(msgspec.Struct):
    """Whether a task's record and files are kept for good. id: as it was asked for."""

    id: str
    archived: bool


def archive_routes(house: House) -> Iterator[Route]:
    """Yield the one route."""
    who = dict.fromkeys(("POST", "DELETE"), DEFAULT_DIALECTS)
    yield Route(PATH, Endpoint(house, {"POST": _archive, "DELETE": _unarchive}, dialects=who))


async def _archive(call: Call) -> Reply:
    """Keep the task for good. A body is not read."""
    task = await call.house.queries.archive(call.owner, wire_task_id(call))
    return _told(call, is_archived=task.is_archived)


async def _unarchive(call: Call) -> Reply:
    """Let the task's time count again."""
    task = await call.house.queries.unarchive(call.owner, wire_task_id(call))
    return _told(call, is_archived=task.is_archived)


def _told(call: Call, *, is_archived: bool) -> Reply:
    return Reply(200, msgspec.json.encode(ArchiveBody(id=call.path_params["task_id"], archived=is_archived)))
