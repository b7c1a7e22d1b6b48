"""What of a loaded model is quantized, read off its layers: their classes, and the storage of their weights.

The libraries quantize linear layers and leave the rest: embeddings, the output head, and the experts of mixtures, which
transformers 5 holds as three-dimensional parameters. So how much of a model is quantized is counted, not assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from ..contracts.manifest import WeightCount, WeightPlace
from .quantization_settings import Setting

if TYPE_CHECKING:
    from .interfaces import CausalModel

_NAMED = 3
# Storage of weights that are not quantized; a narrower float is quantized.
_WHOLE_BYTES = 2
# Parameters of quantized layers that are no weights (FP8, FP4 and compressed-tensors).
_SCALES = {"weight_scale", "weight_scale_inv", "weight_scale_2", "weight_zero_point", "scales"}


@dataclass(frozen=True)
class Matrix:
    """One matrix of a model, or several of one parameter.

    Attributes:
        name: of the layer that holds it.
        holder: that layer's class.
        weights: numbers in it, as they would be unquantized.
        storage: how it is stored, such as ``nf4``, ``int8``, ``bfloat16``.
        quantized: whether it is.
        place: what it is to the model.
    """

    name: str
    holder: str
    weights: int
    storage: str
    quantized: bool
    place: WeightPlace


def matrices(model: CausalModel) -> list[Matrix]:
    """Every matrix of a loaded model once, tied ones included; vectors (norms, biases, scales) are left out."""
    tables = {id(table) for table in (model.get_input_embeddings(), model.get_output_embeddings()) if table is not None}
    seen: set[int] = set()
    found = []
    for name, layer in model.named_modules():
        is_table = id(layer) in tables or isinstance(layer, torch.nn.Embedding)  # positions are embedded too
        place: WeightPlace = "embeddings and head" if is_table else "layers"
        for matrix in _of_layer(name, layer, seen):
            found.append(replace(matrix, place=place))
    return found


def counted(found: list[Matrix]) -> list[WeightCount]:
    """How many matrices of how many weights each class of layers holds, by storage."""
    groups: dict[tuple[str, str, bool, WeightPlace], list[int]] = {}
    for matrix in found:
        groups.setdefault((matrix.holder, matrix.storage, matrix.quantized, matrix.place), []).append(matrix.weights)
    return [
        WeightCount(
            holder=holder, storage=storage, quantized=quantized, place=place, matrices=len(sizes), weights=sum(sizes)
        )
        for (holder, storage, quantized, place), sizes in groups.items()
    ]


def wrong_layers(model: CausalModel, method: str, settings: Mapping[str, Setting]) -> str:
    """What contradicts a precision, in words: a linear layer that is not quantized as it says, or one that is and should not.

    Args:
        model: as loaded.
        method: of the precision: ``none``, ``bitsandbytes``, ``torchao`` or ``as_published``.
        settings: likewise.

    Returns:
        Names of layers and what they are; empty where all is as it should be.
    """
    found = matrices(model)
    if method == "as_published":
        return (
            "" if any(one.quantized for one in found) else "no weight is quantized: transformers has dequantized them"
        )
    wanted = _wanted_storage(method, settings)
    if wanted is None:
        return _said(found, [one.name for one in found if one.quantized], "not quantized")
    linear = [name for name, _ in quantizable(model)]
    if not linear:
        return "no linear layer is one that the library quantizes"
    by_name = {one.name: one for one in found}
    kept = [one.name for one in found if one.quantized and one.name not in linear]
    return _said(
        found, [name for name in linear if by_name[name].storage not in wanted], " or ".join(sorted(wanted))
    ) or _said(found, kept, "not quantized")


def _said(found: list[Matrix], names: list[str], wanted: str) -> str:
    if not names:
        return ""
    by_name = {one.name: one for one in found}
    shown = ", ".join(f"{name} ({by_name[name].holder}, {by_name[name].storage})" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{shown}{more} should be {wanted}"


def _wanted_storage(method: str, settings: Mapping[str, Setting]) -> set[str] | None:
    """How the weights of linear layers are stored at a precision; None: not quantized."""
    if method == "none":
        return None
    if method == "torchao":
        return {"torchao"}
    if settings.get("load_in_8bit"):
        return {"int8"}
    nested = ", scales quantized" if settings.get("bnb_4bit_use_double_quant") else ""
    return {f"{settings.get('bnb_4bit_quant_type', 'fp4')}{nested}"}


def four_bit_layers(model: CausalModel) -> list[tuple[str, torch.nn.Module]]:
    """The layers that bitsandbytes holds in 4 bits, with their names."""
    from bitsandbytes.nn.modules import Linear4bit

    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, Linear4bit)]


def of_text(model: CausalModel, layers: Sequence[tuple[str, torch.nn.Module]]) -> list[tuple[str, torch.nn.Module]]:
    """Those of some layers that a text goes through; a model of several may also have a tower for images."""
    inner = {id(layer) for layer in model.get_decoder().modules()}
    return [(name, layer) for name, layer in layers if id(layer) in inner]


def quantizable(model: CausalModel) -> list[tuple[str, torch.nn.Module]]:
    """The linear layers that bitsandbytes and torchao replace or fill, by transformers' own rules, with their names."""
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt
    from transformers.pytorch_utils import Conv1D
    from transformers.quantizers.base import get_keys_to_not_convert
    from transformers.quantizers.quantizers_utils import should_convert_module

    kept = [
        *get_keys_to_not_convert(model),
        *(getattr(model, "_keep_in_fp32_modules", None) or ()),
        *(getattr(model, "_keep_in_fp32_modules_strict", None) or ()),
    ]
    return [
        (name, layer)
        for name, layer in model.named_modules()
        # Classes of a model's own that derive from a linear layer, such as routers, are not replaced.
        if type(layer) in (torch.nn.Linear, Conv1D, Linear4bit, Linear8bitLt) and should_convert_module(name, kept)
    ]


def _of_layer(name: str, layer: torch.nn.Module, seen: set[int]) -> Iterator[Matrix]:
    """The matrices that a layer holds itself."""
    held = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
    fresh = [(key, tensor) for key, tensor in held if id(tensor) not in seen]
    seen.update(id(tensor) for _, tensor in fresh)
    holder = type(layer).__name__
    packed = _packed(name, layer, [tensor for _, tensor in fresh])
    if packed is not None:
        yield packed
        return
    for key, tensor in fresh:
        if isinstance(tensor, torch.nn.Parameter) and key not in _SCALES and not key.endswith("bias"):
            storage, shape = _storage(tensor)
            if len(shape) > 1:
                quantized = tensor.dtype.itemsize < _WHOLE_BYTES or storage != _format(tensor)
                # One matrix of a layer is called by the layer's name, others by their own.
                title = name if key == "weight" else f"{name}.{key}"
                yield Matrix(title, holder, shape.numel(), storage, quantized, "layers")


def _packed(name: str, layer: torch.nn.Module, held: Sequence[torch.Tensor]) -> Matrix | None:
    """The matrix of a linear layer that packs several weights in one integer (GPTQ, AWQ); None: it does not."""
    sizes = [getattr(layer, side, None) for side in ("in_features", "out_features")]
    integers = [tensor for tensor in held if tensor.dtype in (torch.int32, torch.int64) and tensor.dim() > 1]
    numbers = [size for size in sizes if isinstance(size, int)]
    if not integers or len(numbers) != len(sizes):
        return None
    return Matrix(
        name,
        type(layer).__name__,
        math.prod(numbers),
        f"packed in {_format(integers[0])}",
        quantized=True,
        place="layers",
    )


def _storage(weight: torch.Tensor) -> tuple[str, torch.Size]:
    """How a weight is stored, and its shape as it would be unquantized."""
    state = getattr(weight, "quant_state", None)
    if state is not None:
        return f"{state.quant_type}{', scales quantized' if state.nested else ''}", state.shape
    return "torchao" if is_traceable_wrapper_subclass(weight) else _format(weight), weight.shape


def _format(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
