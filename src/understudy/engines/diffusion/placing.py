"""Where the components of a model lie: all on the device, one at a time, or streamed there group by group.

Written against single modules, so that it serves ordinary and modular pipelines alike: diffusers' own
``enable_model_cpu_offload`` is a method of the one kind, ``ComponentsManager`` of the other.
"""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

import torch

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
from accelerate.hooks import ModelHook, add_hook_to_module, remove_hook_from_module
from accelerate.utils import send_to_device
from diffusers.hooks import apply_group_offloading

from understudy.engines.diffusion import memory
from understudy.engines.diffusion.loading import size_bytes
from understudy.engines.diffusion.recipe import Offload, Plan

PINNED_ROOM = 2.0
"""Pinned memory is a second copy while it is made, and torch rounds each tensor up to a power of two: weights are
pinned only where twice their size is free."""


def place(components: Mapping[str, torch.nn.Module], plan: Plan, device: str, *, large: tuple[str, ...]) -> None:
    """Put the components where the plan wants them.

    components: all modules of the pipeline, by their names there; each of them, or `_execution_device` of a pipeline
    answers "cpu". Adapters are loaded before: what comes later stays where it was loaded. large: those that are
    streamed with Offload.GROUP. On "cpu" they lie where they were loaded.

    Raises: OutOfMemory.
    """
    at = torch.device(device)
    with memory.reporting_lack():
        for module in components.values():
            module.eval().requires_grad_(requires_grad=False)
        if at.type == "cpu" or plan.offload is Offload.NONE:
            for module in components.values():
                module.to(at)
        elif plan.offload is Offload.MODEL:
            turns = turns_at(_with_index(at))
            for module in components.values():
                turns.take_part(module)
        else:
            room = memory.free_bytes("cpu")
            for name, module in components.items():
                if name in large:
                    is_pinned = room > PINNED_ROOM * size_bytes(module)
                    stream(module, _with_index(at), is_pinned=is_pinned)
                    room -= size_bytes(module) if is_pinned else 0
                else:
                    module.to(at)


def release(components: Mapping[str, torch.nn.Module]) -> None:
    """Give the memory of the components back, on the device and on the host. They are of no use afterwards."""
    for module in components.values():
        remove_hook_from_module(module, recurse=True)
        for part in module.modules():
            # The hooks of diffusers hold pinned copies of the weights, and `forward` holds the hooks.
            part.__dict__.pop("_diffusers_hook", None)
            part.__dict__.pop("forward", None)
            part._parameters.clear()
            part._buffers.clear()
    memory.give_back()


def stream(module: torch.nn.Module, device: torch.device, *, is_pinned: bool = False) -> None:
    """Keep the module's weights on the host, and copy each group to the device just before it computes.

    The next group is copied while one computes. is_pinned: pin all weights beforehand: faster, and twice the memory
    while it is done; otherwise each group is pinned as it is copied.
    """
    has_streams = device.type == "cuda"
    settings: dict[str, Any] = {
        "onload_device": device,
        "offload_device": torch.device("cpu"),
        "non_blocking": has_streams,
        "use_stream": has_streams,
        "record_stream": has_streams,
        "low_cpu_mem_usage": has_streams and not is_pinned,
    }
    if getattr(module, "_repeated_blocks", None):
        apply_group_offloading(module, offload_type="block_level", num_blocks_per_group=1, **settings)
    else:
        for part in _entered(module):
            apply_group_offloading(part, offload_type="leaf_level", **settings)
    for part in module.modules():
        hook = part._diffusers_hook.get_hook("group_offloading") if hasattr(part, "_diffusers_hook") else None
        if hook is not None:
            hook.group.onload_ = _outside_inference(hook.group.onload_)
            hook.group.offload_ = _outside_inference(hook.group.offload_)


def _outside_inference(move: Callable[[], None]) -> Callable[[], None]:
    """Move weights as usual even where a film is made in inference mode: quantised ones cannot be copied in it."""

    @wraps(move)
    def moved() -> None:
        with torch.inference_mode(mode=False):
            move()

    # As diffusers does with its own: a compiled layer ends its graph here.
    apart: Callable[[], None] = torch.compiler.disable(moved)
    return apart


def _entered(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the modules at which an encoder may be called: H3 calls ``text_encoder.model``, others its whole.

    What is prefetched is learned when the module is called that carries the hooks, so it has to be that one.
    """
    if isinstance(getattr(module, "model", None), torch.nn.Module) and not any(
        True for _ in module.parameters(recurse=False)
    ):
        return [part for part in module.children() if any(True for _ in part.parameters())]
    return [module]


class Turns:
    """Components that come to one device, each when it is called, the one before leaving first.

    The host's copy is kept meanwhile, and is what comes back: weights do not change, and copying 60 GB back would take
    as long as bringing them.
    """

    def __init__(self, device: torch.device) -> None:
        """Begin with nothing on the device."""
        self.device = device
        self.now: _Turn | None = None

    def take_part(self, module: torch.nn.Module) -> None:
        """Let a module come when its forward is called, or its encode or decode (see ``apply_forward_hook``)."""
        remove_hook_from_module(module, recurse=True)
        module.to("cpu")
        add_hook_to_module(module, _Turn(self, module))

    def come(self, turn: "_Turn") -> None:
        """Bring one module, after the one before has left."""
        if self.now is turn:
            return
        if self.now is not None:
            self.now.leave()
            memory.give_back()
        # Before it is brought: should memory run out in the middle, what came has to leave too.
        self.now = turn
        turn.bring()


@cache
def turns_at(device: torch.device) -> Turns:
    """Return the turns of a device. There is one per device: components that are placed later push out those before."""
    return Turns(device)


class _Turn(ModelHook):  # type: ignore[misc]  # accelerate is skipped by mypy
    """The hook of one module. execution_device: what pipelines look for, to make their own tensors there."""

    def __init__(self, turns: Turns, module: torch.nn.Module) -> None:
        self.execution_device = turns.device
        self._turns = turns
        self._module = module
        self._left: list[tuple[dict[str, Any], str, torch.Tensor, torch.Tensor]] = []

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._turns.come(self)
        return send_to_device(args, self.execution_device), send_to_device(kwargs, self.execution_device)

    def detach_hook(self, module: torch.nn.Module) -> torch.nn.Module:
        self.leave()
        if self._turns.now is self:
            self._turns.now = None
        return module

    def bring(self) -> None:
        """Copy the weights to the device and remember the host's. What two layers share is shared there as well.

        Weights are exchanged rather than refilled: what `data` of a quantised one is has none of its numbers.
        """
        copies: dict[int, torch.Tensor] = {}
        for held, name, host in _weights(self._module):
            if host.device != self.execution_device:
                if id(host) not in copies:
                    copies[id(host)] = _moved(host, self.execution_device)
                there = copies[id(host)]
                self._left.append((held, name, host, there))
                held[name] = there

    def leave(self) -> None:
        """Put the host's weights back, and drop those of the device. What came to be there meanwhile is copied."""
        left, self._left = self._left, []
        for held, name, host, there in left:
            if held.get(name) is there:
                held[name] = host
        for held, name, weight in _weights(self._module):
            if weight.device == self.execution_device:
                held[name] = _moved(weight, torch.device("cpu"))


def _weights(module: torch.nn.Module) -> list[tuple[dict[str, Any], str, torch.Tensor]]:
    """Return all weights and buffers, each with the table that holds it and its name there."""
    tables = [table for part in module.modules() for table in (part._parameters, part._buffers)]
    return [(table, name, weight) for table in tables for name, weight in table.items() if weight is not None]


def _moved(weight: torch.Tensor, device: torch.device) -> torch.Tensor:
    # Films are made in inference mode; a weight that is made there could never be changed outside, by an adapter say.
    with torch.inference_mode(mode=False):
        moved = weight.detach().to(device)
        return torch.nn.Parameter(moved, requires_grad=False) if isinstance(weight, torch.nn.Parameter) else moved


def _with_index(device: torch.device) -> torch.device:
    """Name the device in full: tensors that lie there answer so, and hooks compare."""
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device
