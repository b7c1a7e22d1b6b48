"""Is a difference of two cells more than chance? Their answers are swapped document by document (docs/protocol.md#comparisons).

If precision made no difference, the two answers to a document could as well have been given the other way round. The test
asks of the metric that is shown, whatever it is, how often swaps at random make a difference as large as the one observed
(Fisher 1935; for F1 Yeh 2000, "More accurate tests for the statistical significance of result differences"). Documents are
swapped whole, so that answers that stand or fall together do so here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..tasks.metrics import Counts, Floats, Metric
from .bootstrap import Bootstrap, sum_by_group
from .drawn_documents import chunks, size_of
from .intervals import check_pair

# Up to so many different outcomes all of them are looked at, and p is exact.
MOST_OUTCOMES = 20_000
# Differences that are equal but for rounding count as equal.
_ROUNDING = 1e-12


def permutation_test(
    reference: Counts | Floats, other: Counts | Floats, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> float:
    """Return the two-sided p of the difference of two scores, by swapping the two cells' answers in each document.

    Documents whose swap changes the sums alike are interchangeable, so outcomes differ only in how many of each kind are
    swapped. Where these are few, p is exact; for accuracy with one sample a document it is McNemar's exact p. Else so many
    swaps are drawn as the bootstrap has resamples, and the observed difference is counted as one of them, so that p is
    never below ``1 / (resamples + 1)`` (Phipson and Smyth 2010).

    Args:
        reference: counts of one cell, shape ``(n, labels, 3)``, as for :func:`~quantbench.statistics.interval_of_counts`.
        other: counts of the other cell on the same samples in the same order.
        groups: source document of each sample, length ``n``.
        metric: what the counts are scored by.
        bootstrap: how many swaps are drawn, and from which seed.

    Raises:
        DataError: no samples, or shapes that differ.
    """
    check_pair(reference, other, groups)
    total = (reference.sum(axis=0) + other.sum(axis=0)) / 2
    changes = sum_by_group(other - reference, groups)
    kinds, members = _kinds(changes.reshape(len(changes), -1))
    if not len(kinds):
        return 1.0
    observed = _difference(total, changes.sum(axis=0).reshape(1, -1), metric)[0]
    if math.prod(int(count) + 1 for count in members) <= MOST_OUTCOMES:
        return _exact(total, kinds, members, observed, metric)
    return _drawn(total, kinds, members, observed, metric, bootstrap)


def _kinds(changes: Counts | Floats) -> tuple[Counts | Floats, Counts]:
    """The different changes, shape ``(kinds, counts)``, and how many documents have each or its opposite.

    Swapping turns a change into its opposite, so the two are one kind; what changes nothing is none.
    """
    changed = changes[changes.any(axis=1)]
    first = np.take_along_axis(changed, (changed != 0).argmax(axis=1)[:, None], axis=1)
    kinds: tuple[Floats, Counts] = np.unique(changed * np.sign(first), axis=0, return_counts=True)
    return kinds


def _difference(total: Floats, change: Counts | Floats, metric: Metric) -> Floats:
    """The difference of scores for each row of ``change``, other minus reference summed over documents, shape ``(rows, counts)``."""
    half = change.reshape(-1, *total.shape) / 2
    difference: Floats = metric.values(total + half) - metric.values(total - half)
    return difference


def _exact(total: Floats, kinds: Counts | Floats, members: Counts, observed: float, metric: Metric) -> float:
    """The probability of all outcomes at least as large as the observed one."""
    swapped = np.stack([axis.ravel() for axis in np.indices((members + 1).tolist())], axis=1)
    logs = np.zeros(len(swapped))
    for column, count in zip(swapped.T, members.tolist(), strict=True):
        ways = np.array([math.log(math.comb(count, taken)) - count * math.log(2) for taken in range(count + 1)])
        logs += ways[column]
    differences = _difference(total, (2 * swapped - members) @ kinds, metric)
    return min(1.0, float(np.exp(logs[np.abs(differences) >= abs(observed) - _ROUNDING]).sum()))


def _drawn(
    total: Floats, kinds: Counts | Floats, members: Counts, observed: float, metric: Metric, bootstrap: Bootstrap
) -> float:
    """The share of drawn outcomes at least as large as the observed one, which counts as drawn once."""
    generator = np.random.default_rng(bootstrap.seed)
    single, reached = members == 1, 0
    for chunk in chunks(bootstrap.resamples, 8 * len(kinds)):
        size = size_of(chunk)
        swapped = np.empty((size, len(kinds)))
        # A coin is tossed many times faster than a binomial number is drawn.
        swapped[:, single] = generator.integers(2, size=(size, int(single.sum())), dtype=np.int8)
        swapped[:, ~single] = generator.binomial(members[~single], 0.5, size=(size, int((~single).sum())))
        differences = _difference(total, (2 * swapped - members) @ kinds, metric)
        reached += int((np.abs(differences) >= abs(observed) - _ROUNDING).sum())
    return (reached + 1) / (bootstrap.resamples + 1)
