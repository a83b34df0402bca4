"""Spreads a transformer's sequence over the processes of a group, one device each (context parallelism, Ulysses).

Which processes those are is `parallel`'s. In a process that joined no group all of this does nothing.
"""

import socket
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
from diffusers import ContextParallelConfig
from diffusers.hooks.context_parallel import apply_context_parallel
from diffusers.models._modeling_parallel import ParallelConfig
from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

from understudy.engines.diffusion.order import OnStep

AXES = ("ring", "ulysses")
"""diffusers' names of the two ways to share attention; the group is all of the second: one exchange before and after
attention, where the ring has one per device."""

TIMEOUT = timedelta(hours=1)
"""For one exchange. A device waits for the slowest, which may load, compile or decode; that one is dead is told by its
process instead."""


LOOPBACK = "127.0.0.1"

MEETING = timedelta(minutes=10)
"""For finding each other. What is waited for is that a process has imported torch, from a slow disk at worst."""


class StoppedElsewhere(Exception):
    """Another process of the group stopped the film at this step."""


class Group:
    """This process' place in its group; torch has one per process, and so has this. mesh: None = it joined none."""

    def __init__(self) -> None:
        self.rank = 0
        self.count = 1
        self.mesh: Any = None


GROUP = Group()


def open_meeting(count: int) -> dist.TCPStore:
    """Open the place where the processes of a group find each other, in the first of them.

    It lives as long as what is returned, and so it has to: a process reads there after another has all it needs, and
    NCCL asks there later on. A file that the first one removed too early was waited for without end. Nobody but this
    machine can reach it: torch by itself would listen at all addresses.

    Raises: OSError; RuntimeError.
    """
    listening = socket.create_server((LOOPBACK, 0))
    port = int(listening.getsockname()[1])
    return dist.TCPStore(
        LOOPBACK,
        port,
        count,
        is_master=True,
        timeout=MEETING,
        wait_for_workers=False,
        master_listen_fd=listening.detach(),
    )


def find_meeting(port: int, count: int) -> dist.TCPStore:
    """Return the place that the first process opened at the port.

    Raises: RuntimeError.
    """
    return dist.TCPStore(LOOPBACK, port, count, is_master=False, timeout=MEETING, wait_for_workers=False)


def join(rank: int, count: int, *, meeting: dist.Store, device: str) -> None:
    """Join the group; returns when all have.

    Raises: RuntimeError.
    """
    kind = torch.device(device).type
    dist.init_process_group(
        # What is agreed on lies in the host's memory, what is computed with on the device.
        backend="gloo" if kind == "cpu" else f"cpu:gloo,{kind}:nccl",
        store=meeting,
        rank=rank,
        world_size=count,
        timeout=TIMEOUT,
        device_id=None if kind == "cpu" else torch.device(kind, rank),
    )
    GROUP.rank, GROUP.count = rank, count
    GROUP.mesh = dist.device_mesh.init_device_mesh(kind, mesh_shape=(1, count), mesh_dim_names=AXES)
    # All that has to be agreed on is agreed on here: a model that one device cannot load must not leave others waiting.
    GROUP.mesh[AXES]._flatten()


def serves(backend: str) -> bool:
    """Tell whether an attention backend of diffusers can be used here: in a group, only some know how to share."""
    return GROUP.mesh is None or _AttentionBackendRegistry._is_context_parallel_available(AttentionBackendName(backend))


def spread(transformer: Any) -> str:
    """Let each process of the group compute a part of the transformer's sequence; all get the whole result.

    Returns: a sentence when this transformer cannot be spread and every process computes all of it, or "".
    """
    if GROUP.mesh is None or getattr(transformer, "_parallel_config", None) is not None:
        return ""
    if not getattr(transformer, "_cp_plan", None):
        return f"{type(transformer).__name__} cannot be spread over several devices; the others only repeat the first."
    # "Anything": lengths of films and of prompts that are no multiple of the devices, and heads too.
    config = ContextParallelConfig(ulysses_degree=GROUP.count, ulysses_anything=True, mesh=GROUP.mesh)
    if GROUP.mesh.device_type == "cpu":
        _spread_on_processors(transformer, config)
    else:
        transformer.enable_parallelism(config=config)
    return ""


def agreed(on_step: OnStep) -> OnStep:
    """Return a watcher that stops the film in all processes at the same step when it is stopped in one.

    Otherwise those that go on would wait for ever for what the stopped one computes no more.
    """

    def tell(done: int, total: int) -> None:
        error: BaseException | None = None
        try:
            on_step(done, total)
        except BaseException as raised:  # boundary: whatever stops this process has to stop the others
            error = raised
        stops = torch.tensor([error is not None], dtype=torch.uint8)
        dist.all_reduce(stops, op=dist.ReduceOp.MAX)
        if error is not None:
            raise error
        if stops.item():
            raise StoppedElsewhere

    return tell if GROUP.mesh is not None else on_step


def _spread_on_processors(transformer: Any, config: ContextParallelConfig) -> None:
    """Do what ``enable_parallelism`` does, which asks for an accelerator: without one it divides by their number, 0.

    Source: diffusers 0.42.1, models/modeling_utils.py, `_resolve_parallel_config` and `enable_parallelism`.
    """
    whole = ParallelConfig(context_parallel_config=config)
    whole.setup(GROUP.rank, GROUP.count, torch.device("cpu"), mesh=GROUP.mesh)
    transformer._parallel_config = whole
    for part in transformer.modules():
        processor = getattr(part, "processor", None)
        if processor is not None and hasattr(processor, "_parallel_config"):
            processor._parallel_config = whole
    apply_context_parallel(transformer, config, transformer._cp_plan)
