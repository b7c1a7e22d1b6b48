"""Scores as functions of summed counts: true positives, false positives, false negatives per label (docs/protocol.md#metrics)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def f1_from_counts(counts: NDArray[np.number[Any]]) -> NDArray[np.float64]:
    """Return F1 = 2 tp / (2 tp + fp + fn), 0 where undefined.

    Args:
        counts: shape (..., 3), the last axis true positives, false positives, false negatives.

    Returns:
        Shape (...).
    """
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    denominator = np.asarray(2 * tp + fp + fn, dtype=np.float64)
    f1: NDArray[np.float64] = np.divide(2 * tp, denominator, out=np.zeros_like(denominator), where=denominator > 0)
    return f1


def metric_value(counts: NDArray[np.number[Any]], metric: str) -> NDArray[np.float64]:
    """Return the metric of summed counts, vectorized over leading axes (resamples).

    ``macro_f1``: mean over labels of F1. ``entity_f1``: F1 of the counts summed over labels. ``accuracy``: tp / (tp + fn) of the one row.

    Args:
        counts: shape (..., labels, 3).
        metric: name of the metric.

    Returns:
        Shape (...).
    """
    if metric == "macro_f1":
        return np.asarray(f1_from_counts(counts).mean(axis=-1))
    if metric == "entity_f1":
        return f1_from_counts(np.asarray(counts.sum(axis=-2)))
    if metric == "accuracy":
        right, asked = counts[..., 0, 0], np.asarray(counts[..., 0, 0] + counts[..., 0, 2], dtype=np.float64)
        share: NDArray[np.float64] = np.divide(right, asked, out=np.zeros_like(asked), where=asked > 0)
        return share
    raise ValueError(f"unknown metric {metric!r}")


def single_label_counts(answers: Sequence[Any], golds: Sequence[Any], labels: Sequence[Hashable]) -> Counts:
    """Count one-of-many answers; an answer outside ``labels`` (None) is wrong for gold and a prediction of none.

    Returns:
        Shape (n, len(labels), 3).
    """
    row = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(golds), len(labels), 3), dtype=np.int64)
    gold_rows = np.array([row[gold] for gold in golds], dtype=np.int64)
    answer_rows = np.array([row.get(answer, -1) for answer in answers], dtype=np.int64)
    samples = np.arange(len(golds))
    hit, offered = gold_rows == answer_rows, answer_rows >= 0
    counts[samples[hit], gold_rows[hit], 0] = 1
    counts[samples[offered & ~hit], answer_rows[offered & ~hit], 1] = 1
    counts[samples[~hit], gold_rows[~hit], 2] = 1
    return counts
