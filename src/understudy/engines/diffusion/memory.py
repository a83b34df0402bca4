"""What memory there is, what was used of it, and how its end is told: one error for every way to run out of it."""

import gc
import resource
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from understudy.engines.diffusion.devices import host_bytes as host_bytes
from understudy.engines.diffusion.order import OutOfMemory

CHAIN_MAX = 8
"""How many causes of an error are looked at: pipelines wrap an error once or twice."""

LACKS = (
    "out of memory",  # CUDA's and cuDNN's own words, also in errors of other classes
    "DefaultCPUAllocator",  # the host's allocator raises a plain RuntimeError
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
)
"""What errors say that are a lack of memory and no class of their own."""


def give_back() -> None:
    """Return what nothing refers to any more to the device and to the host."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        # Torch 2.11 has it under the other name alone.
        empty = getattr(torch.accelerator, "empty_host_cache", None) or getattr(torch._C, "_host_emptyCache")  # noqa: B009
        empty()


def is_lack(error: BaseException) -> bool:
    """Tell whether memory ran out, also when a pipeline wrapped the error in one of its own."""
    return any(_lacks(each) for each in _chain(error))


@contextmanager
def reporting_lack() -> Iterator[None]:
    """Let a lack of memory leave the block as ``OutOfMemory``, after what the block held was given back.

    What the function around the block still names is its own to let go. Raises: OutOfMemory; all other errors as they
    are.
    """
    try:
        yield
    except Exception as error:  # boundary: every library has its own class for this
        if not is_lack(error):
            raise
        reason = next(str(each) for each in _chain(error) if _lacks(each)).partition("\n")[0]
        _let_go(error)
    else:
        return
    give_back()
    raise OutOfMemory(reason or "Memory ran out.")


def device_here() -> str:
    """Return torch's name of the device that this process computes on: the first that it may see, or the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def devices_here() -> int:
    """Return how many devices this process may compute on; the processor is one."""
    return max(1, torch.cuda.device_count()) if torch.cuda.is_available() else 1


def device_bytes(device: str) -> int:
    """Return how much memory the device has of its own; "cpu" has none, see ``host_bytes``.

    "cuda" = each that this process may see: the least of them, since a model has to fit on all.
    """
    at = torch.device(device)
    if at.type != "cuda":
        return 0
    # Not by asking how much is free, which would begin to use devices that another process is to have.
    indexes = range(torch.cuda.device_count()) if at.index is None else (at.index,)
    return min(int(torch.cuda.get_device_properties(index).total_memory) for index in indexes)


def free_bytes(device: str) -> int:
    """Return how much of the device's memory nobody holds, this process' own cache counted as held."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    return host_bytes(is_free=True)


def forget_peak(device: str) -> None:
    """Count the peak anew from here on. The host's peak is the process' own and cannot be forgotten."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(torch.device(device))


def peak_bytes(device: str) -> int:
    """Return the most memory that was held on the device since the peak was forgotten; for "cpu", by the process."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.max_memory_reserved(torch.device(device)))
    # Linux counts it in KiB (getrusage(2)).
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < CHAIN_MAX:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _lacks(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in LACKS)


def _let_go(error: BaseException) -> None:
    """Empty the frames that an error remembers: their variables are the very tensors that did not fit."""
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)
        each.__traceback__ = None
