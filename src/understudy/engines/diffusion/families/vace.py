"""Wan VACE: films from text, frames, references and given videos: what comes before, after and between.

Everything but text and references is one thing to it: frames that are known, and frames that are wanted.
"""

import logging

import understudy.engines.diffusion.torchvision_ops  # noqa: F401

# isort: split
# Those who follow import transformers, and that torchvision.

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanVACETransformer3DModel

from understudy.engines.diffusion.families.vace_canvas import Canvas, canvas_of, windows
from understudy.engines.diffusion.families.vace_pipeline import Pipeline
from understudy.engines.diffusion.families.wan_experts import load_experts
from understudy.engines.diffusion.families.wan_pictures import Pictures
from understudy.engines.diffusion.families.wan_schedule import Noise, noise_of, noised
from understudy.engines.diffusion.families.wan_words import Words
from understudy.engines.diffusion.memory import reporting_lack
from understudy.engines.diffusion.order import Made, OnStep, Order, Pixels, Workflow
from understudy.engines.diffusion.placing import place, release
from understudy.engines.diffusion.recipe import Option, Plan, Recipe
from understudy.engines.diffusion.stepping import seeded, watched

log = logging.getLogger(__name__)

NO_CACHE = "Step caching is not used: VACE adds its control between the layers that a cache leaves out."


def load(recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> "LoadedVace":
    """Load the model from its folder.

    Raises: OutOfMemory; OSError or ValueError for files that are not right.
    """
    with reporting_lack():
        return LoadedVace(recipe, folder, plan, options=options, device=device)


class LoadedVace:
    """Wan VACE in memory."""

    def __init__(self, recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> None:
        self._recipe = recipe
        self._device = device
        self._words = Words(recipe, folder, plan, device=device)
        self._pictures = Pictures(recipe, folder, plan, device=device)
        # A cache of the first block skips the others, but not what is added between them.
        usable = tuple(option for option in options if option is not Option.STEP_CACHE)
        if len(usable) < len(options):
            log.warning("%s: %s", recipe.id, NO_CACHE)
        experts = load_experts(WanVACETransformer3DModel, recipe, folder, plan, device=device)
        self._scheduler = UniPCMultistepScheduler.from_pretrained(
            str(folder), subfolder="scheduler", local_files_only=True
        )
        self._components = {
            "text_encoder": self._words.encoder,
            **experts.modules,
            "vae": self._pictures.vae,
        }
        large = tuple(name for name in self._components if name != "vae")
        place(self._components, plan, device, large=large)
        self._experts = experts.sped_up(recipe, usable, device)

    def generate(self, order: Order, on_step: OnStep) -> Made:
        """Make the film.

        Raises: OutOfMemory; what on_step raises; ValueError for what this family does not do.
        """
        with reporting_lack(), torch.inference_mode():
            return self._made(order, on_step)

    def close(self) -> None:
        """Give all memory back."""
        release(self._components)

    def _made(self, order: Order, on_step: OnStep) -> Made:
        if order.workflow not in self._recipe.workflows:
            raise ValueError(f"{self._recipe.model.name} makes no film of the kind {order.workflow}.")
        settings = self._recipe.settings
        shared = int(settings["frames_shared"])
        canvas = canvas_of(order, grid=self._recipe.model.frames, shared=shared)
        parts = list(windows(len(canvas.frames), most=int(settings["frames_at_once"]), shared=shared))
        start = float(settings["edit_noise"]) if canvas.source is not None else 1.0
        noise = noise_of(self._scheduler, order, flow_shift=float(settings["flow_shift"]), start=start)
        call = self._call(order, noise)
        references, told = _references(order)
        random = seeded(order.seed)
        forwards = len(parts) * noise.steps * (2 if order.guidance > 1.0 else 1)
        modules = tuple(self._experts.modules.values())
        done = np.zeros(len(canvas.frames), dtype=np.bool_)
        with watched(modules, forwards, on_step), self._experts.ready(is_draft=order.is_draft):
            for first, after in parts:
                part = _cut(canvas, first, after)
                pipeline = self._pipeline(noise)
                pipeline.pictures, pipeline.references = self._pictures, references
                pipeline.size_px = (order.width_px, order.height_px)
                latents = pipeline(**call, **self._given(part, noise, random, references=len(references))).frames
                made = self._pictures.frames(latents[:, :, len(references) :])
                # Frames that were given are taken as the model shows them, so that nothing jumps beside them.
                fresh = ~done[first:after]
                part.frames[fresh] = made[fresh]
                done[first:after] = True
                canvas.wanted[first:after] = False
        notes = (*self._words.cut(order.prompt), *told)
        return Made(frames=canvas.frames[canvas.start : canvas.stop], fps=order.fps, notes=notes)

    def _call(self, order: Order, noise: Noise) -> dict[str, Any]:
        """Return what is the same for all parts of a film."""
        words = {"prompt_embeds": self._words.embed(order.prompt).to(self._device)}
        is_guided = order.guidance > 1.0
        guidance = order.guidance if is_guided else 1.0
        if is_guided:
            words["negative_prompt_embeds"] = self._words.embed(order.negative_prompt).to(self._device)
        second = float(self._recipe.settings.get("guidance_second", guidance)) if is_guided else 1.0
        return {
            **words,
            "height": order.height_px,
            "width": order.width_px,
            "num_inference_steps": noise.steps,
            "guidance_scale": guidance,
            "guidance_scale_2": self._experts.second_guidance(second),
            "output_type": "latent",
        }

    def _given(self, part: Canvas, noise: Noise, random: torch.Generator, *, references: int) -> dict[str, Any]:
        """Return what one part of a film is made from."""
        given = {"video": part.frames, "mask": part.wanted, "num_frames": len(part.frames), "generator": random}
        if part.source is None:
            return given
        latents = self._pictures.latents(part.source)
        # References lie before the first frame, and are made up from noise alone.
        before = torch.zeros_like(latents[:, :, :1]).expand(-1, -1, references, -1, -1)
        latents = torch.cat([before, latents], dim=2)
        drawn = torch.randn(latents.shape, generator=random, dtype=torch.float32).to(latents.device)
        return {**given, "latents": noised(latents, drawn, noise.sigmas[0])}

    def _pipeline(self, noise: Noise) -> Pipeline:
        """Return diffusers' pipeline for one part; it is made of what is loaded, and costs nothing."""
        pipeline = Pipeline(
            tokenizer=None,
            text_encoder=None,
            vae=self._pictures.vae,
            scheduler=noise.scheduler,
            transformer=self._experts.first,
            transformer_2=self._experts.second,
            boundary_ratio=self._experts.boundary,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


def _cut(canvas: Canvas, first: int, after: int) -> Canvas:
    """Return a part of a canvas that shares its frames."""
    source = None if canvas.source is None else canvas.source[first:after]
    return replace(canvas, frames=canvas.frames[first:after], wanted=canvas.wanted[first:after].copy(), source=source)


def _references(order: Order) -> tuple[list[Pixels], tuple[str, ...]]:
    """Return the pictures of what is to be seen, and what to tell of references that are none."""
    if order.workflow not in (Workflow.REFERENCES, Workflow.EDIT):
        return [], ()
    pictures: list[Pixels] = list(order.images)
    notes = []
    if order.workflow is Workflow.REFERENCES and order.clips:
        pictures += [np.asarray(clip.frames[len(clip.frames) // 2]) for clip in order.clips]
        notes.append("Of a reference video one picture is used: the model takes no motion from it.")
    if order.sounds:
        notes.append("Reference audio had no effect: the model makes no sound.")
    return pictures, tuple(notes)
