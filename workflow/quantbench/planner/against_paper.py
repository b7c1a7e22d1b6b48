"""The planner held against the paper's Table 1: 96 peaks measured on four A100 40GB, one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config import ModelEntry, PrecisionEntry, located
from ..errors import DataError, nearest
from ..reading import csv_tables
from .memory_plan import plan_memory
from .setting import PUBLISHED, Setting, Workload
from .weight_bytes import GIB

TABLE1 = "resources/paper/table1.csv"
PROMPT_TOKENS = "resources/paper/prompt_tokens.csv"
DEVICES = 4
# Where the longest prompt sets the peak, as in all 96 cells, the answer's length does not enter; the paper's was 50.
_NEW_TOKENS = 50


@dataclass(frozen=True)
class Comparison:
    """One published cell beside its plan; memory in GiB (the paper's "GB" are GiB)."""

    dataset: str
    model: str
    precision: str
    published_gib: float
    planned_gib: float

    @property
    def error_percent(self) -> float:
        """How far the plan lies above (positive) or below the published figure, in percent of the latter."""
        return 100 * (self.planned_gib / self.published_gib - 1)


def compare_with_paper(
    root: Path, models: Mapping[str, ModelEntry], precisions: Mapping[str, PrecisionEntry]
) -> list[Comparison]:
    """Plan every published cell, in the order of Table 1.

    Args:
        root: the repository; Table 1 and the assumed prompt lengths are read from its ``resources/paper``.
        models: entries by name; must hold all of Table 1's.
        precisions: entries by name, likewise.

    Raises:
        DataError: a file is missing or malformed, or names an unknown model, precision or dataset.
    """
    lengths = _numbers(located(root, PROMPT_TOKENS), ("dataset",), "prompt_tokens")
    published = _numbers(located(root, TABLE1), ("dataset", "model", "precision"), "memory_gb")
    return [
        Comparison(
            dataset, model, precision, gib, _planned_gib(root, (dataset, model, precision), lengths, models, precisions)
        )
        for (dataset, model, precision), gib in published.items()
    ]


def _planned_gib(
    root: Path,
    key: tuple[str, ...],
    lengths: Mapping[tuple[str, ...], float],
    models: Mapping[str, ModelEntry],
    precisions: Mapping[str, PrecisionEntry],
) -> float:
    dataset, model, precision = key
    known = {"dataset": (dataset, [name for (name,) in lengths]), "model": (model, models)}
    for word, (name, names) in {**known, "precision": (precision, precisions)}.items():
        if name not in names:
            raise DataError(f"{root / TABLE1}: no {word} {name!r} to plan with{nearest(name, names)}")
    work = Workload(round(lengths[(dataset,)]), _NEW_TOKENS, batch=1, devices=DEVICES)
    return plan_memory(Setting(models[model], precisions[precision], work, PUBLISHED)).peak_bytes / GIB


def _numbers(path: Path, keys: tuple[str, ...], column: str) -> dict[tuple[str, ...], float]:
    """Read one column of numbers by the columns that name a row."""
    table = csv_tables.read(path, remedy="it is part of the repository, restore it with git checkout")
    found: dict[tuple[str, ...], float] = {}
    for line, row in table.named():
        try:
            found[tuple(row[key] for key in keys)] = float(row[column])
        except KeyError as error:
            raise DataError(f"{path}: no column {error}; columns: {', '.join(row)}") from None
        except (TypeError, ValueError):
            raise DataError(f"{path}, line {line}, column {column!r}: {row[column]!r} is not a number") from None
    return found
