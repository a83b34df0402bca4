"""The noise of Wan's steps: its pipelines take a count of steps only, so the scheduler brings what was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from understudy.engines.diffusion.order import Order


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noise:
    """One film's schedule. scheduler: diffusers', for a pipeline. sigmas: the share of noise before each step."""

    scheduler: Any
    sigmas: tuple[float, ...]

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.sigmas)


def noise_of(own: Any, order: Order, *, flow_shift: float, start: float = 1.0) -> Noise:
    """Return the schedule of an order.

    own: the scheduler of the checkpoint. flow_shift: how much longer it stays with much noise. start: the share of
    noise to begin with; below 1 something is there already, and the steps above are left out. A few-step schedule has
    its own sigmas; it was distilled for Euler's method (Wan2.2-Lightning, generate.py).
    """
    if order.sigmas:
        flow_shift = 1.0
        scheduler = FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=own.config.num_train_timesteps, shift=flow_shift
        )
        sigmas: Sequence[float] = order.sigmas
    else:
        name = "flow_shift" if "flow_shift" in own.config else "shift"
        scheduler = type(own).from_config(own.config, **{name: flow_shift})
        scheduler.set_timesteps(order.steps)
        sigmas = scheduler.sigmas[:-1].tolist()
    if start < 1.0:
        sigmas = [start, *(each for each in sigmas if each < start)]
    if order.sigmas or start < 1.0:
        _bind(scheduler, np.array([_unshifted(each, flow_shift) for each in sigmas]))
    return Noise(scheduler=scheduler, sigmas=tuple(sigmas))


def noised(latents: torch.Tensor, noise: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return what a flow has at this share of noise between latents and noise of one shape."""
    return latents * (1.0 - sigma) + noise * sigma


def _unshifted(sigma: float, shift: float) -> float:
    """Return what the scheduler has to be given so that it comes to this: it shifts what it is given."""
    return sigma / (shift - (shift - 1.0) * sigma)


def _bind(scheduler: Any, sigmas: np.ndarray[Any, Any]) -> None:
    """Let the scheduler use these sigmas whatever count of steps a pipeline asks for."""
    plain = scheduler.set_timesteps

    def chosen(_steps: int | None = None, device: Any = None) -> None:
        plain(sigmas=sigmas.copy(), device=device)

    scheduler.set_timesteps = chosen
