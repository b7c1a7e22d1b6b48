"""Kullback-Leibler divergence of one model from another, over what is known of the other's next token.

Known are the log-probabilities of its likeliest tokens and of the one it wrote; all others count as one outcome. Merging outcomes never
raises a divergence (data-processing inequality; Cover and Thomas, Elements of Information Theory, 2006, section 2.8), so that
what comes out is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contracts.sample_scores import TokenScores

# Left of a sum of probabilities in float32, nothing is: a logarithm of it would mean nothing.
_LEAST = 2.0**-24


@dataclass(frozen=True)
class KnownTokens:
    """One output of the other model, with the outcomes that are told apart at each of its tokens.

    Attributes:
        tokens: shape (tokens,), what was written.
        outcomes: shape (tokens, TOP + 1), token ids: the likeliest first, then the one written.
        probabilities: shape (tokens, TOP + 2): of each of them, 0 for the written one where it is among the likeliest, and of all
            others; rows sum to 1.
    """

    tokens: NDArray[np.int32]
    outcomes: NDArray[np.int32]
    probabilities: NDArray[np.float64]

    @classmethod
    def of(cls, written: TokenScores) -> KnownTokens:
        """From what was kept, whose rounding to 16 bits is divided out."""
        likeliest = np.exp(written.top_log_probabilities.astype(np.float64))
        apart = ~(written.top_tokens == written.tokens[:, None]).any(-1)
        own = np.where(apart, np.exp(written.log_probabilities.astype(np.float64)), 0)
        rest = np.maximum(np.exp(written.other_log_probabilities.astype(np.float64)) - own, 0)
        known = np.concatenate([likeliest, own[:, None], rest[:, None]], axis=-1)
        outcomes = np.concatenate([written.top_tokens, written.tokens[:, None]], axis=-1)
        return cls(written.tokens, outcomes, known / known.sum(-1, keepdims=True))

    def divergence(self, log_probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far a model is from this one, at each token.

        Args:
            log_probabilities: shape (tokens, TOP + 1), that model's of the outcomes.

        Returns:
            Nats, at least 0; shape (tokens,).
        """
        logs = log_probabilities.astype(np.float64)
        apart = self.probabilities[:, -2] > 0
        own = np.where(apart, np.exp(logs[:, -1]), 0)
        left = np.maximum(1 - np.exp(logs[:, :-1]).sum(-1) - own, _LEAST)
        theirs = np.concatenate([logs, np.log(left)[:, None]], axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(self.probabilities > 0, self.probabilities * (np.log(self.probabilities) - theirs), 0)
        found: NDArray[np.float32] = np.maximum(terms.sum(-1), 0).astype(np.float32)
        return found
