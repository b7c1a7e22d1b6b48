"""``precision_effects.csv``: each quantized cell against full precision, pair by pair (docs/protocol.md#comparisons)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import tasks
from ..config import Vocabulary, is_zero_shot
from ..config.run import ComparisonSettings
from ..contracts.cell_name import Cell
from ..contracts.effect_rows import EffectRow
from ..contracts.prompt_hashes import PromptHashes, refuse_other_prompts
from ..errors import DataError
from ..statistics import (
    Bootstrap,
    at_chance,
    compare,
    holm_by_family,
    mcnemar_exact,
    permutation_test,
    rare_labels,
    too_few,
    verdict,
)
from ..tasks.metrics import Counts
from .judged_cells import JudgedCell, JudgedCells
from .noise_floor import Replans, judged_floors, named_floors
from .pair_counts import PairCounts


@dataclass(frozen=True, slots=True)
class Judging:
    """How an interval of a difference is made and judged."""

    comparison: ComparisonSettings
    bootstrap: Bootstrap


@dataclass(frozen=True, slots=True)
class _Compared:
    """One comparison: its row without study, and its counts."""

    row: EffectRow
    counts: PairCounts


@dataclass(frozen=True, slots=True)
class _Changes:
    """What became other than at full precision: the share of answers, and how many samples lost or gained."""

    flip_rate: float
    lost: int
    gained: int


def effects_table(
    vocabulary: Vocabulary,
    results: Path,
    cells: Sequence[Cell],
    studies: Mapping[str, Sequence[Cell]],
    judging: Judging,
) -> list[EffectRow]:
    """Return one row a study of the run and quantized cell whose full-precision twin exists too.

    Args:
        vocabulary: titles, and which precisions are the reference and noise floors.
        results: ``results/<run>``, with the ``samples.jsonl`` of each dataset, for the source document of each sample.
        cells: finished cells.
        studies: the studies that the run names -> their cells.
        judging: margins, and how intervals are made.

    Raises:
        DataError: a file is missing or malformed, two cells hold different samples or answered different prompts, or a score does not follow from the
            answers beside it.
    """
    return compared_pairs(JudgedCells(vocabulary, results), cells, studies, judging).rows


@dataclass(frozen=True, slots=True)
class ComparedPairs:
    """The comparisons of a run.

    Attributes:
        rows: of ``precision_effects.csv``.
        studies: each study -> its cells that were compared.
        counts: each zero-shot one -> what its two cells count.
    """

    rows: list[EffectRow]
    studies: Mapping[str, Sequence[Cell]]
    counts: Mapping[Cell, PairCounts]


def compared_pairs(
    judged: JudgedCells, cells: Sequence[Cell], studies: Mapping[str, Sequence[Cell]], judging: Judging
) -> ComparedPairs:
    """The rows of :func:`effects_table`, with the counts behind those that can be pooled, each cell being read once."""
    pairs = _Pairs(judged, frozenset(cells), judging)
    wanted = {name: pairs.among(of_study) for name, of_study in studies.items()}
    found = pairs.compared([cell for of_study in wanted.values() for cell in of_study])
    rows: list[EffectRow] = []
    for study, compared in wanted.items():
        of_study = _corrected([found[cell].row.model_copy(update={"study": study}) for cell in compared])
        rows += judged_floors(of_study, judging.bootstrap.confidence)
    counts = {cell: one.counts for cell, one in found.items() if is_zero_shot(cell)}
    return ComparedPairs(named_floors(judged.vocabulary, rows), wanted, counts)


def _corrected(rows: Sequence[EffectRow]) -> list[EffectRow]:
    """The comparisons of one study with Holm's correction of their p, each within its family.

    The zero-shot grid is one family, whatever else the study runs another; what random weights answer is in none.
    """
    tested = {
        place: p
        for place, row in enumerate(rows)
        if row.weights == "published" and (p := row.permutation_p) is not None
    }
    kinds = {place: "zero-shot" if is_zero_shot(rows[place]) else "other prompts" for place in tested}
    families = [f"{rows[place].study}, {kind}" for place, kind in kinds.items()]
    sizes, corrected = Counter(families), list(rows)
    for place, family, p in zip(tested, families, holm_by_family(list(tested.values()), families), strict=True):
        told = {"holm_p": p, "family": family, "family_size": sizes[family]}
        corrected[place] = rows[place].model_copy(update=told)
    return corrected


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The comparisons of a run, each made once however many studies want it."""

    judged: JudgedCells
    finished: frozenset[Cell]
    judging: Judging

    @property
    def vocabulary(self) -> Vocabulary:
        """Titles, and which precisions are the reference and noise floors."""
        return self.judged.vocabulary

    def among(self, cells: Sequence[Cell]) -> list[Cell]:
        """The quantized ones whose files and whose reference's are here."""
        aside = {self.vocabulary.reference, *self.vocabulary.noise_floors}
        quantized = [cell for cell in cells if cell.precision not in aside]
        return [cell for cell in quantized if {cell, self._reference(cell)} <= self.finished]

    def compared(self, cells: Sequence[Cell]) -> dict[Cell, _Compared]:
        """The comparison of each cell; a reference is read once for all its precisions."""
        by_reference: dict[Cell, list[Cell]] = {}
        for cell in dict.fromkeys(cells):
            by_reference.setdefault(self._reference(cell), []).append(cell)
        self._check_prompts(by_reference)
        effects: dict[Cell, _Compared] = {}
        for reference, others in by_reference.items():
            full = self.judged.read(reference)
            groups = self.judged.groups(reference, full.counted.sample_ids)
            replans = self._replans(full, groups)
            effects |= {cell: self._compared(full, self.judged.read(cell), replans, groups) for cell in others}
        return effects

    def _check_prompts(self, by_reference: Mapping[Cell, Sequence[Cell]]) -> None:
        """Refuse every pair at once, noise floors included, before any is compared."""
        pairs = []
        for reference, others in by_reference.items():
            full, floors = PromptHashes.read(self.judged.results, reference), self._repeats(reference)
            pairs += [(PromptHashes.read(self.judged.results, cell), full) for cell in (*others, *floors)]
        refuse_other_prompts(pairs)

    def _reference(self, cell: Cell) -> Cell:
        return replace(cell, precision=self.vocabulary.reference)

    def _repeats(self, reference: Cell) -> list[Cell]:
        """Full precision again under other batch plans, as far as that was run."""
        floors = self.vocabulary.noise_floors.items()
        repeats = [replace(reference, precision=name) for name, of in floors if of == reference.precision]
        return [cell for cell in repeats if cell in self.finished]

    def _replans(self, full: JudgedCell, groups: Sequence[str]) -> Replans | None:
        again = [self.judged.read(cell) for cell in self._repeats(full.cell)]
        for repeat in again:
            _check_same_samples(full, repeat)
        if not again:
            return None
        flips = np.stack([_flips(full, repeat) for repeat in again], axis=1)
        return Replans(flips, tuple(repeat.scores.value - full.scores.value for repeat in again), groups)

    def _compared(self, full: JudgedCell, other: JudgedCell, replans: Replans | None, groups: list[str]) -> _Compared:
        _check_same_samples(full, other)
        row = self._effect(full, other, groups)
        metric, constant = tasks.metric(row.metric), full.scores.constant_value
        counts = PairCounts.of(
            full.counts,
            other.counts,
            groups,
            metric,
            constant=constant,
            margin=row.margin,
            nothing_to_lose=row.weights == "random" or at_chance(full.scores.interval[0], constant, metric),
        )
        return _Compared(replans.beside(row, _flips(full, other)) if replans else row, counts)

    def _effect(self, full: JudgedCell, other: JudgedCell, groups: list[str]) -> EffectRow:
        """One row of the table, without study, family, Holm's p and noise floor."""
        cell, dataset = other.cell, self.vocabulary.datasets[other.cell.dataset]
        margin = self.judging.comparison.margin_of(dataset)
        metric = tasks.metric(dataset.metric)
        paired = compare(full.counts, other.counts, groups, metric, self.judging.bootstrap)
        random = "random" in (full.weights, other.weights)
        labels = tasks.get(dataset).labels
        rare = [labels[place] for place in rare_labels(full.counts, groups, metric)]
        changes = _changes(full, other)
        return EffectRow(
            study="",
            model=cell.model,
            title=self.vocabulary.title("model", cell.model),
            weights="random" if random else "published",
            dataset=cell.dataset,
            task=dataset.task,
            prompting=cell.prompting,
            shots=cell.shots,
            precision=cell.precision,
            metric=metric.name,
            n=len(groups),
            unit=full.scores.unit,
            documents=len(set(groups)),
            full_score=full.scores.value,
            score=other.scores.value,
            score_low=other.scores.interval[0],
            score_high=other.scores.interval[1],
            difference=paired.difference,
            difference_low=paired.low,
            difference_high=paired.high,
            degrees=paired.degrees,
            rare_labels="; ".join(rare) or None,
            flip_rate=changes.flip_rate,
            lost=changes.lost,
            gained=changes.gained,
            permutation_p=permutation_test(full.counts, other.counts, groups, metric, self.judging.bootstrap),
            mcnemar_p=mcnemar_exact(changes.lost, changes.gained) if metric.name == "accuracy" else None,
            holm_p=None,
            margin=margin,
            verdict=verdict(
                paired.low,
                paired.high,
                margin,
                few=too_few(paired.units, full.counts.shape[1], len(rare)) and not random,
                # Random weights know nothing, whatever they happen to score.
                chance=random or at_chance(full.scores.interval[0], full.scores.constant_value, metric),
            ),
            supported_margin=paired.supported_margin,
            smallest_detectable=paired.smallest_detectable,
            units_needed=paired.units_needed(margin),
            full_unparseable_rate=full.scores.unparseable_rate,
            unparseable_rate=other.scores.unparseable_rate,
            full_refused_rate=full.scores.refused_rate,
            refused_rate=other.scores.refused_rate,
            full_truncated_rate=full.scores.truncated_rate,
            truncated_rate=other.scores.truncated_rate,
            full_mean_new_tokens=full.scores.mean_new_tokens,
            mean_new_tokens=other.scores.mean_new_tokens,
        )


def _check_same_samples(full: JudgedCell, other: JudgedCell) -> None:
    if full.counted.sample_ids != other.counted.sample_ids:
        raise DataError(
            f"{other.cell.label}: other samples, or in another order, than at full precision ({len(other.answers)} and "
            f"{len(full.answers)}); delete the older of the two cells to have it made again"
        )
    for before, after in zip(full.answers, other.answers, strict=True):
        if before.gold != after.gold:
            raise DataError(
                f"{other.cell.label}: sample {after.sample_id!r} was scored against the gold answer {after.gold!r}, at full precision "
                f"against {before.gold!r}; delete scored.jsonl and scores.json of both cells to have them scored again"
            )


def _changes(full: JudgedCell, other: JudgedCell) -> _Changes:
    pairs = list(zip(full.answers, other.answers, strict=True))
    right = np.array([[before.correct, after.correct] for before, after in pairs])
    return _Changes(
        flip_rate=float(_flips(full, other).mean()),
        lost=int((right[:, 0] & ~right[:, 1]).sum()),
        gained=int((~right[:, 0] & right[:, 1]).sum()),
    )


def _flips(full: JudgedCell, other: JudgedCell) -> Counts:
    """1 for each sample whose answer changed at all, shape ``(n,)``."""
    pairs = zip(full.answers, other.answers, strict=True)
    changed = [(before.parsed_ok, before.parsed) != (after.parsed_ok, after.parsed) for before, after in pairs]
    return np.array(changed, dtype=np.int64)
