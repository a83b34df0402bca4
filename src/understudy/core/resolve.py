"""Resolving a request: what the caller left open gets the model's default; nothing that was said is changed."""

from dataclasses import replace

from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest


def resolve(request: GenerationRequest, model: ModelSpec) -> GenerationRequest:
    """Return the request with the model's id and the model's default for each field that is still None."""
    missing = {name: value for name, value in model.defaults.items() if getattr(request, name) is None}
    return replace(request, model=model.id, **missing)  # type: ignore[arg-type]  # rows are typed by their table
