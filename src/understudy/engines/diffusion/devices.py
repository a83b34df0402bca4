"""The accelerators and the memory of this machine, without torch: the server and the command line ask too."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
DEVICES_MAX = 64
"""More than any machine has: a broken driver that counts wrong is not followed for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One accelerator. index: as its driver counts, which is CUDA's order only with ``CUDA_DEVICE_ORDER=PCI_BUS_ID``.

    free_bytes: what nobody holds now. capability: of computation, such as (9, 0).
    """

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    capability: tuple[int, int]

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.total_bytes / 1e9:.0f} GB, compute capability {'.'.join(map(str, self.capability))})"
        )


def devices() -> tuple[Device, ...]:
    """Return the NVIDIA devices of this machine; none without a driver, or without nvidia-ml-py."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    found = []
    try:
        for index in range(min(pynvml.nvmlDeviceGetCount(), DEVICES_MAX)):
            # A device that fell off the bus, or one that may not be seen, does not hide the others.
            with suppress(pynvml.NVMLError):
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
                name = pynvml.nvmlDeviceGetName(handle)
                major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
                found.append(
                    Device(
                        index=index,
                        name=name.decode() if isinstance(name, bytes) else str(name),
                        total_bytes=int(memory.total),
                        free_bytes=int(memory.free),
                        capability=(int(major), int(minor)),
                    )
                )
    except pynvml.NVMLError:
        pass
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return tuple(found)


def host_bytes(*, is_free: bool = False) -> int:
    """Return the memory of this machine, or of the container if that may use less.

    is_free: only what could be had now without swapping; the container's bound is then not looked at. 0 = not known.
    """
    names = ("MemAvailable",) if is_free else ("MemTotal",)
    with suppress(OSError, ValueError):
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name in names:
                total = int(value.split()[0]) * 1024
                return total if is_free else min(total, *(bound for bound in _container_bounds()), total)
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES" if is_free else "SC_PHYS_PAGES")
    return 0


def _container_bounds() -> list[int]:
    """Return the memory bounds of the control group, version 2 then 1, that are numbers."""
    bounds = []
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            bounds.append(int(Path(path).read_text(encoding="ascii")))
    return bounds
