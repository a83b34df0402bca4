"""Resolving a request: what the caller left open gets the model's default; nothing that was said is changed."""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest
from understudy.core.scenario import scenario_of

_NAMES = tuple(field.name for field in fields(GenerationRequest))
_values = attrgetter(*_NAMES)


def resolve(request: GenerationRequest, model: ModelSpec) -> GenerationRequest:
    """Return the request with the model's id and the model's default for each field that is still None.

    A draft and the final of one have resolutions of their own. Resolutions are spelled in lower case, because "4K" is
    accepted by the real service. A number of frames wins over a duration, which is dropped.
    Source: seed 003, line 35: "if frames is provided, it takes precedence over duration".
    """
    # By hand, because dataclasses.replace takes half as long again, and this is done for every request.
    resolved: dict[str, Any] = dict(zip(_NAMES, _values(request), strict=True))
    if request.resolution is not None:
        resolved["resolution"] = request.resolution.lower()
    elif request.draft:
        resolved["resolution"] = model.draft_resolution
    elif request.draft_task_id and model.final_resolutions:
        resolved["resolution"] = model.final_resolutions[0]
    if model.defaults_of:
        _fill(resolved, model.defaults_of.get(scenario_of(request), {}))
    _fill(resolved, model.defaults)
    if request.frames is not None:
        resolved["duration_s"] = None
    if request.model != model.id:
        resolved["model_asked"] = request.model_asked or request.model
    resolved["model"] = model.id
    return GenerationRequest(**resolved)


def _fill(resolved: dict[str, Any], defaults: Mapping[str, object]) -> None:
    for name, value in defaults.items():
        if resolved[name] is None:
            resolved[name] = value
