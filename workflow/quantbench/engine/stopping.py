"""Stopping each row of a batch by itself, as soon as its answer is complete.

What completes an answer is the task's (:mod:`quantbench.tasks.completion`); it never changes what is read from it. A row
depends on its own text alone, so it stops at the same token in every batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import StoppingCriteria

from ..contracts.records import Sample
from ..tasks import Task
from ..tasks.completion import ENDINGS
from ..tasks.origin import Origin
from .batches import Request

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class AnswerCheck:
    """Whether what was generated for a request so far holds its whole answer, given how its outputs come about."""

    task: Task
    samples: Mapping[str, Sample]
    origin: Origin

    def __call__(self, request: Request, output: str) -> bool:
        """Judge the text generated so far, as it will be read: a thought that the prompt opened begins with its marker."""
        return self.task.answer_end(output, self.samples[request.sample_id], self.origin) is not None


class LineWatch:
    """Tells tokens that may complete an answer from all others, so that few texts need a look."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._known: dict[int, bool] = {}

    def __call__(self, token: int) -> bool:
        """Return whether the token's text holds one of the characters that complete an answer."""
        if token not in self._known:
            text = self._decode([token])
            self._known[token] = any(ending in text for ending in ENDINGS)
        return self._known[token]


class RowStops(StoppingCriteria):
    """Ends each row of a batch by its own check; ``lengths`` then holds its new tokens, None where no check ended it.

    Args:
        checks: one a row; gets the row's text so far.
        width: tokens of the padded prompts.
        decode: tokens to text.
        watch: which tokens are worth a look.
    """

    def __init__(self, checks: Sequence[Callable[[str], bool]], width: int, decode: Decode, watch: LineWatch) -> None:
        self.lengths: list[int | None] = [None] * len(checks)
        self._checks, self._width, self._decode, self._watch = checks, width, decode, watch

    def __call__(self, input_ids: torch.Tensor, scores: torch.FloatTensor, **_: object) -> torch.Tensor:
        """Return which rows have ended, shape (rows,)."""
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self.lengths[row] is None and self._watch(token):
                new = input_ids[row, self._width :].tolist()
                if self._checks[row](self._decode(new)):
                    self.lengths[row] = len(new)
        ended = [length is not None for length in self.lengths]
        return torch.tensor(ended, device=input_ids.device)
