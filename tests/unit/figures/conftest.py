from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulated_likelihoods import add_likelihoods
from tests.simulated_run import Run, Tables, paper_catalogue, simulate, tables_of, tiny_catalogue

from quantbench.config import Catalogue, is_zero_shot
from quantbench.contracts.likelihood_tables import FlipRow, ReliabilityRow
from quantbench.statistics import Bootstrap
from quantbench.study.grid import run_cells
from quantbench.tables import write_likelihood_tables

COMPARISON = {"margin": 0.01, "resamples": 100, "confidence": 0.95}


def simulated(catalogue: Catalogue, folder: Path) -> Run:
    return Run(catalogue, folder, run_cells(catalogue), simulate(catalogue, folder, n=12))


def with_likelihoods(run: Run) -> Tables:
    """The tables of a run whose zero-shot cells kept log-probabilities."""
    zero_shot = [cell for cell in run.cells if is_zero_shot(cell)]
    add_likelihoods(run, zero_shot)
    write_likelihood_tables(run.catalogue.vocabulary, run.results, zero_shot, Bootstrap(20))
    reliability = ReliabilityRow.read(run.results / ReliabilityRow.path)
    flips = FlipRow.read(run.results / FlipRow.path)
    return replace(tables_of(run), reliability=tuple(reliability), flips=tuple(flips))


@pytest.fixture(scope="package")
def paper(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Tables]:
    """The paper's 348 cells, on GPUs, without noise floors."""
    studies = ["grid", "fewshot", "prompting"]
    run = simulated(
        paper_catalogue(repository, comparison=COMPARISON, studies=studies), tmp_path_factory.mktemp("paper")
    )
    return run.catalogue, with_likelihoods(run)


@pytest.fixture(scope="package")
def tiny(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Tables]:
    """Tiny demonstration models on CPU, on two datasets of each study."""
    models = ["qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-72b", "phi-4", "llama3-med42-70b", "meditron-70b"]
    catalogue = tiny_catalogue(repository, comparison=COMPARISON, models=models, datasets=["ddi2013", "hoc"])
    run = simulated(catalogue, tmp_path_factory.mktemp("tiny"))
    return run.catalogue, with_likelihoods(run)
