"""Resolving a request: what the caller left open gets the model's default; nothing that was said is changed."""

from dataclasses import fields
from operator import attrgetter

from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest

_NAMES = tuple(field.name for field in fields(GenerationRequest))
_values = attrgetter(*_NAMES)


def resolve(request: GenerationRequest, model: ModelSpec) -> GenerationRequest:
    """Return the request with the model's id and the model's default for each field that is still None."""
    # By hand, because dataclasses.replace takes half as long again, and this is done for every request.
    resolved = dict(zip(_NAMES, _values(request), strict=True))
    for name, value in model.defaults.items():
        if resolved[name] is None:
            resolved[name] = value
    if request.model != model.id:
        resolved["model_asked"] = request.model_asked or request.model
    resolved["model"] = model.id
    return GenerationRequest(**resolved)
