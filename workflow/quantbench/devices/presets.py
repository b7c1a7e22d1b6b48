"""Devices that a user or SLURM has named for this process, in every form CUDA reads.

Sources: CUDA C++ Programming Guide, "CUDA Environment Variables"; NVIDIA Multi-Instance GPU User Guide, "CUDA Visible Devices".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import QuantbenchError
from ..measure.nvml import Gpu, is_slice, usable_uuids

# What SLURM sets for a job with GPUs, in the order they are believed. CUDA_VISIBLE_DEVICES comes before: SLURM sets it too,
# and a user's own choice within a job counts.
_SLURM_DEVICES = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS")
# CUDA stops reading CUDA_VISIBLE_DEVICES at an entry that is no device; SLURM writes the last where it assigned none.
_NO_DEVICE = {"-1", "none", "void", "NoDevFiles"}


def preset_devices(environment: Mapping[str, str]) -> list[str] | None:
    """The devices named, up to the first entry that is none; None where nothing is set."""
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


def narrowed(gpus: Sequence[Gpu], preset: Sequence[str]) -> list[str]:
    """UUIDs of the devices named, in the order they are named; a GPU in MIG mode stands for its slices.

    Raises:
        QuantbenchError: a name that fits none or several of the devices, a device named twice, a GPU without a slice, GPUs beside
            slices.
    """
    chosen = [uuid for item in preset for uuid in _find(gpus, item)]
    for uuid in chosen:
        if chosen.count(uuid) > 1:
            raise QuantbenchError(f"CUDA_VISIBLE_DEVICES names {uuid} twice ({', '.join(preset)}); name it once")
    if len({is_slice(uuid) for uuid in chosen}) > 1:
        raise QuantbenchError(
            f"CUDA_VISIBLE_DEVICES names whole GPUs beside MIG slices ({', '.join(preset)}), of which CUDA gives a process only "
            f"one slice; name either: {_listed(gpus)}"
        )
    return chosen


def without_slices(gpus: Sequence[Gpu]) -> str:
    """What is wrong where GPUs are in MIG mode and have no slice, and what helps."""
    names = ", ".join(gpu.uuid for gpu in gpus)
    return (
        f"{names} in MIG mode without a slice that can be used; create one (nvidia-smi mig -cgi PROFILE -C), switch MIG mode off "
        "(nvidia-smi -mig 0), or set hardware.device to 'cpu'"
    )


def _find(gpus: Sequence[Gpu], item: str) -> list[str]:
    """What one entry names: a slice, a GPU, or the slices of a GPU in MIG mode."""
    if is_slice(item):
        return [_only(_slices_named(gpus, item), item, gpus)]
    if item.isdecimal():
        # Python reads no number of thousands of digits.
        match = [gpu for index, gpu in enumerate(gpus) if str(index) == (item.lstrip("0") or "0")]
    else:
        match = [gpu for gpu in gpus if gpu.uuid.lower().startswith(item.lower())]
    uuid = _only([gpu.uuid for gpu in match], item, gpus)
    found = usable_uuids(match[0])
    if not found:
        raise QuantbenchError(f"CUDA_VISIBLE_DEVICES names {item!r}, which is {without_slices(match)}")
    return found if match[0].in_mig_mode else [uuid]


def _slices_named(gpus: Sequence[Gpu], item: str) -> list[str]:
    """Slices by UUID or its beginning, or in the form of drivers before 470: ``MIG-<GPU's UUID>/<GPU>/<compute instance>``."""
    parent, _, instances = item.removeprefix("MIG-").partition("/")
    found = []
    for gpu in gpus:
        by_instances = bool(instances) and gpu.uuid.lower() == parent.lower()
        for one in gpu.slices:
            numbers = "/".join(map(str, one.instances or ()))
            if one.uuid.lower() == item.lower() or (by_instances and numbers == instances):
                return [one.uuid]
            if not instances and one.uuid.lower().startswith(item.lower()):
                found.append(one.uuid)
    return found


def _only(match: list[str], item: str, gpus: Sequence[Gpu]) -> str:
    if len(match) == 1:
        return match[0]
    wrong = "several devices" if match else "no device"
    raise QuantbenchError(
        f"CUDA_VISIBLE_DEVICES names {item!r}, which is {wrong} here: {_listed(gpus)}; give an index below {len(gpus)} or a UUID "
        "as nvidia-smi -L prints it"
    )


def _listed(gpus: Sequence[Gpu]) -> str:
    return ", ".join(
        f"{gpu.uuid} in MIG mode ({', '.join(usable_uuids(gpu)) or 'no slice'})" if gpu.in_mig_mode else gpu.uuid
        for gpu in gpus
    )
