"""The judged answers of cells, with the documents they are about: what every comparison is made of."""

from __future__ import annotations

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
class JudgedCell:
    """One cell's judged answers. ``counts`` has the shape (n, labels, 3)."""

    cell: Cell
    answers: list[ScoredAnswer]
    counts: Counts
    scores: Scores
    weights: str


@dataclass(frozen=True, slots=True)
class JudgedCells:
    """Reads cells of ``results/<run>``; the samples of a dataset are read once."""

    vocabulary: Vocabulary
    results: Path
    _documents: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)

    def read(self, cell: Cell) -> JudgedCell:
        """Read one cell.

        Raises:
            DataError: a file is missing or malformed, or the score does not follow from the answers beside it.
        """
        folder = self.results / "cells" / cell.folder
        answers = read_records(folder / "scored.jsonl", ScoredAnswer)
        task = tasks.get(self.vocabulary.datasets[cell.dataset])
        try:
            counts = task.counts([answer.parsed for answer in answers], [answer.gold for answer in answers])
        except DataError as error:
            raise DataError(f"{folder / 'scored.jsonl'}: {error}; delete it to have the cell scored again") from None
        scores = Scores.read(folder / "scores.json")
        recomputed = task.metric.value(counts.sum(axis=0))
        if abs(recomputed - scores.value) > TOLERANCE:
            raise DataError(
                f"{folder / 'scores.json'}: the value {scores.value} does not follow from scored.jsonl beside it, which "
                f"gives {recomputed:.6f}; delete both files to have the cell scored again"
            )
        # What the cell left counts, not the configuration, which may have changed since.
        return JudgedCell(cell, answers, counts, scores, Measurements.read(folder / "measurements.json").weights)

    def groups(self, judged: JudgedCell) -> list[str]:
        """The source document of each answer.

        Raises:
            DataError: the dataset's samples are missing or malformed, or lack one that was answered.
        """
        documents = self._of(judged.cell.dataset)
        try:
            return [documents[answer.sample_id] for answer in judged.answers]
        except KeyError as error:
            raise DataError(f"{judged.cell.label}: sample {error} is not in the dataset's samples.jsonl") from None

    def _of(self, dataset: str) -> dict[str, str]:
        if dataset not in self._documents:
            samples = read_records(self.results / "datasets" / dataset / "samples.jsonl", Sample)
            self._documents[dataset] = {sample.sample_id: sample.group for sample in samples}
        return self._documents[dataset]
