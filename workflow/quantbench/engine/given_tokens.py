"""Reading given tokens behind a batch of prompts as if the model had written them (teacher forcing)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .cache import shortened
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

    def read(self, given: Sequence[Sequence[int]], at_once: int = SCORES_AT_ONCE) -> Iterator[torch.Tensor]:
        """The scores with which each row's tokens are chosen.

        Args:
            given: tokens of each row; shorter rows are filled, and what follows their tokens means nothing.
            at_once: most scores of one piece.

        Yields:
            Pieces of shape (rows, some tokens, vocabulary), one after another, in the model's number format.
        """
        rows, width = self.tokens.shape
        longest = max(map(len, given))
        filled = [[*row, *([0] * (longest - len(row)))] for row in given]
        device = self.tokens.device
        inputs = torch.cat([self.tokens[:, -1:], torch.tensor(filled, device=device)[:, :-1]], dim=1)
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
            yield computed.logits

    def _prompts(self, room: int) -> DynamicCache | None:
        """Keys and values of all columns but the last, with room for the tokens given."""
        kept = self.tokens.shape[1] - 1
        known = shortened(self.cache, kept, room) if self.cache is not None and kept else None
        return known or all_but_last(self.model, self.tokens, self.mask, None)
