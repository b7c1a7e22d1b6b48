"""A simulated run with texts, small enough to pack and open in a test."""

from __future__ import annotations

from pathlib import Path

from quantbench.study.grid import run_cells

from .simulated_run import Run, paper_catalogue, simulate
from .simulated_texts import add_texts

# One dataset of each kind: texts that may be passed on (pubmedqa), that may not (medqa), and entities that may not.
SETTINGS = {
    "models": ["phi-4"],
    "datasets": ["pubmedqa", "medqa", "ncbi_disease"],
    "studies": ["grid"],
    "comparison": {"margin": 0.01, "resamples": 100, "confidence": 0.95},
}


def make_run(repository: Path, folder: Path, **changes: object) -> Run:
    """A simulated run of nine cells with texts, below ``folder/results/paper``."""
    catalogue = paper_catalogue(repository, **{**SETTINGS, **changes})
    entries = dict(catalogue.datasets)
    entries["ncbi_disease"] = entries["ncbi_disease"].model_copy(update={"redistributable": False})
    catalogue.datasets.update(entries)
    results, cells = folder / catalogue.run_folder, run_cells(catalogue)
    samples = simulate(catalogue, results, n=12, cells=cells)
    add_texts(catalogue, results, cells, samples)
    (results / "figures").mkdir()
    (results / "figures/figure2.png").write_bytes(b"drawn")
    return Run(catalogue, results, cells, samples)
