"""What a figure sees of the tables: the cells its study expects, those that exist, and what to say about the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from ..config import Catalogue
from ..errors import ConfigError
from ..study.grid import Cell, active_studies, study_cells
from ..tables.cells import KEYS, MODEL_BYTES, PEAK
from ..tables.paper_rows import PUBLISHED_PEAK

if TYPE_CHECKING:
    import pandas as pd

LINE = 130  # characters of a footnote line at the figure's width
NAMED_MISSING = 4
METRICS = {"macro_f1": "macro F1", "entity_f1": "entity F1", "accuracy": "accuracy"}
PROMPTINGS = {"instruction": "instruction", "cot": "chain of thought", "self_consistency": "self-consistency"}
_MEMORY_WORDS = {PEAK: "Peak memory", MODEL_BYTES: "Model bytes", PUBLISHED_PEAK: "Peak memory"}
PUBLISHED_WORDS = "Published values (arXiv 2509.04534, Table 1), which come without intervals."


@dataclass(frozen=True)
class Tables:
    """The tables figures are drawn from: ``cells.csv`` and ``precision_effects.csv``."""

    cells: pd.DataFrame
    effects: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column with the unit it is shown in: shown value = column value x factor."""

    column: str
    label: str
    factor: float = 1.0
    unit: str = ""

    @property
    def titled(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class StudyView:
    """One study's cells; ``frame`` holds the row of ``cells.csv`` of each that exists, in expected order."""

    catalogue: Catalogue
    expected: tuple[Cell, ...]
    frame: pd.DataFrame

    def names(self, key: str) -> list[Any]:
        """The values of ``model``, ``precision``, ``dataset``, ``prompting`` or ``shots``, in expected order."""
        return list(dict.fromkeys(getattr(cell, key) for cell in self.expected))

    def where(self, **fixed: Any) -> pd.DataFrame:
        """The rows whose columns have these values."""
        rows = self.frame
        for column, value in fixed.items():
            rows = rows[rows[column] == value]
        return rows

    @property
    def missing(self) -> list[Cell]:
        """The expected cells that do not exist."""
        present = set(self.frame[KEYS].itertuples(index=False, name=None))
        return [cell for cell in self.expected if astuple(cell) not in present]

    @property
    def memory(self) -> Quantity:
        """Memory in GiB, or in MiB where all models are small."""
        kinds = [_MEMORY_WORDS.get(kind, str(kind)) for kind in self.frame["memory_kind"].unique()]
        small = len(self.frame) > 0 and self.frame["memory_gib"].max() < 0.5
        return Quantity("memory_gib", " / ".join(kinds) or "Memory", 1024 if small else 1, "MiB" if small else "GiB")

    @property
    def latency(self) -> Quantity:
        """Mean latency in seconds, or in milliseconds where every query is quick."""
        quick = len(self.frame) > 0 and self.frame["latency_mean_s"].max() < 1
        return Quantity("latency_mean_s", "Latency", 1000 if quick else 1, "ms" if quick else "s")

    def score_label(self, dataset: str) -> str:
        """The metric of a dataset in words."""
        return METRICS[self.catalogue.datasets[dataset].metric]

    def title(self, key: str, name: str) -> str:
        """The title of a model, precision or dataset."""
        entries: dict[str, Any] = getattr(self.catalogue, f"{key}s")
        return str(entries[name].title)

    def notes(self, latency: bool = False) -> str:
        """What the figure must say on its face: missing cells, demonstration models, the device of its latencies."""
        lines = [missing_words(self.catalogue, self.missing, len(self.expected))]
        if any(self.catalogue.models[model].demonstration for model in self.names("model")):
            lines.append("Tiny demonstration models.")
        published = len(self.frame) > 0 and (self.frame["memory_kind"] == PUBLISHED_PEAK).all()
        intervals = f"Score intervals: {self.catalogue.run.comparison.confidence:.0%} confidence."
        lines.append(PUBLISHED_WORDS if published else intervals)
        if latency:
            lines.append(_device_words(list(self.frame["device"].unique())))
        return wrap([lines[0], " ".join(lines[1:])])


def study_view(catalogue: Catalogue, cells: pd.DataFrame, figure: str) -> StudyView:
    """The view of the study that feeds ``figure``.

    Raises:
        ConfigError: no study of the run, or more than one, names this figure.
    """
    names = [name for name, study in active_studies(catalogue).items() if study.figure == figure]
    if len(names) != 1:
        found = " and ".join(names) or "none"
        raise ConfigError(
            f"{catalogue.run.studies_file}: {found} of the run's studies "
            f"({', '.join(catalogue.run.studies)}, and their subsets) has 'figure: {figure}'; exactly one must"
        )
    return view_of(catalogue, cells, study_cells(catalogue, names[0]))


def view_of(catalogue: Catalogue, cells: pd.DataFrame, expected: Sequence[Cell]) -> StudyView:
    """The view of some expected cells."""
    import pandas as pd

    wanted = pd.DataFrame([astuple(cell) for cell in expected], columns=KEYS)
    return StudyView(catalogue, tuple(expected), wanted.merge(cells, on=KEYS, how="inner"))


def missing_words(catalogue: Catalogue, missing: Sequence[Cell], expected: int) -> str:
    """Name the missing cells, all of them where they are few; empty where none is missing."""
    if not missing:
        return ""
    named = [_words(catalogue, cell) for cell in missing[:NAMED_MISSING]]
    more = len(missing) - len(named)
    rest = f"; and {more} more" if more else ""
    return f"Missing {len(missing)} of {expected} cells: {'; '.join(named)}{rest}."


def wrap(lines: Sequence[str]) -> str:
    """Footnote lines, broken at the figure's width; empty ones are left out."""
    return "\n".join(textwrap.fill(line, LINE) for line in lines if line)


def _words(catalogue: Catalogue, cell: Cell) -> str:
    model, dataset = catalogue.models[cell.model].title, catalogue.datasets[cell.dataset].title
    prompting = "" if cell.prompting == "instruction" else f", {PROMPTINGS[cell.prompting]}"
    shots = f", {cell.shots} shots" if cell.shots else ""
    return f"{model} {catalogue.precisions[cell.precision].title} on {dataset}{prompting}{shots}"


def _device_words(devices: Sequence[str]) -> str:
    if not devices:
        return ""
    more = f" and {len(devices) - 2} more" if len(devices) > 2 else ""
    return f"Latency on {', '.join(devices[:2])}{more}."
