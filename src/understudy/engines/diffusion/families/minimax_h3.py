"""MiniMax-H3: films with their sound from text, from first and last frames, and from references.

The model has two transformers of one shape, one for frames and one for references, beside a shared conditioner and
shared decoders. Each is loaded when an order first needs it, and both stay where memory allows. Source: diffusers
0.42.1, modular_pipelines/minimax_h3.
"""

import logging
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLMiniMaxH3, AutoencoderKLMiniMaxH3Audio, MiniMaxH3Transformer3DModel
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import Qwen2TokenizerFast, Qwen3VLForConditionalGeneration, Qwen3VLProcessor

from understudy.engines.diffusion import memory
from understudy.engines.diffusion.families.minimax_h3_conditions import Conditions, Partition, conditions_of
from understudy.engines.diffusion.families.minimax_h3_decoding import decode_frames, decode_sound
from understudy.engines.diffusion.families.minimax_h3_modulation import ModulationTable
from understudy.engines.diffusion.families.minimax_h3_pipeline import Scheduler, cache_steps, pipeline_of
from understudy.engines.diffusion.loading import load_component
from understudy.engines.diffusion.order import LoadedModel, Made, OnStep, Order, Sound
from understudy.engines.diffusion.placing import place, release
from understudy.engines.diffusion.recipe import Adapter, Offload, Option, Plan, Quantisation, Recipe
from understudy.engines.diffusion.speeding import speed_up
from understudy.engines.diffusion.stepping import seeded, watched

log = logging.getLogger(__name__)

ADAPTER = "few_steps"
CACHE_CONTEXT = "film"

_CONTROL = re.compile(r"<\|(?=\w+\|>)")
"""Where one of the conditioner's own marks begins, such as <|image_pad|>; in a prompt it is a word like others."""

MATCH = "match"
"""Reference images on the canvas' own short edge. The pipeline's own, 2048, enlarges every image to 4 000 to 7 300 rows
of the sequence, which is 37 000 long without them; at 768 it is 600 to 1 000. The few-step adapter for references was
trained so."""

ROOM = 1.1
"""A second transformer is kept beside the first where so many times its files' size is free."""

SHARE_IN_8_BITS = 0.55
"""What 8-bit weights take of 16-bit ones, with what is left as it is."""

ROUNDED_UP_S = 0.1
"""The longest film, 15 s, is 362 frames after rounding up: 15.08 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shifts:
    """Of the two schedules; None = as the model's files say. Source: lightx2v/Minimax-h3-Turbo, discussions 48, 51."""

    video: float | None = None
    audio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Loaded:
    """One of the two transformers in memory."""

    transformer: Any
    table: ModulationTable | None
    has_adapter: bool

    def switch_adapter(self, *, is_on: bool) -> None:
        """Let the few-step adapter take part, or not; also in what was taken out of the transformer."""
        outside = () if self.table is None else self.table.modules
        for part in (self.transformer, *outside):
            for module in part.modules():
                if isinstance(module, BaseTunerLayer):
                    module.enable_adapters(is_on)


class MiniMaxH3:
    """The loaded model; see ``LoadedModel``."""

    def __init__(self, recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> None:
        """Load what all films need, and the transformer for frames."""
        self._recipe, self._folder, self._plan = recipe, folder, plan
        self._options, self._device = options, device
        shortest_s, longest_s = recipe.model.duration_s
        self._pipeline = pipeline_of(device, (shortest_s, longest_s + ROUNDED_UP_S))
        self._shared = self._load_shared()
        self._transformers: dict[Partition, _Loaded] = {}
        place(self._shared, plan, device, large=("text_encoder",))
        self._use(Partition.FRAMES)

    def generate(self, order: Order, on_step: OnStep) -> Made:
        """Make the film; see ``LoadedModel.generate``.

        Raises: ValueError for an order that is not in the model's form.
        """
        with memory.reporting_lack(), torch.inference_mode():
            conditions = conditions_of(order, sample_rate_hz=self._recipe.model.sample_rate_hz)
            loaded = self._use(conditions.partition)
            latents, audio_latents = self._denoised(order, conditions, loaded=loaded, on_step=on_step)
            pipeline = self._pipeline
            frames = decode_frames(pipeline.vae, latents, mean=pipeline.pixel_mean, std=pipeline.pixel_std)
            samples = decode_sound(pipeline.audio_vae, audio_latents) if order.has_sound else None
        # What the film shares with a given video is not part of it.
        frames = frames[conditions.at_head : len(frames) - conditions.at_tail]
        sound = None
        if samples is not None:
            rate_hz = pipeline.audio_sampling_rate
            sound = Sound(samples=samples[:, round(conditions.at_head / order.fps * rate_hz) :], sample_rate_hz=rate_hz)
        lacks = order.is_draft and self._adapter_of(conditions.partition) is not None and not loaded.has_adapter
        lack = ("The weights for drafts are not on this server: the draft is rougher than it could be.",)
        notes = (*conditions.notes, *(lack if lacks else ()))
        return Made(frames=frames, fps=float(pipeline.fps), sound=sound, notes=notes)

    def close(self) -> None:
        """Give all memory back."""
        for partition in tuple(self._transformers):
            self._drop(partition)
        for name in self._shared:
            setattr(self._pipeline, name, None)
        release(self._shared)
        self._shared = {}

    def _denoised(
        self, order: Order, conditions: Conditions, *, loaded: _Loaded, on_step: OnStep
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pipeline = self._pipeline
        is_adapted = order.is_draft and loaded.has_adapter
        loaded.switch_adapter(is_on=is_adapted)
        sigmas = _ended(order.sigmas)
        shifts = self._shifts_of(conditions.partition) if is_adapted else _Shifts()
        for scheduler, shift in ((pipeline.scheduler, shifts.video), (pipeline.audio_scheduler, shifts.audio)):
            scheduler.given = sigmas
            scheduler.set_shift(scheduler.config.shift if shift is None else shift)
        if loaded.table is not None:
            table = loaded.table
            pipeline.on_schedule = lambda steps: table.prepare(steps, pipeline.device_used, with_adapter=is_adapted)
        short_edge = self._recipe.settings.get("reference_image_short_edge", MATCH)
        canvas_short_edge = min(order.width_px, order.height_px)
        pipeline.update_components(
            canvas_short_edge=canvas_short_edge,
            canvas_max_pixels=order.width_px * order.height_px,
            reference_image_short_edge=canvas_short_edge if short_edge == MATCH else int(short_edge),
        )
        # The grid of a schedule counts its end as well, where nothing is computed.
        forwards = (len(sigmas) or order.steps) - 1
        with ExitStack() as during:
            during.callback(setattr, pipeline, "on_schedule", None)
            if loaded.transformer.is_cache_enabled:
                during.enter_context(loaded.transformer.cache_context(CACHE_CONTEXT))
                during.callback(loaded.transformer._reset_stateful_cache)
            during.enter_context(watched([loaded.transformer], forwards, on_step))
            made = pipeline(
                # Else it stands for a picture that is not there, and the conditioner gives up.
                prompt=_CONTROL.sub("< |", order.prompt),
                generator=seeded(order.seed),
                width=order.width_px,
                height=order.height_px,
                num_frames=order.num_frames,
                num_inference_steps=order.steps,
                output=["latents", "audio_latents"],
                **conditions.arguments,
            )
        return made["latents"], made["audio_latents"]

    def _load_shared(self) -> Mapping[str, Any]:
        """Load all that both transformers work with, and give it to the pipeline."""
        folder, dtype, quantisation = self._folder, self._recipe.dtype, self._plan.quantisation
        shared = {
            "text_encoder": load_component(
                Qwen3VLForConditionalGeneration,
                folder,
                "text_encoder",
                dtype=dtype,
                quantisation=quantisation,
                device=self._device,
            ),
            # It always works in tiles, whatever the plan: so it was released, and without them its pictures differ.
            "vae": load_component(AutoencoderKLMiniMaxH3, folder, "vae", dtype=dtype),
            # Half a gigabyte either way, and what 16 bits lose of a sound is heard.
            "audio_vae": load_component(AutoencoderKLMiniMaxH3Audio, folder, "audio_vae", dtype="float32"),
        }
        processor = Qwen3VLProcessor.from_pretrained(str(folder / "processor"), local_files_only=True)
        if getattr(processor.video_processor, "cap_pixels_per_frame", False) is None:
            # Said outright, as the library is about to change what it means to say nothing.
            processor.video_processor.cap_pixels_per_frame = False
        self._pipeline.update_components(
            **shared,
            tokenizer=Qwen2TokenizerFast.from_pretrained(str(folder / "tokenizer"), local_files_only=True),
            processor=processor,
            scheduler=Scheduler.from_pretrained(str(folder), subfolder="scheduler", local_files_only=True),
            audio_scheduler=Scheduler.from_pretrained(str(folder), subfolder="audio_scheduler", local_files_only=True),
        )
        return shared

    def _use(self, partition: Partition) -> _Loaded:
        """Return a transformer, loaded and placed; the other one goes where both have no room."""
        if partition not in self._transformers:
            if not self._has_room_beside(partition):
                for other in tuple(self._transformers):
                    self._drop(other)
            self._transformers[partition] = loaded = self._load(partition)
            setattr(self._pipeline, partition, loaded.transformer)
        return self._transformers[partition]

    def _load(self, partition: Partition) -> _Loaded:
        transformer = load_component(
            MiniMaxH3Transformer3DModel,
            self._folder,
            partition,
            dtype=self._recipe.dtype,
            quantisation=self._plan.quantisation,
            device=self._device,
        )
        # In this order: adapters reach into what the table takes out, and hooks are set on what is left.
        has_adapter = self._load_adapter(partition, transformer)
        table = ModulationTable(transformer) if Option.MODULATION_TABLE in self._options else None
        if Option.STEP_CACHE in self._options:
            cache_steps(transformer, float(self._recipe.settings["step_cache_threshold"]))
        placed = {partition.value: transformer}
        if self._plan.offload is Offload.MODEL:
            # Those that take turns have to know of each other.
            placed = {**self._shared, **{name: each.transformer for name, each in self._transformers.items()}, **placed}
        place(placed, self._plan, self._device, large=(partition.value,))
        for lack in speed_up(transformer, self._options, self._device, family=self._recipe.family):
            log.warning("%s: %s", self._recipe.id, lack)
        return _Loaded(transformer=transformer, table=table, has_adapter=has_adapter)

    def _load_adapter(self, partition: Partition, transformer: Any) -> bool:
        """Load the adapter for drafts, if its file is there, and leave it without effect.

        Raises: ValueError for a file that is none of this model's.
        """
        adapter = self._adapter_of(partition)
        if adapter is None or not (self._folder / adapter.file).is_file():
            return False
        path = self._folder / adapter.file
        state, metadata = self._pipeline.lora_state_dict(
            str(path.parent), weight_name=path.name, local_files_only=True, return_lora_metadata=True
        )
        prefix = next((each for each in Partition if any(name.startswith(f"{each}.") for name in state)), None)
        if prefix is None:
            raise ValueError(f"{path} holds no adapter of this model.")
        transformer.load_lora_adapter(state, prefix=prefix.value, adapter_name=ADAPTER, metadata=metadata)
        transformer.set_adapters(ADAPTER, adapter.scale)
        transformer.disable_adapters()
        return True

    def _adapter_of(self, partition: Partition) -> Adapter | None:
        """Return the few-step adapter: each transformer has its own, and suffers from the other's."""
        if self._recipe.draft is None:
            return None
        if partition is Partition.FRAMES:
            return self._recipe.draft.adapter
        row = self._recipe.settings.get("draft_references")
        return None if row is None else Adapter(file=row["file"], scale=row.get("scale", 1.0))

    def _shifts_of(self, partition: Partition) -> _Shifts:
        name = "draft_frames" if partition is Partition.FRAMES else "draft_references"
        row = self._recipe.settings.get(name, {})
        return _Shifts(video=row.get("video_shift"), audio=row.get("audio_shift"))

    def _has_room_beside(self, partition: Partition) -> bool:
        """Tell whether a transformer can be kept beside one that is loaded."""
        if not self._transformers:
            return True
        if "transformers_kept" in self._recipe.settings:
            return len(self._transformers) < int(self._recipe.settings["transformers_kept"])
        size_bytes = sum(file.stat().st_size for file in (self._folder / partition).glob("*.safetensors"))
        if self._plan.quantisation is not Quantisation.NONE:
            size_bytes = int(size_bytes * SHARE_IN_8_BITS)
        where = self._device if self._plan.offload is Offload.NONE else "cpu"
        return memory.free_bytes(where) > ROOM * size_bytes

    def _drop(self, partition: Partition) -> None:
        """Give a transformer's memory back, on the device and on the host."""
        loaded = self._transformers.pop(partition)
        setattr(self._pipeline, partition, None)
        if loaded.table is not None:
            loaded.table.close()
        release({partition.value: loaded.transformer})


def _ended(sigmas: tuple[float, ...]) -> tuple[float, ...]:
    """Return a schedule with its end, 0, at which this scheduler wants it to end."""
    return (*sigmas, 0.0) if sigmas and sigmas[-1] != 0.0 else sigmas


def load(recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str) -> LoadedModel:
    """Load the model; see ``families.Load``.

    settings of the recipe: reference_image_short_edge ("match" or pixels), draft_frames and draft_references (file,
    scale, video_shift, audio_shift of the few-step adapters; the first file is that of the recipe's draft),
    step_cache_threshold, transformers_kept (1 or 2; without it, as memory allows).
    """
    with memory.reporting_lack():
        return MiniMaxH3(recipe, folder, plan, options=options, device=device)
