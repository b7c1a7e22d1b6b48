"""Whether a setting fits on GPUs of a given memory, and how many of them it needs.

Blocks are placed whole (:mod:`.placement`), so devices do not get equal parts, and the fullest one decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..config import ModelEntry, PrecisionEntry
from ..errors import ConfigError
from .gpus import nearest_gpu
from .placement import place
from .setting import Setting, Workload
from .terms import weights
from .weight_bytes import GIB

# Memory of the GPUs people have, in GiB: RTX 4090, A100 40GB, A6000 or L40S, A100 or H100 80GB, H200.
COMMON_GPUS_GIB = (24, 40, 48, 80, 141)
# CUDA context and loaded kernels of one process, which the allocator does not see: NVML shows 0.4 to 0.5 GiB for a
# process that has done nothing but initialize PyTorch on an A100 or H100.
CONTEXT_BYTES = 0.5 * GIB
# What the plan may be short of: no published cell lies further above it (docs/memory.md).
_MARGIN = 0.03


def free_bytes(gpu_memory_gib: float) -> float:
    """What a plan may use of a GPU's memory: the CUDA context is taken off, and 3% for what the plan may be short of."""
    return (gpu_memory_gib * GIB - CONTEXT_BYTES) / (1 + _MARGIN)


def fits(setting: Setting, gpu_memory_gib: float) -> bool:
    """Whether the setting's devices, of ``gpu_memory_gib`` GiB each, hold it (:func:`free_bytes`)."""
    return place(setting, [free_bytes(gpu_memory_gib)] * setting.workload.devices) is not None


def devices_needed(setting: Setting, gpu_memory_gib: float) -> int | None:
    """The smallest number of GPUs that holds the setting, its own number of devices disregarded.

    None where even one block a GPU does not fit.
    """
    free = free_bytes(gpu_memory_gib)
    # Fewer do not even hold the weights; and embedding and head may have a device each, beside one for every block.
    most = setting.facts.layers + 2
    counts = range(max(1, min(most, math.floor(weights(setting, setting.whole, "prompt") / free))), most + 1)
    return next((devices for devices in counts if place(setting, [free] * devices) is not None), None)


def devices_by_size(setting: Setting, sizes_gib: Sequence[float]) -> list[int | None]:
    """:func:`devices_needed` of GPUs of each size, whose kind is that of :func:`.gpus.nearest_gpu`."""
    return [devices_needed(replace(setting, gpu=nearest_gpu(size)), size) for size in sizes_gib]


def gpus_needed(
    model: ModelEntry, precision: PrecisionEntry, gpu_memory_gib: float, workload: Workload | None = None
) -> int:
    """GPUs of ``gpu_memory_gib`` GiB that one cell needs; without a workload, for one zero-shot sample at a time.

    Raises:
        ConfigError: it cannot fit, however many GPUs there are.
    """
    (devices,) = devices_by_size(Setting(model, precision, workload or Workload()), [gpu_memory_gib])
    if devices is None:
        raise ConfigError(
            f"{model.title} at {precision.title} does not fit on GPUs of {gpu_memory_gib:g} GiB, one block on each; "
            "raise hardware.gpu_memory_gib, or lower batch or prompt"
        )
    return devices
