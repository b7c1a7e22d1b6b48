"""Percentiles of latencies, only where the number of measurements supports them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

CONFIDENCE = 0.99


@cache
def samples_needed(percent: float, confidence: float = CONFIDENCE) -> int:
    """Return the smallest n whose second-largest value exceeds the percentile with the given confidence.

    Fewer than two of n values exceed the percentile with probability q^n + n (1 - q) q^(n-1); the first n that makes
    this at most ``1 - confidence`` is 64 for p90, 130 for p95 and 662 for p99. One value above would let a single
    outlier stand for the percentile.

    Raises:
        ValueError: ``percent`` lies outside 0 to 100.
    """
    if not 0 < percent < 100:
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent}")
    q, n = percent / 100, 2
    while q**n + n * (1 - q) * q ** (n - 1) > 1 - confidence:
        n += 1
    return n


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the percentile of ``values`` (linear interpolation), or None where they are too few to support it."""
    if len(values) < samples_needed(percent):
        return None
    return float(np.percentile(values, percent))
