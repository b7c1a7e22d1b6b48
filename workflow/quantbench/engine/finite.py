"""Stopping a generation whose scores are no numbers: every answer of it would be the same meaningless token."""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers import LogitsProcessor

from ..errors import ModelError


class FiniteScores(LogitsProcessor):
    """Looks at the largest score of each row, and leaves scores as they are.

    At the prompt's end, so that a broken model stops at its first batch; after it, each step only notes on the device what it
    saw, since asking for it would make the host wait. One reduction a step, small beside the model's own work.

    A score of minus infinity is none that breaks: some models rule out tokens so.

    Args:
        explain: says why, once something is broken.
    """

    def __init__(self, explain: Callable[[], str]) -> None:
        self._explain = explain
        self._broken: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, shape (rows, vocabulary).

        Raises:
            ModelError: at the first step, some row's largest score is not finite.
        """
        broken = ~scores.amax(dim=-1).isfinite().all()
        if self._broken is None:
            self._broken = broken
            self.check()
        else:
            self._broken |= broken
        return scores

    def check(self) -> None:
        """Refuse what was generated if any step so far was broken.

        Raises:
            ModelError: says why.
        """
        if self._broken is not None and bool(self._broken):
            raise ModelError(self._explain())
