"""From a job and its route to the film that is wanted and the order for the model; pictures are read elsewhere."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from understudy.core.content import Modality
from understudy.core.ratios import concrete_ratio
from understudy.core.render import RenderJob
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE
from understudy.engines.diffusion.grid import Canvas, canvas_for, frames_for
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.recipe import Schedule
from understudy.engines.diffusion.routing import Route

USUAL_RATIO = "16:9"
USUAL_DURATION_S = 5
"""Where nothing that is given says how long the film is: as long as a request that leaves the field out gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The film as it is delivered, and as the model is to make it.

    width_px, height_px, num_frames: of the film. canvas, canvas_frames, canvas_fps: of what the model makes.
    schedule: of steps, for a draft or not.
    """

    ratio: str
    width_px: int
    height_px: int
    num_frames: int
    canvas: Canvas
    canvas_frames: int
    canvas_fps: float
    schedule: Schedule


def wanted_of(job: RenderJob, route: Route) -> Wanted:
    """Settle size, length and steps of the job's film."""
    request, recipe = job.request, route.recipe
    ratio = concrete_ratio(request, job.sizes) or _usual(job.sizes)
    size_px = job.sizes[ratio]
    num_frames = job.num_frames or duration_s_of(job, route) * job.fps
    resolution = str(request.resolution)
    draft = recipe.draft if request.draft else None
    return Wanted(
        ratio=ratio,
        width_px=size_px[0],
        height_px=size_px[1],
        num_frames=num_frames,
        canvas=canvas_for(recipe, size_px, resolution),
        canvas_frames=frames_for(recipe, num_frames=num_frames, fps=job.fps),
        canvas_fps=recipe.model.fps,
        schedule=draft or recipe.usual,
    )


def duration_s_of(job: RenderJob, route: Route) -> int:
    """Return the whole seconds of the film: as asked, or as long as what it is made from.

    A video that is edited keeps its length; audio is heard to its end; else the usual length. All within what the job
    allows and the model can make.
    """
    asked_s = job.request.duration_s
    if asked_s not in (None, DURATION_CHOSEN_BY_ENGINE):
        return asked_s
    least_s, most_s = job.duration_range_s
    made_s = route.recipe.model.duration_s
    given_s = 0.0
    if route.workflow is Workflow.EDIT:
        given_s = _longest_s(job, Modality.VIDEO)
    elif job.request.of(Modality.AUDIO):
        given_s = _longest_s(job, Modality.AUDIO)
    chosen_s = round(given_s) if given_s else USUAL_DURATION_S
    return max(least_s, math.ceil(made_s[0]), min(most_s, math.floor(made_s[1]), chosen_s))


def _longest_s(job: RenderJob, modality: Modality) -> float:
    known = [item.medium.facts.duration_s for item in job.request.of(modality) if item.medium is not None]
    return max(known, default=0.0)


def _usual(ratios: Mapping[str, tuple[int, int]]) -> str:
    return USUAL_RATIO if USUAL_RATIO in ratios else next(iter(ratios))
