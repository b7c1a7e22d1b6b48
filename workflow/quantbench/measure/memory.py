"""Memory: what torch allocated and reserved, what the process holds on its GPUs and in the host, in bytes (docs/protocol.md#memory)."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import psutil

from ..contracts.measurements import DevicePeak, MemoryAfterLoad, MemoryPeak
from .nvml import compute_processes, device_uuids

# Linux reports ru_maxrss in KiB.
_KIB = 1024


def resident_bytes() -> int:
    """The process's resident set now."""
    return int(psutil.Process().memory_info().rss)


def reset_peak_resident() -> bool:
    """Ask Linux to count the peak resident set from now on; False where the kernel does not let us."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_resident_bytes() -> int:
    """The largest resident set since the last reset (since the process began where it cannot be reset)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


@dataclass(frozen=True)
class DeviceMemory:
    """Memory of one GPU as CUDA sees it now, in bytes; what this process holds, its context included, is not free."""

    free_bytes: int
    total_bytes: int


def device_memory() -> list[DeviceMemory]:
    """Of each visible GPU, in CUDA's order, once this process has its context there; none without CUDA."""
    cuda = torch_cuda()
    return [] if cuda is None else [DeviceMemory(*cuda.mem_get_info(index)) for index in range(cuda.device_count())]


def after_load() -> MemoryAfterLoad:
    """Bytes held once the model is loaded."""
    return MemoryAfterLoad(
        allocated_bytes=_over_devices(lambda cuda, index: cuda.memory_allocated(index)),
        reserved_bytes=_over_devices(lambda cuda, index: cuda.memory_reserved(index)),
        process_bytes=process_device_bytes() if torch_cuda() else None,
        resident_bytes=resident_bytes(),
    )


def start_peak() -> None:
    """Forget earlier peaks, so that what follows is the peak of inference alone."""
    reset_peak_resident()
    cuda = torch_cuda()
    if cuda is not None:
        for index in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(index)


def peak() -> MemoryPeak:
    """Largest bytes since :func:`start_peak`, summed over devices and of each."""
    cuda = torch_cuda()
    return MemoryPeak(
        peak_allocated_bytes=_over_devices(lambda cuda, index: cuda.max_memory_allocated(index)),
        peak_reserved_bytes=_over_devices(lambda cuda, index: cuda.max_memory_reserved(index)),
        peak_process_bytes=process_device_bytes() if torch_cuda() else None,
        peak_resident_bytes=peak_resident_bytes(),
        devices=None if cuda is None else [_device_peak(cuda, index) for index in range(cuda.device_count())],
    )


def _device_peak(cuda: ModuleType, index: int) -> DevicePeak:
    # set_environment names devices by their UUIDs, in this order; elsewhere it may be by numbers.
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    known = index < len(named) and named[index].startswith(("GPU-", "MIG-"))
    return DevicePeak(
        uuid=named[index] if known else None,
        allocated_bytes=int(cuda.max_memory_allocated(index)),
        reserved_bytes=int(cuda.max_memory_reserved(index)),
    )


def torch_cuda() -> ModuleType | None:
    """``torch.cuda`` where a GPU is in use by this process, else None."""
    import torch

    return torch.cuda if torch.cuda.is_available() else None


def process_device_bytes() -> int | None:
    """Bytes NVML says this process holds on all devices; None where the driver does not tell."""
    try:
        mine = [size for uuid in device_uuids() for pid, size in compute_processes(uuid) if pid == os.getpid()]
    except Exception:  # NVML missing or refused (containers hide process ids): unknown is not zero
        return None
    known = [size for size in mine if size is not None]
    return sum(known) if known and len(known) == len(mine) else None


def _over_devices(read: Callable[[ModuleType, int], int]) -> int | None:
    """The sum of what ``read`` says of each device; None without CUDA."""
    cuda = torch_cuda()
    return None if cuda is None else sum(int(read(cuda, index)) for index in range(cuda.device_count()))
