"""The rules between fields: each is one function that returns a violation or nothing, without I/O.

They judge a resolved request against its model and its dialect's profile. Parameter names and wording are Ark's;
a dialect with other names for the fields renames them when it encodes the error. What concerns media stands in
`core.content_rules`. Source of the wording: messages of the real service as measured by others (2026-08), where
known; ours add the values that are allowed.
"""

import re

from understudy.core.case import (
    ADDRESS_CHARS_MAX,
    TASK_TYPE,
    UNSUPPORTED,
    WEB,
    Case,
    Rule,
    invalid,
    missing,
    not_for_model,
    one_of,
    within,
)
from understudy.core.content import Modality
from understudy.core.content_rules import CONTENT_RULES, SERVING_RULES
from understudy.core.errors import Violation
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE
from understudy.core.scenario import Scenario
from understudy.core.task import Warned

__all__ = ["CONTENT_RULES", "RULES", "Case", "advice", "violations"]

# Our own bound: no document has one.
_TRACE_ID_CHARS_MAX = 1024
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*")


def content_is_not_empty(case: Case) -> Violation | None:
    """Require at least one content item."""
    if case.request.content:
        return None
    return missing("content")


def text_to_video_needs_words(case: Case) -> Violation | None:
    """Require a prompt that is not blank when there is nothing else to go by."""
    request = case.request
    if case.scenario is not Scenario.TEXT or not request.content or case.prompt.strip():
        return None
    if request.of(Modality.DRAFT):
        return None
    return invalid("content", "text content must not be empty when it is the only input.")


def prompt_is_of_bounded_length(case: Case) -> Violation | None:
    """Bound the prompt's length in characters."""
    most, given = _prompt_chars_max(case), len(case.prompt)
    if given <= most:
        return None
    reason = f"the text contents have {given} characters in all, at most {most} are supported."
    return invalid(_first_text(case), reason)


def resolution_is_offered(case: Case) -> Violation | None:
    """Require one of the model's resolutions (fast has no 1080p) that the dialect has, too."""
    asked, here = case.request.resolution, case.profile.resolutions
    if asked in case.model.resolutions and (here is None or asked in here):
        return None
    return not_for_model(
        case, "resolution", one_of([each for each in case.model.resolutions if not here or each in here])
    )


def draft_has_the_resolution_of_drafts(case: Case) -> Violation | None:
    """Require the resolution of drafts of a draft, and the resolution of finals of a final."""
    request, model = case.request, case.model
    allowed: tuple[str, ...] = ()
    if request.draft and _is_offered(case, "draft"):
        allowed = (model.draft_resolution,)
    elif case.is_final:
        allowed = model.final_resolutions
    if not allowed or request.resolution in allowed or request.resolution not in model.resolutions:
        return None
    kind = "a draft" if request.draft else "the final of a draft"
    return not_for_model(case, "resolution", f"{one_of(allowed)} for {kind}")


def draft_sets_no_other_fields(case: Case) -> Violation | None:
    """Refuse what a draft cannot give (1.5: the last frame)."""
    if not case.request.draft:
        return None
    for param in case.model.draft_refuses:
        if getattr(case.request, param):
            return not_for_model(case, param, "a draft does not have it", code=UNSUPPORTED)
    return None


def ratio_is_offered(case: Case) -> Violation | None:
    """Require one of the ratios of model and dialect, or "adaptive" where it is allowed."""
    ratio, model, here = case.request.ratio, case.model, case.profile.ratios
    is_adaptive_allowed = model.adaptive_in_text or case.scenario is not Scenario.TEXT
    is_offered = is_adaptive_allowed if ratio == RATIO_CHOSEN_BY_ENGINE else model.makes_ratio(ratio)
    if is_offered and (here is None or ratio in here):
        return None
    offered = (*model.ratios, RATIO_CHOSEN_BY_ENGINE) if is_adaptive_allowed else model.ratios
    return not_for_model(case, "ratio", one_of([each for each in offered if here is None or each in here]))


def duration_is_in_range(case: Case) -> Violation | None:
    """Require whole seconds in the model's range, or -1 where model and dialect let the model choose."""
    duration_s, model = case.request.duration_s, case.model
    if duration_s is None:
        return None
    is_choosable = model.duration_choosable and case.profile.durations_choosable
    if is_choosable if duration_s == DURATION_CHOSEN_BY_ENGINE else model.duration_s.holds(duration_s):
        return None
    choice = f", or {DURATION_CHOSEN_BY_ENGINE}" if is_choosable else ""
    return not_for_model(case, "duration", within(model.duration_s) + choice)


def frames_are_on_the_grid(case: Case) -> Violation | None:
    """Require a number of frames of the model's grid, or of the dialect's range where it offers them itself."""
    frames, grid, span = case.request.frames, case.model.frames, case.profile.frames
    if frames is None or not _is_offered(case, "frames"):
        return None
    if grid is not None:
        if grid.holds(frames):
            return None
        allowed = f"it must be {grid.least} to {grid.most} in steps of {grid.step}"
        return not_for_model(case, "frames", allowed)
    if span is None or span.holds(frames):
        return None
    return not_for_model(case, "frames", within(span))


def seed_is_in_range(case: Case) -> Violation | None:
    """Require the model's seed range."""
    seed = case.request.seed
    if seed is None or case.model.seed.holds(seed):
        return None
    return not_for_model(case, "seed", within(case.model.seed))


def priority_is_in_range(case: Case) -> Violation | None:
    """Require the model's priority range."""
    priority = case.request.priority
    if priority is None or case.model.priority.holds(priority) or "priority" in case.model.refused:
        return None
    return not_for_model(case, "priority", within(case.model.priority))


def priority_is_for_the_default_tier(case: Case) -> Violation | None:
    """Refuse a priority in another service tier. Source: Ark documentation, "priority"."""
    request = case.request
    if not request.priority or request.service_tier == case.model.defaults.get("service_tier"):
        return None
    return invalid("priority", f"it is not supported in the service tier {request.service_tier}.", UNSUPPORTED)


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
    if not case.request.tools:
        return None
    if not case.model.tools:
        return not_for_model(case, "tools", "", code=UNSUPPORTED)
    for index, tool in enumerate(case.request.tools):
        if tool not in case.model.tools:
            return invalid(f"tools[{index}].type", one_of(case.model.tools) + ".")
    if case.scenario is not Scenario.TEXT:
        return invalid("tools", f"{case.request.tools[0]} works with text-only input.")
    return None


def callback_is_a_web_address(case: Case) -> Violation | None:
    """Require http or https of the callback's address, and bound its length."""
    address = case.request.callback_url or ""
    if len(address) > ADDRESS_CHARS_MAX:
        return invalid("callback_url", f"an address has at most {ADDRESS_CHARS_MAX} characters.")
    if not address or WEB.match(address):
        return None
    return invalid("callback_url", "an http(s) address is expected.")


def safety_identifier_is_short(case: Case) -> Violation | None:
    """Bound the safety identifier."""
    most = case.profile.safety_identifier_chars_max
    if len(case.request.safety_identifier or "") <= most:
        return None
    return invalid("safety_identifier", f"it must have at most {most} characters.")


def trace_id_is_short(case: Case) -> Violation | None:
    """Bound the caller's own mark, which every listing shows."""
    if len(case.request.trace_id or "") <= _TRACE_ID_CHARS_MAX:
        return None
    return invalid("trace_id", f"it must have at most {_TRACE_ID_CHARS_MAX} characters.")


def model_has_the_field(case: Case) -> Violation | None:
    """Refuse fields of other models, unless they ask for what this model does anyway or the dialect offers them."""
    for param, harmless in case.model.refused.items():
        value = getattr(case.request, param)
        if value is not None and value not in harmless and param not in case.profile.offers:
            return not_for_model(case, param, "", code=UNSUPPORTED)
    return None


def dialect_has_the_field(case: Case) -> Violation | None:
    """Refuse fields that the dialect has not, unless they are turned off."""
    for param in case.profile.refuses:
        value = getattr(case.request, param)
        # What the model's own row refuses has been refused already.
        if value not in (None, (), False) and param not in case.model.refused:
            return not_for_model(case, param, "", code=UNSUPPORTED)
    return None


def output_format_is_offered(case: Case) -> Violation | None:
    """Require one of the model's formats, where it has a choice."""
    asked, offered = case.request.output_format, case.model.output_formats
    if asked is None or not offered or asked in offered:
        return None
    return not_for_model(case, "output_format", one_of(offered))


def omni_task_type_is_offered(case: Case) -> Violation | None:
    """Require one of the model's reference task types, where it has a choice."""
    asked, offered = case.request.omni_reference_task_type, case.model.task_types
    if asked is None or not offered or asked in offered:
        return None
    return not_for_model(case, "omni_reference_task_type", one_of(offered))


def omni_task_type_fits_the_request(case: Case) -> Violation | None:
    """Require what a reference task type asks of the rest; the final of a draft has been judged as a draft."""
    request = case.request
    asked = case.model.task_types.get(request.omni_reference_task_type or "")
    if asked is None or case.is_final:
        return None
    name = f"omni_reference_task_type {request.omni_reference_task_type}"
    if len(request.of(Modality.VIDEO)) < asked.reference_videos_min:
        reason = f"{name} requires at least {asked.reference_videos_min} reference_video."
        return invalid("omni_reference_task_type", reason, TASK_TYPE)
    if asked.ratio is not None and request.ratio != asked.ratio:
        return invalid("ratio", f"{name} requires the ratio to be `{asked.ratio}`.", TASK_TYPE)
    if asked.duration_s is not None and request.duration_s != asked.duration_s:
        return invalid("duration", f"{name} requires the duration to be {asked.duration_s}.", TASK_TYPE)
    return None


def _prompt_chars_max(case: Case) -> int:
    profile = case.profile
    return profile.prompt_chars_max_of.get(case.model.id, profile.prompt_chars_max)


def _first_text(case: Case) -> str:
    """Name the first text of the content, which a request with words has."""
    return next(f"content[{at}].text" for at, item in enumerate(case.request.content) if item.modality is Modality.TEXT)


def _is_offered(case: Case, param: str) -> bool:
    return param in case.profile.offers or (param not in case.model.refused and param not in case.profile.refuses)


RULES: tuple[Rule, ...] = (
    content_is_not_empty,
    prompt_is_of_bounded_length,
    text_to_video_needs_words,
    duration_is_in_range,
    frames_are_on_the_grid,
    resolution_is_offered,
    draft_has_the_resolution_of_drafts,
    draft_sets_no_other_fields,
    ratio_is_offered,
    model_has_the_field,
    dialect_has_the_field,
    seed_is_in_range,
    priority_is_in_range,
    priority_is_for_the_default_tier,
    service_tier_is_offered,
    expiry_is_in_range,
    tools_are_offered_and_text_only,
    callback_is_a_web_address,
    safety_identifier_is_short,
    trace_id_is_short,
    output_format_is_offered,
    omni_task_type_is_offered,
    omni_task_type_fits_the_request,
)
"""What every request is judged by."""
_ALL_RULES = CONTENT_RULES + RULES + SERVING_RULES


def violations(case: Case) -> tuple[Violation, ...]:
    """Return every broken rule in order: of the content, where it is more than text, of the fields, of the serving."""
    content = case.request.content
    is_text = len(content) == 1 and content[0].modality is Modality.TEXT and Scenario.TEXT in case.served
    rules = RULES if is_text else _ALL_RULES
    return tuple([found for rule in rules if (found := rule(case)) is not None])


def advice(case: Case) -> tuple[Warned, ...]:
    """Return what may be done and is better not done. Source: seed 001, line 296: how long a prompt should be."""
    prompt, model = case.prompt, case.model
    if len(prompt) <= min(model.advised_han_chars_max, model.advised_words_max):
        return ()
    if len(prompt) > _prompt_chars_max(case):
        # It is refused, and to count the words of megabytes would hold up everybody else.
        return ()
    param = _first_text(case)
    han_chars = len(_HAN.findall(prompt))
    if han_chars > model.advised_han_chars_max:
        given = f"{han_chars} Chinese characters, more than the {model.advised_han_chars_max}"
    elif (words := len(_WORD.findall(prompt))) > model.advised_words_max:
        given = f"{words} English words, more than the {model.advised_words_max}"
    else:
        return ()
    return (Warned(param=param, message=f"The prompt has {given} that are advised; details may be overlooked."),)
