"""GPUs by their data sheets, and how long a model takes on one to read prompts and to write a token.

Times are a ceiling of the hardware plus what kernels cost. A written token needs every weight once, so memory bandwidth bounds it; a prompt needs two operations a weight and token, so
the matrix units bound it. To that comes a cost for each linear layer's call, which depends on the precision's kernels
and hardly on the GPU. Layers on several GPUs run one after another, so a second GPU adds memory, not speed.

The costs a call are fitted to the paper's 96 latencies (``resources/paper/step_times.py``); no constant belongs to a model.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..config import ModelEntry, PrecisionEntry
from .weight_bytes import HALF, bytes_at_rest, is_int8, is_nf4

_TERA = 1e12


@dataclass(frozen=True)
class Gpu:
    """One kind of device.

    Attributes:
        title: name for people.
        memory_gib: memory of one.
        bandwidth: bytes a second between its memory and its processors.
        flops: dense 16-bit multiplications and additions a second, by its matrix units.
    """

    title: str
    memory_gib: float
    bandwidth: float
    flops: float


# NVIDIA's data sheets; of variants the slower one's bandwidth.
GPUS = {
    "rtx4090": Gpu("RTX 4090", 24, 1.008 * _TERA, 165 * _TERA),
    "a100-40gb": Gpu("A100 40GB", 40, 1.555 * _TERA, 312 * _TERA),
    "l40s": Gpu("L40S", 48, 0.864 * _TERA, 362 * _TERA),
    "a100-80gb": Gpu("A100 80GB", 80, 1.935 * _TERA, 312 * _TERA),
    "h100-80gb": Gpu("H100 80GB", 80, 3.35 * _TERA, 989 * _TERA),
    "h200": Gpu("H200", 141, 4.8 * _TERA, 989 * _TERA),
}
# One core of a server, deliberately slow: jobs on CPU ask for enough time.
CPU = Gpu("CPU", 0, 0.01 * _TERA, 0.05 * _TERA)


def nearest_gpu(memory_gib: float) -> Gpu:
    """The slowest listed GPU of the largest size that is not above ``memory_gib``; below all sizes, of the smallest."""
    sizes = {gpu.memory_gib for gpu in GPUS.values()}
    # A GPU shows a little less memory than it is sold with.
    size = max((size for size in sizes if size <= memory_gib * 1.05), default=min(sizes))
    return min((gpu for gpu in GPUS.values() if gpu.memory_gib == size), key=lambda gpu: gpu.bandwidth)


# Parts of the data sheets' figures that are reached: of the bandwidth while writing one token, of the matrix units while
# reading a prompt. Usual values; the paper's latencies do not tell them apart from the costs a call.
BANDWIDTH_PART = 0.8
FLOPS_PART = 0.5
# Seconds a call of one linear layer, by kind of precision; found by resources/paper/step_times.py.
CALL_S = {"full": 0.00010, "int8": 0.00056, "nf4": 0.00031}


def kind_of(precision: PrecisionEntry) -> str:
    """The kernels a precision uses, a key of :data:`CALL_S`."""
    if is_nf4(precision):
        return "nf4"
    return "int8" if is_int8(precision) else "full"


def prompt_seconds(model: ModelEntry, precision: PrecisionEntry, gpu: Gpu, tokens: int) -> float:
    """Seconds to read prompts of ``tokens`` in all, padding included."""
    compute = 2 * _multiplied(model) * tokens / (gpu.flops * FLOPS_PART)
    return max(compute, _read_seconds(model, precision, gpu, rows=2)) + _call_seconds(model, precision)


def step_seconds(model: ModelEntry, precision: PrecisionEntry, gpu: Gpu, rows: int, context: int) -> float:
    """Seconds to write one token of each of ``rows`` answers whose prompts and answers have ``context`` tokens."""
    counts = model.counted
    in_window = min(context, counts.window or context)
    cache = (counts.cached * context + counts.cached_in_window * in_window) * HALF * rows
    memory = _read_seconds(model, precision, gpu, rows) + cache / (gpu.bandwidth * BANDWIDTH_PART)
    compute = 2 * _multiplied(model) * rows / (gpu.flops * FLOPS_PART)
    return max(memory, compute) + _call_seconds(model, precision)


def _read_seconds(model: ModelEntry, precision: PrecisionEntry, gpu: Gpu, rows: int) -> float:
    """Time to bring all weights to the processors; NF4 writes and reads a 16-bit copy where it multiplies several rows."""
    counts = model.counted
    # Experts that no row's token goes to are not read.
    held = bytes_at_rest(model, precision) - HALF * max(0, counts.experts - rows * counts.active_experts)
    if is_nf4(precision) and rows > 1:
        held += 2 * HALF * counts.linear
    return held / (gpu.bandwidth * BANDWIDTH_PART)


def _call_seconds(model: ModelEntry, precision: PrecisionEntry) -> float:
    return model.counted.linear_calls * CALL_S[kind_of(precision)]


def _multiplied(model: ModelEntry) -> int:
    """Weights that one token is multiplied by; the output head, which only the last one passes, is left out."""
    return model.counted.linear + model.counted.active_experts
