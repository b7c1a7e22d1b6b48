"""What an interval of a difference says of full precision's score (docs/protocol.md#verdicts)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contracts.effect_rows import Verdict
from ..tasks.metrics import Counts, Metric
from .bootstrap import sum_by_group

# Verdicts that say nothing of a precision and belong to no count of verdicts.
UNCOUNTED: tuple[Verdict, ...] = ("at chance", "too few")
# Fewer documents than this are too few for any verdict but "too few" (docs/protocol.md#verdicts gives the reason).
FEWEST_UNITS = 20
# A label with gold answers in fewer documents is rare.
RARE_UNITS = 10


def verdict(low: float, high: float, margin: float, *, few: bool = False, chance: bool = False) -> Verdict:
    """Judge the interval of a score's difference, quantized minus full precision, against the largest loss that is negligible.

    A test that is not significant never makes a score preserved.

    Args:
        low: end of the interval.
        high: end of the interval.
        margin: largest loss of score that is still called preserved, above 0.
        few: there are too few documents to tell, whatever the interval (:func:`too_few`).
        chance: full precision has nothing to lose (:func:`at_chance`).
    """
    if few:
        return "too few"
    if chance:
        return "at chance"
    if high < -margin:
        return "degraded"
    if low > 0:
        return "improved"
    if low > -margin:
        return "preserved"
    return "worse, extent open" if high < 0 else "inconclusive"


def rare_labels(counts: Counts, groups: Sequence[str], metric: Metric) -> list[int]:
    """The places of the labels that weigh as much in the score as any other and rest on a handful of documents.

    Args:
        counts: shape ``(n, labels, 3)``, as for :func:`~quantbench.statistics.interval_of_counts`.
        groups: source document of each sample, length ``n``.
        metric: what the counts are scored by; where it does not average over labels, none is rare.
    """
    if not metric.averages_labels:
        return []
    documents = sum_by_group(counts, groups)
    support = (documents[..., 0] + documents[..., 2] > 0).sum(axis=0)
    return [int(place) for place in np.flatnonzero(support < RARE_UNITS)]


def too_few(units: int, labels: int = 1, rare: int = 0) -> bool:
    """Whether so many documents are too few for a verdict, or at least half of the labels that are averaged over are rare."""
    return units < FEWEST_UNITS or 2 * rare >= labels


def at_chance(full_low: float, constant: float, metric: Metric) -> bool:
    """Whether full precision is not shown to know more than an answer that is the same for every sample: it has nothing to lose.

    Args:
        full_low: lower end of the interval of full precision's score.
        constant: the score of the best constant answer.
        metric: which has a floor where no constant answer can score.
    """
    return full_low <= max(constant, metric.floor)
