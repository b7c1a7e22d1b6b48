"""The memory planner: bytes a model x precision needs, from architecture facts alone (PROTOCOL, section 6)."""

from __future__ import annotations

import math

from .config import Architecture, ModelEntry, PrecisionEntry

GIB = 1024**3
_HALF = 2  # bytes of float16 and bfloat16


def bytes_per_weight(precision: PrecisionEntry) -> float:
    """Bytes of one weight of a linear layer.

    NF4 stores half a byte a weight, an 8-bit scale for each block of 64, and with double quantization a 32-bit scale
    for each 256 of those (Dettmers et al. 2023, section 3). LLM.int8 stores one byte (its row scales are negligible).
    """
    if precision.settings.get("load_in_4bit"):
        return 0.5 + 1 / 64 + 4 / (64 * 256)
    return 1.0 if precision.settings.get("load_in_8bit") else float(_HALF)


def linear_weights(facts: Architecture) -> int:
    """Number of weights in the linear layers of all blocks: attention projections and the gated feed-forward part."""
    head = facts.hidden_size // facts.attention_heads
    attention = facts.hidden_size * head * (2 * facts.attention_heads + 2 * facts.key_value_heads)
    return facts.layers * (attention + 3 * facts.hidden_size * facts.intermediate_size)


def weight_bytes(facts: Architecture, precision: PrecisionEntry) -> float:
    """Bytes of all weights: linear layers at the precision, embeddings and output head at two bytes."""
    tables = facts.vocab_size * facts.hidden_size * (1 if facts.tied_head else 2)
    return linear_weights(facts) * bytes_per_weight(precision) + tables * _HALF


def gpus_needed(model: ModelEntry, precision: PrecisionEntry, gpu_memory_gib: float) -> int:
    """GPUs whose memory holds the weights with a tenth to spare for KV cache and workspace."""
    return max(1, math.ceil(weight_bytes(model.architecture, precision) * 1.1 / (gpu_memory_gib * GIB)))
