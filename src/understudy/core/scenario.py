"""Scenarios: which of the four ways of making a film the roles of a request describe."""

from enum import StrEnum

from understudy.core.content import Modality, Role
from understudy.core.request import GenerationRequest


class Scenario(StrEnum):
    """The four scenarios. Source: seed 000, "Scenarios & Roles"; contract names t2v, i2v, r2v."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FIRST_LAST_FRAME = "first_last_frame"
    REFERENCE = "reference"


FRAME_ROLES = frozenset({Role.FIRST_FRAME, Role.LAST_FRAME})
FRAME_SCENARIOS = frozenset({Scenario.FIRST_FRAME, Scenario.FIRST_LAST_FRAME})

SCENARIO_CODE = {
    Scenario.TEXT: "t2v",
    Scenario.FIRST_FRAME: "i2v",
    Scenario.FIRST_LAST_FRAME: "flf2v",
    Scenario.REFERENCE: "r2v",
}
"""How Ark's messages name each scenario. Source: Ark error messages as measured by others (2026-08)."""


def scenario_of(request: GenerationRequest) -> Scenario:
    """Name the scenario that the items point to; whether the mix is allowed is for `rules` to say.

    A lone image without a role is a first frame. Source: seed 001, "Image-to-Video (First Frame)".
    """
    content = request.content
    # Most requests are one text; this is asked for each of them.
    if len(content) == 1 and content[0].modality is Modality.TEXT:
        return Scenario.TEXT
    media = [item for item in content if item.modality not in (Modality.TEXT, Modality.DRAFT)]
    if not media:
        return Scenario.TEXT
    roles = {item.role for item in media if item.role is not None}
    if Role.LAST_FRAME in roles:
        return Scenario.FIRST_LAST_FRAME
    if Role.FIRST_FRAME in roles or (len(media) == 1 and media[0].modality is Modality.IMAGE and not roles):
        return Scenario.FIRST_FRAME
    return Scenario.REFERENCE
