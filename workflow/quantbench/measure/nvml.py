"""NVML, NVIDIA's management library: the one way to GPUs beside torch, so that simulated ones have one place to stand.

Every function raises whatever NVML or its absence raises: no driver, no such device, not supported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class MigSlice:
    """A part of a GPU in MIG mode that computes by itself: one compute instance of one GPU instance.

    Attributes:
        uuid: as ``nvidia-smi -L`` prints it.
        instances: numbers of its GPU instance and its compute instance; None where NVML does not tell.
    """

    uuid: str
    instances: tuple[int, int] | None


@dataclass(frozen=True)
class Gpu:
    """A GPU that NVML lists.

    Attributes:
        uuid: as ``nvidia-smi -L`` prints it.
        in_mig_mode: whether processes may use only its slices.
        slices: in NVML's order.
    """

    uuid: str
    in_mig_mode: bool = False
    slices: tuple[MigSlice, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What NVML lists on this machine.

    Attributes:
        gpus: in the order of the PCI bus, without those that this process has no permission to use.
        refused: GPUs that NVML counts and will not open, in words: lost from the bus, or in trouble.
    """

    gpus: tuple[Gpu, ...]
    refused: tuple[str, ...] = ()


def nvml() -> ModuleType:
    """The library, ready to be asked."""
    import pynvml

    pynvml.nvmlInit()
    library: ModuleType = pynvml
    return library


def handle(uuid: str) -> object:
    """What NVML knows a GPU or a MIG slice by."""
    return nvml().nvmlDeviceGetHandleByUUID(uuid)


def list_gpus() -> Listing:
    """Every GPU of this machine that NVML opens for this process, and why it does not open others."""
    library = nvml()
    gpus, refused = [], []
    for index in range(library.nvmlDeviceGetCount()):
        try:
            gpus.append(_gpu(library, library.nvmlDeviceGetHandleByIndex(index)))
        except library.NVMLError_NoPermission:  # a cluster has given it to other jobs
            continue
        except library.NVMLError as error:
            refused.append(f"GPU {index}: {error}")
    return Listing(tuple(gpus), tuple(refused))


def device_uuids() -> list[str]:
    """UUIDs of all that processes can use, in the order of the PCI bus: GPUs, and slices in place of GPUs in MIG mode."""
    return [uuid for gpu in list_gpus().gpus for uuid in usable_uuids(gpu)]


def usable_uuids(gpu: Gpu) -> list[str]:
    """What of a GPU a process can use: its slices in MIG mode, else the whole."""
    return [one.uuid for one in gpu.slices] if gpu.in_mig_mode else [gpu.uuid]


def is_slice(uuid: str) -> bool:
    """Whether a UUID is that of a MIG slice, in its form of today or of drivers before 470."""
    return uuid.startswith("MIG-")


def parent_of(uuid: str) -> object:
    """What NVML knows the GPU of a MIG slice by."""
    return nvml().nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle(uuid))


def told(read: Callable[[], Value]) -> Value | None:
    """What NVML answers; None where it refuses, or where this version of the library or of pynvml has no such function."""
    import pynvml

    try:
        return read()
    except (pynvml.NVMLError, AttributeError):
        return None


def is_absent(error: Exception) -> bool:
    """Whether an error means that this machine has no NVIDIA driver, and not that the driver is in trouble."""
    if isinstance(error, ImportError):
        return True
    import pynvml

    return isinstance(error, (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded))


def compute_processes(uuid: str) -> list[tuple[int, int | None]]:
    """(process id, bytes it holds) of each process that computes on a GPU; None where the driver does not tell.

    Desktop processes that only draw are left out: they are on every workstation's GPU and hardly compute.
    """
    found = nvml().nvmlDeviceGetComputeRunningProcesses(handle(uuid))
    return [(int(item.pid), item.usedGpuMemory) for item in found]


def _gpu(library: ModuleType, device: object) -> Gpu:
    uuid = str(library.nvmlDeviceGetUUID(device))
    # Refused by GPUs and drivers that know no MIG.
    mode = told(lambda: library.nvmlDeviceGetMigMode(device)[0])
    if mode != library.NVML_DEVICE_MIG_ENABLE:
        return Gpu(uuid)
    return Gpu(uuid, True, tuple(_slices(library, device)))


def _slices(library: ModuleType, device: object) -> Iterator[MigSlice]:
    """The slices of a GPU; their numbers need not follow on each other, and one may vanish at any time."""
    for index in range(told(lambda: library.nvmlDeviceGetMaxMigDeviceCount(device)) or 0):
        try:
            found = library.nvmlDeviceGetMigDeviceHandleByIndex(device, index)
            uuid = str(library.nvmlDeviceGetUUID(found))
        except library.NVMLError:
            continue
        yield MigSlice(uuid, _instances(library, found))


def _instances(library: ModuleType, device: object) -> tuple[int, int] | None:
    return told(
        lambda: (int(library.nvmlDeviceGetGpuInstanceId(device)), int(library.nvmlDeviceGetComputeInstanceId(device)))
    )
