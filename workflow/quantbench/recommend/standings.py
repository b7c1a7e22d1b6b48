"""How sure the order of candidates is: who may be the best of those that fit (docs/protocol.md#recommendations)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics import not_worse, probability_best
from .candidates import Candidate


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate among those that can be deployed.

    Attributes:
        probability_best: in what share of the draws of documents it scores best.
        may_be_best: whether it is among those of which none scores less than another by more than chance explains.
    """

    probability_best: float
    may_be_best: bool


def standings(candidates: Sequence[Candidate], confidence: float) -> tuple[Standing, ...]:
    """The standing of each candidate, in the order given; empty where one of them has no draws.

    Args:
        candidates: of one task, with scores on all its datasets.
        confidence: that the truly best one is among those that may be.
    """
    drawn = [one.draws for one in candidates if one.draws is not None]
    if not drawn or len(drawn) < len(candidates):
        return ()
    draws, scores = np.stack(drawn, axis=1), np.array([one.score for one in candidates])
    shares, kept = probability_best(draws), not_worse(scores, draws, confidence)
    return tuple(Standing(float(share), bool(may)) for share, may in zip(shares, kept, strict=True))
