"""The worst of many comparisons, with an interval that knows it was picked (docs/protocol.md#pooled-effects).

The largest of many differences is large by chance alone, and its own interval excludes 0 in half of all studies in which nothing is
lost. An interval that holds for all comparisons at once reaches as many standard errors as the largest of all studentized
differences does in 95% of resamples: the studentized maximum (Westfall and Young 1993, *Resampling-Based Multiple Testing*; Hothorn,
Bretz and Westfall 2008, Biom J 50:346).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..tasks.metrics import Floats


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """Intervals that hold for all comparisons at once.

    Attributes:
        errors: shape ``(comparisons,)``, the standard error of each difference.
        quantile: how many of them the intervals reach to either side.
    """

    errors: Floats
    quantile: float


def simultaneous(resampled: Floats, confidence: float) -> Simultaneous:
    """How far intervals of all comparisons reach, to hold at once.

    Args:
        resampled: shape ``(resamples, comparisons)``, differences of documents drawn for all comparisons together.
        confidence: with which all hold.
    """
    errors = resampled.std(axis=0, ddof=1)
    largest = (np.abs(resampled - resampled.mean(axis=0)) / errors).max(axis=1)
    return Simultaneous(errors, float(np.quantile(largest, confidence)))
