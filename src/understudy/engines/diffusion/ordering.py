"""From a job and its route to the film that is wanted and the order for the model, with what the model is given."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.core.content import Modality
from understudy.core.ratios import concrete_ratio
from understudy.core.render import RenderJob
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import FRAME_ROLES
from understudy.engines.diffusion.given import (
    STEREO,
    ClipBounds,
    clip_in,
    files_in,
    frame_in,
    pictures_in,
    sound_in,
)
from understudy.engines.diffusion.grid import Canvas, canvas_for, frames_for
from understudy.engines.diffusion.order import Clip, Order, Sound, Workflow
from understudy.engines.diffusion.prompting.given import GivenMedium, given_media
from understudy.engines.diffusion.recipe import Schedule
from understudy.engines.diffusion.routing import Route

USUAL_RATIO = "16:9"
USUAL_DURATION_S = 5
"""Where nothing that is given says how long the film is: as long as a request that leaves the field out gets."""

CONTEXT_FRAMES = 25
"""Pictures of a video that a model sees before it goes on: about a second, which shows where all is moving."""

KEPT_SOUND_HZ = 48_000
"""At which the sound of an edited video is kept where the model makes none."""

KINDS = (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)

SHARED = dict.fromkeys(Workflow, 0) | {Workflow.EXTEND: 1, Workflow.JOIN: 2}
"""Frames that a film may have in common with given videos, which are seen there and not in the film."""

FRAMES = frozenset({Workflow.TEXT, Workflow.FIRST_FRAME, Workflow.LAST_FRAME, Workflow.FIRST_LAST_FRAME})
"""Workflows that are given frames of the film, or nothing."""


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
        canvas_frames=frames_for(recipe, num_frames=num_frames + SHARED[route.workflow], fps=job.fps),
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


def order_of(job: RenderJob, route: Route, wanted: Wanted, *, prompt: str, negative_prompt: str) -> Order:
    """Read what the model is given and write the order. prompt: in the model's own form.

    Raises: Unreadable; TaskFailed for a medium without a file.
    """
    recipe, request = route.recipe, job.request
    order = Order(
        workflow=route.workflow,
        prompt=prompt,
        negative_prompt=negative_prompt,
        width_px=wanted.canvas.width_px,
        height_px=wanted.canvas.height_px,
        num_frames=wanted.canvas_frames,
        fps=wanted.canvas_fps,
        seed=job.seed,
        steps=wanted.schedule.steps,
        guidance=wanted.schedule.guidance,
        sigmas=wanted.schedule.sigmas,
        is_forward=route.wish.is_forward,
        has_sound=bool(request.generate_audio) and recipe.has_sound,
        is_draft=bool(request.draft),
    )
    files = files_in(job)
    canvas_px = (wanted.canvas.width_px, wanted.canvas.height_px)
    if route.workflow in FRAMES:
        return replace(
            order,
            first=frame_in(files.first, canvas_px) if files.first else None,
            last=frame_in(files.last, canvas_px) if files.last else None,
        )
    return replace(
        order,
        images=tuple(pictures_in(files.images, side_max_px=_side_max_px(route, wanted))),
        clips=_clips(files.videos, route, wanted),
        sounds=_sounds(files.sounds, route),
    )


def _clips(paths: Sequence[Path], route: Route, wanted: Wanted) -> tuple[Clip, ...]:
    """Read the videos as the workflow needs them; those that are worked on come first, as the prompt tells of them."""
    facts, wish = route.recipe.model, route.wish
    canvas_px = (wanted.canvas.width_px, wanted.canvas.height_px)
    context = int(route.recipe.settings.get("context_frames", CONTEXT_FRAMES))
    # A film without sound of its own keeps that of the video which is edited in it.
    bounds = ClipBounds(
        fps=round(facts.fps), frames_max=wanted.canvas_frames, sample_rate_hz=facts.sample_rate_hz or KEPT_SOUND_HZ
    )
    whole = replace(bounds, frames_max=math.ceil(facts.duration_s[1] * facts.fps), side_max_px=max(canvas_px))
    clips = []
    for place, number in enumerate(_worked_first(wish.videos, len(paths))):
        path, is_worked = paths[number - 1], number in wish.videos
        if route.workflow is Workflow.EDIT and is_worked:
            wanted_bounds = replace(bounds, canvas_px=canvas_px)
        elif route.workflow is Workflow.EXTEND and is_worked:
            wanted_bounds = replace(bounds, canvas_px=canvas_px, frames_max=context, is_from_end=wish.is_forward)
        elif route.workflow is Workflow.JOIN:
            wanted_bounds = replace(bounds, canvas_px=canvas_px, frames_max=context, is_from_end=place == 0)
        else:
            wanted_bounds = whole
        clips.append(clip_in(path, wanted_bounds))
    return tuple(clips)


def media_of(request: GenerationRequest, route: Route) -> tuple[GivenMedium, ...]:
    """Return the media in the order in which an order has them: frames or images, then videos, then sounds."""
    worked = route.wish.videos

    def place(medium: GivenMedium) -> tuple[int, int]:
        if medium.modality is Modality.VIDEO and medium.number in worked:
            return KINDS.index(medium.modality), worked.index(medium.number) - len(worked)
        # The sort is stable: frames stay as they are, the first before the last.
        return KINDS.index(medium.modality), 0 if medium.role in FRAME_ROLES else medium.number

    return tuple(sorted(given_media(request, with_sound=route.recipe.has_sound), key=place))


def _worked_first(worked: Sequence[int], count: int) -> list[int]:
    return list(dict.fromkeys((*worked, *range(1, count + 1))))


def _sounds(paths: Sequence[Path], route: Route) -> tuple[Sound, ...]:
    facts = route.recipe.model
    read = [
        sound_in(path, sample_rate_hz=facts.sample_rate_hz, channels=STEREO, duration_max_s=facts.duration_s[1])
        for path in paths
    ]
    return tuple(sound for sound in read if sound is not None)


def _side_max_px(route: Route, wanted: Wanted) -> int:
    """Say how large a reference is given: as the recipe has it, or as large as the canvas."""
    return int(route.recipe.settings.get("reference_side_max_px", max(wanted.canvas.width_px, wanted.canvas.height_px)))
