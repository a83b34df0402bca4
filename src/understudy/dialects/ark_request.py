"""Ark's create request, which several dialects carry whole or in part: the wire struct and its translation, both ways.

Quirks: the vendor's Python SDK sends null for every field left out; unknown keys are ignored by the real service, and
here, but told.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.model_spec import Profile
from understudy.core.prompt_flags import split_flags, take_flags
from understudy.core.request import ARKS_NAMES, GenerationRequest
from understudy.core.roles import with_roles, with_sole_roles
from understudy.core.task import Warned
from understudy.dialects.ark_content import (
    Item,
    Tool,
    decode_content,
    decode_tools,
    encode_content,
    encode_tools,
    idle_item_keys,
)
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import absent, convert
from understudy.dialects.unread import unread_keys


class Create(msgspec.Struct, omit_defaults=True):
    """The create request. trace_id is amux's; Ark has no such field and this server keeps it all the same."""

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
    trace_id: str | None = None


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
    "trace_id",
)
"""Fields of the request that Ark and the core spell alike."""
_same_fields = attrgetter(*_SAME_NAME)


def decode_create(fields: Mapping[str, Any], profile: Profile, *, is_lenient: bool = False) -> Decoded:
    """Read Ark's request with the profile's defaults and roles. is_lenient: numbers and booleans may be strings.

    Raises: Rejected.
    """
    wire = convert(fields, Create, is_lenient=is_lenient)
    if not wire.model:
        absent("model")
    if not wire.content:
        absent("content")
    content, told = decode_content(wire.content), tuple([ignored(key) for key in _ignored_keys(fields)])
    values = msgspec.structs.asdict(wire)
    for name in ("model", "content", "tools"):
        del values[name]
    for field, param in ARKS_NAMES.items():
        values[field] = values.pop(param)
    if profile.prompt_flags and any("--" in item.value for item in content if item.modality is Modality.TEXT):
        model = load_catalogue().model(wire.model)
        given = take_flags(content, values, model=model, model_name=wire.model)
        content, told = given.content, told + given.told
        values.update(given.values)
    if len(content) > 1 or content[0].modality is not Modality.TEXT:
        content, assumed = with_roles(content) if profile.roles_inferred else with_sole_roles(content)
        told += assumed
    told += drop_duration(values, content, profile)
    request = GenerationRequest(
        model=wire.model, content=content, tools=decode_tools(wire.tools), **with_defaults(values, profile)
    )
    return Decoded(request=request, warnings=told)


def with_defaults(values: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """Return the fields of a request with the dialect's own default for each that was left out.

    A draft has the resolution of drafts, whatever the dialect's default is; `resolve` knows it.
    """
    for name, value in profile.defaults.items():
        if values.get(name) is None and not (name == "resolution" and values.get("draft")):
            values[name] = value
    return values


def drop_duration(values: dict[str, Any], content: Sequence[ContentItem], profile: Profile) -> tuple[Warned, ...]:
    """Take the duration out of ``values`` where the dialect does, and tell of it.

    Source: seed 000, line 152: when all media are reference images, `duration` is stripped.
    """
    if not profile.duration_dropped_with_reference_images or values.get("duration_s") is None:
        return ()
    roles = {item.role for item in content if item.modality is not Modality.TEXT}
    if roles != {Role.REFERENCE_IMAGE}:
        return ()
    values["duration_s"] = None
    return (Warned(param="duration", message="`duration` is not used when all media are reference images."),)


def ignored(param: str) -> Warned:
    """Tell of a key that the dialect does not have."""
    return Warned(param=param, message=f"`{param}` is not a parameter here and was ignored.")


_UNCARRIED = ("draft_task_id", "remixed_from")


def lost_fields(request: GenerationRequest) -> tuple[Warned, ...]:
    """Tell what Ark's request has no field for: which of this server's tasks the request builds upon."""
    return tuple(
        Warned(param=name, message=f"`{name}` is not carried: it names a task of this server.")
        for name in _UNCARRIED
        if getattr(request, name) is not None
    )


def joined_texts(request: GenerationRequest) -> tuple[Warned, ...]:
    """Tell of the texts behind the first, which a dialect with one prompt joins to it."""
    texts = [index for index, item in enumerate(request.content) if item.modality is Modality.TEXT]
    message = "The texts become one prompt, one per line."
    return tuple(Warned(param=f"content[{index}]", message=message) for index in texts[1:])


def lost_prose(request: GenerationRequest, profile: Profile) -> tuple[Warned, ...]:
    """Tell of prose that ends like flags: whoever reads it in this dialect will take it for fields."""
    if not profile.prompt_flags:
        return ()
    message = "The end of the prompt is read as flags there, and taken off."
    return tuple(
        Warned(param=f"content[{place}].text", message=message)
        for place, item in enumerate(request.content)
        if item.modality is Modality.TEXT and split_flags(item.value)[1]
    )


def encode_create(request: GenerationRequest) -> Create:
    """Write Ark's request."""
    return Create(
        model=request.model_shown,
        content=encode_content(request.content),
        duration=request.duration_s,
        execution_expires_after=request.execution_expires_after_s,
        tools=encode_tools(request.tools),
        **dict(zip(_SAME_NAME, _same_fields(request), strict=True)),
    )


def _ignored_keys(fields: Mapping[str, Any]) -> list[str]:
    return unread_keys(fields, Create) + idle_item_keys(fields["content"])
