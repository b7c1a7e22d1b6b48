"""How long a model takes on a GPU to read prompts and to write a token.

Times are a ceiling of the hardware plus what kernels cost. A written token needs every weight once, so memory bandwidth bounds it; a prompt needs two operations a weight and token, so
the matrix units bound it. To that comes a cost for each linear layer's call, which depends on the precision's kernels
and hardly on the GPU. Layers on several GPUs run one after another, so a second GPU adds memory, not speed.

The costs a call are fitted to the paper's 96 latencies (``resources/paper/step_times.py``); no constant belongs to a model.
"""

from __future__ import annotations

from ..config import ModelEntry, PrecisionEntry
from .gpus import Gpu
from .weight_bytes import HALF, bytes_at_rest, is_int8, is_nf4

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
