"""One module per family of pipelines; each has ``load``, and only the one that is needed is imported."""

from importlib import import_module
from pathlib import Path
from typing import Protocol

from understudy.engines.diffusion.order import LoadedModel
from understudy.engines.diffusion.recipe import Option, Plan, Recipe


class Load(Protocol):
    """What every family's module has under the name ``load``."""

    def __call__(
        self, recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str
    ) -> LoadedModel:
        """Load the model from its folder, placed by the plan and made fast by the options.

        device: of torch, "cuda" or "cpu". Raises: OutOfMemory; OSError or ValueError for files that are not right.
        """
        ...


def loader_of(recipe: Recipe) -> Load:
    """Import the recipe's family and return its loader.

    Raises: ImportError when the extra is not installed.
    """
    # Before anything that imports torchvision.
    import_module("understudy.engines.diffusion.torchvision_ops")
    load: Load = import_module(f"understudy.engines.diffusion.families.{recipe.family}").load
    return load
