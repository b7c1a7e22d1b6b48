"""``resampled_scores.npz``: zero-shot cells scored on the same draws of documents (docs/protocol.md#recommendations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import tasks
from ..config import is_zero_shot
from ..contracts.cell_name import Cell
from ..contracts.resampled_scores import ResampledScores
from ..statistics import Bootstrap
from ..statistics.bootstrap import sum_by_group
from ..statistics.joint_draws import resampled_together
from ..tasks.metrics import Floats, Metric
from .judged_cells import JudgedCells
from .pair_counts import PairCounts

# A share of so many draws is known within 3 points, and a full run's file stays near a megabyte.
MOST_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class _CellCounts:
    """One cell counted by document: shape ``(documents, labels, 3)``, documents in ascending order of their names."""

    documents: NDArray[np.str_]
    counts: NDArray[np.float32]


def candidate_draws(
    judged: JudgedCells, cells: Sequence[Cell], pairs: Mapping[Cell, PairCounts], bootstrap: Bootstrap
) -> ResampledScores:
    """Score the zero-shot cells of each dataset on the same draws of its documents; noise floors are left out.

    A cell with other documents than the first of its dataset has no draws: it cannot be ranked among these.

    Args:
        judged: reads the cells that no comparison has read.
        cells: finished ones.
        pairs: the counts of compared cells.
        bootstrap: resamples, of which :data:`MOST_DRAWS` are used at most, and seed.

    Raises:
        DataError: a file is missing or malformed.
    """
    vocabulary = judged.vocabulary
    wanted = [cell for cell in cells if is_zero_shot(cell) and cell.precision not in vocabulary.noise_floors]
    counted = _counted(judged, wanted, pairs)
    drawn: dict[Cell, Floats] = {}
    for stream, dataset in enumerate(vocabulary.datasets):
        of_dataset = [cell for cell in wanted if cell.dataset == dataset]
        alike = [
            cell for cell in of_dataset if np.array_equal(counted[cell].documents, counted[of_dataset[0]].documents)
        ]
        if alike:
            metric = tasks.metric(vocabulary.datasets[dataset].metric)
            own = replace(bootstrap, resamples=min(bootstrap.resamples, MOST_DRAWS), seed=bootstrap.seed + stream)
            scores = _scores(np.stack([counted[cell].counts for cell in alike], axis=1), metric, own)
            drawn |= dict(zip(alike, scores, strict=True))
    kept = tuple(cell for cell in wanted if cell in drawn)
    scores_of = [drawn[cell].astype(np.float32) for cell in kept]
    return ResampledScores(kept, np.stack(scores_of) if kept else np.zeros((0, 0), dtype=np.float32))


def _scores(counts: NDArray[np.float32], metric: Metric, bootstrap: Bootstrap) -> Floats:
    """Of counts, shape ``(documents, cells, labels, 3)``, the scores in each draw: shape ``(cells, draws)``."""
    documents, *shape = counts.shape
    flat = counts.reshape(documents, -1).astype(np.float64)
    return resampled_together(flat, lambda sums: metric.values(sums.reshape(-1, *shape)), bootstrap).T


def _counted(judged: JudgedCells, cells: Sequence[Cell], pairs: Mapping[Cell, PairCounts]) -> dict[Cell, _CellCounts]:
    """The counts of each cell: those of its comparison where there is one, else as its files have them."""
    counted: dict[Cell, _CellCounts] = {}
    for other, pair in pairs.items():
        reference = replace(other, precision=judged.vocabulary.reference)
        counted[other] = _CellCounts(pair.documents, pair.counts[:, 1])
        counted[reference] = _CellCounts(pair.documents, pair.counts[:, 0])
    for cell in cells:
        if cell not in counted:
            alone = judged.counted(cell)
            groups = judged.groups(cell, alone.sample_ids)
            counts = sum_by_group(alone.counts, groups).astype(np.float32)
            counted[cell] = _CellCounts(np.unique(np.asarray(groups, dtype=str)), counts)
    return counted
