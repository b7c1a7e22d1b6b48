"""Bytes of the tensors alive while something runs: every storage torch makes is seen, and seen to be freed."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, is_traceable_wrapper_subclass
from torch.utils._pytree import tree_leaves


class LiveTensors(TorchDispatchMode):
    """Counts the bytes of tensors made in this context and not yet freed; ``peak`` is the most at any one time.

    ``dtypes`` narrows it to some number formats; tensors on the meta device hold nothing and are left out.
    """

    def __init__(self, dtypes: tuple[torch.dtype, ...] | None = None) -> None:
        super().__init__()
        self._dtypes = dtypes
        self.held: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = function(*args, **(kwargs or {}))
        # What torch.tensor makes comes to a mode by `lift_fresh`, made already.
        made = function is torch.ops.aten.lift_fresh.default
        given = set() if made else {tensor.untyped_storage()._cdata for tensor in _tensors((args, kwargs))}
        for tensor in _tensors(output):
            storage = tensor.untyped_storage()
            # A view of something older, a weight say, is nothing new.
            if self._counts(tensor) and storage._cdata not in self.held and storage._cdata not in given:
                self.held[storage._cdata] = storage.nbytes()
                weakref.finalize(storage, self.held.pop, storage._cdata, None)
        self.peak = max(self.peak, sum(self.held.values()))
        return output

    def _counts(self, tensor: torch.Tensor) -> bool:
        return self._dtypes is None or tensor.dtype in self._dtypes


def _tensors(values: Any) -> list[torch.Tensor]:
    """The tensors among some values that hold bytes: a wrapper's parts are seen by themselves, meta tensors have none."""
    tensors = [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]
    return [tensor for tensor in tensors if not tensor.is_meta and not is_traceable_wrapper_subclass(tensor)]
