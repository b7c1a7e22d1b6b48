"""The evidence of the paper's Table 1 (arXiv 2509.04534), so that there is an answer with nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..config import Vocabulary
from ..config.vocabulary import Kind
from ..errors import DataError, nearest
from ..statistics import wilson_interval
from ..tables.paper_rows import PublishedRow, TestSetSize
from .candidates import Candidate, CellEvidence, Evidence, by_deployment, by_task

PUBLISHED_RUN = "published"
CONFIDENCE = 0.95
_KINDS: tuple[Kind, ...] = ("model", "precision", "dataset")
_NOTES = (
    "Published values: one run a cell, no intervals of differences, so whether quantization cost anything is untested.",
    "Score intervals of accuracy follow from the size of the test set (Wilson); Table 1 gives none for F1.",
    "Latency and memory were measured on four A100 40GB, memory summed over the four; one query at a time.",
)


def published_evidence(vocabulary: Vocabulary, path: Path) -> Evidence:
    """Take every cell of ``resources/paper/table1.csv``; ``table2.csv`` beside it gives the sizes of the test sets.

    Args:
        vocabulary: titles and licences.
        path: where Table 1 stands, see :func:`quantbench.tables.paper_rows.published_path`.

    Raises:
        DataError: a table is missing or malformed, or names a model, precision or dataset without an entry.
    """
    table = PublishedRow.read(path)
    sizes = {row.dataset: row.test_examples for row in TestSetSize.read(path.with_name("table2.csv"))}
    _check_names(vocabulary, table, path)
    full = {(row.model, row.dataset): row.score for row in table if row.precision == vocabulary.reference}
    candidates = by_task(
        (task, _candidate(vocabulary, model, precision, [_cell(row, full, sizes) for row in rows]))
        for (task, model, precision), rows in by_deployment(table).items()
    )
    datasets: dict[str, dict[str, str]] = {}
    for row in table:
        datasets.setdefault(row.task, {})[row.dataset] = vocabulary.title("dataset", row.dataset)
    return Evidence("published Table 1 (arXiv 2509.04534)", _NOTES, datasets, candidates)


def _candidate(vocabulary: Vocabulary, model: str, precision: str, cells: Sequence[CellEvidence]) -> Candidate:
    reference = precision == vocabulary.reference
    return Candidate(
        model=model,
        precision=precision,
        title=vocabulary.models[model].title,
        precision_title=vocabulary.title("precision", precision),
        licence=vocabulary.models[model].licence,
        cells=tuple(replace(cell, difference=None) for cell in cells) if reference else tuple(cells),
        is_reference=reference,
    )


def _cell(row: PublishedRow, full: Mapping[tuple[str, str], float], sizes: Mapping[str, int]) -> CellEvidence:
    low = high = None
    if row.metric.lower() == "accuracy" and row.dataset in sizes:
        n = sizes[row.dataset]
        low, high = wilson_interval(round(row.score * n), n, CONFIDENCE)
    reference = full.get((row.model, row.dataset))
    return CellEvidence(
        dataset=row.dataset,
        score=row.score,
        score_low=low,
        score_high=high,
        memory_gib=row.memory_gib,
        memory_source="published",
        latency_s=row.latency_s,
        difference=None if reference is None else row.score - reference,
    )


def _check_names(vocabulary: Vocabulary, table: Sequence[PublishedRow], path: Path) -> None:
    for kind in _KINDS:
        entries = vocabulary.entries(kind)
        for name in dict.fromkeys(str(getattr(row, kind)) for row in table):
            if name not in entries:
                raise DataError(f"{path}: no entry for the {kind} {name!r} in config/{nearest(name, entries)}")
