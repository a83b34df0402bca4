"""How `gpu.py` measures: time on the device, memory, operations, and how far one result is from another."""

import platform
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend
from torch.utils.flop_counter import FlopCounterMode

from gpu_networks import Latents, network, work_of
from gpu_rows import Size
from understudy.catalog.open_architectures import Component

MATRIX = 8192
"""The side of the product that the device's rate is taken from: large enough to fill it, small enough to fit."""

TINY_MATRIX = 256
RUNS = 3
"""At least; the median is told."""

MATRIX_RUNS = 20
PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "triton", "torchao", "flash_attn", "flash_attn_3")

DECIBELS_MAX = 200.0
"""Told of results that are equal to the bit, whose ratio to their difference has no end."""


def seconds(call: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Return how long a call took on the device, from its begin to its end there, and what it returned."""
    if torch.device(device).type != "cuda":
        started = time.perf_counter()
        returned = call()
        return time.perf_counter() - started, returned
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    returned = call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000, returned


def wall_seconds(call: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Return how long a call took by the clock on the wall, the device's work included: for compiling and copying."""
    settle(device)
    started = time.perf_counter()
    returned = call()
    settle(device)
    return time.perf_counter() - started, returned


def median_seconds(call: Callable[[], Any], device: str, *, runs: int = RUNS) -> float:
    """Return the median of some runs, after one that is not counted."""
    call()
    return statistics.median(seconds(call, device)[0] for _ in range(runs))


def settle(device: str) -> None:
    """Wait until the device has nothing left to do."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def matrix_rate(device: str, dtype: torch.dtype, *, side: int) -> float:
    """Return operations per second of a product of square matrices of random numbers; zeros would be faster."""
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    took_s = median_seconds(lambda: left @ right, device, runs=MATRIX_RUNS)
    return float(2 * side**3 / took_s)


def peaks(device: str) -> tuple[int, int]:
    """Return the most bytes that were in use, and the most that were held, since `forget_peaks`; 0 on a processor."""
    if torch.device(device).type != "cuda":
        return 0, 0
    return torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()


def forget_peaks(device: str) -> None:
    """Count peaks from here."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def operations(family: str, component: Component, film: Size, *, parts: Any, dtype: torch.dtype) -> int:
    """Count the operations of one forward, attention included, two for a multiplication and an addition.

    The network is run without numbers: nothing is computed, and no memory is taken.
    """
    transformer = network(component, dtype=dtype, device="meta")
    work = work_of(family, transformer, film, parts=parts, dtype=dtype, steps=1)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        transformer(**work.arguments(work.noise, 0))
    return int(counter.get_total_flops())


def relative_error(found: Latents, wanted: Latents) -> float:
    """Return the length of the difference over the length of what is wanted; numbers that are none are infinite."""
    difference = sum(float((one.double() - other.double()).square().sum()) for one, other in _pairs(found, wanted))
    length = sum(float(other.double().square().sum()) for other in wanted)
    error = (difference / length) ** 0.5 if length > 0 else float("inf")
    return error if error == error else float("inf")


def decibels(found: Latents, wanted: Latents) -> float:
    """Return the ratio of the range of what is wanted to the difference (PSNR), of the first part, the pictures."""
    one, other = found[0].double(), wanted[0].double()
    squared = float((one - other).square().mean())
    if squared != squared:
        return 0.0
    span = float(other.max() - other.min())
    if squared == 0.0 or span == 0.0:
        return DECIBELS_MAX if squared == 0.0 else 0.0
    ratio = torch.tensor(span**2 / squared).log10()
    return min(DECIBELS_MAX, 10 * float(ratio))


def _pairs(found: Latents, wanted: Latents) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(one.cpu(), other.cpu()) for one, other in zip(found, wanted, strict=True)]


def machine(device: str) -> dict[str, str]:
    """Return what the figures were measured on."""
    facts = {
        "device": device,
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    if torch.device(device).type == "cuda":
        has = torch.cuda.get_device_properties(torch.cuda.current_device())
        facts["device"] = f"{has.name}, {has.total_memory / 2**30:.0f} GiB, {has.multi_processor_count} multiprocessors"
        facts["capability"] = f"{has.major}.{has.minor}"
        facts["cuda"] = str(torch.version.cuda)
        facts["cudnn"] = str(torch.backends.cudnn.version())
        facts["driver"] = _driver()
        facts["torch's own attention"] = _attention()
        with suppress(Exception):  # boundary: asks a package and rights that a machine may lack, with errors of its own
            facts["clock_mhz"] = str(torch.cuda.clock_rate())
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            facts[name] = version(name)
    return facts


def _attention() -> str:
    """Return which program torch itself chooses for the attention of these models."""
    rows = torch.zeros(1, 40, 4096, 128, device="cuda", dtype=torch.bfloat16)
    return str(SDPBackend(torch._fused_sdp_choice(rows, rows, rows)).name).lower()


def _driver() -> str:
    path = Path("/proc/driver/nvidia/version")
    try:
        words = path.read_text(encoding="utf-8").splitlines()[0].split()
    except (OSError, IndexError):
        return "unknown"
    return next((word for word in words if word[0].isdigit() and "." in word), "unknown")
