"""MiniMax-H3's modulation as a table: what depends on the step alone is computed once per schedule.

Each of the 50 blocks has a branch that turns the embedding of the time into shifts, scales and gates: 13 of the model's
33 thousand million weights, which see nothing of the film. Here they stay in the host's memory. Before the first step
of a schedule each is brought to the device once, computes its rows for all steps, and leaves; the rows wait on the host
(a step needs about 30 MB of them) and are brought when their step comes. Each step's rows are computed in one call of
the same shape as in the plain run, so the results are the same to the bit.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

SCHEDULES_MAX = 4
"""Schedules that are remembered, about 1.5 GB of the host's memory each at 50 steps: films and drafts, with and without
pictures that are given, since those have a time of their own."""

Times = tuple[float, ...]
"""The distinct times of one step, as the model is given them."""


class _Rows(nn.Module):  # type: ignore[misc]  # torch is skipped by mypy
    """Stands where a block's branch was, without weights, and answers with the rows of the step.

    The rows are an attribute of this module, not looked up by a number: compiled blocks share one graph.
    """

    rows: tuple[torch.Tensor, ...] = ()

    def forward(self, temb: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.rows


class ModulationTable:
    """Holds the branches of one transformer and the rows that they made."""

    def __init__(self, transformer: Any) -> None:
        """Take the branches out of the transformer. It has to lie on the host, with its adapters loaded."""
        self._branches = [block.adaln_proj for block in transformer.transformer_blocks]
        self._places = [_Rows() for _ in self._branches]
        for block, place in zip(transformer.transformer_blocks, self._places, strict=True):
            block.adaln_proj = place
        self._time_proj = transformer.time_proj
        # Its own may be anywhere when a schedule is prepared.
        self._time_embedder = _twin(transformer.time_embedder)
        self._schedules: dict[tuple[bool, tuple[Times, ...]], dict[Times, list[torch.Tensor]]] = {}
        self._steps: dict[Times, list[torch.Tensor]] = {}
        transformer.register_forward_pre_hook(self._turn_to_step, with_kwargs=True)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """What was taken out, and holds parts of adapters."""
        return (*self._branches, self._time_embedder)

    @property
    def parameters_out(self) -> int:
        """How many weights are no longer the transformer's."""
        return sum(weight.numel() for branch in self._branches for weight in branch.parameters())

    def prepare(self, steps: Sequence[torch.Tensor], device: torch.device, *, with_adapter: bool) -> None:
        """Compute the rows for all steps of a schedule, unless they are remembered.

        steps: the distinct times of each, shape (times,). with_adapter: whether a few-step adapter is active now.
        """
        times = [_times_of(step) for step in steps]
        key = (with_adapter, tuple(times))
        if key not in self._schedules:
            while len(self._schedules) >= SCHEDULES_MAX:
                del self._schedules[next(iter(self._schedules))]
            self._schedules[key] = self._computed(dict(zip(times, steps, strict=True)), device)
        else:
            self._schedules[key] = self._schedules.pop(key)
        self._steps = self._schedules[key]

    def close(self) -> None:
        """Forget the rows and the branches."""
        self._schedules.clear()
        self._steps = {}
        self._branches, self._places = [], []

    def _computed(self, steps: dict[Times, torch.Tensor], device: torch.device) -> dict[Times, list[torch.Tensor]]:
        embedded = {times: self._embedded(step.to(device), device) for times, step in steps.items()}
        found: dict[Times, list[torch.Tensor]] = {times: [] for times in steps}
        for branch in self._branches:
            weights = _on(branch, device)
            for times, embedding in embedded.items():
                rows = functional_call(branch, weights, (embedding,))
                found[times].append(torch.cat(rows, dim=-1).to("cpu"))
        return found

    def _embedded(self, step: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Embed the times as the transformer's forward does."""
        weights = _on(self._time_embedder, device)
        projected = self._time_proj(step).to(next(iter(weights.values())).dtype)
        return functional_call(self._time_embedder, weights, (projected,))

    def _turn_to_step(self, transformer: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Bring the rows of the step whose forward begins; a step of no schedule is computed by itself."""
        step = kwargs["timestep"]
        device = kwargs["hidden_states"].device
        times = _times_of(step)
        found = self._steps.get(times) or self._computed({times: step}, device)[times]
        for place, rows in zip(self._places, found, strict=True):
            place.rows = rows.to(device, non_blocking=True).chunk(6, dim=-1)


def _times_of(step: torch.Tensor) -> Times:
    return tuple(step.tolist())


def _twin(module: nn.Module) -> nn.Module:
    """Return a module with the very weights of another on the host, which stay there when the other moves.

    Not copies: a product with one row depends in its last bit on where in memory the weights begin.
    """
    shared = {id(weight): nn.Parameter(weight.data, requires_grad=False) for weight in module.parameters()}
    return copy.deepcopy(module, memo=shared)


def _on(module: nn.Module, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the module's weights on a device; its own stay where they are."""
    named = (*module.named_parameters(), *module.named_buffers())
    return {name: tensor.to(device) for name, tensor in named}
