"""The task routes. What the bytes mean is the codec's, what happens the service's; here they meet."""

from urllib.parse import parse_qsl

from understudy.core.change import Change
from understudy.core.errors import Rejected, Violation
from understudy.core.task import ENDED, Status, Task, Warned
from understudy.dialects.apimart_assets import batch_of
from understudy.dialects.codec import Codec, Decoded, RecordsCodec
from understudy.dialects.openai_request import decode_change
from understudy.dialects.select import dialect_of_answer, dialect_of_request
from understudy.server.avatars import show_avatar
from understudy.server.body import BodyReader
from understudy.server.content import send_blob
from understudy.server.endpoint import Call, wire_task_id
from understudy.server.links import RequestLinks, root_of
from understudy.server.quotes import encode_quote
from understudy.server.reply import JSON, Answer, Header, Reply
from understudy.server.warned import asks_strictness, warnings_header
from understudy.server.watch import Watches, asked_wait_s, prospect_headers
from understudy.service.idempotency import checked_key
from understudy.service.quote import refused
from understudy.service.submit import Sender

_QUERY_FIELDS_MAX = 1000
_REPLAYED: Header = (b"idempotent-replayed", b"true")


class TaskRoutes:
    """Handlers over one house; who is meant comes with each call."""

    def __init__(self, bodies: BodyReader, watches: Watches) -> None:
        self._bodies = bodies
        self._watches = watches

    async def create(self, call: Call) -> Reply:
        """Accept a request; the task is stored, durably, before the answer leaves."""
        is_strict = asks_strictness(call)
        return await _accept(call, await self._decode(call), is_strict=is_strict)

    async def quote(self, call: Call) -> Reply:
        """Say what a request would come to; nothing is stored."""
        is_strict = asks_strictness(call)
        quoter = call.house.quoter
        fields = await self._bodies.read(call)
        _settle(call, dialect_of_request(call.dialects, fields.keys()))
        try:
            decoded = call.codec.decode_request(fields)
        except Rejected as error:
            told = refused(error.violations, quoter.engine)
        else:
            told = await quoter.quote(owner=call.owner, dialect=call.codec.name, decoded=decoded, is_strict=is_strict)
        return Reply(200, encode_quote(told, call.codec))

    async def get(self, call: Call) -> Reply:
        """Show one task, in the words of whoever created it where they are understood at this path."""
        batch = batch_of(call.path_params["task_id"])
        if batch is not None:
            return await show_avatar(call, batch)
        headers, task_id = JSON, wire_task_id(call)
        if call.scope["query_string"] or b"prefer" in call.headers:
            wait_s, told = asked_wait_s(call)
            task = await self._watches.wait(call, task_id, wait_s)
            headers += told
        else:
            task = await call.house.queries.get(call.owner, task_id)
        _settle(call, dialect_of_answer(call.dialects, task.dialect))
        if task.status not in ENDED:
            outlook = self._watches.outlook
            headers += prospect_headers(outlook.glimpse(task) or await outlook.of(task))
            pause_ms = call.codec.profile.poll_after_ms
            if pause_ms is not None:
                headers += ((b"openai-poll-after-ms", b"%d" % pause_ms),)
        return Reply(200, call.codec.encode_task(task, links_of(call)), headers)

    async def list_tasks(self, call: Call) -> Reply:
        """Show a page of the caller's tasks."""
        codec = _records(call.codec)
        wanted = codec.decode_filter(_query(call), now=call.house.clock.now())
        page = await call.house.queries.list_tasks(call.owner, wanted)
        return Reply(200, codec.encode_page(page, links_of(call)))

    async def delete(self, call: Call) -> Reply:
        """Cancel a queued task or remove the record of an ended one. A body, which the SDK sends, is not read."""
        codec, task_id = _records(call.codec), wire_task_id(call)
        await call.house.queries.withdraw(call.owner, task_id)
        return Reply(200, codec.encode_deleted(task_id))

    async def content(self, call: Call) -> Answer:
        """Send the film itself, or a picture of it."""
        variant = dict(_query(call)).get("variant") or "video"
        task = await call.house.queries.get(call.owner, wire_task_id(call))
        return await send_blob(call, await self._blob_of(call, task, variant))

    async def _blob_of(self, call: Call, task: Task, variant: str) -> str:
        if task.film is None or task.status is not Status.SUCCEEDED:
            message = f"Task is not completed yet, current status: {task.status}"
            raise Rejected(Violation("InvalidAction.TaskNotCompleted", "id", message))
        if variant == "video":
            return task.film.video_blob
        return await call.house.stills.blob_of(task.film, variant)

    async def change(self, call: Call) -> Reply:
        """Make a new film from one that is there: remix, edit, extension."""
        is_strict = asks_strictness(call)
        fields = await self._bodies.read(call)
        kind = call.scope["path"].rstrip("/").rpartition("/")[2]
        change, warnings = decode_change(kind, fields, source=_source_id(call))
        return await _accept(call, await self._changed(call, change, warnings), is_strict=is_strict)

    async def _changed(self, call: Call, change: Change, warnings: tuple[Warned, ...]) -> Decoded:
        found = await call.house.changes.request_of(call.owner, call.codec.profile, change)
        return Decoded(request=found.request, warnings=warnings + found.warnings, names=found.names)

    async def _decode(self, call: Call) -> Decoded:
        fields = await self._bodies.read(call)
        _settle(call, dialect_of_request(call.dialects, fields.keys()))
        return call.codec.decode_request(fields)


async def _accept(call: Call, decoded: Decoded, *, is_strict: bool) -> Reply:
    accepted = await call.house.submitter.submit(
        owner=call.owner,
        dialect=call.codec.name,
        decoded=decoded,
        is_strict=is_strict,
        spooled=call.spooled,
        sender=_sender(call, decoded),
    )
    task, headers = accepted.task, JSON
    if task.warnings:
        headers = (*headers, warnings_header(task.warnings))
    if accepted.is_replayed:
        headers = (*headers, _REPLAYED)
    return Reply(200, call.codec.encode_created(task), headers)


def _sender(call: Call, decoded: Decoded) -> Sender:
    given = call.headers.get(b"idempotency-key")
    return Sender(
        key_id=call.key_id,
        root=_root(call) if decoded.request.callback_url else "",
        idempotency_key=None if given is None else checked_key(given),
    )


def _settle(call: Call, dialect: str) -> None:
    """Let the dialect that is meant speak from now on."""
    call.codec = call.house.codecs[dialect]


def _records(codec: Codec) -> RecordsCodec:
    if isinstance(codec, RecordsCodec):
        return codec
    message = f"The dialect {codec.name} neither lists nor deletes tasks."
    raise Rejected(Violation("InvalidParameter", "X-Understudy-Dialect", message))


def _source_id(call: Call) -> str | None:
    return wire_task_id(call) if "task_id" in call.path_params else None


def _query(call: Call) -> list[tuple[str, str]]:
    try:
        text = call.scope["query_string"].decode("ascii", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        message = f"The query must have at most {_QUERY_FIELDS_MAX} fields."
        raise Rejected(Violation("InvalidParameter", "query", message)) from None


def links_of(call: Call) -> RequestLinks:
    """Return the links of an answer to a call."""
    house = call.house
    kept_s = house.queries.retention.record_retention_s
    return RequestLinks(house.links, _root(call), house.clock.now().timestamp(), kept_s=int(kept_s) or None)


def _root(call: Call) -> str:
    scope = call.scope
    return call.house.public_url or root_of(scope["scheme"], call.headers.get(b"host"), scope["server"])
