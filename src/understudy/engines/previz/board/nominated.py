"""Reference images that the prompt calls the first or the last frame of the film."""

from dataclasses import replace
from pathlib import Path

from understudy.core.content import Modality
from understudy.engines.previz.board.given import Given
from understudy.engines.previz.plan import FilmPlan, ReferenceUse


def with_nominated(given: Given, plan: FilmPlan) -> Given:
    """Make the images that the plan nominates the frames they are called; an image given as a frame goes before."""
    return replace(
        given,
        first=given.first or _called(given, plan, ReferenceUse.FIRST_FRAME),
        last=given.last or _called(given, plan, ReferenceUse.LAST_FRAME),
    )


def _called(given: Given, plan: FilmPlan, use: ReferenceUse) -> Path | None:
    for reference in plan.references:
        if (reference.modality, reference.use) == (Modality.IMAGE, use) and 1 <= reference.number <= len(given.images):
            return given.images[reference.number - 1]
    return None
