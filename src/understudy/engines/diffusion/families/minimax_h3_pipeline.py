"""MiniMax-H3's modular pipeline of diffusers, with what this server changes of it."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers import MiniMaxH3Scheduler
from diffusers.hooks import FirstBlockCacheConfig
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.models.transformers.transformer_minimax_h3 import MiniMaxH3TransformerBlock
from diffusers.modular_pipelines import MiniMaxH3Blocks, MiniMaxH3ModularPipeline
from diffusers.modular_pipelines.minimax_h3.before_denoise import MiniMaxH3SetTimestepsStep

OnSchedule = Callable[[Sequence[torch.Tensor]], None]


class Pipeline(MiniMaxH3ModularPipeline):  # type: ignore[misc]  # diffusers is skipped by mypy
    """The pipeline without its decoders, which hold the whole film as floats; see `minimax_h3_decoding`.

    Diffusers refuses films below 5 seconds and above 15 *after* it has rounded the frames up, and so refuses 15 seconds
    as well; the model makes both. on_schedule: told the distinct times of every step before the first one.
    """

    duration_s: tuple[float, float]
    device_used: torch.device
    on_schedule: OnSchedule | None = None

    @property
    def min_duration(self) -> float:
        """Seconds."""
        return self.duration_s[0]

    @property
    def max_duration(self) -> float:
        """Seconds, of the frames after rounding up."""
        return self.duration_s[1]

    @property
    def _execution_device(self) -> torch.device:
        """Not asked of the components: which of them lie where changes during a call."""
        return self.device_used


class Scheduler(MiniMaxH3Scheduler):  # type: ignore[misc]  # diffusers is skipped by mypy
    """The scheduler with sigmas of one's own. given: before the shift, since picture and sound are shifted apart."""

    given: tuple[float, ...] = ()

    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, sigmas: Any = None) -> None:
        """Take the given sigmas, if there are any."""
        if sigmas is None and self.given:
            base = torch.tensor(self.given, dtype=torch.float32)
            sigmas = self.shift * base / (1 + (self.shift - 1) * base)
        super().set_timesteps(num_inference_steps, device=device, sigmas=sigmas)


class _SetTimesteps(MiniMaxH3SetTimestepsStep):  # type: ignore[misc]  # diffusers is skipped by mypy
    """The step that knows all times of a film, telling them."""

    def __call__(self, components: Pipeline, state: Any) -> Any:
        components, state = super().__call__(components, state)
        if components.on_schedule is not None:
            components.on_schedule([times for times, _ in state.get("row_timestep_plan")])
        return components, state


def pipeline_of(device: str, duration_s: tuple[float, float]) -> Pipeline:
    """Return the pipeline without its components. duration_s: the shortest and the longest film."""
    blocks = MiniMaxH3Blocks()
    blocks.sub_blocks.pop("decode")
    for branch in blocks.sub_blocks["denoise"].sub_blocks.values():
        branch.sub_blocks["set_timesteps"] = _SetTimesteps()
        branch.sub_blocks["denoise"].set_progress_bar_config(disable=True)
    pipeline = Pipeline(blocks=blocks)
    pipeline.duration_s = duration_s
    pipeline.device_used = torch.device(device)
    return pipeline


def cache_steps(transformer: Any, threshold: float) -> None:
    """Guess the blocks of a step from those of the step before when the first one changes less than the threshold.

    diffusers has the method and does not list H3's block among those whose outputs it knows; ours says that a block
    returns its rows and nothing else.
    """
    metadata = TransformerBlockMetadata(return_hidden_states_index=0, return_encoder_hidden_states_index=None)
    TransformerBlockRegistry.register(MiniMaxH3TransformerBlock, metadata)
    transformer.enable_cache(FirstBlockCacheConfig(threshold=threshold))
