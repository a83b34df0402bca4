"""Wan's transformers: one, or two of which one takes the noisy steps and the other the rest, with their adapters."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diffusers import FirstBlockCacheConfig, WanPipeline

from understudy.engines.diffusion.loading import load_component
from understudy.engines.diffusion.recipe import Option, Plan, Recipe
from understudy.engines.diffusion.speeding import speed_up

log = logging.getLogger(__name__)

NAMES = ("transformer", "transformer_2")
"""As the checkpoints have them: for the noisy steps, or all; for the others."""

DRAFT = "draft"
"""The name of the few-step adapter within peft."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Experts:
    """The transformers of one checkpoint.

    modules: by their names there. boundary: the share of noise below which the second one takes over; None = there is
    one. expands_time: each place of the film has a time of its own (Wan 2.2 5B). cache: with which steps are guessed.
    """

    modules: Mapping[str, Any]
    boundary: float | None
    expands_time: bool
    has_adapter: bool
    cache: FirstBlockCacheConfig | None = None

    @property
    def first(self) -> Any:
        """The transformer of the noisy steps, or the only one."""
        return self.modules[NAMES[0]]

    @property
    def second(self) -> Any:
        """The transformer of the other steps, or None."""
        return self.modules.get(NAMES[1])

    def second_guidance(self, guidance: float) -> float | None:
        """Return what a pipeline wants to be told of the second one's guidance: nothing where there is none."""
        return None if self.boundary is None else guidance

    def sped_up(self, recipe: Recipe, options: tuple[Option, ...], device: str) -> "Experts":
        """Return them made fast; they are placed before."""
        lacks: list[str] = []
        cache = None
        if Option.STEP_CACHE in options:
            cache = FirstBlockCacheConfig(threshold=float(recipe.settings["step_cache_threshold"]))
        for module in self.modules.values():
            if cache is not None:
                module.enable_cache(cache)
            lacks += speed_up(module, options, device, family=recipe.family)
        for lack in dict.fromkeys(lacks):
            log.warning("%s: %s", recipe.id, lack)
        return replace(self, cache=cache)

    @contextmanager
    def ready(self, *, is_draft: bool) -> Iterator[None]:
        """Use the few-step adapter for a draft, and for nothing else; guess steps for a film, and never for a draft.

        Few steps differ too much to be guessed. What an earlier film cached is forgotten: one that was stopped left
        its last step behind.
        """
        modules = tuple(self.modules.values())
        try:
            for module in modules:
                if self.cache is not None and is_draft:
                    module.disable_cache()
                elif self.cache is not None:
                    module._reset_stateful_cache()
                if self.has_adapter and is_draft:
                    module.enable_adapters()
            yield
        finally:
            for module in modules:
                if self.cache is not None and not module.is_cache_enabled:
                    module.enable_cache(self.cache)
                if self.has_adapter and is_draft:
                    module.disable_adapters()


def is_whole(folder: Path) -> bool:
    """Tell whether a folder is one checkpoint, rather than one that holds several."""
    return (folder / "model_index.json").is_file()


def load_experts(  # tidy: a loader's arguments, and which of a model's checkpoints it is
    cls: Any,
    recipe: Recipe,
    folder: Path,
    plan: Plan,
    *,
    part: str = "",
    device: str,
) -> Experts:
    """Load the transformers of a model's checkpoint, not placed yet.

    cls: their class. part: the checkpoint's folder below the model's, "" for the model's own.

    Raises: OSError or ValueError for files that are not right.
    """
    path = folder / part
    index = _index(path)
    names = [name for name in NAMES if (path / name).is_dir()]
    if not names:
        raise OSError(f"{path} has no transformer: the model is not there, or was not downloaded in full.")
    files = {} if recipe.draft is None else recipe.settings.get("adapters", {}).get(part or "all", {})
    modules: dict[str, Any] = {}
    for name in names:
        module = load_component(cls, path, name, dtype=recipe.dtype, quantisation=plan.quantisation, device=device)
        if name in files:
            _adapt(module, folder / files[name], scale=float(recipe.settings.get("adapter_scale", 1.0)))
        modules[name] = module
    boundary = index.get("boundary_ratio")
    return Experts(
        modules=modules,
        boundary=None if boundary is None else float(boundary),
        expands_time=bool(index.get("expand_timesteps", False)),
        has_adapter=bool(files),
    )


def _index(path: Path) -> dict[str, Any]:
    file = path / "model_index.json"
    if not file.is_file():
        raise OSError(f"{path} has no model_index.json: the model is not there, or was not downloaded in full.")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON.") from error
    return found if isinstance(found, dict) else {}


def _adapt(module: Any, file: Path, *, scale: float) -> None:
    """Load a few-step adapter, switched off."""
    if not file.is_file():
        raise OSError(f"{file} is not there: drafts need this adapter; download the model again.")
    # By the transformer itself: the pipeline's way takes the hooks away that placing puts on, and puts on its own.
    state = WanPipeline.lora_state_dict(str(file.parent), weight_name=file.name, local_files_only=True)
    module.load_lora_adapter(state, prefix="transformer", adapter_name=DRAFT)
    if DRAFT not in getattr(module, "peft_config", {}):
        raise ValueError(f"{file} holds no adapter for {type(module).__name__}.")
    module.set_adapters(DRAFT, scale)
    module.disable_adapters()
    module.requires_grad_(requires_grad=False)
