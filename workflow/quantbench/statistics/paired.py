"""Two cells on the same samples: difference, test, flips (docs/protocol.md#comparisons)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..tasks.metrics import Counts, Floats, Metric
from .bootstrap import Bootstrap, resampled_sums, sum_by_group
from .intervals import check_pair

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """A quantized cell against its reference, in units of the score (0 to 1)."""

    difference: float
    low: float
    high: float
    smallest_detectable: float


def compare(
    reference: Counts, other: Counts, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> Comparison:
    """Return ``other - reference`` with its paired bootstrap interval, documents being the resampling unit.

    When almost no answer changed, a plain bootstrap knows nothing of the changes it did not happen to see: without any
    flip its interval has width 0 for 20 samples as for 20,000. So two average samples join the pool, one lost and one
    gained: for accuracy this is the add-one rule of Bonett and Price (2012, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data"); for F1 the same in each label's share. Without a flip the
    interval is then about -3/n to 3/n (the "rule of three"). The difference itself is not adjusted.

    The smallest detectable difference is the one found with 80% power at this confidence,
    ``(z(1 - alpha/2) + z(0.8)) x standard error``, the error being that of the resampled differences.

    Args:
        reference: counts at full precision, shape ``(n, labels, 3)``, as for :func:`interval_of_counts`.
        other: counts of the quantized cell on the same samples in the same order.
        groups: source document of each sample, length ``n``.
        metric: what the counts are scored by.
        bootstrap: resamples, seed and confidence.

    Raises:
        DataError: no samples, or shapes that differ.
    """
    check_pair(reference, other, groups)
    pair = np.stack([reference, other], axis=1)
    observed = _difference(pair.sum(axis=0), metric)
    rows = np.concatenate([sum_by_group(pair, groups).astype(np.float64), _lost_and_gained(reference)])
    differences = _difference(resampled_sums(rows, bootstrap), metric)
    alpha = 1 - bootstrap.confidence
    low, high = np.quantile(differences, [alpha / 2, 1 - alpha / 2])
    reach = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(POWER)
    return Comparison(
        difference=float(observed),
        low=float(min(low, observed)),
        high=float(max(high, observed)),
        smallest_detectable=float(reach * differences.std(ddof=1)),
    )


def mcnemar_exact(lost: int, gained: int) -> float:
    """Return the two-sided exact p of McNemar's test (McNemar 1947): is loss as likely as gain among changed samples?

    Args:
        lost: samples right at full precision and wrong in the quantized cell.
        gained: the other way round.
    """
    n, tail, ways = lost + gained, 0, 1
    # Whole numbers, so that the sum of the smaller tail is exact however many samples changed.
    for k in range(min(lost, gained) + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down method (Holm 1979), in the order given.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none may fall below the one before it.
    """
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def _difference(pair: Counts | Floats, metric: Metric) -> Floats:
    """Score of the second minus the first of ``pair``, shape ``(..., 2, labels, 3)``."""
    scores = metric.values(pair)
    difference: Floats = scores[..., 1] - scores[..., 0]
    return difference


def _lost_and_gained(reference: Counts) -> Floats:
    """An average sample only the reference gets right, and one only the other does: shape ``(2, 2, labels, 3)``."""
    support = (reference[..., 0] + reference[..., 2]).mean(axis=0)
    right = np.stack([support, np.zeros_like(support), np.zeros_like(support)], axis=-1)
    wrong = np.stack([np.zeros_like(support), np.zeros_like(support), support], axis=-1)
    return np.stack([np.stack([right, wrong]), np.stack([wrong, right])])
