"""Which of the operator's models makes a film, and what is told or refused before: pure, and without torch.

The server asks when a request comes in, the render process when it makes the film; both get the same answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from understudy.core.content import Modality, Role
from understudy.core.errors import Violation
from understudy.core.model_spec import ModelSpec
from understudy.core.ports import Review
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import Scenario, scenario_of
from understudy.core.task import Warned
from understudy.engines.diffusion.grid import canvas_for
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.prompting.given import counted, given_media
from understudy.engines.diffusion.prompting.wanted import Wish, wanted_of_videos
from understudy.engines.diffusion.recipe import Recipe

UNSUPPORTED = "InvalidParameter.UnsupportedParameter"

NEEDED_BY = {
    Workflow.TEXT: "text alone",
    Workflow.FIRST_FRAME: "a first frame",
    Workflow.LAST_FRAME: "a last frame",
    Workflow.FIRST_LAST_FRAME: "a first and a last frame",
    Workflow.REFERENCES: "references",
    Workflow.EDIT: "a video that is to be edited",
    Workflow.EXTEND: "a video that is to be extended",
    Workflow.JOIN: "videos that are to be joined",
}
"""As sentences name what a film is to be made from."""

SCENARIO_OF = {
    Workflow.TEXT: Scenario.TEXT,
    Workflow.FIRST_FRAME: Scenario.FIRST_FRAME,
    Workflow.LAST_FRAME: Scenario.FIRST_LAST_FRAME,
    Workflow.FIRST_LAST_FRAME: Scenario.FIRST_LAST_FRAME,
    Workflow.REFERENCES: Scenario.REFERENCE,
    Workflow.EDIT: Scenario.REFERENCE,
    Workflow.EXTEND: Scenario.REFERENCE,
    Workflow.JOIN: Scenario.REFERENCE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who makes the film, and what is to become of given videos."""

    recipe: Recipe
    wish: Wish

    @property
    def workflow(self) -> Workflow:
        """The way in which it is made."""
        return self.wish.workflow


def wish_in(request: GenerationRequest) -> Wish:
    """Say which way of making a film a resolved request asks for."""
    scenario = scenario_of(request)
    if scenario is Scenario.TEXT:
        return Wish(workflow=Workflow.TEXT)
    if scenario is Scenario.FIRST_FRAME:
        return Wish(workflow=Workflow.FIRST_FRAME)
    if scenario is Scenario.FIRST_LAST_FRAME:
        roles = {item.role for item in request.content}
        return Wish(workflow=Workflow.FIRST_LAST_FRAME if Role.FIRST_FRAME in roles else Workflow.LAST_FRAME)
    given = counted(given_media(request))
    return wanted_of_videos(request.prompt, given, task_type=request.omni_reference_task_type)


def route(recipes: Sequence[Recipe], request: GenerationRequest) -> Route | Violation:
    """Return the first of the recipes that can make the film, or why none can.

    recipes: in the order in which the operator prefers them.
    """
    wish = wish_in(request)
    lacks = []
    for recipe in recipes:
        lack = _lack(recipe, wish.workflow, request)
        if lack is None:
            return Route(recipe=recipe, wish=wish)
        lacks.append(f"{recipe.model.name} {lack.message}")
        last = lack
    if not lacks:
        return Violation(UNSUPPORTED, "model", "No open model is set up on this server.")
    return Violation(last.code, last.param, f"No model on this server can make this film: {'; '.join(lacks)}.")


def review(recipes: Sequence[Recipe], request: GenerationRequest, model: ModelSpec) -> Review:
    """Say what is against a request, or what of it will be made otherwise than asked."""
    found = route(recipes, request)
    if isinstance(found, Violation):
        return Review(violations=(found,))
    return Review(warnings=tuple(_told(found, request, model)))


def _lack(recipe: Recipe, workflow: Workflow, request: GenerationRequest) -> Violation | None:
    """Return what the model cannot do of the request, as half a sentence after its name."""
    facts = recipe.model
    if workflow not in recipe.workflows:
        return Violation(UNSUPPORTED, "content", f"makes no film from {NEEDED_BY[workflow]}")
    if request.resolution is not None and request.resolution not in recipe.short_edge_px:
        return Violation(UNSUPPORTED, "resolution", f"makes no film in {request.resolution}")
    duration_s = request.duration_s
    if duration_s not in (None, DURATION_CHOSEN_BY_ENGINE) and not _holds(facts.duration_s, duration_s):
        least_s, most_s = facts.duration_s
        return Violation(UNSUPPORTED, "duration", f"makes films of {least_s:g} to {most_s:g} seconds")
    if SCENARIO_OF[workflow] is Scenario.REFERENCE:
        return _lack_of_references(recipe, request)
    return None


def _lack_of_references(recipe: Recipe, request: GenerationRequest) -> Violation | None:
    facts = recipe.model
    most = {
        Modality.IMAGE: facts.images_max,
        Modality.VIDEO: facts.videos_max,
        Modality.AUDIO: facts.audios_max,
    }
    given = {modality: len(request.of(modality)) for modality in most}
    for modality, count in given.items():
        if count > most[modality]:
            takes = f"takes {most[modality]} of them" if most[modality] else "takes none"
            return Violation(UNSUPPORTED, "content", f"{takes} as references ({count} {modality} given)")
    if sum(given.values()) > facts.references_max:
        return Violation(UNSUPPORTED, "content", f"takes {facts.references_max} references in all")
    if given[Modality.AUDIO] == sum(given.values()) and not facts.audio_alone:
        return Violation(UNSUPPORTED, "content", "needs an image or a video beside reference audio")
    return None


def _told(found: Route, request: GenerationRequest, model: ModelSpec) -> Iterable[Warned]:
    recipe = found.recipe
    if request.generate_audio and not recipe.has_sound:
        is_kept = found.workflow is Workflow.EDIT
        then = "the film has the sound of the video that is edited" if is_kept else "the film is silent"
        yield Warned(param="generate_audio", message=f"{recipe.model.name} makes no sound: {then}.")
    if request.draft and recipe.draft is None:
        message = (
            f"{recipe.model.name} has no schedule of few steps here: the draft takes as long as a film of its size."
        )
        yield Warned(param="draft", message=message)
    resolution = str(request.resolution)
    sizes = model.sizes.get(resolution, {})
    size_px = sizes.get(str(request.ratio)) or next(iter(sizes.values()), None)
    if size_px is not None:
        canvas = canvas_for(recipe, size_px, resolution)
        if canvas.enlarges_to(size_px):
            message = (
                f"{recipe.model.name} makes pictures of {canvas.width_px} x {canvas.height_px}; "
                f"they are enlarged to {size_px[0]} x {size_px[1]}."
            )
            yield Warned(param="resolution", message=message)


def _holds(span: tuple[float, float], value: float) -> bool:
    return span[0] <= value <= span[1]
