"""Log-probabilities of tokens by the model's own distribution: in float32, before temperature or any processor of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import StoppingCriteria

from ..contracts.likelihoods import TOP
from ..contracts.sample_scores import TokenScores

# Of a probability; what is left beside the likeliest tokens is no better known in float32.
_ROUNDING = 2.0**-24


@dataclass(frozen=True)
class Options:
    """What each row of a batch could begin its answer with.

    Attributes:
        rows: token ids of each option of each row, one row's options in the task's order.
    """

    rows: Sequence[Sequence[Sequence[int]]]

    def first_tokens(self, device: torch.device) -> torch.Tensor:
        """Of each row's options the first token, shape (rows, most options); 0 where there is none."""
        most = max(map(len, self.rows))
        tokens = [[option[0] for option in row] + [0] * (most - len(row)) for row in self.rows]
        return torch.tensor(tokens, device=device)


@dataclass(frozen=True)
class Expected:
    """What another model wrote in the place of each row, which is looked up as long as the row writes the same.

    Attributes:
        outcomes: token ids at each of its tokens, shape (rows, tokens, outcomes); the last of them is the token it wrote.
    """

    outcomes: NDArray[np.int64]


class _Step(NamedTuple):
    """One step on the device: values of each row's written token, and of the likeliest."""

    tokens: torch.Tensor
    log_probabilities: torch.Tensor
    top_tokens: torch.Tensor
    top_log_probabilities: torch.Tensor


class StepScores(StoppingCriteria):
    """Watches ``generate``: each step's scores by :meth:`see`, a hook of the model, and the token then written; never stops anything.

    A hook rather than a processor of scores, since those that a model's own settings ask for come before any other. Nothing is
    copied to the host before :meth:`rows`: asking for it would make the host wait at each step.

    Args:
        options: whose first tokens are looked up at the first step; None: none are.
        expected: what is looked up at each step; None: nothing is.
    """

    def __init__(self, options: Options | None = None, expected: Expected | None = None) -> None:
        self._options = options
        self._expected = expected
        self._outcomes: torch.Tensor | None = None
        self._looked_up: list[torch.Tensor] = []
        self._logits: torch.Tensor | None = None
        self._steps: list[_Step] = []
        self._first: torch.Tensor | None = None

    def see(self, _model: object, _inputs: object, output: object) -> None:
        """Take the scores of the last position, shape (rows, vocabulary)."""
        self._logits = output.logits[:, -1]  # type: ignore[attr-defined]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        """Note the token just written; returns that no row has ended, shape (rows,)."""
        assert self._logits is not None
        logits, self._logits = self._logits.float(), None
        written = input_ids[:, -1:].to(logits.device)
        whole = logits.logsumexp(-1, keepdim=True)
        if not self._steps and self._options is not None:
            self._first = logits.gather(-1, self._options.first_tokens(logits.device)) - whole
        if self._expected is not None and len(self._steps) < self._expected.outcomes.shape[1]:
            if self._outcomes is None:
                self._outcomes = torch.from_numpy(self._expected.outcomes).to(logits.device)
            self._looked_up.append(logits.gather(-1, self._outcomes[:, len(self._steps)]) - whole)
        top = logits.topk(TOP, -1)
        self._steps.append(_Step(written, logits.gather(-1, written) - whole, top.indices, top.values - whole))
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    def rows(self, lengths: Sequence[int]) -> list[TokenScores]:
        """Of each row its first tokens, as many as ``lengths`` says."""
        tokens, own, places, likeliest = (
            torch.stack(held, 1).cpu().numpy() for held in zip(*self._steps, strict=True)
        )  # (rows, steps, 1 or TOP)
        rest = others(likeliest)
        return [
            TokenScores(
                tokens=tokens[row, :length, 0].astype(np.int32),
                log_probabilities=own[row, :length, 0],
                top_tokens=places[row, :length].astype(np.int32),
                top_log_probabilities=likeliest[row, :length],
                other_log_probabilities=rest[row, :length],
            )
            for row, length in enumerate(lengths)
        ]

    def looked_up(self) -> NDArray[np.float32]:
        """Log-probabilities of what was expected, shape (rows, steps, outcomes), which hold while a row wrote what was expected."""
        found: NDArray[np.float32] = torch.stack(self._looked_up, 1).cpu().numpy()
        return found

    def first_choices(self) -> list[NDArray[np.float32]]:
        """Of each row the log-probabilities of its options' first tokens."""
        assert self._first is not None and self._options is not None
        found = self._first.cpu().numpy()
        return [found[place, : len(row)] for place, row in enumerate(self._options.rows)]


def others(top_log_probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """The log-probability of all tokens but the likeliest, over the last axis; minus infinity where nothing is left."""
    left = 1 - np.exp(top_log_probabilities.astype(np.float64)).sum(-1)
    with np.errstate(divide="ignore"):
        return np.log(np.where(left < _ROUNDING, 0, left)).astype(np.float32)
