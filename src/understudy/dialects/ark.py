"""Ark, the native dialect of Volcengine and BytePlus: `/api/v3/contents/generations/tasks`.

Source: the vendor's SDK (volcengine-ark-runtime 5.0.54), its documentation 82379/1520757 and kin, seeds 001 and 004.
Quirks: the Python SDK sends null for every field left out; a list answer is read by Go clients under
``failure_reason``, by all others under ``error``; a create answers only ``id`` (and ``safety_identifier``).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import (
    CODES,
    Conflict,
    Forbidden,
    InsufficientFunds,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnderstudyError,
    Violation,
)
from understudy.core.model_spec import Profile, Span
from understudy.core.request import GenerationRequest
from understudy.core.task import Film, Status, Task, TaskError, TaskFilter, TaskPage, Warned
from understudy.dialects.codec import Decoded, Links, RemoteTask
from understudy.dialects.ids import QUOTED_ID, internal_id
from understudy.dialects.json_body import absent, convert, read_object, reject_value, unknown_keys


class Url(msgspec.Struct):
    """The object around a media address."""

    url: str | None = None


class DraftId(msgspec.Struct):
    """The object around a draft task's id."""

    id: str | None = None


class Item(msgspec.Struct, omit_defaults=True):
    """One content item."""

    type: str | None = None
    text: str | None = None
    image_url: Url | None = None
    video_url: Url | None = None
    audio_url: Url | None = None
    draft_task: DraftId | None = None
    role: str | None = None


class Tool(msgspec.Struct):
    """One tool."""

    type: str | None = None


class Create(msgspec.Struct, omit_defaults=True):
    """The create request."""

    model: str | None = None
    content: list[Item] | None = None
    callback_url: str | None = None
    return_last_frame: bool | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    generate_audio: bool | None = None
    draft: bool | None = None
    camera_fixed: bool | None = None
    watermark: bool | None = None
    seed: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: int | None = None
    frames: int | None = None
    priority: int | None = None
    tools: list[Tool] | None = None
    safety_identifier: str | None = None
    output_format: str | None = None
    omni_reference_task_type: str | None = None


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """The error of a failed task."""

    code: str
    message: str


class Content(msgspec.Struct, omit_defaults=True):
    """Where the results are."""

    video_url: str
    last_frame_url: str | None = None


class Usage(msgspec.Struct):
    """What was used."""

    completion_tokens: int
    total_tokens: int


class Advice(msgspec.Struct):
    """One warning; ours, Ark has none."""

    param: str
    message: str


class TaskBody(msgspec.Struct, omit_defaults=True):
    """The answer to a get; absent fields are left out. ``warnings`` and ``progress`` are ours."""

    id: str
    model: str
    status: str
    created_at: int
    updated_at: int
    error: ErrorBody | None = None
    failure_reason: ErrorBody | None = None
    content: Content | None = None
    usage: Usage | None = None
    seed: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: int | None = None
    framespersecond: int | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    generate_audio: bool | None = None
    draft: bool | None = None
    priority: int | None = None
    tools: list[Tool] | None = None
    safety_identifier: str | None = None
    progress: float | None = None
    warnings: list[Advice] | None = None


class Created(msgspec.Struct, omit_defaults=True):
    """The answer to a create."""

    id: str
    safety_identifier: str | None = None


class PageBody(msgspec.Struct):
    """The answer to a listing."""

    items: list[TaskBody]
    total: int


_MEDIA_KEY = {Modality.IMAGE: "image_url", Modality.VIDEO: "video_url", Modality.AUDIO: "audio_url"}
_MODALITY = {key: modality for modality, key in _MEDIA_KEY.items()}
_ITEM_TYPES = ("text", "image_url", "audio_url", "video_url", "draft_task")
_ROLES = {
    Modality.IMAGE: frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE_IMAGE}),
    Modality.VIDEO: frozenset({Role.REFERENCE_VIDEO}),
    Modality.AUDIO: frozenset({Role.REFERENCE_AUDIO}),
}
_SAME_NAME = (
    "callback_url",
    "return_last_frame",
    "service_tier",
    "generate_audio",
    "draft",
    "camera_fixed",
    "watermark",
    "seed",
    "resolution",
    "ratio",
    "frames",
    "priority",
    "safety_identifier",
    "output_format",
    "omni_reference_task_type",
)
"""Fields of the request that Ark and the core spell alike."""
_same_fields = attrgetter(*_SAME_NAME)
_CREATE_KEYS = frozenset(Create.__struct_fields__)
_ITEM_KEYS = frozenset(Item.__struct_fields__)
_STATUSES = tuple(str(status) for status in Status)
_BY_STATUS: Mapping[int, type[UnderstudyError]] = {
    401: Unauthorized,
    402: InsufficientFunds,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def _decode_role(modality: Modality, role: str | None) -> Role | None:
    if not role:
        return None
    allowed = _ROLES[modality]
    if role not in {str(each) for each in allowed}:
        words = ", ".join(f"`{each}`" for each in sorted(allowed))
        reject_value("content", f"invalid role specified for {modality} content, supported values are: {words}.")
    return Role(role)


def _decode_item(index: int, item: Item) -> ContentItem:
    where = f"content[{index}]"
    if item.type is None:
        absent(f"{where}.type")
    if item.type not in _ITEM_TYPES:
        words = ", ".join(f"`{each}`" for each in _ITEM_TYPES)
        reject_value(f"{where}.type", f"supported values are: {words}.")
    if item.type == "text":
        return ContentItem(modality=Modality.TEXT, value=_given(item.text, f"{where}.text"))
    if item.type == "draft_task":
        draft = item.draft_task or DraftId()
        return ContentItem(modality=Modality.DRAFT, value=_given(draft.id, f"{where}.draft_task.id"))
    modality = _MODALITY[item.type]
    address: Url = getattr(item, item.type) or Url()
    value = _given(address.url, f"{where}.{item.type}.url")
    return ContentItem(modality=modality, value=value, role=_decode_role(modality, item.role))


def _given(value: str | None, param: str) -> str:
    if value is None:
        absent(param)
    return value


def _decode_tool(index: int, tool: Tool) -> str:
    return _given(tool.type, f"tools[{index}].type")


def _encode_item(item: ContentItem) -> Item:
    role = str(item.role) if item.role else None
    if item.modality is Modality.TEXT:
        return Item(type="text", text=item.value)
    if item.modality is Modality.DRAFT:
        return Item(type="draft_task", draft_task=DraftId(id=item.value))
    key = _MEDIA_KEY[item.modality]
    encoded = Item(type=key, role=role)
    setattr(encoded, key, Url(url=item.value))
    return encoded


def _ignored(raw: dict[str, Any]) -> tuple[Warned, ...]:
    """List the keys that mean nothing here; Ark ignores them too, but says nothing."""
    unknown = unknown_keys(raw, _CREATE_KEYS)
    for index, item in enumerate(raw["content"]):
        unknown += unknown_keys(item, _ITEM_KEYS, f"content[{index}].")
        if item.get("type") == "text" and item.get("role"):
            unknown.append(f"content[{index}].role")
    return tuple(Warned(param=key, message=f"`{key}` is not a parameter here and was ignored.") for key in unknown)


class ArkCodec:
    """The codec; stateless but for its profile. See `dialects.codec.Codec`."""

    name = "ark"

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def decode_request(self, body: bytes) -> Decoded:
        raw = read_object(body)
        wire = convert(raw, Create)
        if not wire.model:
            absent("model")
        if not wire.content:
            absent("content")
        expiry = wire.execution_expires_after
        defaults = self.profile.defaults
        request = GenerationRequest(
            model=wire.model,
            content=tuple(_decode_item(index, item) for index, item in enumerate(wire.content)),
            duration_s=wire.duration,
            execution_expires_after_s=int(defaults["execution_expires_after_s"]) if expiry is None else expiry,
            tools=tuple(_decode_tool(index, tool) for index, tool in enumerate(wire.tools or ())),
            **dict(zip(_SAME_NAME, _same_fields(wire), strict=True)),
        )
        return Decoded(request=request, warnings=_ignored(raw))

    def encode_request(self, request: GenerationRequest) -> bytes:
        wire = Create(
            model=request.model,
            content=[_encode_item(item) for item in request.content],
            duration=request.duration_s,
            execution_expires_after=request.execution_expires_after_s,
            tools=[Tool(type=tool) for tool in request.tools] or None,
            **dict(zip(_SAME_NAME, _same_fields(request), strict=True)),
        )
        return msgspec.json.encode(wire)

    def encode_created(self, task: Task) -> bytes:
        answer = Created(id=self.wire_id(task.id), safety_identifier=task.request.safety_identifier)
        return msgspec.json.encode(answer)

    def decode_created(self, body: bytes) -> str:
        return msgspec.json.decode(body, type=Created).id

    def encode_task(self, task: Task, links: Links) -> bytes:
        return msgspec.json.encode(self._task_body(task, links))

    def encode_page(self, page: TaskPage, links: Links) -> bytes:
        items = [self._task_body(task, links) for task in page.tasks]
        for item in items:
            item.failure_reason = item.error
        return msgspec.json.encode(PageBody(items=items, total=page.total))

    def _task_body(self, task: Task, links: Links) -> TaskBody:
        request, film = task.request, task.film
        body = TaskBody(
            id=self.wire_id(task.id),
            model=request.model,
            status=task.status.value,
            created_at=int(task.created_at.timestamp()),
            updated_at=int(task.updated_at.timestamp()),
            seed=task.seed,
            resolution=request.resolution,
            ratio=film.ratio if film else request.ratio,
            duration=film.duration_s if film else request.duration_s,
            framespersecond=_frames_per_second(task),
            service_tier=request.service_tier,
            execution_expires_after=request.execution_expires_after_s,
            generate_audio=request.generate_audio,
            draft=bool(request.draft),
            priority=request.priority,
            safety_identifier=request.safety_identifier,
        )
        if film:
            body.content = _content(film, links)
        if task.completion_tokens is not None:
            body.usage = Usage(task.completion_tokens, task.completion_tokens)
        if task.error:
            body.error = ErrorBody(task.error.code, task.error.message)
        if request.tools:
            body.tools = [Tool(type=tool) for tool in request.tools]
        if task.status is Status.RUNNING:
            body.progress = round(task.progress, 3)
        if task.warnings:
            body.warnings = [Advice(warned.param, warned.message) for warned in task.warnings]
        return body

    def decode_task(self, body: bytes) -> RemoteTask:
        return _remote(msgspec.json.decode(body))

    def decode_page(self, body: bytes) -> tuple[tuple[RemoteTask, ...], int]:
        page = msgspec.json.decode(body)
        return tuple(_remote(item) for item in page["items"]), page["total"]

    def decode_filter(self, query: Sequence[tuple[str, str]], *, now: datetime) -> TaskFilter:
        profile = self.profile
        values = dict(query)
        ids = tuple(internal_id(value) or value for key, value in query if key == "filter.task_ids")
        if len(ids) > profile.filter_task_ids_max:
            reject_value("filter.task_ids", f"at most {profile.filter_task_ids_max} ids are supported.")
        if any("\x00" in value for _, value in query):
            reject_value("filter", "the text holds a NUL character.")
        status = values.get("filter.status")
        if status and status not in _STATUSES:
            reject_value("filter.status", "supported values are: " + ", ".join(f"`{each}`" for each in _STATUSES) + ".")
        return TaskFilter(
            page=_whole(values, "page_num", profile.page_num, default=1),
            page_size=_whole(values, "page_size", profile.page_size, default=profile.page_size_default),
            created_after=now - timedelta(seconds=profile.record_retention_s),
            cancelled_after=now - timedelta(seconds=profile.cancelled_retention_s),
            status=Status(status) if status else None,
            task_ids=ids,
            model=values.get("filter.model") or None,
            service_tier=values.get("filter.service_tier") or profile.list_service_tier_default,
        )

    def encode_error(self, violation: Violation, request_id: str) -> bytes:
        error = {
            "code": violation.code,
            "message": f"{self._spelled(violation.message)} Request id: {request_id}",
            "param": violation.param,
            "type": CODES[violation.code].type,
        }
        return msgspec.json.encode({"error": error})

    def _spelled(self, message: str) -> str:
        """Spell the task ids in a sentence as this dialect does."""
        return QUOTED_ID.sub(lambda found: f"`{self.wire_id(found[1])}`", message)

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        try:
            error = msgspec.json.decode(body)["error"]
            violation = Violation(str(error["code"]), str(error.get("param") or ""), str(error["message"]))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            text = body[:200].decode("utf-8", "replace")
            violation = Violation("InternalServiceError", "", f"The server answered {status}: {text}")
        if status in _BY_STATUS:
            return _BY_STATUS[status](violation)
        return Rejected(violation) if 400 <= status < 500 else Unavailable(violation)

    def wire_id(self, task_id: str) -> str:
        return self.profile.wire_id_prefix + task_id

    def task_id(self, wire_id: str) -> str | None:
        return internal_id(wire_id)


def _frames_per_second(task: Task) -> int | None:
    return task.film.fps if task.film else None


def _content(film: Film, links: Links) -> Content:
    last_frame = links.url(film.last_frame_blob) if film.last_frame_blob else None
    return Content(video_url=links.url(film.video_blob), last_frame_url=last_frame)


def _whole(values: Mapping[str, str], name: str, span: Span, *, default: int) -> int:
    text = values.get(name)
    if text is None or text == "":
        return default
    reason = f"it must be a whole number between {span.least} and {span.most}."
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(span.most))):
        reject_value(name, reason)
    if not span.holds(int(text)):
        reject_value(name, reason)
    return int(text)


def _remote(raw: dict[str, Any]) -> RemoteTask:
    content, usage = raw.get("content") or {}, raw.get("usage") or {}
    error = raw.get("error") or raw.get("failure_reason")
    return RemoteTask(
        id=raw["id"],
        model=raw.get("model") or "",
        status=Status(raw["status"]),
        video_url=content.get("video_url"),
        last_frame_url=content.get("last_frame_url"),
        completion_tokens=usage.get("completion_tokens"),
        error=TaskError(code=error.get("code") or "", message=error.get("message") or "") if error else None,
        progress=raw.get("progress"),
        warnings=tuple(Warned(param=each["param"], message=each["message"]) for each in raw.get("warnings") or ()),
        raw=raw,
    )


ARK = ArkCodec(load_catalogue().profiles["ark"])
