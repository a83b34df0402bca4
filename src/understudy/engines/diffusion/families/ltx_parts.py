"""The components of an LTX repository, as its `model_index.json` names them: LTX-2, 2.3 and 2.5 alike.

They differ in the text encoder (Gemma 3 or 4), in the vocoder (24 kHz, or 48 kHz by a second stage) and in settings of
the transformer; all of that is in the repository. What rewrites prompts and guesses lengths there is not loaded:
prompts come as the model wants them, and every order says its length.
"""

import understudy.engines.diffusion.torchvision_ops  # noqa: F401

# isort: split
# What follows imports transformers, and that torchvision.

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import diffusers.pipelines.ltx2
import transformers
from diffusers import FlowMatchEulerDiscreteScheduler, LTX2InContextPipeline, LTX2LatentUpsamplePipeline
from diffusers.models._modeling_parallel import ContextParallelInput
from diffusers.pipelines.ltx2 import LTX2LatentUpsamplerModel

from understudy.engines.diffusion.families.ltx_files import Settings
from understudy.engines.diffusion.loading import load_component
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.recipe import Adapter, Plan, Quantisation, Recipe

log = logging.getLogger(__name__)

LARGE = ("text_encoder", "transformer")
IN_TURN = ("text_encoder", "connectors", "transformer", "vae", "audio_vae", "vocoder")
"""As they are called."""

LIBRARIES = {"diffusers": diffusers, "transformers": transformers, "ltx2": diffusers.pipelines.ltx2}
"""What repositories call the places of classes."""

PROMPT_MASKS = ("encoder_attention_mask", "audio_encoder_attention_mask")

TILE_PX, TILE_STRIDE_PX = 512, 448
TILE_FRAMES, TILE_STRIDE_FRAMES = 64, 40
"""Tiles of pictures when memory is short: 24 frames are blended, as Lightricks' own pipelines do."""


class InContextPipeline(LTX2InContextPipeline):  # type: ignore[misc]  # diffusers is skipped by mypy
    """diffusers' pipeline, with the last frame where it belongs.

    It takes places as latent frames, of 8 frames each, and a picture then lies at the first of them: 7 frames before
    the film ends. Lightricks' own pipelines say the frame itself (ltx-pipelines, keyframe_interpolation.py).
    """

    last_frame: int | None = None
    """Where the one picture lies that is not at the beginning."""

    def _prepare_keyframe_coords(self, **where: Any) -> Any:
        if where["num_pixel_frames"] == 1 and self.last_frame is not None:
            where["pixel_frame_idx"] = self.last_frame
        return super()._prepare_keyframe_coords(**where)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """A model in the host's memory. modules: by name, in the order of their turns. adapters: file -> its name."""

    modules: Mapping[str, Any]
    pipeline: Any
    upsampling: Any | None
    shifting: Any
    """The scheduler for schedules that say only how many steps."""
    plain: Any
    """The scheduler for schedules that say their sigmas."""
    adapters: Mapping[str, str]


def load_parts(recipe: Recipe, settings: Settings, folder: Path, *, plan: Plan, device: str) -> Parts:
    """Load components and adapters into the host's memory.

    Raises: OSError, ValueError.
    """
    index = _index(folder)
    modules = {}
    for name in IN_TURN:
        modules[name] = load_component(
            _class_of(index, name, folder),
            folder,
            settings.transformer if name == "transformer" else name,
            # The last step of sound: a hundred convolutions in a row, whose rounding can be heard.
            dtype="float32" if name == "vocoder" else recipe.dtype,
            quantisation=plan.quantisation if name in LARGE else Quantisation.NONE,
            device=device,
        )
    _plan_spreading(modules["transformer"])
    modules["transformer"].register_forward_pre_hook(_without_idle_masks, with_kwargs=True)
    tokenizer = _class_of(index, "tokenizer", folder).from_pretrained(str(folder / "tokenizer"), local_files_only=True)
    config = FlowMatchEulerDiscreteScheduler.load_config(str(folder / "scheduler"), local_files_only=True)
    shifting = FlowMatchEulerDiscreteScheduler.from_config({**config, **settings.scheduler})
    plain = FlowMatchEulerDiscreteScheduler.from_config(
        config, use_dynamic_shifting=False, shift=1.0, shift_terminal=None
    )
    pipeline = InContextPipeline(tokenizer=tokenizer, scheduler=plain, **modules)
    pipeline.set_progress_bar_config(disable=True)
    adapters = _load_adapters(pipeline, recipe, settings, folder=folder)
    upsampling = None
    if recipe.upscaler:
        upsampler = load_component(LTX2LatentUpsamplerModel, folder, recipe.upscaler, dtype=recipe.dtype)
        modules["latent_upsampler"] = upsampler
        upsampling = LTX2LatentUpsamplePipeline(vae=modules["vae"], latent_upsampler=upsampler)
    if plan.tiles:
        _tile(modules["vae"])
    return Parts(
        modules=modules,
        pipeline=pipeline,
        upsampling=upsampling,
        shifting=shifting,
        plain=plain,
        adapters=adapters,
    )


def _without_idle_masks(_module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Leave out masks of prompts that hide nothing, as all are that the connectors make: they replaced the padding.

    Fast attention takes no masks, and attention that is shared among devices none of these.
    """
    idle = {name: None for name in PROMPT_MASKS if kwargs.get(name) is not None and bool((kwargs[name] == 1).all())}
    return args, {**kwargs, **idle}


def _plan_spreading(transformer: Any) -> None:
    """Say how the transformer is shared among devices, as diffusers' own plan does for calls without given frames.

    What it lacks: the time step of each token, rotations of the "split" kind (which have the heads before the tokens),
    and those between pictures and sound. Sound is short, and every device computes all of it.
    """
    is_split = transformer.config.rope_type == "split"
    shared = ContextParallelInput(split_dim=2 if is_split else 1, expected_dims=4 if is_split else 3, split_output=True)
    step = ContextParallelInput(split_dim=1, expected_dims=2, split_output=False)
    plan = transformer._cp_plan
    transformer._cp_plan = {
        **plan,
        "": {**plan[""], "timestep": step},
        "rope": {0: shared, 1: shared},
        "cross_attn_rope": {0: shared, 1: shared},
    }


def _index(folder: Path) -> Mapping[str, Any]:
    path = folder / "model_index.json"
    try:
        index: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OSError(
            f"{folder} has no model_index.json: the model is not there, or not in diffusers' layout."
        ) from error
    return index


def _class_of(index: Mapping[str, Any], name: str, folder: Path) -> Any:
    library, class_name = index.get(name) or (None, None)
    found = getattr(LIBRARIES.get(library), class_name, None) if library in LIBRARIES and class_name else None
    if found is None:
        raise ValueError(
            f"{folder / 'model_index.json'} names {library}.{class_name} as {name}, which is not known here."
        )
    return found


def _load_adapters(pipeline: Any, recipe: Recipe, settings: Settings, *, folder: Path) -> dict[str, str]:
    """Load the adapters and leave them switched off. Those of few steps have to be there, those of workflows may."""
    schedules = [each for each in (recipe.usual, recipe.draft, settings.refine) if each is not None]
    needed = dict.fromkeys(each.adapter.file for each in schedules if each.adapter is not None)
    optional = [each.file for each in settings.in_context.values() if (folder / each.file).is_file()]
    names: dict[str, str] = {}
    for file in dict.fromkeys((*needed, *optional)):
        if not (folder / file).is_file():
            raise OSError(f"{folder} lacks {file}, which films of few steps are made with.")
        names[file] = f"adapter_{len(names)}"
        path = folder / file
        with warnings.catch_warnings():
            # Several adapters are what is wanted, and none is ever merged.
            warnings.filterwarnings("ignore", message="Already found a `peft_config`", category=UserWarning)
            warnings.filterwarnings("ignore", message="TorchaoLoraLinear was instantiated", category=UserWarning)
            pipeline.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=names[file], local_files_only=True
            )
    if names:
        pipeline.disable_lora()
    return names


def switch(parts: Parts, adapters: tuple[Adapter, ...]) -> None:
    """Let exactly these adapters work."""
    if not parts.adapters:
        return
    if not adapters:
        parts.pipeline.disable_lora()
        return
    parts.pipeline.enable_lora()
    parts.pipeline.set_adapters([parts.adapters[each.file] for each in adapters], [each.scale for each in adapters])


def reads(parts: Parts, settings: Settings, workflow: Workflow) -> bool:
    """Say whether the in-context adapter of a workflow is loaded."""
    adapter = settings.in_context.get(workflow)
    return adapter is not None and adapter.file in parts.adapters


def _tile(vae: Any) -> None:
    vae.enable_tiling(
        tile_sample_min_height=TILE_PX,
        tile_sample_min_width=TILE_PX,
        tile_sample_min_num_frames=TILE_FRAMES,
        tile_sample_stride_height=TILE_STRIDE_PX,
        tile_sample_stride_width=TILE_STRIDE_PX,
        tile_sample_stride_num_frames=TILE_STRIDE_FRAMES,
    )
    vae.use_framewise_encoding = vae.use_framewise_decoding = True
