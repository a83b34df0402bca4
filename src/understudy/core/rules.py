"""The rules between fields: each is one function that returns a violation or nothing, without I/O.

They judge a resolved request against its model and its dialect's profile. Parameter names and wording are Ark's;
a dialect with other names for the fields renames them when it encodes the error. Source of the wording: messages of
the real service as measured by others (2026-08), where known; ours add the values that are allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Violation
from understudy.core.model_spec import ModelSpec, Profile, Span
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import SCENARIO_CODE, Scenario, scenario_of

INVALID = "InvalidParameter"
UNSUPPORTED = "InvalidParameter.UnsupportedParameter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule judges: the resolved request, its model, its dialect, and what the engine can serve."""

    request: GenerationRequest
    model: ModelSpec
    profile: Profile
    engine: str
    served: frozenset[Scenario]

    @property
    def where(self) -> str:
        """Model and scenario as Ark's messages name them: ``doubao-seedance-2-0 in t2v``."""
        return f"{self.model.name} in {SCENARIO_CODE[scenario_of(self.request)]}"


Rule = Callable[[Case], Violation | None]


def invalid(param: str, reason: str, code: str = INVALID) -> Violation:
    """Return a violation in Ark's frame: "The parameter `x` specified in the request is not valid: reason"."""
    return Violation(code, param, f"The parameter `{param}` specified in the request is not valid: {reason}")


def not_for_model(case: Case, param: str, allowed: str, *, code: str = INVALID) -> Violation:
    """Return Ark's "not valid for model X in t2v" for a parameter, with what would be valid."""
    tail = f", {allowed}" if allowed else ""
    reason = f"the parameter {param} specified in the request is not valid for model {case.where}{tail}."
    return invalid(param, reason, code)


def one_of(values: tuple[str, ...]) -> str:
    """Say which values are supported."""
    return "supported values are: " + ", ".join(f"`{value}`" for value in values)


def within(span: Span) -> str:
    """Say which range is supported."""
    return f"it must be between {span.least} and {span.most}"


def content_is_not_empty(case: Case) -> Violation | None:
    """Require at least one content item."""
    if case.request.content:
        return None
    return Violation("MissingParameter", "content", "The request failed because it is missing `content` parameter.")


def media_is_served_by_the_engine(case: Case) -> Violation | None:
    """Refuse the first media item of a scenario that the engine cannot serve."""
    if scenario_of(case.request) in case.served and not case.request.of(Modality.DRAFT):
        return None
    for index, item in enumerate(case.request.content):
        if item.modality is not Modality.TEXT:
            return invalid(f"content[{index}]", _not_served(case, item))
    return None


def _not_served(case: Case, item: ContentItem) -> str:
    kind = str(item.modality) if item.modality is Modality.DRAFT else f"{item.modality}_url"
    return f"this server does not serve `{kind}` content yet; its engine {case.engine} takes `text` content only."


def text_to_video_needs_words(case: Case) -> Violation | None:
    """Require a prompt that is not blank when there is nothing else to go by."""
    request = case.request
    if scenario_of(request) is not Scenario.TEXT or not request.content or request.prompt.strip():
        return None
    return invalid("content", "text content must not be empty when it is the only input.")


def prompt_is_of_bounded_length(case: Case) -> Violation | None:
    """Bound the prompt's length in characters."""
    most = case.profile.prompt_chars_max
    given = len(case.request.prompt)
    if given <= most:
        return None
    return invalid("content", f"the text contents have {given} characters in all, at most {most} are supported.")


def resolution_is_offered(case: Case) -> Violation | None:
    """Require one of the model's resolutions (fast has no 1080p)."""
    if case.request.resolution in case.model.resolutions:
        return None
    return not_for_model(case, "resolution", one_of(case.model.resolutions))


def ratio_is_offered(case: Case) -> Violation | None:
    """Require one of the model's ratios or "adaptive"."""
    ratio, offered = case.request.ratio, case.model.ratios
    if ratio == RATIO_CHOSEN_BY_ENGINE or ratio in offered:
        return None
    return not_for_model(case, "ratio", one_of((*offered, RATIO_CHOSEN_BY_ENGINE)))


def duration_is_in_range(case: Case) -> Violation | None:
    """Require whole seconds in the model's range, or -1 where the model may choose."""
    duration_s, span = case.request.duration_s, case.model.duration_s
    if duration_s is None or span.holds(duration_s):
        return None
    if duration_s == DURATION_CHOSEN_BY_ENGINE and case.model.duration_choosable:
        return None
    choice = f", or {DURATION_CHOSEN_BY_ENGINE}" if case.model.duration_choosable else ""
    return not_for_model(case, "duration", within(span) + choice)


def seed_is_in_range(case: Case) -> Violation | None:
    """Require the model's seed range."""
    seed = case.request.seed
    if seed is None or case.model.seed.holds(seed):
        return None
    return not_for_model(case, "seed", within(case.model.seed))


def priority_is_in_range(case: Case) -> Violation | None:
    """Require the model's priority range."""
    priority = case.request.priority
    if priority is None or case.model.priority.holds(priority):
        return None
    return not_for_model(case, "priority", within(case.model.priority))


def service_tier_is_offered(case: Case) -> Violation | None:
    """Require a tier the model has (2.x has no flex)."""
    tier = case.request.service_tier
    if tier is None or tier in case.model.service_tiers:
        return None
    return not_for_model(case, "service_tier", one_of(case.model.service_tiers), code=UNSUPPORTED)


def expiry_is_in_range(case: Case) -> Violation | None:
    """Require the dialect's range for execution_expires_after."""
    given, span = case.request.execution_expires_after_s, case.profile.execution_expires_after_s
    if given is None or span.holds(given):
        return None
    param = "execution_expires_after"
    reason = f"the specified {param} {given} does not support content generation, {within(span)} seconds."
    return invalid(param, reason)


def tools_are_offered_and_text_only(case: Case) -> Violation | None:
    """Require known tools, and web search with text alone. Source: seed 001, "Important Notes"."""
    for index, tool in enumerate(case.request.tools):
        if tool not in case.model.tools:
            return invalid(f"tools[{index}].type", one_of(case.model.tools) + ".")
        if scenario_of(case.request) is not Scenario.TEXT:
            return invalid("tools", f"{tool} works with text-only input.")
    return None


def safety_identifier_is_short(case: Case) -> Violation | None:
    """Bound the safety identifier."""
    most = case.profile.safety_identifier_chars_max
    if len(case.request.safety_identifier or "") <= most:
        return None
    return invalid("safety_identifier", f"it must have at most {most} characters.")


def model_has_the_field(case: Case) -> Violation | None:
    """Refuse fields of other models, unless they ask for what this model does anyway."""
    for param, harmless in case.model.refused.items():
        value = getattr(case.request, param)
        if value is not None and value not in harmless:
            return not_for_model(case, param, "", code=UNSUPPORTED)
    return None


RULES: tuple[Rule, ...] = (
    content_is_not_empty,
    prompt_is_of_bounded_length,
    media_is_served_by_the_engine,
    text_to_video_needs_words,
    duration_is_in_range,
    resolution_is_offered,
    ratio_is_offered,
    model_has_the_field,
    seed_is_in_range,
    priority_is_in_range,
    service_tier_is_offered,
    expiry_is_in_range,
    tools_are_offered_and_text_only,
    safety_identifier_is_short,
)


def violations(case: Case) -> tuple[Violation, ...]:
    """Return every broken rule, in the order of `RULES`."""
    return tuple([found for rule in RULES if (found := rule(case)) is not None])
