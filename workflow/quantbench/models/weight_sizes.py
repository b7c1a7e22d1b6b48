"""What a loaded model's weights take in memory, whatever type of tensor a library keeps them in."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from ..devices import processor
from .interfaces import CausalModel


def weight_bytes(model: CausalModel, stored: processor.Format | None = None) -> int:
    """Bytes the model's weights take, quantization state included (which ``get_memory_footprint`` leaves out).

    Args:
        model: as loaded.
        stored: count what is not quantized as it stands in the model's files, whatever it is computed in here; None:
            as it is held.
    """
    tensors = [*model.parameters(), *model.buffers()]
    parts = [part for tensor in tensors for part in held_tensors(tensor)]
    held = sum(part.numel() * part.element_size() for part in parts)
    if stored is None:
        return held
    width: int = getattr(torch, stored).itemsize
    plain = filter(is_plain, model.parameters())
    return held - sum(weight.numel() * (weight.element_size() - width) for weight in plain)


def held_tensors(parameter: torch.Tensor) -> list[torch.Tensor]:
    """What a parameter stands for in memory: itself or its integers, with scales and zero points."""
    return [*_parts(parameter), *_state(parameter)]


def is_plain(weight: torch.Tensor) -> bool:
    """Whether a weight is not quantized."""
    return weight.is_floating_point() and weight.element_size() > 1 and not is_traceable_wrapper_subclass(weight)


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The tensor itself, or those a torchao tensor stands for: integers, scales and zero points."""
    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    return [part for name in tensor.__tensor_flatten__()[0] for part in _parts(getattr(tensor, name))]


def _state(parameter: torch.Tensor) -> list[torch.Tensor]:
    """One parameter's quantization state by bitsandbytes: block scales of NF4, row scales of LLM.int8."""
    state = getattr(parameter, "quant_state", None)
    nested = getattr(state, "state2", None)
    tensors = [getattr(parameter, "SCB", None)]
    tensors += [getattr(part, name, None) for part in (state, nested) for name in ("absmax", "code", "offset")]
    return [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]
