"""One dataset's comparisons resampled together: each draw of documents is the same for all models (docs/protocol.md#pooled-effects).

Models stumble over the same documents, so their differences on one dataset go together, and a mean of them is less sure than as many
independent ones would make it. Drawing documents once for all models keeps that. How often each document is drawn times what each
document contributes is one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..tasks.metrics import Floats, Metric
from .bootstrap import CHUNK_BYTES, Bootstrap

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JointCounts:
    """The comparisons of one precision on one dataset, counted by document.

    Attributes:
        metric: what summed counts are scored by.
        counts: shape ``(documents, comparisons, 2, labels, 3)``, full precision before quantized; single precision, in which counts
            below 16,777,216 are exact.
        samples: how many samples the documents have.
    """

    metric: Metric
    counts: Singles
    samples: int

    @property
    def scores(self) -> Floats:
        """Observed scores, shape ``(comparisons, 2)``."""
        return self.metric.values(self.counts.sum(axis=0, dtype=np.float64))

    def lost_and_gained(self) -> Floats:
        """An average sample only full precision gets right, and one only the other does: shape ``(2, comparisons, 2, labels, 3)``.

        They join each comparison on its own, so that where no answer changed the interval is not of width 0. They are samples, and
        not documents as in :func:`quantbench.statistics.compare`: many comparisons together have changes enough of their own.
        """
        gold = self.counts[:, :, 0, :, 0] + self.counts[:, :, 0, :, 2]
        support = gold.sum(axis=0, dtype=np.float64) / self.samples
        right = np.stack([support, np.zeros_like(support), np.zeros_like(support)], axis=-1)
        wrong = np.stack([np.zeros_like(support), np.zeros_like(support), support], axis=-1)
        return np.stack([np.stack([right, wrong], axis=1), np.stack([wrong, right], axis=1)])


def resampled_scores(of: JointCounts, bootstrap: Bootstrap, stream: int) -> Floats:
    """Draw documents with replacement, once for all comparisons, and score each draw.

    Args:
        of: the comparisons.
        bootstrap: how many times as many documents as there are get drawn, from which seed.
        stream: number of the dataset; draws of two datasets are independent, of two precisions on one dataset the same.

    Returns:
        shape ``(resamples, comparisons, 2)``.
    """
    documents, *shape = of.counts.shape
    flat = of.counts.reshape(documents, -1)
    lost, gained = of.lost_and_gained()
    draws, added = (np.random.default_rng([bootstrap.seed, stream, part]) for part in range(2))
    scores = np.empty((bootstrap.resamples, *shape[:2]))
    for part in chunks(bootstrap.resamples, 8 * max(documents, flat.shape[1])):
        size = part.stop - part.start
        drawn = draws.integers(documents, size=(size, documents))
        drawn += np.arange(size)[:, None] * documents
        times = np.bincount(drawn.ravel(), minlength=size * documents).reshape(size, documents)
        sums = (times.astype(np.float32) @ flat).reshape(size, *shape).astype(np.float64)
        # One of very many documents is drawn so many times.
        extra = added.poisson(1.0, size=(2, size, shape[0], 1, 1, 1))
        scores[part] = of.metric.values(sums + extra[0] * lost + extra[1] * gained)
    return scores


def chunks(resamples: int, bytes_each: int) -> list[slice]:
    """All resamples in parts, whose arrays of so many bytes a resample stay within :data:`CHUNK_BYTES`."""
    size = max(1, CHUNK_BYTES // bytes_each)
    return [slice(start, min(start + size, resamples)) for start in range(0, resamples, size)]
