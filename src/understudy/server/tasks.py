"""The four task routes: create, get, list, delete. What the bytes mean is the codec's, what happens the service's."""

import json
from collections.abc import Sequence
from urllib.parse import parse_qsl

from understudy.core.errors import NotFound, Rejected, Violation
from understudy.core.task import Warned
from understudy.dialects.codec import Codec, RecordsCodec
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call, printable
from understudy.server.links import RequestLinks, root_of
from understudy.server.reply import JSON, Header, Reply
from understudy.service.query import no_such_task

_WARNINGS_HEADER_CHARS_MAX = 2048
_QUERY_FIELDS_MAX = 1000


class TaskRoutes:
    """Handlers over one house; the codec comes with each call."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def create(self, call: Call) -> Reply:
        """Accept a request; the task is stored, durably, before the answer leaves."""
        decoded = await self._bodies.decode(call)
        task = await call.house.submitter.submit(owner=call.owner, dialect=call.codec.name, decoded=decoded)
        headers = (*JSON, warnings_header(task.warnings)) if task.warnings else JSON
        return Reply(200, call.codec.encode_created(task), headers)

    async def get(self, call: Call) -> Reply:
        """Show one task."""
        task = await call.house.queries.get(call.owner, _task_id(call))
        return Reply(200, call.codec.encode_task(task, _links(call)))

    async def list_tasks(self, call: Call) -> Reply:
        """Show a page of the caller's tasks."""
        codec = _records(call.codec)
        wanted = codec.decode_filter(_query(call), now=call.house.clock.now())
        page = await call.house.queries.list_tasks(call.owner, wanted)
        return Reply(200, codec.encode_page(page, _links(call)))

    async def delete(self, call: Call) -> Reply:
        """Cancel a queued task or remove the record of an ended one. A body, which the SDK sends, is not read."""
        await call.house.queries.withdraw(call.owner, _task_id(call))
        return Reply(200, b"{}")


def warnings_header(warnings: Sequence[Warned]) -> Header:
    """Return X-Understudy-Warnings: a JSON list in ASCII, cut at whole entries; the task itself lists them all."""
    entries: list[str] = []
    size = 2
    for told, warned in enumerate(warnings):
        entry = json.dumps({"param": warned.param, "message": warned.message})
        size += len(entry) + 2
        if size > _WARNINGS_HEADER_CHARS_MAX:
            entries.append(json.dumps({"param": "", "message": f"and {len(warnings) - told} more"}))
            break
        entries.append(entry)
    return (b"x-understudy-warnings", f"[{', '.join(entries)}]".encode("ascii"))


def _records(codec: Codec) -> RecordsCodec:
    assert isinstance(codec, RecordsCodec), "the table of paths gives listings to dialects that have them"
    return codec


def _task_id(call: Call) -> str:
    wire_id = call.path_params["task_id"]
    task_id = call.codec.task_id(wire_id)
    if task_id is None:
        raise NotFound(no_such_task(printable(wire_id)))
    return task_id


def _query(call: Call) -> list[tuple[str, str]]:
    try:
        text = call.scope["query_string"].decode("ascii", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        message = f"The query must have at most {_QUERY_FIELDS_MAX} fields."
        raise Rejected(Violation("InvalidParameter", "query", message)) from None


def _links(call: Call) -> RequestLinks:
    house, scope = call.house, call.scope
    root = house.public_url or root_of(scope["scheme"], call.headers.get(b"host"), scope["server"])
    return RequestLinks(house.links, root, house.clock.now().timestamp())
