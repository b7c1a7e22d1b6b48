"""Which layers bitsandbytes 0.50 multiplies in 4 bits on a CPU, and which it gets wrong.

It quantizes a matrix in blocks of 64 numbers, row after row. Its kernels for CPUs take each row for whole blocks: where a
row's length is no multiple of 64 they dequantize with the scales of other blocks, and some even raise an error. On GPUs
any length goes. Its bfloat16 kernel (AVX512_BF16) also wants the number of rows to be a multiple of 32; without it
such a layer is dequantized and multiplied by torch, which is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch

from ..errors import ModelError

if TYPE_CHECKING:
    from bitsandbytes.nn.modules import Linear4bit
    from torch import nn

    from .interfaces import CausalModel

_BLOCK = 64
_ROWS = 32
_NAMED = 3


def refuse_row_lengths(layers: Iterable[tuple[str, nn.Module]], what: str) -> None:
    """Refuse a model whose 4-bit layers a CPU would get wrong.

    Args:
        layers: those that are or will be 4-bit, with their names.
        what: the model, as messages name it.

    Raises:
        ModelError: names the layers with the length of their rows.
    """
    wrong = [f"{name} ({length})" for name, layer in layers if (length := inputs(layer)) % _BLOCK]
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise ModelError(
            f"{what}: bitsandbytes multiplies 4-bit layers on a CPU only where their inputs are a multiple of {_BLOCK}, and those of "
            f"{', '.join(wrong[:_NAMED])}{more} are not: run it at full, w8a16 or int8wo, or on a GPU"
        )


def inputs(layer: nn.Module) -> int:
    """Inputs of a linear layer; transformers' ``Conv1D`` keeps its weight the other way round."""
    stated = getattr(layer, "in_features", None)
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    return stated if isinstance(stated, int) else weight.shape[0]


def is_left_unpacked(layer: Linear4bit) -> bool:
    """Whether a layer stands on a CPU whose bfloat16 kernel does not take its rows (:func:`leave_unpacked`)."""
    return layer.weight.device.type == "cpu" and bool(layer.out_features % _ROWS)


def leave_unpacked(model: CausalModel, computed: torch.dtype) -> None:
    """Have torch multiply the layers whose rows the bfloat16 kernel does not take, in ``computed``."""
    from bitsandbytes.nn.modules import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit) and is_left_unpacked(layer):
            layer.support_avx512bf16_for_cpu = False
            layer.compute_dtype = computed
