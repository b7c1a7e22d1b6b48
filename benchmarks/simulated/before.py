"""How version 0.2.0 judged comparisons, kept to be measured beside what is done now (benchmarks/null_study.py).

Sentences of entity sets counted as documents. One sample lost and one gained joined the pool, and the ends of the interval were plain
percentiles. McNemar's test, of whole answers and whatever the metric was, took samples as independent. The largest loss of a study was
told with its own interval.
"""

from __future__ import annotations

import numpy as np

from quantbench.statistics import Bootstrap
from quantbench.statistics.bootstrap import resampled_sums
from quantbench.tasks.metrics import Metric

from .shape import Floats, Numbers


def interval_before(
    reference: Numbers, other: Numbers, samples: int, metric: Metric, bootstrap: Bootstrap
) -> tuple[float, float]:
    """The interval of ``other - reference``.

    Args:
        reference: shape ``(units, labels, 3)``, counts of what was taken as independent.
        other: the same of the other arm.
        samples: how many they are of.
        metric: what sums are scored by.
        bootstrap: resamples, seed and confidence.
    """
    pair = np.stack([reference, other], axis=1).astype(np.float64)
    support = (reference[..., 0] + reference[..., 2]).sum(axis=0) / samples
    nothing = np.zeros_like(support)
    right, wrong = np.stack([support, nothing, nothing], axis=-1), np.stack([nothing, nothing, support], axis=-1)
    changed = np.stack([np.stack([right, wrong]), np.stack([wrong, right])])
    resampled = _difference(resampled_sums(np.concatenate([pair, changed]), bootstrap), metric)
    observed = float(_difference(pair.sum(axis=0), metric))
    low, high = np.quantile(resampled, [(1 - bootstrap.confidence) / 2, (1 + bootstrap.confidence) / 2])
    return min(float(low), observed), max(float(high), observed)


def _difference(pair: Floats, metric: Metric) -> Floats:
    scores = metric.values(pair)
    difference: Floats = scores[..., 1] - scores[..., 0]
    return difference
