"""Which GPUs this process may use, by UUID: what NVML sees, narrowed by what a user or SLURM has set."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import QuantbenchError, shorten
from ..measure.nvml import (
    Gpu,
    Listing,
    compute_processes,
    handle,
    is_absent,
    is_slice,
    list_gpus,
    nvml,
    told,
    usable_uuids,
)
from .gpu_identity import gpu_name
from .presets import narrowed, preset_devices, without_slices

_GIB = 1024**3
# A number of devices that stand in for GPUs, so that leases can be tried on a machine without any: cells lease
# them and compute on CPU.
STAND_INS = "QUANTBENCH_STAND_IN_GPUS"
_MOST_STAND_INS = 1024
_ON_CPU = "to compute without it, set hardware.device to 'cpu'"


@dataclass(frozen=True)
class SeenGpus:
    """What planning needs to know of the visible GPUs.

    Attributes:
        memory_gib: of the smallest that tells its memory, in GiB; None where none does.
        most_per_process: GPUs that CUDA gives one process; None: all that are visible.
        reason: why the memory is unknown; else empty.
        notes: what a user should know before a run starts.
    """

    memory_gib: float | None
    most_per_process: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def visible_devices() -> list[str]:
    """UUIDs of the GPUs this process may use; empty without a GPU.

    ``CUDA_VISIBLE_DEVICES`` narrows them, by indices, UUIDs, the beginning of a UUID, or empty for none; where it is
    not set, the GPUs of a SLURM job do. Indices count in NVML's order, which is that of the PCI bus and of SLURM.

    A GPU in MIG mode cannot be used as a whole: its slices stand in its place. CUDA shows a process one slice, and then no
    whole GPU, so where there are whole GPUs too the slices are used only if they are named.

    Raises:
        QuantbenchError: a driver that does not answer, no GPU left but such as cannot be used, a name that fits none or several
            of the devices, a device named twice.
    """
    preset = preset_devices(os.environ)
    if preset == []:
        return []
    names = stand_ins()
    listing = Listing(tuple(Gpu(name) for name in names)) if names else _listing()
    if preset is not None and listing.gpus:
        return narrowed(listing.gpus, preset)
    whole = [gpu.uuid for gpu in listing.gpus if not gpu.in_mig_mode]
    found = whole or [uuid for gpu in listing.gpus for uuid in usable_uuids(gpu)]
    if listing.gpus and not found:
        raise QuantbenchError(f"no GPU can be used: {without_slices(listing.gpus)}")
    if listing.refused and not found:
        raise QuantbenchError(f"no GPU can be used ({'; '.join(listing.refused)}); restart the machine; {_ON_CPU}")
    return found


def stand_ins() -> list[str]:
    """Names of the devices that stand in for GPUs; empty where none are asked for.

    Raises:
        QuantbenchError: their number is none.
    """
    text = os.environ.get(STAND_INS, "")
    if not text:
        return []
    # Digits of other scripts are digits to Python too.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= _MOST_STAND_INS):
        raise QuantbenchError(
            f"{STAND_INS} has the value {shorten(text)}; give a number of devices up to {_MOST_STAND_INS}, or unset it"
        )
    return [f"STAND-IN-{index}" for index in range(int(text))]


def seen_gpus() -> SeenGpus:
    """What planning needs to know of the visible GPUs; without any, only that there is none.

    Raises:
        QuantbenchError: see :func:`visible_devices`.
    """
    uuids = [] if stand_ins() else visible_devices()
    if not uuids:
        return SeenGpus(None, reason="none is visible here")
    sizes = {uuid: _memory_gib(uuid) for uuid in uuids}
    untold = " and ".join(f"{gpu_name(uuid)} ({uuid})" for uuid, size in sizes.items() if not size)
    untold = f"{untold} does not tell its memory" if untold else ""
    known = [size for size in sizes.values() if size]
    notes = (
        [f"{untold}; where it is less than that of the others, set hardware.gpu_memory_gib"] if known and untold else []
    )
    return SeenGpus(
        memory_gib=min(known, default=None),
        most_per_process=1 if any(map(is_slice, uuids)) else None,
        reason="" if known else untold,
        notes=(*notes, *_left_out(_listing(), uuids)),
    )


def foreign_processes(uuid: str) -> list[str]:
    """Processes that compute on a device, in words; empty where none do or the driver does not tell."""
    try:
        found = compute_processes(uuid)
    except Exception:  # no driver, a stand-in, an old driver: nobody seen
        return []
    return [f"process {pid}" + _used(size) for pid, size in found]


def _memory_gib(uuid: str) -> float | None:
    """Memory of a device; None where NVML does not tell, as where the processor's memory is also the GPU's."""
    return told(lambda: float(nvml().nvmlDeviceGetMemoryInfo(handle(uuid)).total / _GIB)) or None


def _used(size: int | None) -> str:
    return "" if size is None else f" ({size / _GIB:.1f} GiB)"


def _listing() -> Listing:
    """What NVML lists; nothing without a driver, which means that cells run on CPU.

    Raises:
        QuantbenchError: there is a driver and it does not answer: cells that then ran on CPU would surprise.
    """
    try:
        return list_gpus()
    except Exception as error:
        if is_absent(error):
            return Listing(())
        raise QuantbenchError(
            f"NVIDIA's driver does not list its GPUs ({error}); see what nvidia-smi says, and restart the machine after an update "
            f"of the driver; {_ON_CPU}, or where this machine only plans, state hardware.gpu_memory_gib"
        ) from error


def _left_out(listing: Listing, uuids: list[str]) -> list[str]:
    """What of this machine cells will not use although nobody said so, in words."""
    lines = [f"left out, since NVML does not open it: {refused}" for refused in listing.refused]
    slices = [one.uuid for gpu in listing.gpus for one in gpu.slices if one.uuid not in uuids]
    if slices and preset_devices(os.environ) is None:
        lines.append(
            f"MIG slices are left out beside whole GPUs: {', '.join(slices)}; to use them instead, name them in CUDA_VISIBLE_DEVICES"
        )
    return lines
