"""By how much a model preferred what it wrote, token by token, and where another model's answer parts from it."""

from __future__ import annotations

import math

import numpy as np

from ..contracts.likelihoods import WrittenTokens
from ..tasks.metrics import Floats

# Two to three, or closer: odds at which the preferred answer is hardly preferred.
COIN_TOSS = math.log(1.5)


def token_margins(written: WrittenTokens) -> Floats:
    """Log-odds of each written token to the likeliest other one, in nats, shape (tokens,); below 0 where that was likelier.

    Without a temperature the likeliest token is the one written, and the other is the runner-up.
    """
    is_other = written.top_tokens != written.tokens[:, None]
    others = written.top_log_probabilities[np.arange(len(is_other)), is_other.argmax(axis=1)]
    margins: Floats = written.log_probabilities.astype(np.float64) - others.astype(np.float64)
    return margins


def smallest_margins(written: WrittenTokens) -> Floats:
    """The smallest :func:`token_margins` of each sample, shape (samples,): where its answer was closest to another; nan where it is empty."""
    margins, lengths = token_margins(written), np.diff(written.starts)
    smallest = np.full(len(lengths), math.nan)
    filled = lengths > 0
    if filled.any():
        smallest[filled] = np.minimum.reduceat(margins, written.starts[:-1][filled])
    return smallest


def least_probabilities(written: WrittenTokens) -> Floats:
    """The probability of the least likely token of each sample, shape (samples,); nan where it wrote none."""
    lengths = np.diff(written.starts)
    least = np.full(len(lengths), math.nan)
    filled = lengths > 0
    if filled.any():
        logs = written.log_probabilities.astype(np.float64)
        least[filled] = np.exp(np.minimum.reduceat(logs, written.starts[:-1][filled]))
    return least


def parting_margins(full: WrittenTokens, other: WrittenTokens) -> Floats:
    """The margin of the first token of ``full`` that ``other`` writes differently, shape (samples,); nan where there is none.

    Both are of the same samples in the same order.
    """
    margins, parting = token_margins(full), np.full(len(full.starts) - 1, math.nan)
    for place in range(len(parting)):
        start, begin = full.starts[place], other.starts[place]
        length = min(full.starts[place + 1] - start, other.starts[place + 1] - begin)
        different = full.tokens[start : start + length] != other.tokens[begin : begin + length]
        if different.any():
            parting[place] = margins[start + different.argmax()]
    return parting
