"""The engine `diffusion`: routes a job to a model, adapts its prompt, has the film generated and finishes it.

What needs torch is imported when the engine is made, in the render process.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from understudy.core.errors import TaskFailed, Violation
from understudy.core.media import Unreadable
from understudy.core.render import RenderJob, RenderResult
from understudy.engines.diffusion import torchvision_ops  # noqa: F401 - before anything that imports torchvision
from understudy.engines.diffusion.devices import host_bytes
from understudy.engines.diffusion.ends import with_its_ends
from understudy.engines.diffusion.families import Load, loader_of
from understudy.engines.diffusion.finishing import SOURCE_TYPE_TAG, Enlarger, Film, finish, tags_of
from understudy.engines.diffusion.memory import device_bytes, device_here, devices_here
from understudy.engines.diffusion.offering import Wanted as Settings
from understudy.engines.diffusion.offering import models_of
from understudy.engines.diffusion.order import Made, Order, OutOfMemory, Workflow
from understudy.engines.diffusion.ordering import Wanted, media_of, order_of, wanted_of
from understudy.engines.diffusion.planning import plans_for, shortage
from understudy.engines.diffusion.prompting import adapt
from understudy.engines.diffusion.provenance import claim_of, seal_film, signer_of
from understudy.engines.diffusion.recipe import Plan, Recipe
from understudy.engines.diffusion.resident import Resident
from understudy.engines.diffusion.routing import Route, route

log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]

PARTS = 1000
GENERATED_PARTS = 900
"""Of all progress, what generating takes; finishing takes the rest. Steps are minutes, encoding is seconds."""


class DiffusionEngine:
    """Generates films with the operator's models, one loaded at a time."""

    def __init__(self, **settings: str) -> None:
        """Take the operator's settings as `offering.Wanted` has them.

        Raises: ValueError for what the offer would have refused.
        """
        self._settings = Settings(**settings)
        self._recipes = self._settings.recipes()
        self._device = device_here()
        self._resident = Resident(
            Path(self._settings.models_dir),
            plans_of=self._plans_of,
            device=self._device,
            options=self._settings.options(),
            load_of=_loading_on(devices_here(), self._device),
        )
        self._enlarger: Enlarger | None = None
        self._signer = signer_of(self._settings.diffusion_certificate, self._settings.diffusion_private_key)

    def warm(self) -> None:
        """Load the preferred model.

        Raises: TaskFailed.
        """
        if self._settings.diffusion_upscaler:
            from understudy.engines.diffusion.enlarging import load_enlarger

            try:
                self._enlarger = load_enlarger(Path(self._settings.diffusion_upscaler), self._device)
            except (ValueError, OutOfMemory) as error:
                log.exception("the super-resolution model cannot be loaded")
                message = "The super-resolution model cannot be loaded on this server."
                raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False) from error
        self._resident.warm(self._recipes[0])

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        """Render the film, and its last frame if the request asks, into the job's output directory.

        progress: called at least once a step with (parts done, parts in all). Raises: TaskFailed; what progress raises.
        """
        found = route(self._recipes, job.request)
        if isinstance(found, Violation):
            raise TaskFailed(found, is_retryable=False)
        recipe = found.recipe
        wanted = wanted_of(job, found)
        adapted = adapt(
            job,
            recipe.prompt_form,
            media=media_of(job.request, found),
            wish=found.wish,
            duration_s=wanted.canvas_frames / wanted.canvas_fps,
            negative_prompt=recipe.negative_prompt,
        )
        try:
            order = order_of(
                job,
                found,
                wanted,
                prompt=adapted.prompt,
                negative_prompt=adapted.negative_prompt,
            )
        except Unreadable as error:
            reason = f"The parameter `content` is not valid: a file could not be read: {error.reason}."
            raise TaskFailed(Violation("InvalidParameter", "content", reason), is_retryable=False) from error
        made, plan = self._resident.generate(recipe, order, _told(progress, 0, GENERATED_PARTS))
        log.info("%s made %d frames by plan %s", recipe.id, len(made.frames), plan.name)
        result = self._finished(
            with_its_ends(
                _with_kept_sound(made, order, recipe),
                found.workflow,
                is_forward=found.wish.is_forward,
                num_frames=wanted.num_frames,
                fps=job.fps,
            ),
            job,
            _film(wanted, found),
            progress=_told(progress, GENERATED_PARTS, PARTS),
        )
        return replace(result, notes=(*adapted.notes, *result.notes))

    def _finished(self, made: Made, job: RenderJob, film: Film, *, progress: OnProgress) -> RenderResult:
        """Write the film and what it says of its origin.

        Raises: TaskFailed; what progress raises.
        """
        try:
            result = finish(made, job, film, enlarger=self._enlarger, progress=progress)
        except OutOfMemory:
            log.warning("the super-resolution model has no room beside the one that makes films, which is unloaded")
            self._resident.close()
            try:
                result = finish(made, job, film, enlarger=self._enlarger, progress=progress)
            except OutOfMemory as error:
                message = "The device of this server has not the memory to enlarge the film."
                raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False) from error
        source_type = tags_of(film)[SOURCE_TYPE_TAG]
        claim = claim_of(job, model=film.model, source_type=source_type, attribution=film.attribution)
        seal_film(Path(job.output_dir) / result.video, claim, self._signer)
        return result

    def _plans_of(self, recipe: Recipe) -> tuple[Plan, ...]:
        device, host = device_bytes(self._device), host_bytes()
        models = models_of(self._settings.diffusion_devices)
        try:
            plans = plans_for(recipe, device, host, forced=self._settings.diffusion_plan, models=models)
        except ValueError as error:
            # Another of the operator's models has it.
            log.warning("%s The fastest that fits is taken.", error)
            plans = plans_for(recipe, device, host, models=models)
        if not plans:
            log.error("%s", shortage(recipe, device, host, models=models))
        return plans


def _loading_on(count: int, device: str) -> Callable[[Recipe], Load]:
    """Return what loads models on all devices that this process may see: several compute each film together."""
    if count < 2:
        return loader_of
    from understudy.engines.diffusion.parallel import Crew

    return Crew(count, device).load_of


def _told(progress: OnProgress, first: int, last: int) -> OnProgress:
    """Map what is done of a stage to the parts of the whole that it takes."""

    def tell(done: int, total: int) -> None:
        progress(first + (last - first) * done // max(1, total), PARTS)

    return tell


def _film(wanted: Wanted, found: Route) -> Film:
    facts = found.recipe.model
    return Film(
        ratio=wanted.ratio,
        num_frames=wanted.num_frames,
        model=facts.name,
        attribution=facts.licence.attribution,
        shows_recordings=found.workflow in (Workflow.EDIT, Workflow.EXTEND, Workflow.JOIN),
    )


def _with_kept_sound(made: Made, order: Order, recipe: Recipe) -> Made:
    """Give an edited video its own sound back, where the model makes none."""
    if made.sound is not None or recipe.has_sound or order.workflow is not Workflow.EDIT or not order.clips:
        return made
    return replace(made, sound=order.clips[0].sound)
