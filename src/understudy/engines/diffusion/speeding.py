"""What makes a transformer faster, where this device and its packages allow it; what cannot be had is told, not raised.

Left as torch has them, on purpose: cuDNN's benchmark mode, which may choose another algorithm in the next process and
so break "the same seed, the same bytes"; and full precision of float32 matrices, which are few and chosen by the
models' authors (patch projections, output heads).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from typing import Any

import torch

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

from understudy.engines.diffusion import loading, spreading
from understudy.engines.diffusion.recipe import Family, Option, Quantisation

RECOMPILE_LIMIT = 64
"""Compiled versions of one block, before torch goes on uncompiled without a word in the film. Sizes become symbolic
after the second, but adapters switched on and off, one reference or several, and guidance make their own; torch's 8 are
soon used up by a server's mix of requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What an option asks of the machine, and what it does to the film.

    package: to import; "" = none. capability: of computation, at least; None = the option is not bound to a GPU.
    is_exact: whether the film stays the same but for rounding.
    """

    says: str
    is_exact: bool
    package: str = ""
    capability: tuple[int, int] | None = None


OPTIONS: Mapping[Option, Need] = {
    Option.COMPILE: Need(
        says="The layers are compiled; the first film of a kind waits for it, a minute or so.",
        is_exact=True,
        # Source: triton's README: compute capability 8.0 and more.
        capability=(8, 0),
    ),
    Option.FLASH: Need(
        # Source: Dao-AILab/flash-attention, README: Ampere, Ada, Hopper; float16 and bfloat16.
        says="Attention by FlashAttention 2.",
        is_exact=True,
        package="flash_attn",
        capability=(8, 0),
    ),
    Option.FLASH_3: Need(
        # Source: Dao-AILab/flash-attention, README, "FlashAttention-3": H100 and H800.
        says="Attention by FlashAttention 3.",
        is_exact=True,
        package="flash_attn_3",
        capability=(9, 0),
    ),
    Option.SAGE: Need(
        # Source: thu-ml/SageAttention, README: Ampere and newer.
        says="Attention in 8 bits; small details change.",
        is_exact=False,
        package="sageattention",
        capability=(8, 0),
    ),
    Option.CUDNN: Need(
        # Source: torch, aten/src/ATen/native/transformers/cuda/sdp_utils.cpp: check_cudnn_hardware_support.
        says="Attention by cuDNN.",
        is_exact=True,
        capability=(8, 0),
    ),
    Option.FP8: Need(
        says="The layers multiply in 8-bit floating point; small details change. It pays together with 'compile'.",
        is_exact=False,
        package="torchao",
        capability=loading.FP8_CAPABILITY_MIN,
    ),
    Option.INT8: Need(
        says="The layers multiply in 8-bit integers; small details change. It pays together with 'compile'.",
        is_exact=False,
        package="torchao",
        # Source: NVIDIA, CUDA C++ programming guide: integer matrix units in the form torch uses since 8.0.
        capability=(8, 0),
    ),
    # These two are the families' own: they know their steps and what depends on them.
    Option.STEP_CACHE: Need(says="Steps that would change little are guessed.", is_exact=False),
    Option.MODULATION_TABLE: Need(says="What depends on the step alone is computed once.", is_exact=True),
}

ATTENTION: Mapping[Option, str] = {
    Option.FLASH_3: "_flash_3",
    Option.FLASH: "flash",
    Option.SAGE: "sage",
    Option.CUDNN: "_native_cudnn",
}
"""diffusers' names. Those that end in "_hub" there fetch programs from the network, and are not offered."""


def speed_up(
    transformer: Any, options: tuple[Option, ...], device: str, *, family: Family, is_forced: bool = False
) -> tuple[str, ...]:
    """Apply the options to a placed transformer, and return a sentence for each that this machine cannot have.

    Of several kinds of attention the first that can be had is taken. In a group of devices the transformer is spread
    over them (`spreading`). Adapters are loaded before. The families' own options are not looked at. is_forced: apply
    on a CPU too what only pays on a GPU, as tests do.
    """
    notes = []
    usable = []
    for option in options:
        lack = "" if is_forced else lack_of(option, device)
        if lack:
            notes.append(f"'{option}' was left out: {lack}.")
        else:
            usable.append(option)
    notes += _quantised(transformer, usable, device)
    attention = next((option for option in usable if option in ATTENTION and spreading.serves(ATTENTION[option])), None)
    if attention is not None:
        attend_with(transformer, ATTENTION[attention])
    notes += filter(None, [spreading.spread(transformer)])
    if Option.COMPILE in usable:
        compile_layers(transformer, family)
    return tuple(notes)


def lack_of(option: Option, device: str) -> str:
    """Return why this machine cannot have the option, or ""."""
    need = OPTIONS[option]
    if need.capability is None:
        return ""
    at = torch.device(device)
    if at.type != "cuda":
        return f"it is for GPUs, and the model runs on {at.type}"
    has = torch.cuda.get_device_capability(at)
    if has < need.capability:
        wanted = ".".join(str(part) for part in need.capability)
        return f"it needs compute capability {wanted}, and the device has {has[0]}.{has[1]}"
    if need.package and find_spec(need.package) is None:
        return f"the package {need.package} is not installed"
    return ""


def attend_with(transformer: Any, backend: str) -> None:
    """Let the transformer's attention be computed by one of diffusers' backends; calls with a mask by torch's own.

    The fast ones refuse masks, which some attention of LTX has; diffusers would refuse the film. And it would make the
    backend everyone's, decoders in float32 included, for which there is none.
    """
    before, _ = _AttentionBackendRegistry.get_active_backend()
    transformer.set_attention_backend(backend)
    _AttentionBackendRegistry.set_active_backend(before)
    name = AttentionBackendName(backend)
    attend = _AttentionBackendRegistry._backends[name]
    if not getattr(attend, "tolerates_masks", False):
        _AttentionBackendRegistry._backends[name] = _tolerating_masks(attend)


def _tolerating_masks(attend: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    usual = _AttentionBackendRegistry._backends[AttentionBackendName.NATIVE]

    @wraps(attend)
    def attended(**words: Any) -> torch.Tensor:
        return attend(**words) if words.get("attn_mask") is None else usual(**words)

    attended.tolerates_masks = True  # type: ignore[attr-defined]  # so that it is laid over only once
    return attended


def compile_layers(transformer: Any, family: Family, *, backend: str = "inductor") -> None:
    """Compile the repeated layers, each when it is first called: one of them serves all, and quickly.

    backend: of torch.compile. Layers that are streamed cannot be one graph: their hooks copy weights in between; nor
    can layers with a step cache, which decides in between.
    """
    torch._dynamo.config.recompile_limit = max(RECOMPILE_LIMIT, torch._dynamo.config.recompile_limit)
    is_whole = (
        family in WHOLE
        and not is_streamed(transformer)
        and not getattr(transformer, "is_cache_enabled", False)
        and getattr(transformer, "_parallel_config", None) is None
    )
    transformer.compile_repeated_blocks(fullgraph=is_whole, dynamic=None, backend=backend)


WHOLE = frozenset(Family)
"""The families whose layers are one graph. Seen with torch 2.13 and diffusers 0.42.1."""


def is_streamed(module: torch.nn.Module) -> bool:
    """Tell whether weights come to the device group by group."""
    return any(
        part._diffusers_hook.get_hook("group_offloading") is not None
        for part in module.modules()
        if hasattr(part, "_diffusers_hook")
    )


def _quantised(transformer: Any, usable: list[Option], device: str) -> list[str]:
    option = next((each for each in usable if each in (Option.FP8, Option.INT8)), None)
    if option is None or loading.is_quantised(transformer):
        return []
    if is_streamed(transformer):
        return [f"'{option}' was left out: the plan streams the weights; a plan with quantised weights has the same."]
    quantisation = Quantisation.FP8 if option is Option.FP8 else Quantisation.INT8
    loading.quantise(transformer, quantisation, device=device, activations=True)
    return []
