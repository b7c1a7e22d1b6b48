"""What the layers of a loaded model say of the settings they were quantized by, held against what was asked for.

Class and storage of each layer are :mod:`.quantized_layers`' question. Here it is all else that a setting decides: the
format 4-bit layers compute in and are packed in, how many weights share a scale, the threshold of LLM.int8, and the
granularity and formats of torchao's tensors. A library that drops an argument, or whose default is not what memory is
planned by, is found here, before anything is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from ..config.library_arguments import BitsandbytesArguments
from ..planner.weight_bytes import SCALED, SCALES_A_BLOCK
from .four_bit_on_cpu import is_left_unpacked
from .quantization_settings import Setting, torchao_configuration

if TYPE_CHECKING:
    from bitsandbytes.functional import QuantState
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

    from .interfaces import CausalModel

_NAMED = 3


@dataclass(frozen=True)
class _Fact:
    """One thing that a layer says of how it is quantized, and what was asked for."""

    layer: str
    name: str
    found: object
    asked: object

    def __str__(self) -> str:
        return f"{self.layer}: {self.name} is {self.found}, and {self.asked} was asked for"


def wrong_settings(model: CausalModel, method: str, settings: Mapping[str, Setting], published: bool = False) -> str:
    """Hold the layers of a loaded model against the settings that are said to be applied.

    Args:
        model: as loaded, before its first answer.
        method: what quantized it.
        settings: that method's arguments, as they are to stand in the cell's manifest.
        published: the weights were published quantized; as many of them may share a scale as their makers chose.

    Returns:
        the first facts that differ, by layer; empty: none does.
    """
    if method == "bitsandbytes":
        facts = _of_bitsandbytes(model, settings, published)
    elif method == "torchao" and not published:
        facts = _of_torchao(model, settings)
    else:
        return ""
    wrong = [fact for fact in facts if fact.found != fact.asked]
    more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return "; ".join(map(str, wrong[:_NAMED])) + more


def _of_bitsandbytes(model: CausalModel, settings: Mapping[str, Setting], published: bool) -> Iterator[_Fact]:
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

    known = {name: value for name, value in settings.items() if name in BitsandbytesArguments.model_fields}
    asked = BitsandbytesArguments(load_in_4bit=True).model_copy(update=known)
    for name, layer in model.named_modules():
        if isinstance(layer, Linear4bit):
            yield from _of_four_bits(name, layer, asked)
            if not published:
                yield from _of_blocks(name, layer)
        elif isinstance(layer, Linear8bitLt):
            yield from _of_eight_bits(name, layer, asked)


def _of_four_bits(name: str, layer: Linear4bit, asked: BitsandbytesArguments) -> Iterator[_Fact]:
    state = cast("QuantState", getattr(layer.weight, "quant_state", None))
    yield _Fact(name, "the type of its 4 bits", state.quant_type, asked.bnb_4bit_quant_type)
    yield _Fact(name, "double quantization", bool(state.nested), asked.bnb_4bit_use_double_quant)
    if not is_left_unpacked(layer):
        yield _Fact(name, "the format it computes in", _format(layer.compute_dtype), asked.bnb_4bit_compute_dtype)
    yield _Fact(name, "the format it is packed in", _format(layer.weight.dtype), asked.bnb_4bit_quant_storage)


def _of_blocks(name: str, layer: Linear4bit) -> Iterator[_Fact]:
    """No setting says how many weights share a scale; what the method's publication says is what memory is planned by."""
    state = cast("QuantState", getattr(layer.weight, "quant_state", None))
    yield _Fact(name, "the number of weights that share a scale", state.blocksize, SCALED)
    if state.nested:
        yield _Fact(name, "the number of scales quantized together", state.state2.blocksize, SCALES_A_BLOCK)


def _of_eight_bits(name: str, layer: Linear8bitLt, asked: BitsandbytesArguments) -> Iterator[_Fact]:
    yield _Fact(name, "llm_int8_threshold", float(layer.state.threshold), float(asked.llm_int8_threshold))
    yield _Fact(name, "llm_int8_has_fp16_weight", bool(layer.state.has_fp16_weights), False)


def _of_torchao(model: CausalModel, settings: Mapping[str, Setting]) -> Iterator[_Fact]:
    """What torchao's tensors state of themselves; a kind of tensor that lacks a fact is not asked for it."""
    from torchao.quantization.utils import get_block_size

    asked = torchao_configuration(settings)
    weight_only = type(asked).__name__.endswith("WeightOnlyConfig")
    granularity = getattr(asked, "granularity", None) or getattr(asked, "weight_granularity", None)
    group, number = getattr(asked, "group_size", None), getattr(asked, "weight_dtype", None)
    for name, weight in model.named_parameters():
        if not is_traceable_wrapper_subclass(weight):
            continue
        block = getattr(weight, "block_size", None)
        if block is not None and granularity is not None and not isinstance(granularity, list):
            wanted = get_block_size(tuple(weight.shape), granularity)
            yield _Fact(name, "the block that shares a scale", tuple(block), tuple(wanted))
        elif block is not None and group is not None:
            yield _Fact(name, "the block that shares a scale", tuple(block), (1, group))
        held = getattr(weight, "target_dtype", None) or getattr(getattr(weight, "qdata", None), "dtype", None)
        if number is not None and held is not None:
            yield _Fact(name, "its number format", _format(held), _format(cast(torch.dtype, number)))
        if hasattr(weight, "act_quant_kwargs"):
            told = weight.act_quant_kwargs is not None
            yield _Fact(name, "quantizing of activations", told, not weight_only)


def _format(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")
