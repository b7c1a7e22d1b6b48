"""The evidence of a run: its tables ``cells.csv`` and ``precision_effects.csv``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..config import Catalogue
from ..planner import GIB, Setting, Workload, plan_memory
from ..tables.cells import PEAK
from ..tables.efficiency import REFERENCE
from .candidates import Candidate, CellEvidence, Evidence, by_task

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ["model", "dataset", "precision"]
_DIFFERENCE = ["difference", "difference_low", "difference_high"]
# Tokens added to the mean prompt when memory is planned: the longest prompt decides, and it is not in the tables.
_LONGEST_OVER_MEAN = 3


def measured_evidence(catalogue: Catalogue, cells: pd.DataFrame, effects: pd.DataFrame) -> Evidence:
    """Take the zero-shot instruction cells of a run; noise floors are no candidates and are left out.

    Args:
        catalogue: the run's configuration.
        cells: ``tables/cells.csv``.
        effects: ``tables/precision_effects.csv``.
    """
    shown = _zero_shot(cells)
    shown = shown[~shown["precision"].isin(list(catalogue.noise_floors))]
    tested = _zero_shot(effects).drop_duplicates(_KEYS)
    rows = shown.merge(tested[[*_KEYS, *_DIFFERENCE]], on=_KEYS, how="left")
    tasks, candidates = [], []
    for (task, model, precision), group in rows.groupby(["task", "model", "precision"], sort=False):
        tasks.append(str(task))
        candidates.append(_candidate(catalogue, str(model), str(precision), group.to_dict("records")))
    titles = {
        str(task): dict(zip(group["dataset"], group["dataset_title"], strict=True))
        for task, group in shown.groupby("task", sort=False)
    }
    return Evidence(
        source=f"run {catalogue.run.run}",
        notes=_notes(catalogue, shown, candidates),
        datasets=titles,
        candidates=by_task(tasks, candidates),
    )


def _zero_shot(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["prompting"] == "instruction") & (table["shots"] == 0)]


def _candidate(catalogue: Catalogue, model: str, precision: str, rows: list[dict[Any, Any]]) -> Candidate:
    entry = catalogue.models[model]
    return Candidate(
        model=model,
        precision=precision,
        title=entry.title,
        precision_title=catalogue.precisions[precision].title,
        licence=entry.licence,
        cells=tuple(_cell(catalogue, model, precision, row) for row in rows),
        is_reference=precision == REFERENCE,
        demonstration=entry.demonstration or any(row["weights"] == "random" for row in rows),
    )


def _cell(catalogue: Catalogue, model: str, precision: str, row: dict[Any, Any]) -> CellEvidence:
    on_gpu = row["memory_kind"] == PEAK
    source: Literal["measured", "planned"] = "measured" if on_gpu else "planned"
    return CellEvidence(
        dataset=str(row["dataset"]),
        score=float(row["score"]),
        score_low=float(row["score_low"]),
        score_high=float(row["score_high"]),
        memory_gib=float(row["memory_gib"]) if on_gpu else _planned_gib(catalogue, model, precision, row),
        memory_source=source,
        latency_s=float(row["latency_mean_s"]),
        constant_score=_known(row["constant_score"]),
        **{name: _known(row[name]) for name in _DIFFERENCE},
    )


def _known(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _planned_gib(catalogue: Catalogue, model: str, precision: str, row: dict[Any, Any]) -> float:
    """The peak on one GPU, by the memory planner: on a CPU nothing comparable is measured."""
    limits = catalogue.datasets[row["dataset"]].max_new_tokens
    prompt = math.ceil(_LONGEST_OVER_MEAN * row["prompt_tokens_mean"])
    work = Workload(prompt_tokens=prompt, new_tokens=limits["instruction"])
    setting = Setting(catalogue.models[model], catalogue.precisions[precision], work)
    return plan_memory(setting).peak_bytes / GIB


def _notes(catalogue: Catalogue, cells: pd.DataFrame, candidates: list[Candidate]) -> tuple[str, ...]:
    devices = list(dict.fromkeys(cells["device"]))
    notes = [f"Latency was measured on {', '.join(map(str, devices))}, one query at a time."] if devices else []
    if any(cell.memory_source == "planned" for candidate in candidates for cell in candidate.cells):
        notes.append("The run was on a CPU: GPU memory is planned (docs/memory.md), not measured.")
    if catalogue.run.limit:
        notes.append(f"Scores are of at most {catalogue.run.limit} samples a dataset.")
    return tuple(notes)


def read_evidence(catalogue: Catalogue, folder: Path) -> Evidence:
    """The evidence of ``results/<run>``.

    Raises:
        DataError: its tables are missing or malformed.
    """
    from ..tables import read_csv

    tables = folder / "tables"
    return measured_evidence(catalogue, read_csv(tables / "cells.csv"), read_csv(tables / "precision_effects.csv"))
