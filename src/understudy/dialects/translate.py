"""One request in another dialect's words: pure, for the command line and for whoever moves from one API to another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy.catalog.load import Catalogue
from understudy.core.errors import NotFound, Violation
from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest, field_of
from understudy.core.resolve import resolve
from understudy.core.rules import Case, violations
from understudy.core.scenario import Scenario, scenario_of
from understudy.core.task import Warned
from understudy.dialects.codec import Codec

ANY_ENGINE = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A request in another dialect.

    body: JSON. ignored: what the first dialect dropped or rewrote. lost: what the second cannot carry. refused: what
    the second would refuse of the rest, with Ark's names of the parameters.
    """

    body: bytes
    ignored: tuple[Warned, ...]
    lost: tuple[Warned, ...]
    refused: tuple[Violation, ...]


def translate(fields: Mapping[str, Any], *, source: Codec, target: Codec, catalogue: Catalogue) -> Translation:
    """Say the request in the target's words, every default of the source and its model written out.

    Raises: Rejected by the source's codec; NotFound for a model that the catalogue does not have.
    """
    decoded = source.decode_request(fields)
    model = catalogue.model(decoded.request.model)
    if model is None:
        message = f"The model {decoded.request.model[:200]} is not in the catalogue."
        raise NotFound(Violation("InvalidEndpointOrModel.NotFound", "model", message))
    request = resolve(decoded.request, model)
    named = replace(request, model_asked=target.profile.model_names.get(model.id, model.id))
    encoded = target.encode_request(named)
    served = frozenset(Scenario)
    case = Case(request=named, model=model, profile=target.profile, engine=ANY_ENGINE, served=served)
    lost = tuple(warned for warned in encoded.lost if not _is_default(warned.param, named, model))
    left_out = {warned.param for warned in lost}
    refused = tuple(broken for broken in violations(case) if broken.param not in left_out)
    return Translation(body=encoded.body, ignored=decoded.warnings, lost=lost, refused=refused)


def _is_default(param: str, request: GenerationRequest, model: ModelSpec) -> bool:
    """Say whether the request asks for what the model does anyway: to leave that out changes nothing."""
    defaults = {**model.defaults, **model.defaults_of.get(scenario_of(request), {})}
    field = field_of(param)
    return field in defaults and getattr(request, field) == defaults[field]
