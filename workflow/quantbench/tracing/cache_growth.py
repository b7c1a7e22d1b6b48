"""What a cache keeps, counted as such; and a cache that stands in for the steps between the first written tokens and the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from transformers.cache_utils import Cache

from .counting_mode import CountingMode


@contextmanager
def cache_known(counting: CountingMode) -> Iterator[None]:
    """In this context, what a cache keeps is counted as such."""
    update = cast("Callable[..., object]", Cache.update)
    met: set[int] = set()

    def watched(self: Cache, keys: torch.Tensor, values: torch.Tensor, layer_idx: int, *further: object) -> object:
        if id(self) not in met:  # it may have begun with what others computed
            met.add(id(self))
            for layer in self.layers:
                know(layer, counting)
        kept = update(self, keys, values, layer_idx, *further)
        know(self.layers[layer_idx], counting)
        return kept

    Cache.update = watched  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Cache.update = update  # type: ignore[method-assign, assignment]


def know(layer: object, counting: CountingMode) -> None:
    """Count the tensors that a layer of a cache keeps as such."""
    for kept in vars(layer).values():
        for tensor in kept if isinstance(kept, tuple | list) else [kept]:
            if isinstance(tensor, torch.Tensor):
                counting.relabel(tensor, "kv_cache")


def grow(cache: Cache, tokens: int, counting: CountingMode) -> None:
    """Have each layer take so many further tokens by its own rule: appended, written in place, or pushing others out.

    A layer that keeps something else than keys and values, such as a state of fixed size, stays as it is.
    """
    for layer in cache.layers:
        keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
        if isinstance(keys, torch.Tensor) and isinstance(values, torch.Tensor):
            take = cast("Callable[[torch.Tensor, torch.Tensor], object]", layer.update)  # type: ignore[union-attr]
            with counting.made_on(counting.device_of(keys)):
                take(*(kept.new_empty((*kept.shape[:2], tokens, kept.shape[3])) for kept in (keys, values)))
            know(layer, counting)
