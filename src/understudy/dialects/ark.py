"""Ark, the native dialect of Volcengine and BytePlus: `/api/v3/contents/generations/tasks`.

Source: the vendor's SDK (volcengine-ark-runtime 5.0.54), its documentation 82379/1520757 and kin, seeds 001 and 004.
Quirks: a list answer is read by Go clients under ``failure_reason``, by all others under ``error``; a create answers
only ``id`` (and ``safety_identifier``), but more at amux (seed 000, path A).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, UnderstudyError, Violation
from understudy.core.model_spec import Profile, Span
from understudy.core.request import GenerationRequest
from understudy.core.task import Status, Task, TaskFilter, TaskPage
from understudy.dialects.ark_request import Create, decode_create, encode_create, lost_fields, lost_prose
from understudy.dialects.ark_task import PageBody, TaskBody, remote_task, task_body
from understudy.dialects.codec import Decoded, Encoded, ErrorAnswer, Links, RemoteTask, Shapes
from understudy.dialects.ids import internal_id, shown_id, with_wire_ids
from understudy.dialects.json_body import reject_value
from understudy.dialects.remote_errors import remote_error, told_in, unreadable


class Created(msgspec.Struct, omit_defaults=True):
    """The answer to a create; all but ``id`` and ``safety_identifier`` is amux's."""

    id: str
    model: str | None = None
    status: str | None = None
    created_at: int | None = None
    safety_identifier: str | None = None


class ErrorDetail(msgspec.Struct):
    """What is wrong. type: the family of the HTTP status."""

    code: str
    message: str
    param: str
    type: str


class ErrorEnvelope(msgspec.Struct):
    """An error answer."""

    error: ErrorDetail


_STATUSES = tuple(str(status) for status in Status)


class ArkCodec:
    """The codec; stateless but for its profile. See `dialects.codec.RecordsCodec`."""

    shapes = Shapes(request=Create, created=Created, task=TaskBody, page=PageBody, error=ErrorEnvelope)

    def __init__(self, profile: Profile) -> None:
        self.name = profile.name
        self.profile = profile

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        return decode_create(fields, self.profile)

    def encode_request(self, request: GenerationRequest) -> Encoded:
        lost = (*lost_fields(request), *lost_prose(request, self.profile))
        return Encoded(body=msgspec.json.encode(encode_create(request)), lost=lost)

    def encode_created(self, task: Task) -> bytes:
        answer = Created(id=shown_id(task, self.profile), safety_identifier=task.request.safety_identifier)
        if self.profile.tells_task_on_create:
            answer.model = task.request.model_shown
            answer.status = str(task.status)
            answer.created_at = int(task.created_at.timestamp())
        return msgspec.json.encode(answer)

    def decode_created(self, body: bytes) -> str:
        return msgspec.json.decode(body, type=Created).id

    def encode_task(self, task: Task, links: Links) -> bytes:
        return msgspec.json.encode(self._body(task, links))

    def _body(self, task: Task, links: Links) -> TaskBody:
        return task_body(task, links, shown_id(task, self.profile))

    def decode_task(self, body: bytes) -> RemoteTask:
        return remote_task(msgspec.json.decode(body))

    def encode_page(self, page: TaskPage, links: Links) -> bytes:
        items = [self._body(task, links) for task in page.tasks]
        for item in items:
            item.failure_reason = item.error
        return msgspec.json.encode(PageBody(items=items, total=page.total))

    def decode_page(self, body: bytes) -> tuple[tuple[RemoteTask, ...], int]:
        page = msgspec.json.decode(body)
        return tuple(remote_task(item) for item in page["items"]), page["total"]

    def decode_filter(self, query: Sequence[tuple[str, str]], *, now: datetime) -> TaskFilter:
        profile = self.profile
        values = dict(query)
        # The SDKs repeat the key; axios and PHP add brackets to it, and hand-written clients join the ids by commas.
        lists = (value for key, value in query if key in ("filter.task_ids", "filter.task_ids[]"))
        ids = tuple(internal_id(each) or each for value in lists for each in re.split(r"[,\s]+", value) if each)
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

    def encode_deleted(self, task_id: str) -> bytes:
        return b"{}"

    def encode_error(self, violation: Violation, request_id: str) -> ErrorAnswer:
        code = CODES[violation.code]
        words = self.profile.error_words.get(violation.code)
        message = f"{with_wire_ids(violation.message, self.profile)} Request id: {request_id}"
        detail = ErrorDetail(violation.code, f"{words}: {message}" if words else message, violation.param, code.type)
        status = self.profile.error_statuses.get(violation.code, code.status)
        return ErrorAnswer(status=status, body=msgspec.json.encode(ErrorEnvelope(detail)))

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        found = told_in(body, _violation)
        return remote_error(status, found) if found else unreadable(status, body)

    def wire_id(self, task_id: str) -> str:
        return self.profile.wire_id_prefix + task_id

    def task_id(self, wire_id: str) -> str | None:
        return internal_id(wire_id)


def _violation(answer: Any) -> Violation:
    error = answer["error"]
    return Violation(str(error["code"]), str(error.get("param") or ""), str(error["message"]))


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


ARK = ArkCodec(load_catalogue().profiles["ark"])
APIYI = ArkCodec(load_catalogue().profiles["apiyi"])
AMUX_NATIVE = ArkCodec(load_catalogue().profiles["amux-native"])
