"""Calls that shapes answer otherwise than CUDA does: copies between devices, values asked for, fused attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .counting_mode import CountingMode
from .fused_attention import attention


class FunctionMode(TorchFunctionMode):
    """Stands in for CUDA where a call asks for a device by number, for values, or for attention.

    Args:
        counting: counts what the calls make.
    """

    def __init__(self, counting: CountingMode) -> None:
        super().__init__()
        self._counting = counting

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Answer a call of torch."""
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            return attention(*args, **kwargs)  # type: ignore[arg-type]
        if func is torch.Tensor.to and len(args) > 1 and type(args[1]) is int:
            return self._counting.moved(cast(torch.Tensor, args[0]), args[1])
        if func is torch.Tensor.tolist:
            return _zeros(tuple(cast(torch.Tensor, args[0]).shape))
        output = func(*args, **kwargs)
        return self._counting.made_of_values(cast(torch.Tensor, output)) if func is torch.tensor else output


def _zeros(shape: tuple[int, ...]) -> object:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0
