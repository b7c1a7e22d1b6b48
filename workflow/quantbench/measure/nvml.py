"""NVML, NVIDIA's management library: the one way to GPUs beside torch, so that simulated ones have one place to stand.

Every function raises whatever NVML or its absence raises: no driver, no such device, not supported.
"""

from __future__ import annotations

from types import ModuleType


def nvml() -> ModuleType:
    """The library, ready to be asked."""
    import pynvml

    pynvml.nvmlInit()
    library: ModuleType = pynvml
    return library


def handle(uuid: str) -> object:
    """What NVML knows a GPU by."""
    return nvml().nvmlDeviceGetHandleByUUID(uuid)


def device_uuids() -> list[str]:
    """UUIDs of all GPUs, in the order of the PCI bus."""
    library = nvml()
    handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
    return [str(library.nvmlDeviceGetUUID(found)) for found in handles]


def compute_processes(uuid: str) -> list[tuple[int, int | None]]:
    """(process id, bytes it holds) of each process that computes on a GPU; None where the driver does not tell.

    Desktop processes that only draw are left out: they are on every workstation's GPU and hardly compute.
    """
    found = nvml().nvmlDeviceGetComputeRunningProcesses(handle(uuid))
    return [(int(item.pid), item.usedGpuMemory) for item in found]
