from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulated_run import Run, Tables, paper_catalogue, simulate, tables_of, tiny_catalogue

from quantbench.config import Catalogue
from quantbench.study.grid import run_cells

COMPARISON = {"margin": 0.01, "resamples": 100, "confidence": 0.95}


def simulated(catalogue: Catalogue, folder: Path) -> Run:
    return Run(catalogue, folder, run_cells(catalogue), simulate(catalogue, folder, n=12))


@pytest.fixture(scope="package")
def paper(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Tables]:
    """The paper's 348 cells, on GPUs, without noise floors."""
    studies = ["grid", "fewshot", "prompting"]
    run = simulated(
        paper_catalogue(repository, comparison=COMPARISON, studies=studies), tmp_path_factory.mktemp("paper")
    )
    return run.catalogue, tables_of(run)


@pytest.fixture(scope="package")
def tiny(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Tables]:
    """Tiny demonstration models on CPU, on two datasets of each study."""
    models = ["qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-72b", "phi-4", "llama3-med42-70b", "meditron-70b"]
    catalogue = tiny_catalogue(repository, comparison=COMPARISON, models=models, datasets=["ddi2013", "hoc"])
    run = simulated(catalogue, tmp_path_factory.mktemp("tiny"))
    return run.catalogue, tables_of(run)
