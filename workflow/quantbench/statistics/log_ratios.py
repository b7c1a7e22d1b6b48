"""Ratios of paired quantities, such as the times of the same samples at two precisions (docs/protocol.md#latency)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .student import student_quantile


@dataclass(frozen=True, slots=True)
class Ratio:
    """A geometric mean of paired ratios; without an interval where there is one pair only."""

    value: float
    low: float | None
    high: float | None
    pairs: int


def paired_ratio(values: Sequence[float], references: Sequence[float], confidence: float) -> Ratio:
    """The geometric mean of ``values[i] / references[i]`` with its Student's t interval.

    The interval is that of the mean of log ratios with one degree of freedom less than there are pairs, taken back by the
    exponential. Ratios multiply, so that being twice and half as slow cancel out, which means of ratios do not do.

    Args:
        values: in any unit, above 0.
        references: of the same samples in the same order, likewise.
        confidence: of the interval.

    Raises:
        ValueError: no pairs, numbers of them that differ, or a value that is not above 0.
    """
    if not values or len(values) != len(references) or min(*values, *references) <= 0:
        raise ValueError(f"no ratio of {len(values)} to {len(references)} values, all of which must be above 0")
    logs = np.log(np.asarray(values, dtype=np.float64)) - np.log(np.asarray(references, dtype=np.float64))
    mean, pairs = float(logs.mean()), len(values)
    if pairs == 1:
        return Ratio(math.exp(mean), None, None, 1)
    reach = student_quantile((1 + confidence) / 2, pairs - 1) * float(logs.std(ddof=1)) / math.sqrt(pairs)
    return Ratio(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach), pairs)
