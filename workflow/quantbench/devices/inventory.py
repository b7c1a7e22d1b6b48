"""Which GPUs this process may use, by UUID: what NVML sees, narrowed by what a user or SLURM has set."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import QuantbenchError
from ..measure.nvml import compute_processes, device_uuids, handle, nvml

_GIB = 1024**3
# A number of devices that stand in for GPUs, so that leases can be tried on a machine without any: cells lease
# them and compute on CPU.
STAND_INS = "QUANTBENCH_STAND_IN_GPUS"
# What SLURM sets for a job with GPUs, in the order they are believed. CUDA_VISIBLE_DEVICES comes before: SLURM sets it too,
# and a user's own choice within a job counts.
_SLURM_DEVICES = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS")
# CUDA stops reading CUDA_VISIBLE_DEVICES at an entry that is no device; SLURM writes the last where it assigned none.
_NO_DEVICE = {"-1", "none", "void", "NoDevFiles"}


def visible_devices() -> list[str]:
    """UUIDs of the GPUs this process may use; empty without a GPU.

    ``CUDA_VISIBLE_DEVICES`` narrows them, by indices, UUIDs, the beginning of a UUID, or empty for none; where it is
    not set, the GPUs of a SLURM job do. Indices count in NVML's order, which is that of the PCI bus and of SLURM.

    Raises:
        QuantbenchError: a name that fits none or several of the devices, a device named twice.
    """
    preset = _preset(os.environ)
    if preset == []:
        return []
    uuids = stand_ins() or _uuids()
    return uuids if preset is None or not uuids else _narrow(uuids, preset)


def stand_ins() -> list[str]:
    """Names of the devices that stand in for GPUs; empty where none are asked for.

    Raises:
        QuantbenchError: their number is none.
    """
    text = os.environ.get(STAND_INS, "")
    if not text:
        return []
    if not text.isdigit():
        raise QuantbenchError(f"{STAND_INS} has the value {text!r}; give a number of devices, or unset it")
    return [f"STAND-IN-{index}" for index in range(int(text))]


def smallest_memory_gib() -> float | None:
    """Memory of the smallest visible GPU in GiB; None where none is visible."""
    if stand_ins():
        return None
    uuids = visible_devices()
    return min((nvml().nvmlDeviceGetMemoryInfo(handle(uuid)).total / _GIB for uuid in uuids), default=None)


def foreign_processes(uuid: str) -> list[str]:
    """Processes that compute on a device, in words; empty where none do or the driver does not tell."""
    try:
        found = compute_processes(uuid)
    except Exception:  # no driver, a stand-in, an old driver: nobody seen
        return []
    return [f"process {pid}" + _used(size) for pid, size in found]


def _used(size: int | None) -> str:
    return "" if size is None else f" ({size / _GIB:.1f} GiB)"


def _preset(environment: Mapping[str, str]) -> list[str] | None:
    """The devices a user or SLURM has set, up to the first entry that is none; None where nothing is set."""
    names = ("CUDA_VISIBLE_DEVICES", *_SLURM_DEVICES)
    text = next((environment[name] for name in names if name in environment), None)
    if text is None:
        return None
    chosen: list[str] = []
    for item in text.split(","):
        if item.strip() in _NO_DEVICE or not item.strip():
            break
        chosen.append(item.strip())
    return chosen


def _narrow(uuids: list[str], preset: list[str]) -> list[str]:
    chosen = [_find(uuids, item) for item in preset]
    for uuid in chosen:
        if chosen.count(uuid) > 1:
            raise QuantbenchError(f"CUDA_VISIBLE_DEVICES names {uuid} twice ({', '.join(preset)}); name it once")
    return chosen


def _find(uuids: list[str], item: str) -> str:
    if item.isdigit():
        match = uuids[int(item) : int(item) + 1]
    elif item.startswith("MIG-"):  # a part of a GPU, which NVML lists under no index of its own
        match = [item]
    else:
        match = [uuid for uuid in uuids if uuid.lower().startswith(item.lower())]
    if len(match) != 1:
        wrong = "several devices" if match else "no device"
        raise QuantbenchError(
            f"CUDA_VISIBLE_DEVICES names {item!r}, which is {wrong} here: {', '.join(uuids)}; give an index below "
            f"{len(uuids)} or a UUID as nvidia-smi -L prints it"
        )
    return match[0]


def _uuids() -> list[str]:
    try:
        return device_uuids()
    except Exception:  # no NVML, no driver, no GPU: all mean that cells run on CPU
        return []
