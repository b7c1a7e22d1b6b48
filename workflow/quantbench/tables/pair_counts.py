"""A quantized cell and its reference counted by document: what one effect over many comparisons is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.bootstrap import sum_by_group
from ..tasks.metrics import Counts, Metric


@dataclass(frozen=True, slots=True)
class PairCounts:
    """One quantized cell and its reference, counted by document.

    Attributes:
        metric: of the dataset.
        documents: shape ``(documents,)``, their names in ascending order.
        counts: shape ``(documents, 2, labels, 3)``, the reference first.
        samples: how many there are.
        constant: what the best constant answer scores.
        margin: largest loss still called preserved.
        nothing_to_lose: random weights, or full precision at chance.
    """

    metric: Metric
    documents: NDArray[np.str_]
    counts: NDArray[np.float32]
    samples: int
    constant: float
    margin: float
    nothing_to_lose: bool

    @classmethod
    def of(
        cls,
        full: Counts,
        other: Counts,
        groups: Sequence[str],
        metric: Metric,
        *,
        constant: float,
        margin: float,
        nothing_to_lose: bool,
    ) -> PairCounts:
        """Add up the counts of two cells, shape ``(n, labels, 3)`` each, by the document of each sample."""
        counts = sum_by_group(np.stack([full, other], axis=1), groups).astype(np.float32)
        documents = np.unique(np.asarray(groups, dtype=str))
        return cls(metric, documents, counts, len(groups), constant, margin, nothing_to_lose)
