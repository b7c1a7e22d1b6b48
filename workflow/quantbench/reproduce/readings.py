"""One set of scores of some cells with memory and latency: the published table, or a run under one of its two scorings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from ..config import Vocabulary
from ..config.vocabulary import REFERENCE
from ..contracts.cell_name import Cell
from ..contracts.effect_rows import EffectRow
from ..contracts.run_tables import PEAK, CellRow
from ..tables import PublishedRow
from ..tasks import Metric, metric, published_metric
from .constant_answers import ConstantAnswer

Scoring = Literal["published", "as_published", "ours"]
NAMES: dict[Scoring, str] = {
    "published": "Table 1",
    "as_published": "this run, scored as published",
    "ours": "this run",
}


@dataclass(frozen=True, slots=True)
class ReadCell:
    """One cell as a claim sees it. Titles are for people; scores lie between 0 and 1.

    ``metric`` is the title of what the score is, and ``constant`` is what the best answer that is the same for every sample scores under the same convention; None where unknown.
    """

    cell: Cell
    model: str
    precision: str
    dataset: str
    task: str
    domain: str
    parameters: int
    metric: str
    score: float
    memory_gib: float
    latency_s: float
    constant: float | None

    @property
    def name(self) -> str:
        """For example ``Phi-4 W4A16 on HoC``."""
        return f"{self.model} {self.precision} on {self.dataset}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A quantized cell and its twin at full precision."""

    quantized: ReadCell
    full: ReadCell

    @property
    def difference(self) -> float:
        """Score, quantized minus full."""
        return self.quantized.score - self.full.score

    @property
    def saving(self) -> float:
        """The share of full precision's memory that is saved; negative where quantized takes more."""
        return 1 - self.quantized.memory_gib / self.full.memory_gib

    @property
    def slowdown(self) -> float:
        """Latency as a multiple of full precision's."""
        return self.quantized.latency_s / self.full.latency_s


@dataclass(frozen=True)
class Reading:
    """Cells under one scoring.

    Attributes:
        scoring: whose scores these are.
        cells: in the order of their source.
        on_gpu: whether memory is a peak measured on GPUs.
        verdicts: quantized cell -> its verdict against full precision; empty where no paired answers are known.
    """

    scoring: Scoring
    cells: tuple[ReadCell, ...]
    on_gpu: bool
    verdicts: Mapping[Cell, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """In words."""
        return NAMES[self.scoring]

    @cached_property
    def by_cell(self) -> dict[Cell, ReadCell]:
        """Every cell by its name."""
        return {one.cell: one for one in self.cells}

    def of(self, cells: Iterable[Cell]) -> Reading:
        """The same reading of some of its cells, in the order given."""
        return replace(self, cells=tuple(self.by_cell[cell] for cell in cells))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every quantized cell whose twin at full precision is here."""
        twins = ((one, self.by_cell.get(replace(one.cell, precision=REFERENCE))) for one in self.cells)
        return tuple(Pair(one, full) for one, full in twins if full is not None and full is not one)


def published_reading(
    vocabulary: Vocabulary, rows: Iterable[PublishedRow], constants: Mapping[str, ConstantAnswer]
) -> Reading:
    """Table 1 as a reading; ``vocabulary`` must have its models, ``constants`` are by dataset."""
    return Reading("published", tuple(_published(vocabulary, row, constants) for row in rows), on_gpu=True)


def run_readings(
    vocabulary: Vocabulary,
    rows: Sequence[CellRow],
    effects: Sequence[EffectRow],
    constants: Mapping[str, ConstantAnswer],
) -> list[Reading]:
    """A run scored as published, left out where no cell is, and as this product scores it. Noise floors are left out."""
    shown = [row for row in rows if row.precision not in vocabulary.noise_floors]
    on_gpu = bool(shown) and all(row.memory_kind == PEAK for row in shown)
    as_published = [
        _measured(
            vocabulary,
            row,
            row.score_as_published,
            published_metric(row.published_metric),
            constants[row.dataset].published_value if row.dataset in constants else None,
        )
        for row in shown
        if row.score_as_published is not None and row.published_metric is not None
    ]
    ours = [_measured(vocabulary, row, row.score, metric(row.metric), row.constant_score) for row in shown]
    readings = [Reading("as_published", tuple(as_published), on_gpu)] if as_published else []
    return [*readings, Reading("ours", tuple(ours), on_gpu, {row.cell: row.verdict for row in effects})]


def _published(vocabulary: Vocabulary, row: PublishedRow, constants: Mapping[str, ConstantAnswer]) -> ReadCell:
    entry = vocabulary.models[row.model]
    return ReadCell(
        cell=row.cell,
        model=entry.title,
        precision=vocabulary.title("precision", row.precision),
        dataset=vocabulary.title("dataset", row.dataset),
        task=row.task,
        domain=entry.domain,
        parameters=entry.counted.parameters,
        metric=published_metric(constants[row.dataset].published_metric).title,
        score=row.score,
        memory_gib=row.memory_gib,
        latency_s=row.latency_mean_s,
        constant=constants[row.dataset].published_value,
    )


def _measured(
    vocabulary: Vocabulary, row: CellRow, score: float, scored_by: Metric, constant: float | None
) -> ReadCell:
    return ReadCell(
        cell=row.cell,
        model=row.title,
        precision=vocabulary.title("precision", row.precision),
        dataset=row.dataset_title,
        task=row.task,
        domain=row.domain,
        parameters=row.parameters,
        metric=scored_by.title,
        score=score,
        memory_gib=row.memory_gib,
        latency_s=row.latency_mean_s,
        constant=constant,
    )
