"""Counts of answers that are sets, where most labels are absent from most samples: only what is not zero is kept.

The distinct mentions of a test set are more than a thousand; as dense counts of every sample they take 140 MB.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .metrics import Counts

# Columns a label has: true positives, false positives, false negatives.
KINDS = 3
_HIT, _WRONG, _MISSED = range(KINDS)


@dataclass(frozen=True, slots=True)
class SparseCounts:
    """Counts of shape (samples, labels, 3) that are 0 or 1, as a list of those that are 1.

    Attributes:
        samples: how many there are.
        labels: how many there are.
        sample: shape (entries,), the sample of each entry.
        column: shape (entries,), its label times 3, plus 0 for a true positive, 1 for a false positive, 2 for a false negative.
    """

    samples: int
    labels: int
    sample: NDArray[np.int64]
    column: NDArray[np.int64]

    def total(self) -> Counts:
        """Counts summed over samples, shape (labels, 3)."""
        return np.bincount(self.column, minlength=self.labels * KINDS).reshape(self.labels, KINDS)

    def dense(self) -> Counts:
        """All counts, shape (samples, labels, 3)."""
        counts = np.zeros((self.samples, self.labels * KINDS), dtype=np.int64)
        counts[self.sample, self.column] = 1
        return counts.reshape(self.samples, self.labels, KINDS)


def count_sets(told: Sequence[Set[str]], true: Sequence[Set[str]]) -> SparseCounts:
    """Count sets of strings, each string that is in some gold set being a label; strings told that are in none do not count.

    Args:
        told: n answers.
        true: n gold answers, same order.
    """
    label = {name: place for place, name in enumerate(sorted(set().union(*true)))}
    sample: list[int] = []
    column: list[int] = []
    for number, (answer, gold) in enumerate(zip(told, true, strict=True)):
        before = len(column)
        column += [KINDS * label[name] + (_HIT if name in answer else _MISSED) for name in gold]
        column += [KINDS * label[name] + _WRONG for name in answer - gold if name in label]
        sample += [number] * (len(column) - before)
    return SparseCounts(len(true), len(label), np.array(sample, dtype=np.int64), np.array(column, dtype=np.int64))
