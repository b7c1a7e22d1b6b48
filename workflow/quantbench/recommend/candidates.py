"""What is known of one model at one precision on one task: a candidate for deployment, with its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from ..config.entries import DEFAULT_MARGIN
from ..contracts.effect_rows import Verdict as EffectVerdict
from ..contracts.run_tables import CellRow
from ..errors import DataError, nearest
from ..statistics import verdict
from ..tables import PublishedRow
from ..tasks.metrics import Floats

# "full": the reference itself; "untested": the source states no interval of the difference to full precision.
Verdict = Literal["full", "untested"] | EffectVerdict
RowOf = TypeVar("RowOf", CellRow, PublishedRow)
# The least assuring first: a task's verdict is that of its worst dataset.
_SEVERITY: tuple[Verdict, ...] = (
    *("degraded", "worse, extent open", "inconclusive", "too few", "untested", "at chance", "preserved", "improved"),
)


@dataclass(frozen=True, slots=True)
class CellEvidence:
    """One zero-shot cell. Scores and differences are between 0 and 1 (differences: quantized minus full precision).

    ``memory_source`` says what ``memory_gib`` is: a peak measured on GPUs, one the planner computed because the cell ran on
    a CPU, or one that was published. ``constant_score`` is what the best constant answer scores; ``unparseable_rate`` and
    ``truncated_rate`` are the shares of answers that could not be read and that were cut. ``margin`` is the loss that is
    negligible on the dataset, and ``unjudged`` says why the interval of the
    difference is not judged, whatever the margin. None stands for what the source does not state.
    """

    dataset: str
    score: float
    score_low: float | None
    score_high: float | None
    memory_gib: float
    memory_source: Literal["measured", "planned", "published"]
    latency_s: float
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    constant_score: float | None = None
    unparseable_rate: float | None = None
    truncated_rate: float | None = None
    margin: float = DEFAULT_MARGIN
    unjudged: Literal["at chance", "too few"] | None = None

    def verdict(self, margin: float | None = None) -> Verdict:
        """Whether the score at full precision is preserved within ``margin``, or the dataset's own (docs/protocol.md#verdicts)."""
        if self.difference_low is None or self.difference_high is None:
            return "untested"
        return self.unjudged or verdict(self.difference_low, self.difference_high, margin or self.margin)


@dataclass(frozen=True)
class Candidate:
    """One model at one precision, with its cells on a task's datasets.

    ``draws`` has its mean score with each draw of the datasets' documents, shape ``(draws,)``, the same draws for all
    candidates of the task; None where the source has no answers by document.
    """

    model: str
    precision: str
    title: str
    precision_title: str
    licence: str
    cells: tuple[CellEvidence, ...]
    is_reference: bool
    demonstration: bool = False
    draws: Floats | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """For example ``Phi-4 W4A16``."""
        return f"{self.title} {self.precision_title}"

    @property
    def score(self) -> float:
        """Mean score over the datasets."""
        return math.fsum(cell.score for cell in self.cells) / len(self.cells)

    @property
    def constant_score(self) -> float | None:
        """Mean over the datasets of what the best constant answer scores; None where a dataset's is not stated."""
        scores = [cell.constant_score for cell in self.cells if cell.constant_score is not None]
        return math.fsum(scores) / len(scores) if len(scores) == len(self.cells) else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of the mean score, the datasets' errors being independent; None where a dataset's is not stated."""
        below, above = [], []
        for cell in self.cells:
            if cell.score_low is None or cell.score_high is None:
                return None
            below.append(cell.score - cell.score_low)
            above.append(cell.score_high - cell.score)
        low, high = self.score - math.hypot(*below) / len(below), self.score + math.hypot(*above) / len(above)
        return max(0.0, low), min(1.0, high)

    @property
    def memory_gib(self) -> float:
        """Peak GPU memory of the dataset that needs most."""
        return max(cell.memory_gib for cell in self.cells)

    @property
    def latency_s(self) -> float:
        """Mean seconds of a single query on the dataset that takes longest."""
        return max(cell.latency_s for cell in self.cells)

    @property
    def difference(self) -> float | None:
        """Mean difference to full precision; None for full precision, and where it was not run on every dataset."""
        differences = [cell.difference for cell in self.cells if cell.difference is not None]
        return math.fsum(differences) / len(differences) if len(differences) == len(self.cells) else None

    def verdict(self, margin: float | None = None) -> Verdict:
        """The least assuring verdict of the datasets, by one margin or each by its own."""
        if self.is_reference:
            return "full"
        found = {cell.verdict(margin) for cell in self.cells}
        return next(word for word in _SEVERITY if word in found)


@dataclass(frozen=True)
class Evidence:
    """All candidates of one source.

    Attributes:
        source: the run in words, for headings.
        notes: what a reader must know about this source.
        datasets: task -> its datasets, titles by name, in the source's order.
        candidates: task -> candidates, each with a cell for at least one of the task's datasets.
        confidence: of statements about the order of candidates.
    """

    source: str
    notes: tuple[str, ...]
    datasets: dict[str, dict[str, str]]
    candidates: dict[str, tuple[Candidate, ...]]
    confidence: float = 0.95

    def of(self, task: str) -> tuple[Candidate, ...]:
        """The candidates of a task.

        Raises:
            DataError: the source has no cell of this task.
        """
        if task not in self.candidates:
            raise DataError(f"{self.source}: no zero-shot cell of the task {task!r}{nearest(task, self.candidates)}")
        return self.candidates[task]

    def complete(self, task: str) -> tuple[Candidate, ...]:
        """The candidates with a result on every dataset of a task: only their mean scores can be compared."""
        wanted = set(self.datasets.get(task, {}))
        return tuple(one for one in self.candidates.get(task, ()) if wanted <= {cell.dataset for cell in one.cells})


def by_task(candidates: Iterable[tuple[str, Candidate]]) -> dict[str, tuple[Candidate, ...]]:
    """Group candidates by the task before each, in order of first appearance."""
    grouped: dict[str, list[Candidate]] = {}
    for task, candidate in candidates:
        grouped.setdefault(task, []).append(candidate)
    return {task: tuple(found) for task, found in grouped.items()}


def by_deployment(rows: Iterable[RowOf]) -> dict[tuple[str, str, str], list[RowOf]]:
    """Group the rows of cells by task, model and precision, in order of first appearance."""
    grouped: dict[tuple[str, str, str], list[RowOf]] = {}
    for row in rows:
        grouped.setdefault((row.task, row.model, row.precision), []).append(row)
    return grouped
