"""Watching a model denoise: progress, and a way to stop it within one step, for pipelines that have neither."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from understudy.engines.diffusion.order import OnStep

SEEDS = 2**64
"""torch's generators are seeded with 64 bits."""


def seeded(seed: int) -> torch.Generator:
    """Return a generator on the CPU: noise drawn there is the same whatever the device."""
    return torch.Generator("cpu").manual_seed(seed % SEEDS)


@contextmanager
def watched(transformers: Sequence[torch.nn.Module], forwards: int, on_step: OnStep) -> Iterator[None]:
    """Call ``on_step(done, forwards)`` before every forward of the transformers, counted over all of them.

    What on_step raises leaves the pipeline's call; the hooks go with the block, however it is left, so that the next
    film is not counted by this one. forwards: how many there will be; more are told as the last one. A pipeline's own
    callbacks come once a step, after it, and modular pipelines have none.
    """
    done = 0

    def before(_module: torch.nn.Module, _args: tuple[Any, ...]) -> None:
        nonlocal done
        told, done = min(done, forwards), done + 1
        on_step(told, forwards)

    hooks = []
    try:
        for transformer in transformers:
            # First of all hooks: a stopped film brings no weights to the device any more.
            hooks.append(transformer.register_forward_pre_hook(before, prepend=True))
        yield
    finally:
        for hook in hooks:
            hook.remove()
