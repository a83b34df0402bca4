"""Wan 2.2: films from text, from a first or a first and a last frame, and edits of a given film.

The large one is two checkpoints of two transformers each, for text and for pictures, which share what reads and what
decodes. The small one (5B) is one checkpoint with one transformer for both.
"""

import understudy.engines.diffusion.torchvision_ops  # noqa: F401

# isort: split
# Those who follow import transformers, and that torchvision.

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline, WanTransformer3DModel

from understudy.engines.diffusion.devices import host_bytes
from understudy.engines.diffusion.families.vace_canvas import as_long_as
from understudy.engines.diffusion.families.wan_experts import Experts, is_whole, load_experts
from understudy.engines.diffusion.families.wan_pictures import Pictures
from understudy.engines.diffusion.families.wan_schedule import Noise, noise_of, noised
from understudy.engines.diffusion.families.wan_words import Words
from understudy.engines.diffusion.loading import size_bytes
from understudy.engines.diffusion.memory import device_bytes, give_back, reporting_lack
from understudy.engines.diffusion.order import Made, OnStep, Order, Pixels, Workflow
from understudy.engines.diffusion.placing import place, release
from understudy.engines.diffusion.recipe import Offload, Option, Plan, Recipe
from understudy.engines.diffusion.stepping import seeded, watched

FROM_TEXT, FROM_IMAGES = "t2v", "i2v"
"""The folders of the two checkpoints; see ``catalog/open_models.toml``."""


def load(recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> "LoadedWan":
    """Load the model from its folder. What makes films from pictures is loaded when the first one is asked for.

    Raises: OutOfMemory; OSError or ValueError for files that are not right.
    """
    with reporting_lack():
        return LoadedWan(recipe, folder, plan, options=options, device=device)


class LoadedWan:
    """Wan 2.2 in memory."""

    def __init__(self, recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> None:
        self._recipe = recipe
        self._folder = folder
        self._plan = plan
        self._options = options
        self._device = device
        self._is_whole = is_whole(folder)
        shared = folder if self._is_whole else folder / FROM_TEXT
        self._words = Words(recipe, shared, plan, device=device)
        self._pictures = Pictures(recipe, shared, plan, device=device)
        self._parts: dict[str, Experts] = {}
        self._schedulers: dict[str, Any] = {}
        self._bring("" if self._is_whole else FROM_TEXT)

    def generate(self, order: Order, on_step: OnStep) -> Made:
        """Make the film.

        Raises: OutOfMemory; what on_step raises; ValueError for what this family does not do.
        """
        with reporting_lack(), torch.inference_mode():
            return self._made(order, on_step)

    def close(self) -> None:
        """Give all memory back."""
        release(self._components())
        self._parts.clear()

    def _made(self, order: Order, on_step: OnStep) -> Made:
        part = self._part_of(order)
        settings = self._settings(part)
        is_guided = order.guidance > 1.0
        guidance = float(settings.get("guidance", order.guidance)) if is_guided else 1.0
        words: dict[str, Any] = {"prompt_embeds": self._words.embed(order.prompt).to(self._device)}
        if is_guided:
            words["negative_prompt_embeds"] = self._words.embed(order.negative_prompt).to(self._device)
        experts = self._bring(part)
        start = float(settings["edit_noise"]) if order.workflow is Workflow.EDIT else 1.0
        noise = noise_of(self._schedulers[part], order, flow_shift=float(settings["flow_shift"]), start=start)
        call = {
            **words,
            **self._given(order, noise),
            "height": order.height_px,
            "width": order.width_px,
            "num_frames": order.num_frames,
            "num_inference_steps": noise.steps,
            "guidance_scale": guidance,
            "guidance_scale_2": experts.second_guidance(float(settings.get("guidance_second", guidance))),
            "output_type": "latent",
        }
        if not is_guided:
            call["guidance_scale_2"] = experts.second_guidance(1.0)
        pipeline = self._pipeline(order, experts, noise)
        forwards = noise.steps * (2 if is_guided else 1)
        with watched(tuple(experts.modules.values()), forwards, on_step), experts.ready(is_draft=order.is_draft):
            latents = pipeline(**call).frames
        return Made(
            frames=self._pictures.frames(latents),
            fps=order.fps,
            notes=(*self._words.cut(order.prompt), *self._strained(order)),
        )

    def _given(self, order: Order, noise: Noise) -> dict[str, Any]:
        """Return what the film begins from, as the pipeline's call names it."""
        random = seeded(order.seed)
        if order.workflow is Workflow.TEXT:
            return {"generator": random}
        if order.workflow is Workflow.EDIT:
            latents = self._pictures.latents(as_long_as(order.clips[0].frames, order.num_frames))
            drawn = torch.randn(latents.shape, generator=random, dtype=torch.float32).to(latents.device)
            return {"latents": noised(latents, drawn, noise.sigmas[0])}
        if order.first is None:
            raise ValueError(f"Wan makes no film of the kind {order.workflow} without a first frame.")
        given: dict[str, Any] = {"generator": random, "image": _tensor(order.first)}
        if order.workflow is Workflow.FIRST_LAST_FRAME and order.last is not None:
            given["last_image"] = _tensor(order.last)
        return given

    def _pipeline(self, order: Order, experts: Experts, noise: Noise) -> Any:
        """Return diffusers' pipeline for the order; it is made of what is loaded, and costs nothing."""
        cls = WanImageToVideoPipeline if _is_from_images(order) else WanPipeline
        pipeline = cls(
            tokenizer=None,
            text_encoder=None,
            vae=self._pictures.vae,
            scheduler=noise.scheduler,
            transformer=experts.first,
            transformer_2=experts.second,
            boundary_ratio=experts.boundary,
            expand_timesteps=experts.expands_time,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _part_of(self, order: Order) -> str:
        """Return which checkpoint makes the film.

        Raises: ValueError.
        """
        if order.workflow not in self._recipe.workflows:
            raise ValueError(f"{self._recipe.model.name} makes no film of the kind {order.workflow}.")
        if self._is_whole:
            return ""
        return FROM_IMAGES if _is_from_images(order) else FROM_TEXT

    def _settings(self, part: str) -> dict[str, Any]:
        """Return the recipe's settings, those of a checkpoint's own over the rest."""
        return {**self._recipe.settings, **self._recipe.settings.get(part, {})}

    def _bring(self, part: str) -> Experts:
        """Return a checkpoint's transformers, loaded and placed; others go where there is no room for both."""
        if part in self._parts:
            return self._parts[part]
        if self._parts and not self._has_room():
            for other in self._parts.values():
                release(other.modules)
            self._parts.clear()
            give_back()
        experts = load_experts(
            WanTransformer3DModel,
            self._recipe,
            self._folder,
            self._plan,
            part=part,
            device=self._device,
        )
        self._parts[part] = experts
        is_first = not self._schedulers
        self._schedulers[part] = UniPCMultistepScheduler.from_pretrained(
            str(self._folder / part), subfolder="scheduler", local_files_only=True
        )
        # One after another they come to the device only where all of them are placed together.
        together = is_first or self._plan.offload is Offload.MODEL
        new = {f"{part}.{name}": module for name, module in experts.modules.items()}
        components = self._components() if together else new
        place(components, self._plan, self._device, large=tuple(name for name in components if name != "vae"))
        self._parts[part] = experts.sped_up(self._recipe, self._options, self._device)
        return self._parts[part]

    def _has_room(self) -> bool:
        """Tell whether there is memory for the transformers of a second checkpoint, which are like the first's."""
        loaded = sum(size_bytes(module) for part in self._parts.values() for module in part.modules.values())
        if self._plan.offload is Offload.NONE and self._device != "cpu":
            return device_bytes(self._device) >= self._plan.device_bytes_min + loaded
        return host_bytes() >= self._plan.host_bytes_min + loaded

    def _components(self) -> dict[str, Any]:
        transformers = {
            f"{part}.{name}": module
            for part, experts in self._parts.items()
            for name, module in experts.modules.items()
        }
        return {"text_encoder": self._words.encoder, **transformers, "vae": self._pictures.vae}

    def _strained(self, order: Order) -> tuple[str, ...]:
        """Return what to tell of a film that is longer than those the model learned from."""
        most = int(self._recipe.settings.get("frames_learned", order.num_frames))
        if order.num_frames <= most:
            return ()
        name = self._recipe.model.name
        return (f"{name} learned from films of {most / order.fps:.0f} seconds; what is longer may repeat or drift.",)


def _is_from_images(order: Order) -> bool:
    return order.workflow in (Workflow.FIRST_FRAME, Workflow.FIRST_LAST_FRAME)


def _tensor(picture: Pixels) -> torch.Tensor:
    """Return a picture as diffusers takes it: shape (1, 3, height, width), within 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
