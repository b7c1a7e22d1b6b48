"""The evidence of the paper's Table 1 (arXiv 2509.04534), so that there is an answer with nothing computed."""

from __future__ import annotations

from typing import Any

from ..config import Catalogue
from ..errors import DataError, nearest
from ..statistics import wilson_interval
from ..tables import read_csv
from ..tables.efficiency import REFERENCE
from ..tables.table1 import published_path
from .candidates import Candidate, CellEvidence, Evidence, by_task

PUBLISHED_RUN = "published"
CONFIDENCE = 0.95
_NOTES = (
    "Published values: one run a cell, no intervals of differences, so whether quantization cost anything is untested.",
    "Score intervals of accuracy follow from the size of the test set (Wilson); Table 1 gives none for F1.",
    "Latency and memory were measured on four A100 40GB, memory summed over the four; one query at a time.",
)


def published_evidence(catalogue: Catalogue) -> Evidence:
    """Take every cell of ``resources/paper/table1.csv``; ``table2.csv`` beside it gives the sizes of the test sets.

    Raises:
        DataError: a table is missing or malformed, or names a model, precision or dataset without an entry.
    """
    path = published_path(catalogue.root)
    table = read_csv(path)
    sizes = read_csv(path.with_name("table2.csv")).set_index("dataset")["test_examples"]
    _check_names(catalogue, table, path)
    full = table[table["precision"] == REFERENCE].set_index(["model", "dataset"])["score"]
    table["difference"] = [
        row.score - full.get((row.model, row.dataset), float("nan")) for row in table.itertuples(index=False)
    ]
    table["n"] = table["dataset"].map(sizes)
    tasks, candidates = [], []
    for (task, model, precision), group in table.groupby(["task", "model", "precision"], sort=False):
        tasks.append(str(task))
        candidates.append(_candidate(catalogue, str(model), str(precision), group.to_dict("records")))
    datasets = {
        str(task): {name: catalogue.datasets[name].title for name in dict.fromkeys(group["dataset"])}
        for task, group in table.groupby("task", sort=False)
    }
    return Evidence("published Table 1 (arXiv 2509.04534)", _NOTES, datasets, by_task(tasks, candidates))


def _candidate(catalogue: Catalogue, model: str, precision: str, rows: list[dict[Any, Any]]) -> Candidate:
    entry = catalogue.models[model]
    reference = precision == REFERENCE
    return Candidate(
        model=model,
        precision=precision,
        title=entry.title,
        precision_title=catalogue.precisions[precision].title,
        licence=entry.licence,
        cells=tuple(_cell(row, reference) for row in rows),
        is_reference=reference,
    )


def _cell(row: dict[Any, Any], reference: bool) -> CellEvidence:
    score, n = float(row["score"]), row["n"]
    interval: tuple[float, float] | tuple[None, None] = (None, None)
    if str(row["metric"]).lower() == "accuracy" and n == n:
        interval = wilson_interval(round(score * n), int(n), CONFIDENCE)
    difference = row["difference"]
    return CellEvidence(
        dataset=str(row["dataset"]),
        score=score,
        score_low=interval[0],
        score_high=interval[1],
        memory_gib=float(row["memory_gb"]),
        memory_source="published",
        latency_s=float(row["latency_s"]),
        difference=None if reference or difference != difference else float(difference),
    )


def _check_names(catalogue: Catalogue, table: Any, path: Any) -> None:
    known: dict[str, Any] = {
        "model": catalogue.models,
        "precision": catalogue.precisions,
        "dataset": catalogue.datasets,
    }
    for column, entries in known.items():
        for name in dict.fromkeys(table[column]):
            if name not in entries:
                raise DataError(f"{path}: no entry for the {column} {name!r} in config/{nearest(str(name), entries)}")
