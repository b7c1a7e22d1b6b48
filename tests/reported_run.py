"""A simulated run with everything a report shows, its tables and figures made as the workflow makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quantbench import jobs
from quantbench.config import Catalogue, is_zero_shot
from quantbench.contracts.records import Prediction, read_records, write_records
from quantbench.study.grid import run_cells

from .simulated_likelihoods import add_likelihoods
from .simulated_run import Run, paper_catalogue, simulate
from .simulated_texts import add_texts

SETTINGS: dict[str, Any] = {
    "models": ["phi-4", "qwen2.5-72b"],
    "datasets": ["hoc", "medqa", "ncbi_disease"],
    "studies": ["grid", "prompting"],
    "comparison": {"margin": 0.01, "resamples": 100, "confidence": 0.95},
}
# Outputs of models hold anything; a page that took them for markup would run the first and break at the others.
NASTY = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"> </pre>\u2028&amp;"


def make_reported(repository: Path, folder: Path, n: int = 60, **changes: Any) -> Catalogue:
    """Write ``<folder>/paper`` up to figures; every tenth output is :data:`NASTY`."""
    settings = {**SETTINGS, "results_folder": str(folder), "allow_missing": True, **changes}
    catalogue = paper_catalogue(repository, **settings)
    results, cells = Path(catalogue.run_folder), run_cells(catalogue)
    samples = simulate(catalogue, results, n=n, cells=cells)
    add_texts(catalogue, results, cells, samples)
    for cell in cells:
        path = results / "cells" / cell.folder / "predictions.jsonl"
        found = read_records(path, Prediction)
        found[::10] = [
            Prediction(one.sample_id, [NASTY] * len(one.outputs), one.prompt_tokens, one.new_tokens, one.finish_reason)
            for one in found[::10]
        ]
        write_records(path, found)
    add_likelihoods(Run(catalogue, results, cells, samples), [cell for cell in cells if is_zero_shot(cell)])
    config = catalogue.run.model_dump(mode="json")
    jobs.compare(config, [cell.folder for cell in cells])
    prompting = ["figure6"] if "prompting" in catalogue.run.studies else []
    for name in ("effects", "labels", "figure7", "reliability", "flips", *prompting):
        jobs.figure(config, name)
    return catalogue


def make_report(catalogue: Catalogue) -> Path:
    """Write the page of a run made by :func:`make_reported`; returns its path."""
    target = Path(catalogue.run_folder) / "report.html"
    config = catalogue.run.model_dump(mode="json")
    jobs.report(config, [cell.folder for cell in run_cells(catalogue)], target)
    return target
