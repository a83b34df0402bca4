"""LTX-2, 2.3 and 2.5: films with sound, from text, frames, clips and references, in one pass or in two.

Canvases above the recipe's bound are made in two passes: half the size, enlarged as latents by the model's own
upsampler, and refined in a few steps. What was shown is shown again in the second pass, at its size.
Source: diffusers 0.42.1, pipelines/ltx2; Lightricks/LTX-2, ltx-pipelines.
"""

import understudy.engines.diffusion.torchvision_ops  # noqa: F401

# isort: split
# What follows imports transformers, and that torchvision.

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import TaylorSeerCacheConfig
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from diffusers.pipelines.ltx2.pipeline_ltx2_ic_lora import LTX2ReferenceCondition, calculate_shift

from understudy.engines.diffusion.families import ltx_parts, ltx_sound
from understudy.engines.diffusion.families.ltx_files import Settings, settings_of
from understudy.engines.diffusion.families.ltx_parts import LARGE, Parts, load_parts
from understudy.engines.diffusion.families.ltx_scene import STRIDE, Scene, fitted, framed, margins, scene_of
from understudy.engines.diffusion.memory import reporting_lack
from understudy.engines.diffusion.order import Made, OnStep, Order, Pixels, Sound, Workflow
from understudy.engines.diffusion.placing import place, release
from understudy.engines.diffusion.recipe import Adapter, Option, Plan, Recipe
from understudy.engines.diffusion.speeding import speed_up
from understudy.engines.diffusion.stepping import seeded, watched

log = logging.getLogger(__name__)

PROMPTS_KEPT = 4
"""Encoded prompts that are kept on the host, 0.4 GB each for the largest encoder: the negative one and the last few."""

HALVES = 2
"""The upsampler doubles both sides."""

WITHOUT_GUIDANCE = {
    "guidance_scale": 1.0,
    "audio_guidance_scale": 1.0,
    "stg_scale": 0.0,
    "audio_stg_scale": 0.0,
    "modality_scale": 1.0,
    "audio_modality_scale": 1.0,
    "guidance_rescale": 0.0,
    "audio_guidance_rescale": 0.0,
}
"""The pipeline's own values guide, in three passes a step."""

GUESSED = r"transformer_blocks\.\d+\.(audio_)?(attn1|attn2|ff)|transformer_blocks\.\d+\.\w+_to_\w+_attn"
"""What is guessed in steps that are skipped: attention and feed-forward; diffusers' own pattern matches none of it."""

GUESSED_STEPS = 2
STEPS_BEFORE_GUESSING = 6
"""Every second step is guessed after the first six, which settle the layout. Ours: the mildest that skips anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One run of the denoiser. size_px: width and height. sigmas: empty = the scheduler's own.

    guidance: how it is guided, as the pipeline's words.
    """

    size_px: tuple[int, int]
    steps: int
    sigmas: tuple[float, ...] = ()
    guidance: Mapping[str, Any] = field(default_factory=lambda: WITHOUT_GUIDANCE)
    adapters: tuple[Adapter, ...] = ()
    is_beside: bool = False
    """Whether it reads what is shown beside the film."""

    @property
    def is_guided(self) -> bool:
        """Whether it compares with a negative prompt."""
        return bool(max(self.guidance["guidance_scale"], self.guidance["audio_guidance_scale"]) > 1)

    @property
    def forwards(self) -> int:
        """How often the transformer is called: the negative prompt goes along with the prompt, the others apart."""
        is_perturbed = bool(max(self.guidance["stg_scale"], self.guidance["audio_stg_scale"]) > 0)
        is_isolated = bool(max(self.guidance["modality_scale"], self.guidance["audio_modality_scale"]) > 1)
        return (len(self.sigmas) or self.steps) * (1 + is_perturbed + is_isolated)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Film:
    """What one generation is about. texts: the prompts encoded, as the pipeline's words. inner_px: what is made."""

    order: Order
    scene: Scene
    passes: tuple[Pass, ...]
    texts: Mapping[str, Any]
    generator: torch.Generator

    @property
    def inner_px(self) -> tuple[int, int]:
        """Width and height of what the last pass makes; a canvas may have to be a little larger to be halved."""
        return self.passes[-1].size_px


def load(recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> "LtxModel":
    """Load the model from its folder; see ``families.Load``."""
    settings = settings_of(recipe)
    with reporting_lack():
        parts = load_parts(recipe, settings, folder, plan=plan, device=device)
        place(parts.modules, plan, device, large=LARGE)
        wanted = tuple(option for option in options if option is not Option.STEP_CACHE)
        for note in speed_up(parts.modules["transformer"], wanted, device, family=recipe.family):
            log.warning("%s: %s", recipe.id, note)
    return LtxModel(recipe, settings, parts, guesses_steps=Option.STEP_CACHE in options)


class LtxModel:
    """A loaded model; see ``order.LoadedModel``."""

    def __init__(self, recipe: Recipe, settings: Settings, parts: Parts, *, guesses_steps: bool) -> None:
        """Take what was loaded and placed."""
        self._recipe = recipe
        self._settings = settings
        self._parts = parts
        self._guesses_steps = guesses_steps
        self._prompts: OrderedDict[str, tuple[Any, Any]] = OrderedDict()

    def generate(self, order: Order, on_step: OnStep) -> Made:
        """Make the film; see ``order.LoadedModel``."""
        with reporting_lack(), torch.inference_mode():
            film = self._film(order)
            latents, audio = self._denoised(film, on_step)
            sound = self._sound(film, audio) if order.has_sound else None
            notes = (*film.scene.notes, *self._cut(order.prompt))
            return Made(frames=self._pictures(film, latents), fps=order.fps, sound=sound, notes=notes)

    def close(self) -> None:
        """Give all memory back."""
        self._prompts.clear()
        release(self._parts.modules)

    def _film(self, order: Order) -> Film:
        scene = scene_of(
            order,
            context_frames=self._settings.context_frames,
            reads_clips=ltx_parts.reads(self._parts, self._settings, Workflow.EDIT),
        )
        passes = tuple(self._passes(order, scene))
        texts = self._encoded(order, is_guided=passes[0].is_guided)
        return Film(order=order, scene=scene, passes=passes, texts=texts, generator=seeded(order.seed))

    def _passes(self, order: Order, scene: Scene) -> Iterator[Pass]:
        """Lay out the passes of an order."""
        recipe, settings = self._recipe, self._settings
        schedule = recipe.draft if order.is_draft and recipe.draft is not None else recipe.usual
        adapters = (schedule.adapter,) if schedule.adapter is not None else ()
        guidance: Mapping[str, Any] = WITHOUT_GUIDANCE
        if order.guidance > 1:
            guidance = {**WITHOUT_GUIDANCE, **settings.guided, "guidance_scale": order.guidance}
        if scene.beside:
            beside = settings.in_context[order.workflow]
            adapters = (*adapters, Adapter(file=beside.file, scale=beside.scale))
        has_upsampler = self._parts.upsampling is not None
        is_large = min(order.width_px, order.height_px) > recipe.upscale_from_px
        refine = settings.refine if has_upsampler and is_large else None
        size_px = (order.width_px, order.height_px)
        if refine is not None:
            multiple = recipe.model.canvas_multiple
            size_px = (_halved(order.width_px, multiple), _halved(order.height_px, multiple))
        yield Pass(
            size_px=size_px,
            steps=order.steps,
            sigmas=self._sigmas(order, scene, size_px),
            guidance=guidance,
            adapters=adapters,
            is_beside=bool(scene.beside),
        )
        if refine is not None:
            yield Pass(
                size_px=(HALVES * size_px[0], HALVES * size_px[1]),
                steps=len(refine.sigmas),
                sigmas=refine.sigmas,
                adapters=(refine.adapter,) if refine.adapter is not None else (),
            )

    def _sigmas(self, order: Order, scene: Scene, size_px: tuple[int, int]) -> tuple[float, ...]:
        """Return the sigmas of the first pass; over a given video those that leave some of it, the last at least."""
        if not scene.source:
            return order.sigmas
        sigmas = order.sigmas
        if not sigmas:
            scheduler, config = self._parts.shifting, self._parts.shifting.config
            vae = self._parts.modules["vae"]
            tokens = ((scene.num_frames - 1) // STRIDE + 1) * (size_px[0] * size_px[1])
            shift = calculate_shift(
                tokens // vae.spatial_compression_ratio**2,
                config.base_image_seq_len,
                config.max_image_seq_len,
                config.base_shift,
                config.max_shift,
            )
            scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / order.steps, order.steps), mu=shift)
            sigmas = tuple(scheduler.sigmas[:-1].tolist())
        return tuple(sigma for sigma in sigmas if sigma <= self._settings.edit_from_sigma) or sigmas[-1:]

    def _encoded(self, order: Order, *, is_guided: bool) -> Mapping[str, Any]:
        """Return the prompts for the pipeline, on the device; encoded before anything else is brought there."""
        device = self._parts.pipeline._execution_device
        texts = {"": order.prompt}
        if is_guided:
            texts["negative_"] = order.negative_prompt
        found = {}
        for prefix, text in texts.items():
            embeds, mask = self._prompt(text)
            found[f"{prefix}prompt_embeds"] = embeds.to(device)
            found[f"{prefix}prompt_attention_mask"] = mask.to(device)
        return found

    def _cut(self, prompt: str) -> tuple[str, ...]:
        """Return what to tell the caller of a prompt that is longer than the model reads."""
        most = self._settings.max_sequence_length
        count = len(self._parts.pipeline.tokenizer(prompt.strip()).input_ids)
        if count <= most:
            return ()
        return (f"The prompt has {count} tokens, and the model reads {most}: its end had no effect.",)

    def _prompt(self, text: str) -> tuple[Any, Any]:
        """Encode a prompt, or find it among the last ones; on the host."""
        if text not in self._prompts:
            embeds, mask, *_ = self._parts.pipeline.encode_prompt(
                prompt=text,
                do_classifier_free_guidance=False,
                max_sequence_length=self._settings.max_sequence_length,
            )
            self._prompts[text] = (embeds.cpu(), mask.cpu())
        self._prompts.move_to_end(text)
        while len(self._prompts) > PROMPTS_KEPT:
            self._prompts.popitem(last=False)
        return self._prompts[text]

    def _denoised(self, film: Film, on_step: OnStep) -> tuple[Any, Any]:
        """Run all passes. Returns: latents of pictures and of sound, as the decoders want them."""
        total = sum(each.forwards for each in film.passes)
        transformer, audio_vae = self._parts.modules["transformer"], self._parts.modules["audio_vae"]
        hearing = ltx_sound.holding(
            transformer,
            film.scene.held,
            num_latents=ltx_sound.num_latents_of(film.scene.num_frames, film.order.fps, audio_vae),
            audio_vae=audio_vae,
            device=self._parts.pipeline._execution_device,
        )
        latents = self._latents_of(film) if film.scene.source else None
        audio = None
        with watched([transformer], total, on_step), hearing:
            for number, each in enumerate(film.passes):
                if number and self._parts.upsampling is not None:
                    latents = self._parts.upsampling(latents=latents, output_type="latent", return_dict=False)[0]
                latents, audio = self._run(each, film, latents=latents, audio=audio)
        on_step(total, total)
        return latents, audio

    def _run(self, each: Pass, film: Film, *, latents: Any, audio: Any) -> tuple[Any, Any]:
        """Run one pass; see ``_denoised``."""
        scene, order, pipeline = film.scene, film.order, self._parts.pipeline
        canvas_px = (order.width_px, order.height_px)
        ltx_parts.switch(self._parts, each.adapters)
        pipeline.scheduler = self._parts.plain if each.sigmas else self._parts.shifting
        pipeline.last_frame = scene.num_frames - 1
        beside: Mapping[str, Any] = {}
        if each.is_beside:
            downscale = self._settings.in_context[order.workflow].downscale
            sheet = _tensor(scene.beside, (each.size_px[0] // downscale, each.size_px[1] // downscale))
            beside = {
                "reference_conditions": [LTX2ReferenceCondition(frames=sheet)],
                "reference_downscale_factor": downscale,
            }
        conditions = [
            LTX2VideoCondition(frames=framed(shown.frames, canvas_px, film.inner_px), index=shown.latent)
            for shown in scene.shown
        ]
        texts = film.texts
        if not each.is_guided:
            texts = {name: value for name, value in texts.items() if not name.startswith("negative_")}
        with self._guessing(each):
            made: tuple[Any, Any] = pipeline(
                conditions=conditions or None,
                width=each.size_px[0],
                height=each.size_px[1],
                num_frames=scene.num_frames,
                frame_rate=order.fps,
                num_inference_steps=each.steps,
                sigmas=list(each.sigmas) or None,
                generator=film.generator,
                # In 32 bits, as what the pipeline makes itself: noise is added to it.
                latents=None if latents is None else latents.float(),
                audio_latents=None if audio is None else audio.float(),
                output_type="latent",
                return_dict=False,
                **beside,
                **texts,
                **each.guidance,
                **self._settings.call,
            )
        return made

    @contextmanager
    def _guessing(self, each: Pass) -> Iterator[None]:
        """Let steps be guessed from those before, where that is wanted and there are enough of them.

        The hooks come anew for every pass: what they remember of one film is wrong for the next, and for one that was
        stopped in the middle.
        """
        transformer = self._parts.modules["transformer"]
        steps = len(each.sigmas) or each.steps
        if not self._guesses_steps or steps <= STEPS_BEFORE_GUESSING + GUESSED_STEPS:
            yield
            return
        transformer.enable_cache(
            TaylorSeerCacheConfig(
                cache_interval=GUESSED_STEPS,
                disable_cache_before_step=STEPS_BEFORE_GUESSING,
                disable_cache_after_step=steps - 1,
                taylor_factors_dtype=transformer.dtype,
                cache_identifiers=[GUESSED],
            )
        )
        try:
            yield
        finally:
            transformer.disable_cache()

    def _latents_of(self, film: Film) -> Any:
        """Encode the video that is changed, at the size of the first pass; not normalised, as the pipeline takes it."""
        vae = self._parts.modules["vae"]
        pixels = _tensor(film.scene.source, film.passes[0].size_px).to(vae.dtype)
        pixels = pixels.mul_(2.0).sub_(1.0).transpose(0, 1)[None]
        return vae.encode(pixels.to(self._parts.pipeline._execution_device)).latent_dist.mode()

    def _pictures(self, film: Film, latents: Any) -> Pixels:
        """Decode the frames that are returned; they leave the device one by one, as bytes."""
        vae, scene, order = self._parts.modules["vae"], film.scene, film.order
        latents = latents.to(vae.dtype)
        # Such decoders want to be told how much noise is left: none.
        step = torch.zeros(1, device=latents.device, dtype=vae.dtype) if vae.config.timestep_conditioning else None
        pixels = vae.decode(latents, step, return_dict=False)[0][0]
        frames = np.empty((scene.keep, order.height_px, order.width_px, 3), np.uint8)
        left, _ = margins(film.inner_px[0] - order.width_px)
        top, _ = margins(film.inner_px[1] - order.height_px)
        for at in range(scene.keep):
            frame = pixels[:, scene.skip + at, top : top + order.height_px, left : left + order.width_px]
            bytes_ = frame.float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)
            frames[at] = bytes_.permute(1, 2, 0).cpu().numpy()
        return frames

    def _sound(self, film: Film, audio: Any) -> Sound:
        """Decode the sound of the frames that are returned; what is the film's own track is not decoded but given."""
        scene, fps = film.scene, film.order.fps
        track = scene.track
        if track is not None:
            wanted = round(scene.keep / fps * track.sample_rate_hz)
            if track.samples.shape[1] >= wanted:
                return Sound(samples=track.samples[:, :wanted], sample_rate_hz=track.sample_rate_hz)
        parts = self._parts.modules
        whole = ltx_sound.sound_of(audio, audio_vae=parts["audio_vae"], vocoder=parts["vocoder"])
        start, end = (round(at / fps * whole.sample_rate_hz) for at in (scene.skip, scene.skip + scene.keep))
        made = Sound(samples=whole.samples[:, start:end], sample_rate_hz=whole.sample_rate_hz)
        return made if track is None else ltx_sound.with_track(made, track)


def _halved(side_px: int, multiple: int) -> int:
    return -(-side_px // (HALVES * multiple)) * multiple


def _tensor(frames: Sequence[Pixels], size_px: tuple[int, int]) -> Any:
    """Return frames at a size as numbers within 0..1, shape (frames, 3, height, width)."""
    pixels = torch.empty(len(frames), 3, size_px[1], size_px[0])
    for at, frame in enumerate(frames):
        if at and frame is frames[at - 1]:
            pixels[at] = pixels[at - 1]
        else:
            pixels[at] = torch.from_numpy(np.ascontiguousarray(fitted(frame, size_px))).permute(2, 0, 1) / 255
    return pixels
