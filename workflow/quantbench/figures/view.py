"""What a figure sees: the cells that it should show, the rows of those that exist, and what to say about the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..config import Prompting, RunConfig, Vocabulary
from ..config.vocabulary import PROMPTINGS, Kind
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LabelEffectRow
from ..contracts.effect_rows import EffectRow
from ..contracts.likelihood_tables import FlipRow, ReliabilityRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.resampled_scores import ResampledScores
from ..contracts.run_tables import MODEL_BYTES, PEAK, CellRow
from ..tables.paper_rows import PUBLISHED_PEAK, PublishedRow
from ..tables.quantized_shares import share_notes
from ..tasks import metric

LINE = 130  # characters of a footnote line at the figure's width
NAMED_MISSING = 4
_MEMORY_WORDS = {PEAK: "Peak memory", MODEL_BYTES: "Model bytes", PUBLISHED_PEAK: "Peak memory"}
PUBLISHED_WORDS = "Published values (arXiv 2509.04534, Table 1), which come without intervals."
MeasuredRow = CellRow | PublishedRow


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a quantity is shown: its name, and its unit, of which the table's unit has ``factor``."""

    label: str
    factor: float = 1.0
    unit: str = ""

    @property
    def titled(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class View:
    """What one figure is drawn from.

    Attributes:
        vocabulary: titles, and which precisions stand out.
        run: margin, confidence, resamples and name of the run.
        expected: the cells that the figure should show.
        table: rows of ``cells.csv``, also of cells that this figure does not show.
        effects: rows of ``precision_effects.csv``, likewise.
        pooled: rows of ``pooled_effects.csv``.
        label_effects: rows of ``label_effects.csv``, likewise.
        reliability: rows of ``reliability.csv``.
        flips: rows of ``flips_by_confidence.csv``.
        draws: ``resampled_scores.npz``; None where there is none.
    """

    vocabulary: Vocabulary
    run: RunConfig
    expected: tuple[Cell, ...]
    table: tuple[MeasuredRow, ...]
    effects: tuple[EffectRow, ...] = ()
    pooled: tuple[PooledRow, ...] = ()
    label_effects: tuple[LabelEffectRow, ...] = ()
    reliability: tuple[ReliabilityRow, ...] = ()
    flips: tuple[FlipRow, ...] = ()
    draws: ResampledScores | None = None

    @cached_property
    def rows(self) -> tuple[MeasuredRow, ...]:
        """The row of each expected cell that exists, in expected order."""
        known = {row.cell: row for row in self.table}
        return tuple(known[cell] for cell in self.expected if cell in known)

    def names(self, kind: Kind) -> list[str]:
        """The models, precisions or datasets to show, in expected order."""
        return list(dict.fromkeys(str(getattr(cell, kind)) for cell in self.expected))

    @property
    def promptings(self) -> list[Prompting]:
        """The ways of prompting to show, in expected order."""
        return list(dict.fromkeys(cell.prompting for cell in self.expected))

    def where(self, **fixed: str) -> list[MeasuredRow]:
        """The rows whose columns have these values."""
        return [row for row in self.rows if all(getattr(row, column) == value for column, value in fixed.items())]

    @property
    def missing(self) -> list[Cell]:
        """The expected cells that do not exist."""
        present = {row.cell for row in self.rows}
        return [cell for cell in self.expected if cell not in present]

    @property
    def memory(self) -> Quantity:
        """Memory in GiB, or in MiB where all models are small."""
        kinds = dict.fromkeys(_MEMORY_WORDS[row.memory_kind] for row in self.rows)
        small = len(self.rows) > 0 and max(row.memory_gib for row in self.rows) < 0.5
        return Quantity(" / ".join(kinds) or "Memory", 1024 if small else 1, "MiB" if small else "GiB")

    @property
    def latency(self) -> Quantity:
        """Mean latency in seconds, or in milliseconds where every query is quick."""
        quick = len(self.rows) > 0 and max(row.latency_mean_s for row in self.rows) < 1
        return Quantity("Latency", 1000 if quick else 1, "ms" if quick else "s")

    def score_label(self, dataset: str) -> str:
        """The metric of a dataset in words."""
        return metric(self.vocabulary.datasets[dataset].metric).title

    def title(self, kind: Kind, name: str) -> str:
        """The title of a model, precision or dataset."""
        return self.vocabulary.title(kind, name)

    @property
    def demonstration(self) -> bool:
        """Whether a tiny model is among those to show."""
        return self.vocabulary.has_demonstrations(self.names("model"))

    def notes(self, latency: bool = False) -> str:
        """What the figure must say on its face: missing cells, demonstration models, the device of its latencies."""
        lines = ["Tiny demonstration models."] if self.demonstration else []
        published = len(self.rows) > 0 and all(row.memory_kind == PUBLISHED_PEAK for row in self.rows)
        intervals = f"Score intervals: {self.run.comparison.confidence:.0%} confidence."
        lines.append(PUBLISHED_WORDS if published else intervals)
        if latency:
            lines.append(_device_words(list(dict.fromkeys(row.device for row in self.rows))))
        return wrap([self.missing_words(self.missing), self.share_words, " ".join(lines)])

    @property
    def share_words(self) -> str:
        """Of which models a precision quantizes an unusual share; empty where of none."""
        rows = [row for row in self.rows if isinstance(row, CellRow)]
        return " ".join(share_notes(self.vocabulary, rows))

    def missing_words(self, missing: Sequence[Cell]) -> str:
        """Name some missing cells of the expected ones, all where they are few; empty where none is missing."""
        if not missing:
            return ""
        named = [self._words(cell) for cell in missing[:NAMED_MISSING]]
        more = len(missing) - len(named)
        rest = f"; and {more} more" if more else ""
        return f"Missing {len(missing)} of {len(self.expected)} cells: {'; '.join(named)}{rest}."

    def _words(self, cell: Cell) -> str:
        model, dataset = self.title("model", cell.model), self.title("dataset", cell.dataset)
        prompting = "" if cell.prompting == "instruction" else f", {PROMPTINGS[cell.prompting]}"
        shots = f", {cell.shots} shots" if cell.shots else ""
        return f"{model} {self.title('precision', cell.precision)} on {dataset}{prompting}{shots}"


def wrap(lines: Sequence[str]) -> str:
    """Footnote lines, broken at the figure's width; empty ones are left out."""
    return "\n".join(textwrap.fill(line, LINE) for line in lines if line)


def _device_words(devices: Sequence[str]) -> str:
    if not devices:
        return ""
    more = f" and {len(devices) - 2} more" if len(devices) > 2 else ""
    return f"Latency on {', '.join(devices[:2])}{more}."
