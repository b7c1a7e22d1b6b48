"""Whether a setting fits on GPUs of a given memory, and how many of them it needs.

On several GPUs transformers places the layers (``device_map="auto"``). The devices do not get equal parts, and the
fullest one decides.
"""

from __future__ import annotations

from dataclasses import replace

from ..config import ModelEntry, PrecisionEntry
from ..errors import ConfigError
from .setting import Setting, Workload
from .terms import plan_memory, quantization_state, weights
from .weight_bytes import GIB, HALF, bytes_at_rest

# Memory of the GPUs people have, in GiB: RTX 4090, A100 40GB, A6000 or L40S, A100 or H100 80GB, H200.
COMMON_GPUS_GIB = (24, 40, 48, 80, 141)
# CUDA context and loaded kernels of one process, which the allocator does not see: NVML shows 0.4 to 0.5 GiB for a
# process that has done nothing but initialize PyTorch on an A100 or H100.
CONTEXT_BYTES = 0.5 * GIB
# What the plan may be short of: no published cell lies further above it (docs/memory.md).
_MARGIN = 0.03
# Terms that lie with the layers; the others exist on each device, and logits on the last one only.
_WITH_LAYERS = ("weights", "quantization_state", "kv_cache", "kept_projections")
# transformers' placement (integrations/accelerate.py): each device but the last may hold an equal part of the weights plus
# 1.25 of the largest piece (get_balanced_memory), the first one a piece less (infer_auto_device_map keeps room to bring
# an offloaded layer in). For quantized models the quantizer takes a tenth off every device (adjust_max_memory).
_LARGEST_PIECE = 1.25
_QUANTIZER_PART = 0.9


def fullest_device_bytes(setting: Setting) -> float:
    """Bytes the allocator holds at the peak on the device that holds most."""
    terms, devices = plan_memory(setting).terms, setting.workload.devices
    spread = sum(terms[name] for name in _WITH_LAYERS)
    everywhere = sum(value for name, value in terms.items() if name not in (*_WITH_LAYERS, "logits"))
    return _fullest_share(setting) * spread + everywhere / devices + terms["logits"]


def fits(setting: Setting, gpu_memory_gib: float) -> bool:
    """Whether each of the setting's devices, of ``gpu_memory_gib`` GiB, holds its part beside the CUDA context.

    The peak gets 3% on top, for what the plan may be short of.
    On several devices a quantized model's weights must also stay within the nine tenths its quantizer gives out, or
    transformers refuses to load it.
    """
    free = gpu_memory_gib * GIB - CONTEXT_BYTES
    if setting.workload.devices > 1 and _is_quantized(setting):
        held = _fullest_share(setting) * bytes_at_rest(setting.model, setting.precision)
        if held > _QUANTIZER_PART * free:
            return False
    return fullest_device_bytes(setting) * (1 + _MARGIN) <= free


def devices_needed(setting: Setting, gpu_memory_gib: float) -> int | None:
    """The smallest number of GPUs that holds the setting, its own number of devices disregarded.

    None where even one layer a GPU does not fit.
    """
    for devices in range(1, setting.model.architecture.layers + 1):
        if fits(replace(setting, workload=replace(setting.workload, devices=devices)), gpu_memory_gib):
            return devices
    return None


def gpus_needed(
    model: ModelEntry, precision: PrecisionEntry, gpu_memory_gib: float, workload: Workload | None = None
) -> int:
    """GPUs of ``gpu_memory_gib`` GiB that one cell needs; without a workload, for one zero-shot sample at a time.

    Raises:
        ConfigError: it cannot fit, however many GPUs there are.
    """
    devices = devices_needed(Setting(model, precision, workload or Workload()), gpu_memory_gib)
    if devices is None:
        raise ConfigError(
            f"{model.title} at {precision.title} does not fit on GPUs of {gpu_memory_gib:g} GiB, one layer on each; "
            "raise hardware.gpu_memory_gib, or lower batch or prompt"
        )
    return devices


def _fullest_share(setting: Setting) -> float:
    """The part of the weights, and so of the layers and their cache, that the fullest device holds (0 to 1)."""
    devices, facts = setting.workload.devices, setting.facts
    if devices == 1:
        return 1.0
    total = sum(term(setting, "prompt") for term in (weights, quantization_state))
    counts = setting.counts
    block = (bytes_at_rest(setting.model, setting.precision) - counts.tables * HALF) / facts.layers
    piece = max(block, facts.vocab_size * facts.hidden_size * setting.width)
    room = (total / devices + _LARGEST_PIECE * piece) * (_QUANTIZER_PART if _is_quantized(setting) else 1.0)
    left, parts = total, []
    for allowed in [max(room - piece, 0.0), *[room] * (devices - 2)]:
        parts.append(min(allowed, left))
        left -= parts[-1]
    return max(*parts, left) / total


def _is_quantized(setting: Setting) -> bool:
    return setting.precision.method != "none"
