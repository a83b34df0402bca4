"""The case that rules judge, and the sentences they judge it with. Wording: Ark's, as measured by others (2026-08)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Violation
from understudy.core.model_spec import ModelSpec, Profile, Span
from understudy.core.request import GenerationRequest
from understudy.core.scenario import SCENARIO_CODE, Scenario, scenario_of

INVALID = "InvalidParameter"
UNSUPPORTED = "InvalidParameter.UnsupportedParameter"
TASK_TYPE = "InvalidParameter.TaskTypeConstraint"

# Our own bound, as that of registered assets: a task keeps its addresses, and a listing holds hundreds of tasks.
ADDRESS_CHARS_MAX = 8192
WEB = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
"""How an address begins that can be opened from anywhere."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a rule judges: the resolved request, its model, its dialect, and what the engine can serve.

    Without slots, because what several rules ask for is worked out once and kept: scenario, what the roles add up to;
    prompt, the request's; media, images, videos and audio with their places in the content.
    """

    request: GenerationRequest
    model: ModelSpec
    profile: Profile
    engine: str
    served: frozenset[Scenario]
    scenario: Scenario = field(init=False)
    prompt: str = field(init=False)

    def __post_init__(self) -> None:
        # Not cached properties: those take a lock each in Python 3.11, and every request is judged.
        self.__dict__["scenario"] = scenario_of(self.request)
        self.__dict__["prompt"] = self.request.prompt

    @cached_property
    def media(self) -> tuple[tuple[int, ContentItem], ...]:
        return tuple(
            (index, item)
            for index, item in enumerate(self.request.content)
            if item.modality is not Modality.TEXT and item.modality is not Modality.DRAFT
        )

    @property
    def where(self) -> str:
        """Model and scenario as Ark's messages name them: ``doubao-seedance-2-0 in t2v``."""
        return f"{self.model.name} in {SCENARIO_CODE[self.scenario]}"

    @property
    def is_final(self) -> bool:
        """Whether it is the final of a draft, which settled what the draft said."""
        return self.request.draft_task_id is not None


Rule = Callable[[Case], Violation | None]


def invalid(param: str, reason: str, code: str = INVALID) -> Violation:
    """Return a violation in Ark's frame: "The parameter `x` specified in the request is not valid: reason"."""
    return Violation(code, param, f"The parameter `{param}` specified in the request is not valid: {reason}")


def missing(param: str) -> Violation:
    """Return Ark's violation for a parameter that is not there."""
    return Violation("MissingParameter", param, f"The request failed because it is missing `{param}` parameter.")


def not_for_model(case: Case, param: str, allowed: str, *, code: str = INVALID) -> Violation:
    """Return Ark's "not valid for model X in t2v" for a parameter, with what would be valid."""
    tail = f", {allowed}" if allowed else ""
    reason = f"the parameter {param} specified in the request is not valid for model {case.where}{tail}."
    return invalid(param, reason, code)


def one_of(values: Iterable[str]) -> str:
    """Say which values are supported."""
    return "supported values are: " + ", ".join(f"`{value}`" for value in values)


def within(span: Span) -> str:
    """Say which range is supported."""
    return f"it must be between {span.least} and {span.most}"
