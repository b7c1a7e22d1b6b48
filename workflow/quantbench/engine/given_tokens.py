"""Reading given tokens behind a batch of prompts as if the model had written them (teacher forcing)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .cache import selected, shortened
from .prefix import all_but_last

if TYPE_CHECKING:
    from transformers import DynamicCache

    from ..models.interfaces import CausalModel

# Scores computed at a time, rows x tokens x vocabulary: 128 MiB in float32. More would want memory that generating does not.
SCORES_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class Prompted:
    """A padded batch of prompts, and the cache that generating from them left.

    Attributes:
        model: the model.
        tokens, mask: shape (rows, width); the last column is never padding.
        cache: begins with the prompts' keys and values; None: they are computed again.
    """

    model: CausalModel
    tokens: torch.Tensor
    mask: torch.Tensor
    cache: DynamicCache | None

    def read(
        self,
        given: Sequence[Sequence[int]],
        take: Callable[[torch.Tensor], None],
        at_once: int = SCORES_AT_ONCE,
    ) -> DynamicCache:
        """Compute the scores with which each row's tokens are chosen.

        Args:
            given: tokens of each row; shorter rows are filled, and what follows their tokens means nothing.
            take: gets the scores in pieces of shape (rows, some tokens, vocabulary), one after another, in the model's number
                format.
            at_once: most scores of one piece.

        Returns:
            Keys and values of the prompts and of all tokens but the last.
        """
        rows, width = self.tokens.shape
        longest = max(map(len, given))
        inputs = torch.cat([self.tokens[:, -1:], self._filled(given)[:, :-1]], dim=1)
        mask = torch.cat([self.mask, self.mask.new_ones((rows, longest - 1))], dim=1)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache = self._prompts(longest)
        piece = max(1, at_once // (rows * self.model.config.get_text_config().vocab_size))
        for start in range(0, longest, piece):
            end = min(start + piece, longest)
            computed = self.model(
                input_ids=inputs[:, start:end],
                attention_mask=mask[:, : width - 1 + end],
                position_ids=positions[:, width - 1 + start : width - 1 + end],
                past_key_values=cache,
                use_cache=True,
            )
            cache = computed.past_key_values
            take(computed.logits)
        assert cache is not None
        return cache

    def followed_by(self, given: Sequence[Sequence[int]], cache: DynamicCache) -> Prompted:
        """The same prompts with as many tokens behind each, whose cache begins with all but the last."""
        more = self._filled(given)
        mask = torch.cat([self.mask, torch.ones_like(more)], dim=1)
        return Prompted(self.model, torch.cat([self.tokens, more], dim=1), mask, cache)

    def rows(self, places: Sequence[int]) -> Prompted:
        """Some of the prompts."""
        chosen = torch.tensor(places, device=self.tokens.device)
        cache = self._known(0)
        some = selected(cache, chosen) if cache is not None else None
        return Prompted(self.model, self.tokens[chosen], self.mask[chosen], some)

    def _filled(self, given: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = max(map(len, given))
        return torch.tensor([[*row, *([0] * (longest - len(row)))] for row in given], device=self.tokens.device)

    def _prompts(self, room: int) -> DynamicCache | None:
        """Keys and values of all columns but the last, with room for the tokens given."""
        known = self._known(room)
        return known if known is not None else all_but_last(self.model, self.tokens, self.mask, None)

    def _known(self, room: int) -> DynamicCache | None:
        kept = self.tokens.shape[1] - 1
        return shortened(self.cache, kept, room) if self.cache is not None and kept else None
