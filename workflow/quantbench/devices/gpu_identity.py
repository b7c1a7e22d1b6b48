"""What a GPU or a MIG slice is, as far as NVML tells: refusals are None, since none of this is a reason to stop."""

from __future__ import annotations

from types import ModuleType

from ..measure.nvml import handle, is_slice, nvml, parent_of, told

_UNKNOWN = "unknown GPU"


def gpu_name(uuid: str) -> str:
    """What a device calls itself; of a slice that does not tell, its GPU's name and its profile."""
    name = told(lambda: str(nvml().nvmlDeviceGetName(handle(uuid))))
    if name:
        return name
    if not is_slice(uuid):
        return _UNKNOWN
    parent = told(lambda: str(nvml().nvmlDeviceGetName(parent_of(uuid)))) or _UNKNOWN
    return f"{parent} MIG {mig_profile(uuid) or 'slice'}"


def mig_profile(uuid: str) -> str | None:
    """Profile of a slice, such as ``3g.20gb`` or, for a part of its compute slices, ``1c.3g.20gb``; None of a whole GPU.

    Source: NVIDIA Multi-Instance GPU User Guide, "MIG Device Names".
    """
    if not is_slice(uuid):
        return None
    name = told(lambda: str(nvml().nvmlDeviceGetName(handle(uuid))))
    if name and " MIG " in name:
        return name.rpartition(" MIG ")[2]
    found = told(lambda: nvml().nvmlDeviceGetAttributes(handle(uuid)))
    if found is None:
        return None
    whole, part = int(found.gpuInstanceSliceCount), int(found.computeInstanceSliceCount)
    profile = f"{whole}g.{round(found.memorySizeMB / 1024)}gb"
    return profile if part == whole else f"{part}c.{profile}"


def compute_capability(uuid: str) -> str | None:
    """Which instructions a device knows, such as ``9.0``; a slice's are its GPU's."""
    found = told(lambda: nvml().nvmlDeviceGetCudaComputeCapability(handle(uuid)))
    if found is None and is_slice(uuid):
        found = told(lambda: nvml().nvmlDeviceGetCudaComputeCapability(parent_of(uuid)))
    return f"{found[0]}.{found[1]}" if found else None


def driver_version() -> str | None:
    """Version of NVIDIA's driver."""
    return told(lambda: str(nvml().nvmlSystemGetDriverVersion()))


def cuda_of_driver() -> str | None:
    """The newest CUDA that the driver supports, such as ``12.4``."""
    found = told(lambda: _cuda_driver_version(nvml()))
    return f"{found // 1000}.{found % 1000 // 10}" if found else None


def _cuda_driver_version(library: ModuleType) -> int:
    """The loaded driver's own, where NVML can ask it, else NVML's."""
    try:
        return int(library.nvmlSystemGetCudaDriverVersion_v2())
    except library.NVMLError:
        return int(library.nvmlSystemGetCudaDriverVersion())
