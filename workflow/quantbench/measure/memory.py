"""Memory: what torch allocated and reserved, what the process holds on its GPUs and in the host, in bytes (docs/protocol.md#memory)."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import psutil

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


def after_load() -> dict[str, Any]:
    """Bytes held once the model is loaded. Device fields are ``None`` without CUDA."""
    held = {"allocated_bytes": None, "reserved_bytes": None, "process_bytes": None, "resident_bytes": resident_bytes()}
    if torch_cuda() is not None:
        held |= {
            "allocated_bytes": _over_devices("memory_allocated"),
            "reserved_bytes": _over_devices("memory_reserved"),
            "process_bytes": process_device_bytes(),
        }
    return held


def start_peak() -> None:
    """Forget earlier peaks, so that what follows is the peak of inference alone."""
    reset_peak_resident()
    cuda = torch_cuda()
    for index in range(cuda.device_count() if cuda else 0):
        cuda.reset_peak_memory_stats(index)


def peak() -> dict[str, Any]:
    """Largest bytes since :func:`start_peak`, summed over devices."""
    held = {
        "peak_allocated_bytes": None,
        "peak_reserved_bytes": None,
        "peak_process_bytes": None,
        "peak_resident_bytes": peak_resident_bytes(),
    }
    if torch_cuda() is not None:
        held |= {
            "peak_allocated_bytes": _over_devices("max_memory_allocated"),
            "peak_reserved_bytes": _over_devices("max_memory_reserved"),
            "peak_process_bytes": process_device_bytes(),
        }
    return held


def torch_cuda() -> Any:
    """``torch.cuda`` where a GPU is in use by this process, else None."""
    import torch

    return torch.cuda if torch.cuda.is_available() else None


def process_device_bytes() -> int | None:
    """Bytes NVML says this process holds on all devices; None where the driver does not tell."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        mine = [
            item.usedGpuMemory
            for handle in handles
            for item in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
            if item.pid == os.getpid()
        ]
    except Exception:  # NVML missing or refused (containers hide process ids): unknown is not zero
        return None
    return sum(mine) if mine and None not in mine else None


def _over_devices(function: str) -> int:
    cuda = torch_cuda()
    return sum(int(getattr(cuda, function)(index)) for index in range(cuda.device_count()))
