"""The metrics: each is one entry of :data:`METRICS`, a function of summed counts, so that its intervals come with it.

A new one is its function and its entry here; a dataset then names it under ``metric``
(docs/protocol.md#metrics).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError, nearest

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to score answers.

    Attributes:
        name: as datasets and tables name it.
        title: for people.
        values: from counts of shape (..., labels, 3), the last axis true positives, false positives, false negatives,
            summed over samples, to scores between 0 and 1 of shape (...); vectorized, so that resamples are one call.
        interval: ``wilson`` where the score is the share of samples answered right (one label; right: true positive,
            wrong: false negative), else ``bootstrap`` over documents.
        floor: a score that needs no reading where no constant answer has one; the metric of entities has it, since no mention stands
            in every sample (docs/protocol.md#verdicts).
        averages_labels: whether each label weighs the same, however rare.
    """

    name: str
    title: str
    values: Callable[[Counts | Floats], Floats]
    interval: Literal["wilson", "bootstrap"] = "bootstrap"
    floor: float = 0.0
    averages_labels: bool = False

    def value(self, total: Counts | Floats) -> float:
        """The score of counts summed over samples, shape (labels, 3)."""
        return float(self.values(total))


def f1_from_counts(counts: Counts | Floats) -> Floats:
    """Return F1 = 2 tp / (2 tp + fp + fn), 0 where undefined.

    Args:
        counts: shape (..., 3), the last axis true positives, false positives, false negatives.

    Returns:
        Shape (...).
    """
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    return _share(2 * tp, 2 * tp + fp + fn)


def _macro_f1(counts: Counts | Floats) -> Floats:
    return np.asarray(f1_from_counts(counts).mean(axis=-1))


def _entity_f1(counts: Counts | Floats) -> Floats:
    return f1_from_counts(np.asarray(counts.sum(axis=-2)))


def _macro_f1_over_gold(counts: Counts | Floats) -> Floats:
    """The mean of F1 over the labels that gold answers have; of a resample, those that its own have."""
    in_gold = counts[..., 0] + counts[..., 2] > 0
    return _share((f1_from_counts(counts) * in_gold).sum(axis=-1), in_gold.sum(axis=-1))


def _accuracy(counts: Counts | Floats) -> Floats:
    return _share(counts[..., 0, 0], counts[..., 0, 0] + counts[..., 0, 2])


def _share(part: Counts | Floats, whole: Counts | Floats) -> Floats:
    """``part / whole``, 0 where there is nothing."""
    whole = np.asarray(whole, dtype=np.float64)
    share: Floats = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return share


METRICS = {
    metric.name: metric
    for metric in (
        Metric("macro_f1", "macro F1", _macro_f1, averages_labels=True),  # the mean of the labels' F1
        Metric("entity_f1", "entity F1", _entity_f1, floor=0.1),  # F1 of the counts summed over labels (micro)
        Metric("accuracy", "accuracy", _accuracy, "wilson"),
    )
}

# Of answers that other programs scored each by a number between 0 and 1, as F1 and ROUGE of one answer are: what was scored counts as
# a true positive, what is missing to 1 as a false negative. A dataset cannot name it.
MEAN_SCORE = Metric("mean_score", "mean score", _accuracy)

# What the paper's authors scored by (tasks/published_conventions.py); a dataset cannot name these.
PUBLISHED_METRICS = {
    metric.name: metric
    for metric in (
        Metric("macro_f1_over_gold_labels", "macro F1 over labels present in gold", _macro_f1_over_gold),
        Metric("macro_f1_over_distinct_mentions", "macro F1 over distinct gold mentions", _macro_f1_over_gold),
        Metric("macro_f1_over_characters", "macro F1 over characters", _macro_f1_over_gold),
        Metric("case_sensitive_accuracy", "accuracy, letter case counted", _accuracy, "wilson"),
    )
}


def metric(name: str) -> Metric:
    """The metric of this name.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    if name not in METRICS:
        raise ConfigError(f"unknown metric {name!r}{nearest(name, METRICS)}; metrics stand in tasks/metrics.py")
    return METRICS[name]


def published_metric(name: str) -> Metric:
    """The metric of this name among those that the paper's authors scored by.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    if name not in PUBLISHED_METRICS:
        raise ConfigError(f"unknown published metric {name!r}{nearest(name, PUBLISHED_METRICS)}; see tasks/metrics.py")
    return PUBLISHED_METRICS[name]


def single_label_counts(answers: Sequence[Hashable], golds: Sequence[Hashable], labels: Sequence[Hashable]) -> Counts:
    """Count one-of-many answers; an answer outside ``labels`` (None) is wrong for gold and a prediction of none.

    Returns:
        Shape (n, len(labels), 3).

    Raises:
        DataError: a gold answer is none of the labels, as where an entry's labels were renamed.
    """
    row = {label: index for index, label in enumerate(labels)}
    unknown = [gold for gold in golds if gold not in row]
    if unknown:
        raise DataError(f"the gold answer {unknown[0]!r} is none of {', '.join(map(str, labels))}")
    counts = np.zeros((len(golds), len(labels), 3), dtype=np.int64)
    gold_rows = np.array([row[gold] for gold in golds], dtype=np.int64)
    answer_rows = np.array([row.get(answer, -1) for answer in answers], dtype=np.int64)
    samples = np.arange(len(golds))
    hit, offered = gold_rows == answer_rows, answer_rows >= 0
    counts[samples[hit], gold_rows[hit], 0] = 1
    counts[samples[offered & ~hit], answer_rows[offered & ~hit], 1] = 1
    counts[samples[~hit], gold_rows[~hit], 2] = 1
    return counts
