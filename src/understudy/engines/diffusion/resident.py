"""The one model that a render process keeps loaded: by the fastest plan that holds, until another is needed."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from understudy.core.errors import TaskFailed, Violation
from understudy.engines.diffusion.families import Load, loader_of
from understudy.engines.diffusion.order import LoadedModel, Made, OnStep, Order, OutOfMemory
from understudy.engines.diffusion.recipe import Option, Plan, Recipe

log = logging.getLogger(__name__)

PlansOf = Callable[[Recipe], tuple[Plan, ...]]
"""The plans that this machine can try for a recipe, the fastest first; none = it is too small for all."""


class Resident:
    """Keeps a model warm between films. After a plan ran out of memory it is not tried again for that model."""

    def __init__(
        self,
        models_dir: Path,
        *,
        plans_of: PlansOf,
        device: str,
        options: tuple[Option, ...] | None,
        load_of: Callable[[Recipe], Load] = loader_of,
    ) -> None:
        """Take the folder of models, and how they are to be loaded. options: None = what each recipe says."""
        self._models_dir = models_dir
        self._plans_of = plans_of
        self._device = device
        self._options = options
        self._load_of = load_of
        self._model: LoadedModel | None = None
        self._recipe: Recipe | None = None
        self._plans: dict[str, tuple[Plan, ...]] = {}

    def warm(self, recipe: Recipe) -> None:
        """Load the model, if it is not the one that is loaded.

        Raises: TaskFailed.
        """
        self._loaded(recipe)

    def generate(self, recipe: Recipe, order: Order, on_step: OnStep) -> tuple[Made, Plan]:
        """Make the film with the recipe's model, by the next plan whenever one runs out of memory.

        Raises: TaskFailed when the last plan ran out of memory as well; what on_step raises.
        """
        while True:
            model, plan = self._loaded(recipe)
            try:
                return model.generate(order, on_step), plan
            except OutOfMemory as error:
                log.warning("%s by plan %s ran out of memory: %s", recipe.id, plan.name, error)
                self._give_up(recipe, plan)

    def close(self) -> None:
        """Give the loaded model's memory back."""
        model, self._model, self._recipe = self._model, None, None
        if model is not None:
            model.close()

    def _loaded(self, recipe: Recipe) -> tuple[LoadedModel, Plan]:
        if recipe.id not in self._plans:
            plans = self._plans_of(recipe)
            if not plans:
                message = f"The machine of this server is too small for {recipe.model.name}."
                raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False)
            self._plans[recipe.id] = plans
        while plans := self._plans[recipe.id]:
            plan = plans[0]
            if self._model is not None and self._recipe is recipe:
                return self._model, plan
            self.close()
            try:
                self._model = self._load(recipe, plan)
            except OutOfMemory as error:
                log.warning("%s could not be loaded by plan %s: %s", recipe.id, plan.name, error)
                self._give_up(recipe, plan)
                continue
            self._recipe = recipe
            return self._model, plan
        # What failed once may hold for a smaller film: the next one begins with the first plan again.
        del self._plans[recipe.id]
        raise TaskFailed(_too_small(recipe), is_retryable=False)

    def _load(self, recipe: Recipe, plan: Plan) -> LoadedModel:
        options = recipe.options if self._options is None else self._options
        folder = self._models_dir / recipe.folder
        log.info("loading %s from %s by plan %s", recipe.id, folder, plan.name)
        try:
            return self._load_of(recipe)(recipe, folder, plan, options=options, device=self._device)
        except (OSError, ValueError, TypeError, KeyError) as error:
            # The last two are what libraries stumble over in settings that are not theirs.
            log.exception("the files of %s cannot be used", recipe.id)
            message = f"The weights of {recipe.model.name} cannot be loaded on this server."
            raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False) from error

    def _give_up(self, recipe: Recipe, plan: Plan) -> None:
        with suppress(OutOfMemory):
            self.close()
        self._model, self._recipe = None, None
        self._plans[recipe.id] = tuple(each for each in self._plans[recipe.id] if each.name != plan.name)


def _too_small(recipe: Recipe) -> Violation:
    message = (
        f"The film does not fit into the memory of this server's device with {recipe.model.name}; "
        "a lower resolution or a shorter film may."
    )
    return Violation("InternalServiceError", "", message)
