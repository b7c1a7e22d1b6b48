"""The judged answers of cells, with the documents they are about: what every comparison is made of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import tasks
from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.measurements import Measurements
from ..contracts.records import Sample, ScoredAnswer, read_records
from ..contracts.scores import Scores
from ..errors import DataError
from ..tasks.metrics import Counts

# scores.json and the counts of scored.jsonl are of the same answers; more than rounding between them means a stale
# file.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class CountedCell:
    """What one cell's answers count: so little that it is kept for all cells of a run, which their answers are not.

    Attributes:
        cell: the cell.
        sample_ids: of its n answers, in order.
        counts: shape ``(n, labels, 3)``, what the metric is made of.
        class_counts: shape ``(n, classes, 3)``; None where labels mean something else in each sample, or there is one.
    """

    cell: Cell
    sample_ids: tuple[str, ...]
    counts: Counts
    class_counts: Counts | None


@dataclass(frozen=True, slots=True)
class JudgedCell:
    """One cell's judged answers, and what they count."""

    counted: CountedCell
    answers: list[ScoredAnswer]
    scores: Scores
    weights: str

    @property
    def cell(self) -> Cell:
        """Which one it is."""
        return self.counted.cell

    @property
    def counts(self) -> Counts:
        """See :class:`CountedCell`."""
        return self.counted.counts


@dataclass(frozen=True, slots=True)
class JudgedCells:
    """Reads cells of ``results/<run>``; the samples of a dataset are read once, and so are cells of which counts are enough."""

    vocabulary: Vocabulary
    results: Path
    _documents: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)
    _counted: dict[Cell, CountedCell] = field(default_factory=dict, compare=False, repr=False)

    def read(self, cell: Cell) -> JudgedCell:
        """Read one cell, and keep what it counts.

        Raises:
            DataError: a file is missing or malformed, or the score does not follow from the answers beside it.
        """
        folder = self.results / "cells" / cell.folder
        answers = read_records(folder / "scored.jsonl", ScoredAnswer)
        try:
            counted = self._counted[cell] = self._count(cell, answers)
        except DataError as error:
            raise DataError(f"{folder / 'scored.jsonl'}: {error}; delete it to have the cell scored again") from None
        scores = Scores.read(folder / "scores.json")
        recomputed = tasks.get(self.vocabulary.datasets[cell.dataset]).metric.value(counted.counts.sum(axis=0))
        if abs(recomputed - scores.value) > TOLERANCE:
            raise DataError(
                f"{folder / 'scores.json'}: the value {scores.value} does not follow from scored.jsonl beside it, which "
                f"gives {recomputed:.6f}; delete both files to have the cell scored again"
            )
        # What the cell left counts, not the configuration, which may have changed since.
        return JudgedCell(counted, answers, scores, Measurements.read(folder / "measurements.json").weights)

    def counted(self, cell: Cell) -> CountedCell:
        """What one cell counts; it is read unless it was before.

        Raises:
            DataError: as :meth:`read`.
        """
        return self._counted[cell] if cell in self._counted else self.read(cell).counted

    def groups(self, cell: Cell, sample_ids: Sequence[str]) -> list[str]:
        """The source document of each of a cell's answers.

        Raises:
            DataError: the dataset's samples are missing or malformed, or lack one that was answered.
        """
        documents = self._of(cell.dataset)
        try:
            return [documents[name] for name in sample_ids]
        except KeyError as error:
            raise DataError(f"{cell.label}: sample {error} is not in the dataset's samples.jsonl") from None

    def _count(self, cell: Cell, answers: Sequence[ScoredAnswer]) -> CountedCell:
        task = tasks.get(self.vocabulary.datasets[cell.dataset])
        parsed, golds = [answer.parsed for answer in answers], [answer.gold for answer in answers]
        counts = task.counts(parsed, golds)
        classes = None
        if task.classes:
            classes = counts if task.classes == task.labels else task.class_counts(parsed, golds)
        # Cells of one dataset share the names of its samples.
        names = tuple(sys.intern(answer.sample_id) for answer in answers)
        return CountedCell(cell, names, counts, classes)

    def _of(self, dataset: str) -> dict[str, str]:
        if dataset not in self._documents:
            samples = read_records(self.results / "datasets" / dataset / "samples.jsonl", Sample)
            self._documents[dataset] = {sample.sample_id: sample.group for sample in samples}
        return self._documents[dataset]
