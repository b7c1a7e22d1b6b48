from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulated_run import Run, paper_catalogue, simulate

from quantbench.study.grid import run_cells


@pytest.fixture
def run(repository: Path, tmp_path: Path) -> Run:
    """Two models at three precisions on three datasets, 30 samples each."""
    catalogue = paper_catalogue(
        repository,
        studies=["grid"],
        models=["phi-4", "qwen2.5-3b"],
        datasets=["pubmedqa", "hoc", "ncbi_disease"],
        comparison={"margin": 0.01, "resamples": 300, "confidence": 0.95},
    )
    cells = run_cells(catalogue)
    return Run(catalogue, tmp_path, cells, simulate(catalogue, tmp_path, n=30))
