"""Bytes of the tensors alive while something runs: every storage torch makes is seen, and seen to be freed."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
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
        for tensor in tree_leaves(output):
            if isinstance(tensor, torch.Tensor) and self._counts(tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.held:
                    self.held[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.held.pop, storage._cdata, None)
        self.peak = max(self.peak, sum(self.held.values()))
        return output

    def _counts(self, tensor: torch.Tensor) -> bool:
        return not tensor.is_meta and (self._dtypes is None or tensor.dtype in self._dtypes)
