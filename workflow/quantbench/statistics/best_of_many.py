"""Which of many candidates scores best, and which may be as good (docs/protocol.md#recommendations).

The candidate with the highest score of a sample need not be the best there is. Candidates answered the same documents, so
their scores are resampled together: what is hard for all moves none of them against another.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..tasks.metrics import Floats


def probability_best(draws: Floats) -> Floats:
    """In what share of the draws each candidate scores best; those that tie in one share it.

    Args:
        draws: shape ``(resamples, candidates)``, scores of all candidates in each resample of documents.

    Returns:
        shape ``(candidates,)``, with the sum 1.
    """
    first = draws == draws.max(axis=1, keepdims=True)
    return cast("Floats", (first / first.sum(axis=1, keepdims=True)).mean(axis=0))


def not_worse(scores: Floats, draws: Floats, confidence: float) -> NDArray[np.bool_]:
    """Which candidates may be the best: a set that leaves out the truly best one in no more than ``1 - confidence`` of studies.

    A candidate is left out where another one scores higher by more than chance explains, all others taken at once (multiple
    comparisons with the best: Hsu 1981, Ann Stat 9:1026). Differences are studentized by their spread over the draws, and may
    reach as far as the largest of all differences from one candidate does in that share of the draws.

    Args:
        scores: shape ``(candidates,)``, observed.
        draws: as in :func:`probability_best`.
        confidence: that the truly best one is in the set.

    Returns:
        shape ``(candidates,)``; always true of the highest score.
    """
    kept = np.ones(len(scores), dtype=bool)
    if len(scores) == 1:
        return kept
    for place in range(len(scores)):
        others = np.arange(len(scores)) != place
        ahead = scores[others] - scores[place]
        drawn = draws[:, others] - draws[:, [place]]
        spread = drawn.std(axis=0, ddof=1)
        # Two that answer alike never differ, and neither is worse.
        varies = spread > 0
        by_chance = ((drawn - drawn.mean(axis=0))[:, varies] / spread[varies]).max(axis=1, initial=0.0)
        reach = np.quantile(by_chance, confidence, method="higher") * spread
        kept[place] = bool((ahead <= reach).all())
    return kept
