"""Which ratio "adaptive" means where media are given: pure arithmetic on what was measured of them."""

import math
from collections.abc import Iterable

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import FRAME_SCENARIOS, scenario_of


def concrete_ratio(request: GenerationRequest, ratios: Iterable[str]) -> str | None:
    """Return the ratio of the film as far as it is settled before an engine reads the prompt; None = it is not.

    ratios: those that the model has, such as "16:9" or "1.91:1". A request that names its ratio has that one. Media are
    asked for their shape as it is shown, which is in their ``medium.facts``: frames have the ratio nearest to the first
    of them, references that of the first video, else of the first image. Of two that are equally near, the first.
    Source: the contract's ``ratio: adaptive``; seed 004, "Resolutions & Aspect Ratios".
    """
    if request.ratio not in (None, RATIO_CHOSEN_BY_ENGINE):
        return request.ratio
    shape = _shape_of(_leading(request))
    known = [ratio for ratio in ratios if ratio != RATIO_CHOSEN_BY_ENGINE]
    if shape is None or not known:
        return None
    return min(known, key=lambda ratio: abs(math.log(shape) - _log_shape(ratio)))


def _leading(request: GenerationRequest) -> ContentItem | None:
    """The medium whose shape the film takes."""
    images, videos = request.of(Modality.IMAGE), request.of(Modality.VIDEO)
    if scenario_of(request) in FRAME_SCENARIOS:
        named = [item for item in images if item.role is Role.FIRST_FRAME]
        return next(iter((*named, *images)), None)
    return next(iter((*videos, *images)), None)


def _shape_of(item: ContentItem | None) -> float | None:
    """Width by height, or None where nothing was measured."""
    if item is None or item.medium is None:
        return None
    facts = item.medium.facts
    return facts.width_px / facts.height_px if facts.width_px and facts.height_px else None


def _log_shape(ratio: str) -> float:
    # Logarithms, so that 16:9 is as far from 1:1 as 9:16 is.
    width, _, height = ratio.partition(":")
    return math.log(float(width) / float(height))
