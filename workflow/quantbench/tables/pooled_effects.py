"""``pooled_effects.csv``: one effect a precision over the zero-shot grid (docs/protocol.md#pooled-effects)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..config import Vocabulary, is_zero_shot
from ..contracts.cell_name import Cell
from ..contracts.pooled_rows import Basis, PooledRow
from ..statistics import Bootstrap, DatasetEffects, JointCounts, PooledEffect, pooled_effect, too_few, verdict
from .pair_counts import PairCounts

EVERY_METRIC = "all"
# So many models and as many datasets, for the verdict to be about others like them.
FEWEST_OF_EACH = 3


def pooled_table(
    vocabulary: Vocabulary,
    studies: Mapping[str, Sequence[Cell]],
    pairs: Mapping[Cell, PairCounts],
    bootstrap: Bootstrap,
) -> list[PooledRow]:
    """Return one row a precision for all metrics, and one a metric where there are several.

    A precision of which nothing can be pooled has none.

    Args:
        vocabulary: which precisions and datasets there are, in order.
        studies: the studies that the run names -> their compared cells.
        pairs: the counts of each zero-shot one.
        bootstrap: resamples, seed and confidence.
    """
    grids = {name: [cell for cell in cells if is_zero_shot(cell)] for name, cells in studies.items()}
    if not any(grids.values()):
        return []
    # Of studies as large as each other, the first.
    study = max(grids, key=lambda name: len(grids[name]))
    rows: list[PooledRow] = []
    for precision in vocabulary.precisions:
        grid = {cell: pairs[cell] for cell in grids[study] if cell.precision == precision}
        rows += _Grid(vocabulary, study, precision, grid, bootstrap).rows()
    return rows


@dataclass(frozen=True, slots=True)
class _Grid:
    """The zero-shot comparisons of one study and precision."""

    vocabulary: Vocabulary
    study: str
    precision: str
    pairs: Mapping[Cell, PairCounts]
    bootstrap: Bootstrap

    def rows(self) -> list[PooledRow]:
        """For all metrics together, and for each where there are several."""
        kept = {cell: pair for cell, pair in self.pairs.items() if not pair.nothing_to_lose}
        datasets = [name for name in self.vocabulary.datasets if any(cell.dataset == name for cell in kept)]
        effects = [
            self._drawn({cell: pair for cell, pair in kept.items() if cell.dataset == name}, stream)
            for stream, name in enumerate(self.vocabulary.datasets)
            if name in datasets
        ]
        metrics = list(dict.fromkeys(of.counts.metric.name for of in effects))
        rows = [self._row(EVERY_METRIC, effects)] if effects else []
        for metric in metrics if len(metrics) > 1 else []:
            rows.append(self._row(metric, [of for of in effects if of.counts.metric.name == metric]))
        return rows

    def _drawn(self, pairs: Mapping[Cell, PairCounts], stream: int) -> DatasetEffects:
        """The comparisons on one dataset, over all documents that any of them answered."""
        together = list(pairs.values())
        documents = np.unique(np.concatenate([pair.documents for pair in together]))
        counts = np.zeros((len(documents), len(together), *together[0].counts.shape[1:]), dtype=np.float32)
        for place, pair in enumerate(together):
            counts[np.searchsorted(documents, pair.documents), place] = pair.counts
        joint = JointCounts(together[0].metric, counts, max(pair.samples for pair in together))
        names, constants = [cell.model for cell in pairs], [pair.constant for pair in together]
        return DatasetEffects.drawn(next(iter(pairs)).dataset, names, joint, constants, self.bootstrap, stream)

    def _row(self, metric: str, pool: Sequence[DatasetEffects]) -> PooledRow:
        effect = pooled_effect(pool, self.bootstrap)
        chosen = {of.dataset for of in pool}
        models = {model for of in pool for model in of.models}
        among = [pair for pair in self.pairs.values() if metric in (EVERY_METRIC, pair.metric.name)]
        pooled = [pair for cell, pair in self.pairs.items() if cell.dataset in chosen and not pair.nothing_to_lose]
        documents = sum(len(of.counts.counts) for of in pool)
        margin = float(np.mean([pair.margin for pair in pooled]))
        general = effect.general
        like_these = general is not None and min(len(models), len(pool)) >= FEWEST_OF_EACH
        basis: Basis = "like these" if like_these else "these"
        judged = general if general is not None and like_these else effect.difference
        return PooledRow.model_validate(
            {
                "study": self.study,
                "precision": self.precision,
                "metric": metric,
                "comparisons": len(pooled),
                "models": len(models),
                "datasets": len(pool),
                "documents": documents,
                "left_out": len(among) - len(pooled),
                "general_low": general.low if general else None,
                "general_high": general.high if general else None,
                "basis": basis,
                "margin": margin,
                "verdict": verdict(judged.low, judged.high, margin, few=too_few(documents)),
                **_told(effect),
            }
        )


def _told(effect: PooledEffect) -> dict[str, float | str]:
    """The columns that an effect fills as it stands."""
    columns: dict[str, float | str] = {"full_score": effect.full, "score": effect.score}
    estimates = {
        "difference": effect.difference,
        "recovery": effect.recovery,
        "recovery_above_chance": effect.recovery_above_chance,
    }
    for name, estimate in estimates.items():
        columns |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    worst = effect.worst
    columns |= {"worst_model": worst.model, "worst_dataset": worst.dataset, "worst_difference": worst.difference.value}
    return columns | {"worst_low": worst.difference.low, "worst_high": worst.difference.high}
