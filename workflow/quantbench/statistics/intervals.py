"""Confidence intervals of one score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from ..errors import DataError
from ..tasks.metrics import Counts, Floats, Metric
from ..tasks.sparse_counts import SparseCounts
from .bootstrap import Bootstrap, resampled_sparse_scores, resampled_sums, sum_by_group
from .student import student_quantile

# Up to so many labels, dense counts are resampled faster than lists of what is not zero.
MOST_DENSE_LABELS = 100


def wilson_interval(successes: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); an effective number of samples need not be whole.

    Raises:
        ValueError: ``n`` is 0, or ``successes`` lies outside 0 to ``n``.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} successes of {n} are no proportion")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    middle = share + z**2 / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    low, high = (middle - reach) / scale, (middle + reach) / scale
    # At the ends the bound is the end itself, which rounding misses.
    return 0.0 if successes == 0 else low, 1.0 if successes == n else high


def clustered_wilson_interval(right: Counts, sizes: Counts, confidence: float) -> tuple[float, float]:
    """Wilson's interval of the share of samples answered right, where samples of one document are alike.

    Where every document has one sample it is Wilson's own. Else it is Wilson's of as many independent samples as tell as much: the
    number of samples divided by the design effect (:func:`design_effect`), and by the square of Student's quantile over the
    normal one, since the effect is itself estimated, with as many degrees of freedom as there are documents but one (Korn and
    Graubard 1998, Survey Methodology 24:193; with Wilson's interval Franco, Little, Louis and Slud 2019, J Surv Stat Methodol
    7:334). From one document nothing can be said about others: the interval is then 0 to 1.

    Args:
        right: shape ``(documents,)``, the samples of each that were answered right.
        sizes: shape ``(documents,)``, its samples.
        confidence: of the interval.
    """
    n, total = int(sizes.sum()), int(right.sum())
    if (sizes == 1).all():
        return wilson_interval(total, n, confidence)
    documents = len(sizes)
    if documents == 1:
        return 0.0, 1.0
    tail = (1 + confidence) / 2
    few = (NormalDist().inv_cdf(tail) / student_quantile(tail, documents - 1)) ** 2
    effective = n / design_effect(right, sizes) * few
    return wilson_interval(effective if total == n else total / n * effective, effective, confidence)


def design_effect(right: Counts, sizes: Counts) -> float:
    """How many times as large the variance of a share is as it would be for independent samples, at least 1.

    The variance between documents is that of a ratio, the samples of a document being as many as they happen to be (Cochran 1977,
    *Sampling Techniques*, section 3.12). Where all samples are right, or all wrong, nothing shows how alike those of one document
    are, and they count as entirely alike: sum of squared sizes over sum of sizes (Kish 1965, *Survey Sampling*).

    Args:
        right: shape ``(documents,)``, the samples of each that were answered right; two documents or more.
        sizes: shape ``(documents,)``, its samples.
    """
    n, documents = int(sizes.sum()), len(sizes)
    share = right.sum() / n
    if share in (0.0, 1.0):
        return float((sizes.astype(np.float64) ** 2).sum() / n)
    between = documents / (documents - 1) * ((right - share * sizes) ** 2).sum() / n
    return max(1.0, float(between / (share * (1 - share))))


def interval_of_counts(
    counts: Counts | Floats, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> tuple[float, float]:
    """Return the confidence interval of a score: Wilson's of a share of samples, else the percentile bootstrap over documents.

    Wilson's interval is that of as many independent samples as tell as much as these do (:func:`clustered_wilson_interval`).

    Where the bootstrap cannot vary because every document is entirely right (or nothing is), the interval's other end
    is the exact binomial bound for that many documents (Clopper and Pearson 1934) instead of a false certainty of width
    0. From one document nothing can be said about others: the interval is then 0 to 1.

    Args:
        counts: shape ``(n, labels, 3)``: true positives, false positives, false negatives of each sample and label;
            accuracy has one label, with the correct answer as true positive and any other as false negative.
        groups: the source document of each sample, length ``n``: what is taken as independent.
        metric: what the counts are scored by.
        bootstrap: resamples, seed and confidence.

    Raises:
        DataError: no samples, or ``counts`` and ``groups`` of different lengths.
    """
    check_counts(counts, groups)
    rows = sum_by_group(counts, groups)
    if metric.interval == "wilson":
        whole = rows.astype(np.int64)
        return clustered_wilson_interval(whole[:, 0, 0], whole[:, 0, [0, 2]].sum(axis=1), bootstrap.confidence)
    if len(rows) == 1:
        return 0.0, 1.0
    return _percentile_interval(metric.values(resampled_sums(rows, bootstrap)), len(rows), bootstrap.confidence)


def interval_of_sparse_counts(
    counts: SparseCounts, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> tuple[float, float]:
    """Return the confidence interval of a score over any number of labels, as :func:`interval_of_counts` does.

    Raises:
        DataError: no samples, or ``counts`` and ``groups`` of different lengths.
    """
    if 0 < counts.labels <= MOST_DENSE_LABELS:
        return interval_of_counts(counts.dense(), groups, metric, bootstrap)
    _check_samples(counts.samples, groups)
    documents = len(set(groups))
    if documents == 1:
        return 0.0, 1.0
    return _percentile_interval(
        resampled_sparse_scores(counts, groups, metric, bootstrap), documents, bootstrap.confidence
    )


def _percentile_interval(scores: Floats, documents: int, confidence: float) -> tuple[float, float]:
    """Percentiles of resampled scores; where they cannot vary, the exact bound for so many documents."""
    tail = (1 - confidence) / 2
    low, high = (float(bound) for bound in np.quantile(scores, [tail, 1 - tail]))
    # Exact bound of a proportion seen as n of n (or 0 of n): tail = p ** n.
    if low == high == 1.0:
        return tail ** (1 / documents), 1.0
    if low == high == 0.0:
        return 0.0, 1 - tail ** (1 / documents)
    return low, high


def check_counts(counts: Counts | Floats, groups: Sequence[str]) -> None:
    """Refuse counts without samples, of another shape than ``(n, labels, 3)``, or not matched by ``groups``."""
    if counts.ndim != 3 or counts.shape[2] != 3:
        raise DataError(f"counts have the shape {counts.shape}; expected (samples, labels, 3)")
    _check_samples(len(counts), groups)


def check_pair(reference: Counts | Floats, other: Counts | Floats, groups: Sequence[str]) -> None:
    """Refuse two cells' counts that are not of the same samples, or that :func:`check_counts` refuses."""
    check_counts(reference, groups)
    check_counts(other, groups)
    if reference.shape != other.shape:
        raise DataError(
            f"paired counts have the shapes {reference.shape} and {other.shape}; they must be of the same samples"
        )


def _check_samples(samples: int, groups: Sequence[str]) -> None:
    if samples == 0:
        raise DataError("no samples to score; the cell's predictions are empty")
    if samples != len(groups):
        raise DataError(f"{samples} samples have counts, but {len(groups)} have a source document")
