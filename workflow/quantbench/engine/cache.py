"""A key-value cache that is written in place: what a batch will need is reserved once, with the shared prefix in it.

transformers' own dynamic cache grows by concatenation: each new token copies the keys and values of all rows, prefix
included, which for a batch of 32 with 700 shared tokens was four fifths of the time. Here a token is written to its place.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, cast

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


class ReservedLayer(DynamicLayer):
    """Keys and values of one attention layer, shape (rows, heads, tokens, head size), in memory reserved beforehand.

    Args:
        capacity: most tokens of a row, padding and new tokens included.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._capacity = capacity
        self._stores: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def rows(self) -> int:
        """Rows it has memory for."""
        return self._stores[0].shape[0] if self._stores is not None else 0

    def holds(self, tokens: int) -> bool:
        """Whether a row may have so many tokens."""
        return tokens <= self._capacity

    def fill(self, layer: DynamicLayer, repeats: int) -> None:
        """Start with another layer's tokens, each of its rows ``repeats`` times."""
        assert layer.keys is not None and layer.values is not None
        length = layer.keys.shape[2]
        self._stores = (self._store(layer.keys, repeats), self._store(layer.values, repeats))
        for store, known in zip(self._stores, (layer.keys, layer.values), strict=True):
            store.unflatten(0, (-1, repeats))[:, :, :, :length] = known[:, None]
        self._show(length)

    def restarted(self, rows: int, length: int) -> ReservedLayer:
        """The first ``rows`` rows again, in the same memory, with only the first ``length`` tokens kept."""
        assert self._stores is not None
        layer = ReservedLayer(self._capacity)
        layer._stores = (self._stores[0][:rows], self._stores[1][:rows])
        layer._show(length)
        return layer

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new tokens behind the present ones; returns keys and values of all."""
        if self._stores is None:
            self._stores = (self._store(key_states, 1), self._store(value_states, 1))
            start = 0
        else:
            start = self.get_seq_length()
        end = start + key_states.shape[2]
        for store, new in zip(self._stores, (key_states, value_states), strict=True):
            store[:, :, start:end] = new
        self._show(end)
        assert self.keys is not None and self.values is not None
        return self.keys, self.values

    def _store(self, like: torch.Tensor, repeats: int) -> torch.Tensor:
        rows, heads, _, size = like.shape
        return like.new_empty((rows * repeats, heads, self._capacity, size))

    def _show(self, length: int) -> None:
        assert self._stores is not None
        self.keys, self.values = (store[:, :, :length] for store in self._stores)
        self.dtype, self.device, self.is_initialized = self.keys.dtype, self.keys.device, True


def reserved(
    config: PreTrainedConfig, capacity: int, known: DynamicCache | None = None, repeats: int = 1
) -> DynamicCache:
    """A cache for one batch, in which layers that keep every token of it are written in place.

    A sliding window that a row outgrows bounds its memory itself, and such a layer is kept as it is.

    Args:
        config: the model's configuration, which names the kind of each layer.
        capacity: most tokens of a row.
        known: a cache of first tokens, left as it is; None: the cache starts empty.
        repeats: how often each row of ``known`` is repeated, side by side.
    """
    cache = DynamicCache(config=config)
    sources = known.layers if known is not None else [None] * len(cache.layers)
    for place, (layer, source) in enumerate(zip(cache.layers, sources, strict=True)):
        if _keeps_tokens_alone(layer) and _window(layer) >= capacity:
            row_layer = ReservedLayer(capacity)
            if isinstance(source, DynamicLayer) and source.is_initialized:
                row_layer.fill(source, repeats)
            cache.layers[place] = row_layer
        elif source is not None:
            bounded = cast(DynamicLayer, copy.deepcopy(source))
            bounded.reorder_cache(cast(torch.LongTensor, _repeated(source, repeats)))
            cache.layers[place] = bounded
    return cache


def least_window(config: PreTrainedConfig) -> float:
    """Tokens that every layer can look back on, at least: the narrowest sliding window; infinite where there is none.

    0 where a layer keeps a state of what it read in place of its tokens: padding behind a prefix would become part of it.
    """
    layers = DynamicCache(config=config).layers
    return min((_window(layer) if _keeps_tokens_alone(layer) else 0 for layer in layers), default=math.inf)


def _keeps_tokens_alone(layer: object) -> bool:
    """Whether a layer keeps keys and values, of all tokens or the last ones, and nothing beside them."""
    return type(layer) in (DynamicLayer, DynamicSlidingWindowLayer)


def _repeated(layer: object, repeats: int) -> torch.Tensor:
    """Each row's number, so many times, on the device of what a layer keeps."""
    states = [*getattr(layer, "recurrent_states", {}).values(), *getattr(layer, "conv_states", {}).values()]
    kept = next(one for one in (*states, getattr(layer, "keys", None)) if isinstance(one, torch.Tensor))
    return torch.arange(kept.shape[0], device=kept.device).repeat_interleave(repeats)


def _window(layer: object) -> float:
    return layer.sliding_window if isinstance(layer, DynamicSlidingWindowLayer) else math.inf


def restarted(cache: DynamicCache, rows: int, length: int) -> DynamicCache | None:
    """A cache in the memory of an earlier one, which must not be used any more; None where its layers do not allow it.

    Args:
        cache: from :func:`reserved`.
        rows: at most those of ``cache``.
        length: tokens to keep, of those it held.
    """
    again = copy.copy(cache)
    again.layers = [layer.restarted(rows, length) for layer in cache.layers if isinstance(layer, ReservedLayer)]
    return again if len(again.layers) == len(cache.layers) else None


def shortened(cache: DynamicCache, length: int, room: int) -> DynamicCache | None:
    """A cache that holds the first tokens of another, which must not be used any more, but for being shortened again.

    Args:
        cache: as generating left it.
        length: tokens to keep, of those it held.
        room: tokens to come behind them.

    Returns:
        The cache; None where a layer has no room, keeps no keys and values, or may have let go of some of them.
    """
    again = copy.copy(cache)
    again.layers = []
    for layer in cache.layers:
        if isinstance(layer, ReservedLayer):
            if not layer.holds(length + room):
                return None
            again.layers.append(layer.restarted(layer.rows, length))
        elif isinstance(layer, DynamicLayer) and _window(layer) > layer.get_seq_length():
            cropped = copy.copy(layer)
            cropped.crop(length - layer.get_seq_length())
            again.layers.append(cropped)
        else:
            return None
    return again


def selected(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """A copy of some rows of a cache of :func:`shortened`."""
    some = copy.copy(cache)
    some.layers = []
    for layer in cache.layers:
        assert isinstance(layer, DynamicLayer)
        own = DynamicLayer() if isinstance(layer, ReservedLayer) else copy.copy(layer)
        assert layer.keys is not None and layer.values is not None
        own.keys, own.values = (held[rows.to(held.device)] for held in (layer.keys, layer.values))
        own.dtype, own.device, own.is_initialized = layer.dtype, layer.device, True
        some.layers.append(own)
    return some
