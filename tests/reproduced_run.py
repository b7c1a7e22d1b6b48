"""A simulated run of the paper's models whose scores as published lie as far from Table 1 as a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from quantbench import jobs
from quantbench.config import Catalogue
from quantbench.contracts.run_tables import CellRow
from quantbench.study.grid import run_cells
from quantbench.tables import PublishedRow
from quantbench.tables.paper_rows import published_path

from .simulated_run import paper_catalogue, simulate

METRICS = {
    "multi_label_classification": "macro_f1_over_gold_labels",
    "named_entity_recognition": "macro_f1_over_distinct_mentions",
    "relation_extraction": "macro_f1_over_characters",
    "question_answering": "case_sensitive_accuracy",
}
HALF = 0.02  # of each interval of a score as published
SETTINGS: dict[str, Any] = {
    "models": ["llama-3.3-70b", "phi-4", "llama3-med42-70b"],
    "datasets": ["hoc", "ncbi_disease", "ddi2013", "pubmedqa"],
    "studies": ["grid"],
    "comparison": {"margin": 0.01, "resamples": 100, "confidence": 0.95},
}


def make_run(
    repository: Path, folder: Path, away: Callable[[CellRow], dict[str, Any]] | None = None, n: int = 40, **changes: Any
) -> Catalogue:
    """Write the tables of ``folder/paper``. A cell's score as published is the published one, .5 where there is none.

    ``away`` returns what is otherwise in a row of ``cells.csv``, which has every column for the score as published by then.
    """
    catalogue = paper_catalogue(repository, **{**SETTINGS, "results_folder": str(folder), **changes})
    results, cells = Path(catalogue.run_folder), run_cells(catalogue)
    simulate(catalogue, results, n=n, cells=cells)
    jobs.compare(catalogue.run.model_dump(mode="json"), [cell.folder for cell in cells])
    published = {row.cell: row.score for row in PublishedRow.read(published_path(repository))}
    rows = []
    for row in CellRow.read(results / CellRow.path):
        score = published.get(row.cell, 0.5)
        columns: dict[str, Any] = {
            "published_metric": METRICS[row.task],
            "score_as_published": score,
            "score_as_published_low": score - HALF,
            "score_as_published_high": score + HALF,
        }
        scored = row.model_copy(update=columns)
        rows.append(scored.model_copy(update=away(scored)) if away else scored)
    CellRow.write(results / CellRow.path, rows)
    return catalogue
