"""The universal dialect of new-api and of amux's path B: `/v1/video/generations`.

Source: seed 000, "Path B"; new-api's router, task handlers and conversion for this model family. Quirks: a prompt is
always required; an unknown task is an HTTP 400; one answer to a get serves new-api's, amux's and seed 003's clients.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import UnderstudyError, Violation
from understudy.core.model_spec import Profile
from understudy.core.request import GenerationRequest
from understudy.core.task import Task
from understudy.dialects.codec import Decoded, Encoded, ErrorAnswer, Links, RemoteTask, Shapes
from understudy.dialects.ids import internal_id, with_wire_ids
from understudy.dialects.task_dto import Created, TaskAnswer, created_answer, remote_task, task_answer
from understudy.dialects.universal_errors import FlatError, NestedError, decode_flat_or_nested, encode_flat_or_nested
from understudy.dialects.universal_request import Submit, decode_submit, encode_submit


class UniversalCodec:
    """The codec; stateless but for its profile. See `dialects.codec.Codec`."""

    shapes = Shapes(request=Submit, created=Created, task=TaskAnswer, error=FlatError, other_error=NestedError)

    def __init__(self, profile: Profile) -> None:
        self.name = profile.name
        self.profile = profile

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        return decode_submit(fields, self.profile)

    def encode_request(self, request: GenerationRequest) -> Encoded:
        return encode_submit(request, self.profile)

    def encode_created(self, task: Task) -> bytes:
        return msgspec.json.encode(created_answer(task, self.profile))

    def decode_created(self, body: bytes) -> str:
        raw = msgspec.json.decode(body)
        return str(raw.get("task_id") or raw["id"])

    def encode_task(self, task: Task, links: Links) -> bytes:
        return msgspec.json.encode(task_answer(task, self.profile, links))

    def decode_task(self, body: bytes) -> RemoteTask:
        return remote_task(msgspec.json.decode(body))

    def encode_error(self, violation: Violation, request_id: str) -> ErrorAnswer:
        message = with_wire_ids(violation.message, self.profile)
        return encode_flat_or_nested(Violation(violation.code, violation.param, message), request_id)

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        return decode_flat_or_nested(status, body)

    def wire_id(self, task_id: str) -> str:
        return self.profile.wire_id_prefix + task_id

    def task_id(self, wire_id: str) -> str | None:
        return internal_id(wire_id)


AMUX = UniversalCodec(load_catalogue().profiles["amux"])
NEWAPI = UniversalCodec(load_catalogue().profiles["newapi"])
