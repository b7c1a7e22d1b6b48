"""Many differences from the same draws of documents: what is drawn once serves all cells of a dataset, and their means.

Cells of one dataset answered the same documents, so the mean of their differences varies less, or more, than independent cells
would; with the same documents drawn for all, its interval says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from ..tasks.metrics import Floats
from .bootstrap import CHUNK_BYTES, Bootstrap
from .student import student_quantile

Score = Callable[[Floats], Floats]
# Differences that are equal but for rounding count as equal.
_ROUNDING = 1e-12


def resampled_together(rows: Floats, score: Score, bootstrap: Bootstrap) -> Floats:
    """Draw documents with replacement, add up what each contributes to every cell, and score each draw.

    Args:
        rows: shape ``(documents, columns)``.
        score: from sums, shape ``(draws, columns)``, to what is kept of them, shape ``(draws, ...)``.
        bootstrap: how many times as many documents as there are get drawn, from which seed.

    Returns:
        shape ``(resamples, ...)``.
    """
    generator, documents = np.random.default_rng(bootstrap.seed), len(rows)
    kept = []
    for size in _chunks(documents, bootstrap):
        drawn = generator.integers(documents, size=(size, documents))
        drawn += np.arange(size)[:, None] * documents
        times = np.bincount(drawn.ravel(), minlength=size * documents).reshape(size, documents)
        kept.append(score(times.astype(np.float64) @ rows))
    return np.concatenate(kept)


def swapped_together(changes: Floats, score: Score, bootstrap: Bootstrap) -> Floats:
    """Return the two-sided p of several differences, by swapping the two cells of every pair in the same documents at random.

    The test is that of :func:`~quantbench.statistics.permutation_test`, with all swaps drawn: p is never below
    ``1 / (resamples + 1)`` (Phipson and Smyth 2010).

    Args:
        changes: shape ``(documents, columns)``, other minus reference.
        score: from summed changes, shape ``(draws, columns)``, to differences, shape ``(draws, ...)``.
        bootstrap: how many swaps are drawn, and from which seed.

    Returns:
        shape ``(...)``.
    """
    generator, documents = np.random.default_rng(bootstrap.seed), len(changes)
    observed = np.abs(score(changes.sum(axis=0, keepdims=True)))[0]
    reached = np.zeros(observed.shape)
    for size in _chunks(documents, bootstrap):
        signs = 2.0 * generator.integers(2, size=(size, documents), dtype=np.int8) - 1
        reached += (np.abs(score(signs @ changes)) >= observed - _ROUNDING).sum(axis=0)
    return np.asarray((reached + 1) / (bootstrap.resamples + 1))


def expanded_interval(differences: Floats, units: int, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of resampled differences, widened for few units.

    Percentiles are too narrow where little was drawn from: the spread of resamples lacks the factor ``sqrt(n / (n - 1))``, and
    the normal quantile stands where Student's should. The expanded percentile interval takes both into its tails
    (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", Am Stat 69:371, section 4.2).

    Args:
        differences: resampled, shape ``(resamples,)``.
        units: documents that could make the difference, 2 or more.
        confidence: of the interval.
    """
    tail = _expanded_tail(units, confidence)
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)


def _expanded_tail(units: int, confidence: float) -> float:
    reach = (units / (units - 1)) ** 0.5 * _student((1 + confidence) / 2, units - 1)
    return NormalDist().cdf(-reach)


# Asked again for each cell of a dataset, and slow for thousands of degrees.
_student = cache(student_quantile)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the ends of its interval, None where nothing can be said."""

    value: float
    low: float | None
    high: float | None


def mean_interval(values: Floats, groups: Sequence[str], confidence: float) -> Mean:
    """Return the mean over samples with its interval, documents being independent.

    The variance is that of a ratio, documents having as many samples as they happen to have (Cochran 1977, *Sampling
    Techniques*, section 3.12), the quantile Student's with as many degrees of freedom as there are documents but one. With one
    sample a document it is Student's interval of a mean.

    Args:
        values: shape ``(n,)``, one a sample.
        groups: source document of each, length n.
        confidence: of the interval.
    """
    mean, n = float(values.mean()), len(values)
    _, members = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    apart = np.bincount(members, weights=values - mean)
    documents = len(apart)
    if documents < 2:
        return Mean(mean, None, None)
    error = (documents / (documents - 1) * float((apart**2).sum())) ** 0.5 / n
    reach = _student((1 + confidence) / 2, documents - 1) * error
    return Mean(mean, mean - reach, mean + reach)


def _chunks(documents: int, bootstrap: Bootstrap) -> list[int]:
    """Sizes of the portions in which draws are made, so that memory stays small."""
    most = max(1, CHUNK_BYTES // (8 * documents))
    whole, rest = divmod(bootstrap.resamples, most)
    return [most] * whole + [rest] * (rest > 0)
