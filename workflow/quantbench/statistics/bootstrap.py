"""The bootstrap over documents: exact, vectorized, and small in memory.

Documents that contribute the same counts are interchangeable, so a resample is a multinomial draw over the *distinct*
rows of counts, weighted by how many documents share each: the same distribution as drawing documents with replacement,
at a cost that grows with the number of distinct rows (a few dozen for relations) instead of the number of samples.
Where most rows are distinct, documents are drawn by number and counted instead, five times faster there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from ..tasks.metrics import Counts, Floats, Metric
from ..tasks.sparse_counts import KINDS, SparseCounts
from .drawn_documents import chunks, size_of, times_drawn

# Drawing one distinct row's number of times by multinomial costs about as much as drawing this many documents.
DISTINCT_SHARE = 4

# Parts of samples add up as whole ones do (MEAN_SCORE).
CountsOrFloats = TypeVar("CountsOrFloats", bound=Counts | Floats)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made (docs/protocol.md#intervals): same counts and settings, same interval."""

    resamples: int = 10000
    seed: int = 2509
    confidence: float = 0.95


def sum_by_group(counts: CountsOrFloats, groups: Sequence[str]) -> CountsOrFloats:
    """Add up the rows of ``counts``, shape ``(n, ...)``, document by document: shape ``(documents, ...)``, of the same kind of number."""
    names, members = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) == len(counts):
        return counts
    flat = counts.reshape(len(counts), -1)
    sums = np.stack([np.bincount(members, weights=column, minlength=len(names)) for column in flat.T], axis=1)
    return cast(CountsOrFloats, sums.astype(counts.dtype).reshape(len(names), *counts.shape[1:]))


def resampled_sums(rows: Counts | Floats, bootstrap: Bootstrap) -> Floats:
    """Draw documents with replacement and add up their counts.

    Args:
        rows: shape ``(documents, ...)``, what each document contributes.
        bootstrap: how many times as many documents as there are get drawn, from which seed.

    Returns:
        shape ``(resamples, ...)``.
    """
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    distinct, weights = np.unique(flat, axis=0, return_counts=True)
    generator = np.random.default_rng(bootstrap.seed)
    sums = np.empty((bootstrap.resamples, flat.shape[1]))
    for chunk in chunks(bootstrap.resamples, 8 * min(DISTINCT_SHARE * len(distinct), len(flat))):
        sums[chunk] = _draw(generator, weights, size_of(chunk)).astype(np.float64) @ distinct
    return sums.reshape(-1, *rows.shape[1:])


def resampled_sparse_scores(
    counts: SparseCounts, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> Floats:
    """Draw documents with replacement, and score each draw; the time taken grows with the counts that are not zero.

    Args:
        counts: of n samples.
        groups: the source document of each sample, length n.
        metric: what the summed counts are scored by.
        bootstrap: how many times as many documents as there are get drawn, from which seed.

    Returns:
        shape ``(resamples,)``.
    """
    names, members = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    documents = len(names)
    counting, row = np.unique(members[counts.sample], return_inverse=True)
    rounds = _rounds(counts.column)
    generator = np.random.default_rng(bootstrap.seed)
    scores = np.empty(bootstrap.resamples)
    for chunk in chunks(bootstrap.resamples, 8 * max(documents, counts.labels * KINDS)):
        size = size_of(chunk)
        # Of documents that count nothing it only matters how many are drawn.
        draws = generator.binomial(documents, len(counting) / documents, size=size)
        drawn = generator.integers(len(counting), size=draws.sum()) if len(counting) else draws[:0]
        drawn += np.repeat(np.arange(size) * len(counting), draws)
        times = np.bincount(drawn, minlength=size * len(counting)).reshape(size, len(counting))
        of_row = np.ascontiguousarray(times.T, dtype=np.int32)
        sums = np.zeros((counts.labels * KINDS, size), dtype=np.int64)
        for entries in rounds:
            sums[counts.column[entries]] += of_row[row[entries]]
        scores[chunk] = metric.values(np.moveaxis(sums.reshape(counts.labels, KINDS, size), -1, 0))
    return scores


def _rounds(columns: Counts) -> list[Counts]:
    """Deal entries out so that none of a round has the column of another: the first of each column, the second, and so on."""
    order = np.argsort(columns, kind="stable")
    _, starts, lengths = np.unique(columns[order], return_index=True, return_counts=True)
    return [order[starts[lengths > turn] + turn] for turn in range(lengths.max(initial=0))]


def _draw(generator: np.random.Generator, weights: Counts, resamples: int) -> Counts:
    """How often each distinct row is drawn, ``weights`` documents having it: shape ``(resamples, distinct rows)``."""
    distinct, documents = len(weights), int(weights.sum())
    if distinct * DISTINCT_SHARE < documents:
        return generator.multinomial(documents, weights / documents, size=resamples)
    row_of_document = np.repeat(np.arange(distinct), weights)
    return times_drawn(row_of_document[generator.integers(documents, size=(resamples, documents))], distinct)
