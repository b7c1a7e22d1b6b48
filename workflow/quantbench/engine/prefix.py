"""The shared prefix of a plan: instructions and worked examples, computed once and reused by every batch.

What all prompts of a plan begin with is most of their length. Its keys and values are computed once, repeated over the
rows of a batch, and handed to transformers' own ``generate(past_key_values=...)``; the padding of shorter prompts then
stands between the prefix and the rest, masked out. A sliding window counts what is masked out, so nothing is shared where a
row may outgrow one: its last tokens would see less of the prefix than without padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from .cache import least_window, reserved, restarted

if TYPE_CHECKING:
    from transformers import DynamicCache

    from ..models.interfaces import CausalModel

# Below this many tokens, copying the cache costs as much as computing it.
WORTH_SHARING = 16


def shared_length(prompts: Sequence[list[int]]) -> int:
    """Number of leading tokens that all prompts share, leaving each at least one of its own."""
    first, last = min(prompts), max(prompts)  # in dictionary order these two differ earliest
    shortest = min(len(prompt) for prompt in prompts) - 1
    pairs = enumerate(zip(first, last, strict=False))
    return min(next((place for place, (a, b) in pairs if a != b), min(len(first), len(last))), shortest)


class SharedPrefix:
    """Keys and values of the tokens all prompts begin with; ``length`` is 0 where sharing is not worth it or not exact.

    Args:
        model: the model.
        prompts: token ids of each prompt of the plan.
        new_tokens: most tokens that follow a prompt.
        device: where inputs go.
    """

    def __init__(self, model: CausalModel, prompts: Sequence[list[int]], new_tokens: int, device: torch.device) -> None:
        longest = max(map(len, prompts), default=0) + new_tokens
        shares = len(prompts) > 1 and longest <= least_window(model.config)
        length = shared_length(prompts) if shares else 0
        self.length = length if length >= WORTH_SHARING else 0
        self._config = model.config
        self._cache: DynamicCache | None = None
        self._held: tuple[int, int, DynamicCache] | None = None  # rows, capacity, cache of the batch before
        if self.length:
            tokens = torch.tensor([list(prompts[0][: self.length])], device=device)
            with torch.inference_mode():
                self._cache = model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values

    def for_rows(self, rows: int, capacity: int) -> DynamicCache:
        """A cache for a batch of ``rows`` of at most ``capacity`` tokens, which begins with what is shared.

        The memory of the batch before is used again where it is large enough: what is shared stands there already. So only
        one batch can be at work.
        """
        if self._held is not None:
            held_rows, held_capacity, held = self._held
            fits = rows <= held_rows and capacity <= held_capacity
            again = restarted(held, rows, self.length) if fits else None
            if again is not None:
                return again
            del held  # let go of before more is asked for
        self._held = None
        with torch.inference_mode():
            cache = reserved(self._config, capacity, self._cache, rows)
        if self.length:
            self._held = (rows, capacity, cache)
        return cache

    def forget(self) -> None:
        """Let go of the memory of the batch before, as after one that did not fit."""
        self._held = None


def all_but_last(
    model: CausalModel, tokens: torch.Tensor, mask: torch.Tensor, cache: DynamicCache | None
) -> DynamicCache | None:
    """Keys and values of every token of a padded batch but the last column, which generation starts from.

    Args:
        model: the model.
        tokens: shape (rows, width); the last column is never padding.
        mask: shape (rows, width), 1 where a token counts.
        cache: keys and values of the first columns already computed, extended here; None: of none.

    Returns:
        The cache, or None where prompts have one token.
    """
    done = cache.get_seq_length() if cache is not None else 0
    if done == tokens.shape[1] - 1:
        return cache
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    return model(
        input_ids=tokens[:, done:-1],
        attention_mask=mask[:, :-1],
        position_ids=positions[:, done:-1],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).past_key_values
