"""Bytes at rest: what a model's weights take on the device before the first token."""

from __future__ import annotations

from ..config import AS_PUBLISHED, Counts, ModelEntry, PrecisionEntry

GIB = 1024**3
HALF = 2  # bytes of float16 and bfloat16
_SINGLE = 4  # bytes of float32

# bitsandbytes' layout of a 4-bit weight: one scale a block of 64 weights; with double quantization that scale is one
# byte, and each 256 of them share a float32 (Dettmers et al. 2023, section 3).
SCALED = 64
SCALES_A_BLOCK = 256


def is_nf4(precision: PrecisionEntry) -> bool:
    """Whether weights are stored in 4 bits."""
    return bool(precision.settings.get("load_in_4bit"))


def is_doubly_quantized(precision: PrecisionEntry) -> bool:
    """Whether the scales of 4-bit weights are stored in 8 bits themselves."""
    return is_nf4(precision) and bool(precision.settings.get("bnb_4bit_use_double_quant"))


def is_int8(precision: PrecisionEntry) -> bool:
    """Whether weights are stored in 8 bits (LLM.int8)."""
    return bool(precision.settings.get("load_in_8bit"))


def is_int8_weight_only(precision: PrecisionEntry) -> bool:
    """Whether weights are stored in 8 bits and multiplied in 16 (torchao)."""
    return precision.settings.get("config") == "Int8WeightOnlyConfig"


def payload_bytes(precision: PrecisionEntry, width: int = HALF) -> float:
    """Bytes of one stored weight of a linear layer, its scales not counted; ``width``: bytes where not quantized."""
    if is_nf4(precision):
        return 0.5
    return 1.0 if is_int8(precision) or is_int8_weight_only(precision) else float(width)


def scale_bytes(precision: PrecisionEntry) -> float:
    """Bytes of block scales a weight: 1/64 + 4/(64 * 256) with double quantization, 4/64 without, 0 if not NF4."""
    if not is_nf4(precision):
        return 0.0
    if is_doubly_quantized(precision):
        return 1 / SCALED + _SINGLE / (SCALED * SCALES_A_BLOCK)
    return _SINGLE / SCALED


def bytes_per_weight(precision: PrecisionEntry) -> float:
    """Bytes of one weight of a linear layer, block scales included (LLM.int8's row scales: :func:`row_scale_bytes`)."""
    return payload_bytes(precision) + scale_bytes(precision)


def row_scale_bytes(counts: Counts, precision: PrecisionEntry) -> float:
    """Bytes of 8-bit scales: one float32 for each output of each linear layer (Dettmers et al. 2022).

    torchao's ``Int8Tensor`` keeps a zero point of one byte beside it, also where it is always 0.
    """
    if not (is_int8(precision) or is_int8_weight_only(precision)):
        return 0.0
    an_output = _SINGLE if is_int8(precision) else _SINGLE + 1
    return an_output * counts.linear_outputs


def published_bytes(model: ModelEntry, precision: PrecisionEntry) -> int | None:
    """What weights that were published quantized take, as their files do; None: these are not, or nothing states it.

    Methods that this machine has no kernels for may unpack them to 16 bits while they load, which nothing here foresees.
    """
    return model.stored_bytes if precision.method == AS_PUBLISHED else None


def bytes_at_rest(model: ModelEntry, precision: PrecisionEntry) -> float:
    """Bytes of all weights of a model at a precision, as its files hold them where they were published quantized."""
    return published_bytes(model, precision) or weight_bytes(model.counted, precision)


def weight_bytes(counts: Counts, precision: PrecisionEntry) -> float:
    """Bytes of all weights: linear layers at the precision, embeddings, output head and experts at two bytes.

    bitsandbytes replaces linear layers only, and transformers keeps the output head out of it. Normalization weights
    and biases (at most 0.3%) are not planned for.
    """
    return counts.linear * bytes_per_weight(precision) + (counts.tables + counts.experts) * HALF
