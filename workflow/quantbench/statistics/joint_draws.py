"""Many cells and the same draws of documents: what is drawn once serves all cells of a dataset, and their means.

Models stumble over the same documents, so their differences on one dataset go together, and the mean of them varies more, or less,
than that of independent cells would. With the same documents drawn for all, intervals say so (docs/protocol.md#pooled-effects). How
often each document is drawn times what each contributes is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..tasks.metrics import Floats, Metric
from .bootstrap import Bootstrap
from .drawn_documents import chunks, size_of, times_drawn

Singles = NDArray[np.float32]
Score = Callable[[Floats], Floats]
# Differences that are equal but for rounding count as equal.
_ROUNDING = 1e-12


def resampled_together(
    rows: Floats | Singles, score: Score, bootstrap: Bootstrap, stream: Sequence[int] = ()
) -> Floats:
    """Draw documents with replacement, add up what each contributes to every cell, and score each draw.

    Args:
        rows: shape ``(documents, columns)``; in single precision only whole numbers, whose sums are exact below 16,777,216.
        score: from sums, shape ``(draws, columns)``, to what is kept of them, shape ``(draws, ...)``.
        bootstrap: how many times as many documents as there are get drawn, from which seed.
        stream: numbers of the draws; those of another stream are independent of these.

    Returns:
        shape ``(resamples, ...)``.
    """
    generator, (documents, columns) = np.random.default_rng([bootstrap.seed, *stream]), rows.shape
    kept = []
    for chunk in chunks(bootstrap.resamples, 8 * max(documents, columns)):
        times = times_drawn(generator.integers(documents, size=(size_of(chunk), documents)), documents)
        sums: Floats = np.matmul(times.astype(rows.dtype), rows).astype(np.float64, copy=False)
        kept.append(score(sums))
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
    for chunk in chunks(bootstrap.resamples, 8 * documents):
        signs = 2.0 * generator.integers(2, size=(size_of(chunk), documents), dtype=np.int8) - 1
        reached += (np.abs(score(signs @ changes)) >= observed - _ROUNDING).sum(axis=0)
    return np.asarray((reached + 1) / (bootstrap.resamples + 1))


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

    def resampled_scores(self, bootstrap: Bootstrap, stream: int) -> Floats:
        """Draw documents with replacement, once for all comparisons, and score each draw.

        Args:
            bootstrap: how many times as many documents as there are get drawn, from which seed.
            stream: number of the dataset; draws of two datasets are independent, of two precisions on one dataset the same.

        Returns:
            shape ``(resamples, comparisons, 2)``.
        """
        documents, *shape = self.counts.shape
        lost, gained = self.lost_and_gained()
        added = np.random.default_rng([bootstrap.seed, stream, 1])

        def score(sums: Floats) -> Floats:
            # One of very many documents is drawn so many times.
            extra = added.poisson(1.0, size=(2, len(sums), shape[0], 1, 1, 1))
            return self.metric.values(sums.reshape(-1, *shape) + extra[0] * lost + extra[1] * gained)

        return resampled_together(self.counts.reshape(documents, -1), score, bootstrap, (stream, 0))
