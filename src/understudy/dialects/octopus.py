"""Seed 003's dialect (OctopusX): `content` beside `metadata` at `/v1/video/generations`, with defaults of its own.

Source: seed 003; OctopusX's page on querying. Answers and errors are those of new-api, on which it is built.
Quirks: frames win over the duration, a draft is always of the draft's resolution, and both are told when rewritten.
"""

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import Rejected
from understudy.core.request import GenerationRequest, field_of
from understudy.core.task import Warned
from understudy.dialects.ark_content import Item, encode_content
from understudy.dialects.ark_request import decode_create, ignored, lost_fields
from understudy.dialects.codec import Decoded, Encoded, Shapes
from understudy.dialects.json_body import absent, convert, unknown_keys
from understudy.dialects.naming import renamed_all, renamed_warnings
from understudy.dialects.task_dto import Created, TaskAnswer
from understudy.dialects.universal import UniversalCodec
from understudy.dialects.universal_errors import FlatError, NestedError
from understudy.dialects.universal_request import misplaced, read_metadata, require_model


class Settings(msgspec.Struct, omit_defaults=True):
    """The settings under ``metadata``."""

    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    frames: int | None = None
    seed: int | None = None
    camera_fixed: bool | None = None
    watermark: bool | None = None
    generate_audio: bool | None = None
    return_last_frame: bool | None = None
    draft: bool | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    callback_url: str | None = None


class Create(msgspec.Struct, omit_defaults=True):
    """The create request. metadata: the settings, or their JSON as text."""

    model: str | None = None
    content: list[Item] | None = None
    metadata: Settings | str | None = None


_KEYS = frozenset(Create.__struct_fields__)
_SETTINGS = Settings.__struct_fields__
_SETTING_KEYS = frozenset(_SETTINGS)
_NAMES = {key: f"metadata.{key}" for key in _SETTINGS}
_values = attrgetter(*map(field_of, _SETTINGS))
_WITHOUT_WORD = (
    "priority",
    "tools",
    "safety_identifier",
    "output_format",
    "omni_reference_task_type",
    "trace_id",
)
"""Fields of the request that seed 003 does not have."""


class OctopusCodec(UniversalCodec):
    """The codec; its answers are the universal ones."""

    shapes = Shapes(request=Create, created=Created, task=TaskAnswer, error=FlatError, other_error=NestedError)

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        given = {key: value for key, value in fields.items() if value is not None}
        metadata = read_metadata(given.get("metadata"))
        wire = convert({key: given[key] for key in given if key != "metadata"}, Create, is_lenient=True)
        require_model(wire.model)
        if not wire.content:
            absent("content")
        told = _ignored_keys(given, metadata)
        ark = {key: metadata[key] for key in _SETTINGS if key in metadata}
        try:
            found = decode_create(
                {**ark, "model": wire.model, "content": given["content"]}, self.profile, is_lenient=True
            )
        except Rejected as error:
            raise renamed_all(error, _NAMES) from None
        told += renamed_warnings(found.warnings, _NAMES)
        request, rewritten = _with_frames_and_draft(found.request, is_duration_given="duration" in metadata)
        return Decoded(request=request, warnings=(*told, *rewritten), names={**found.names, **_NAMES})

    def encode_request(self, request: GenerationRequest) -> Encoded:
        settings = Settings(**dict(zip(_SETTINGS, _values(request), strict=True)))
        wire = Create(model=request.model_shown, content=encode_content(request.content), metadata=settings)
        lost = tuple(
            Warned(param=name, message=f"`{name}` is not a parameter there.")
            for name in _WITHOUT_WORD
            if getattr(request, name) not in (None, ())
        )
        return Encoded(body=msgspec.json.encode(wire), lost=(*lost, *lost_fields(request)))


def _ignored_keys(given: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[Warned]:
    told: list[Warned] = []
    for key in unknown_keys(given, _KEYS):
        if key == "prompt":
            told.append(Warned(param=key, message="`prompt` was ignored: the text stands in `content`."))
        else:
            told.append(misplaced(key) if key in _NAMES else ignored(key))
    return told + [ignored(key) for key in unknown_keys(metadata, _SETTING_KEYS, "metadata.")]


def _with_frames_and_draft(
    request: GenerationRequest, *, is_duration_given: bool
) -> tuple[GenerationRequest, list[Warned]]:
    """Let the frames win over the duration, and make drafts in the draft's resolution. Source: seed 003, "Body"."""
    told: list[Warned] = []
    if request.frames is not None:
        if is_duration_given:
            told.append(_told("duration", f"`metadata.frames` says {request.frames}, which takes precedence."))
        request = replace(request, duration_s=None)
    model = load_catalogue().model(request.model)
    if request.draft and model is not None:
        if request.resolution not in (None, model.draft_resolution):
            told.append(_told("resolution", f"A draft is made in {model.draft_resolution}."))
        request = replace(request, resolution=model.draft_resolution)
    return request, told


def _told(key: str, message: str) -> Warned:
    return Warned(param=_NAMES[key], message=message)


OCTOPUS = OctopusCodec(load_catalogue().profiles["octopus"])
