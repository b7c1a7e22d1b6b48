"""When each new token of a timed answer was ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from transformers import StoppingCriteria

if TYPE_CHECKING:
    pass


class TokenTimes(StoppingCriteria):
    """Notes the time when each new token exists; never stops anything.

    Synchronizing here costs next to nothing: ``generate`` itself waits for the device after each token, to see whether
    all rows have ended.
    """

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self.at: list[float] = []
        self._synchronize = synchronize

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        """See transformers: no row is stopped."""
        self._synchronize()
        self.at.append(time.perf_counter())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
