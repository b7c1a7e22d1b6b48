"""``label_effects.csv``: what quantization does to each label, cell by cell and over models (docs/protocol.md#labels)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import tasks
from ..config import DatasetEntry, is_zero_shot
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LabelEffectRow
from ..contracts.effect_rows import EffectRow
from ..statistics import Bootstrap, holm_by_family
from ..statistics.bootstrap import sum_by_group
from ..statistics.joint_draws import resampled_together, swapped_together
from ..statistics.student import expanded_interval
from ..tasks.metrics import Counts, Floats
from .judged_cells import JudgedCells

# Below so many samples with a label its F1 moves in large steps, and an interval can be no more than a hint.
FEW = 10
# The family of Holm's p of all means over models.
MEANS = "means over models"


def label_effects_table(
    judged: JudgedCells, effects: Sequence[EffectRow], bootstrap: Bootstrap
) -> list[LabelEffectRow]:
    """Return one row a quantized zero-shot cell and label, then one a precision and label where several models have it.

    Args:
        judged: reads the cells; those that were compared before are not read again.
        effects: ``precision_effects.csv``, whose cells are compared; those of random weights are left out.
        bootstrap: how intervals are made.

    Raises:
        DataError: a file is missing or malformed.
    """
    wanted = [row.cell for row in effects if is_zero_shot(row) and row.weights == "published"]
    rows: list[LabelEffectRow] = []
    for dataset in dict.fromkeys(cell.dataset for cell in wanted):
        entry = judged.vocabulary.datasets[dataset]
        own = [cell for cell in dict.fromkeys(wanted) if cell.dataset == dataset]
        if tasks.get(entry).classes:
            rows += _rows(_compared(judged, entry, own), bootstrap)
    return sorted(_corrected(rows), key=lambda row: row.model is None)


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line a label is about: one pair, or all pairs of a precision, as places among the dataset's pairs."""

    model: str | None
    precision: str
    pairs: list[int]


@dataclass(frozen=True, slots=True)
class _Compared:
    """The pairs of one dataset. F1 is made of two numbers a label, which add up over documents (:func:`_shares`).

    Attributes:
        entry: the dataset.
        dataset: its name.
        pairs: the quantized cells.
        full, other: of each pair the reference's numbers and its own, shape ``(documents, pairs, labels, 2)``.
        support, documents: samples and documents that have each label, shape ``(labels,)``.
    """

    entry: DatasetEntry
    dataset: str
    pairs: list[Cell]
    full: Floats
    other: Floats
    support: Counts
    documents: Counts

    def lines(self) -> list[_Line]:
        """One a pair, and one a precision that several models have."""
        of_precision: dict[str, list[int]] = {}
        for place, cell in enumerate(self.pairs):
            of_precision.setdefault(cell.precision, []).append(place)
        alone = [_Line(cell.model, cell.precision, [place]) for place, cell in enumerate(self.pairs)]
        return alone + [_Line(None, name, places) for name, places in of_precision.items() if len(places) > 1]


def _compared(judged: JudgedCells, entry: DatasetEntry, pairs: list[Cell]) -> _Compared:
    references = [replace(cell, precision=judged.vocabulary.reference) for cell in pairs]
    known: dict[Cell, Floats] = {}
    support, groups = np.zeros(0, dtype=np.int64), list[str]()
    for cell in dict.fromkeys([*references, *pairs]):
        counted = judged.counted(cell)
        counts = counted.class_counts
        assert counts is not None, "datasets without classes are left out"
        # The same of every cell: comparisons of other samples were refused before.
        support, groups = counts[..., 0] + counts[..., 2], judged.groups(cell, counted.sample_ids)
        known[cell] = _shares(sum_by_group(counts, groups))
    return _Compared(
        entry,
        pairs[0].dataset,
        pairs,
        full=np.stack([known[cell] for cell in references], axis=1),
        other=np.stack([known[cell] for cell in pairs], axis=1),
        support=support.sum(axis=0),
        documents=(sum_by_group(support, groups) > 0).sum(axis=0),
    )


def _rows(compared: _Compared, bootstrap: Bootstrap) -> list[LabelEffectRow]:
    lines = compared.lines()
    full, other = (_over(lines, _f1(side.sum(axis=0))) for side in (compared.full, compared.other))
    draws, p_values = _resampled(compared, lines, bootstrap), _swapped(compared, lines, bootstrap)
    rows = []
    for at, line in enumerate(lines):
        for place, label in enumerate(tasks.get(compared.entry).classes):
            difference, units = float(other[at, place] - full[at, place]), int(compared.documents[place])
            ends = _ends(draws[:, at, place], difference, units, bootstrap.confidence)
            rows.append(
                LabelEffectRow(
                    model=line.model,
                    models=len(line.pairs),
                    dataset=compared.dataset,
                    task=compared.entry.task,
                    precision=line.precision,
                    label=label,
                    support=int(compared.support[place]),
                    documents=units,
                    full_f1=float(full[at, place]),
                    f1=float(other[at, place]),
                    difference=difference,
                    difference_low=ends[0],
                    difference_high=ends[1],
                    permutation_p=float(p_values[at, place]),
                    holm_p=float(p_values[at, place]),
                    family=f"{line.model}, {line.precision}, {compared.dataset}" if line.model else MEANS,
                    family_size=1,
                    note=_note(int(compared.support[place]), units),
                )
            )
    return rows


def _shares(counts: Counts) -> Floats:
    """What F1 is made of, twice the true positives and that with all errors: shape ``(..., labels, 2)``."""
    twice = 2 * counts[..., 0]
    return np.stack([twice, twice + counts[..., 1] + counts[..., 2]], axis=-1).astype(np.float64)


def _f1(shares: Floats) -> Floats:
    whole = shares[..., 1]
    found: Floats = np.divide(shares[..., 0], whole, out=np.zeros_like(whole), where=whole > 0)
    return found


def _over(lines: Sequence[_Line], values: Floats) -> Floats:
    """From values of pairs, shape ``(..., pairs, labels)``, to the means of lines, shape ``(..., lines, labels)``."""
    return np.stack([values[..., line.pairs, :].mean(axis=-2) for line in lines], axis=-2)


def _resampled(compared: _Compared, lines: Sequence[_Line], bootstrap: Bootstrap) -> Floats:
    """Differences of F1, each draw one of the same documents for all: shape ``(resamples, lines, labels)``.

    As in :func:`~quantbench.statistics.compare` two samples join the documents, here two of each model that have every label:
    one that only full precision gets right, and one that only the quantized cells do.
    """
    sides = np.stack([compared.full, compared.other], axis=1)
    right, wrong = _shares(np.array([[1, 0, 0], [0, 0, 1]]))
    joining = []
    for model in dict.fromkeys(cell.model for cell in compared.pairs):
        own = [place for place, cell in enumerate(compared.pairs) if cell.model == model]
        for before, after in ((right, wrong), (wrong, right)):
            sample = np.zeros_like(sides[0])
            sample[0, own], sample[1, own] = before, after
            joining.append(sample)
    rows = np.concatenate([sides, joining])

    def score(sums: Floats) -> Floats:
        f1 = _f1(sums.reshape(-1, *rows.shape[1:]))
        return _over(lines, f1[:, 1] - f1[:, 0])

    return resampled_together(rows.reshape(len(rows), -1), score, bootstrap)


def _swapped(compared: _Compared, lines: Sequence[_Line], bootstrap: Bootstrap) -> Floats:
    """The p of each line and label, shape ``(lines, labels)``."""
    total, changes = (compared.full + compared.other).sum(axis=0) / 2, compared.other - compared.full

    def score(sums: Floats) -> Floats:
        half = sums.reshape(-1, *total.shape) / 2
        return _over(lines, _f1(total + half) - _f1(total - half))

    return swapped_together(changes.reshape(len(changes), -1), score, bootstrap)


def _ends(draws: Floats, difference: float, units: int, confidence: float) -> tuple[float | None, float | None]:
    if units < 2:
        return None, None
    low, high = expanded_interval(draws, units - 1, confidence)
    return min(low, difference), max(high, difference)


def _note(support: int, units: int) -> str | None:
    if units < 2:
        return "fewer than two documents have it: nothing can be said"
    return f"fewer than {FEW} samples have it: a hint at most" if support < FEW else None


def _corrected(rows: Sequence[LabelEffectRow]) -> list[LabelEffectRow]:
    families = [row.family for row in rows]
    sizes, corrected = Counter(families), holm_by_family([row.permutation_p for row in rows], families)
    return [
        row.model_copy(update={"holm_p": p, "family_size": sizes[row.family]})
        for row, p in zip(rows, corrected, strict=True)
    ]
