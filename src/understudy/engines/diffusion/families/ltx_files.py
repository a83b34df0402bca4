"""What an LTX model needs besides its components: its part of the recipe, and which files each workflow wants.

Free of torch: the server asks which workflows there are before anything is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.recipe import Recipe, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class InContext:
    """An in-context adapter (IC-LoRA), by which the model reads what it is shown beside the film.

    file: in the model's folder. downscale: how much smaller it wants to be shown things, as its metadata says.
    """

    file: str
    scale: float = 1.0
    downscale: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The recipe's `settings` of this family.

    transformer: its folder; repositories have a full and a distilled one. max_sequence_length: of prompts, tokens.
    context_frames: how much of a given video is shown when it is extended or joined. edit_from_sigma: how much noise
    a video is covered with when it is changed without an adapter: 1 = nothing of it is left.
    scheduler: what of the repository's own has to be otherwise for schedules without sigmas; repositories of distilled
    models come with one that shifts nothing. call: what every call of the pipeline gets. guided: what calls with
    guidance get besides. refine: the steps after enlarging, for models with an upscaler.
    in_context: workflow -> its adapter.
    """

    transformer: str = "transformer"
    max_sequence_length: int = 1024
    context_frames: int = 25
    edit_from_sigma: float = 0.9
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    guided: Mapping[str, Any] = field(default_factory=dict)
    refine: Schedule | None = None
    in_context: Mapping[Workflow, InContext] = field(default_factory=dict)


def settings_of(recipe: Recipe) -> Settings:
    """Read the recipe's settings.

    Raises: ValueError with the recipe's name.
    """
    try:
        return msgspec.convert(dict(recipe.settings), Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"The settings of recipe {recipe.id!r} are broken: {error}.") from error


def workflows_available(recipe: Recipe, folder: Path) -> tuple[Workflow, ...]:
    """Return the recipe's workflows without those whose files are not in the model's folder.

    References are read by an adapter alone. A video is edited without one as well, only more freely.
    """
    settings = settings_of(recipe)
    needed = settings.in_context.get(Workflow.REFERENCES)
    if needed is not None and (folder / needed.file).is_file():
        return recipe.workflows
    return tuple(workflow for workflow in recipe.workflows if workflow is not Workflow.REFERENCES)
