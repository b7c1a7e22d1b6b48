"""``benchmarks/likelihood_power.py``: its formula against statsmodels, and a loss that only likelihoods see."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.likelihood_power import MEASURES, all_needs, samples_needed
from statsmodels.stats.power import normal_sample_size_one_tail
from tests.simulated_likelihoods import add_likelihoods
from tests.simulated_run import Run, paper_catalogue, simulate

from quantbench.contracts.likelihoods import Likelihoods
from quantbench.statistics import DocumentSums
from quantbench.study.grid import run_cells
from quantbench.tables.ledgers import read_ledgers


def test_samples_are_those_of_statsmodels() -> None:
    values = np.random.default_rng(1).normal(0.1, 1, 400)
    sums = DocumentSums.of(values, np.ones(400), [str(k) for k in range(400)])
    # One tail of half the level: the other one's power is next to nothing.
    expected = normal_sample_size_one_tail(values.mean(), 0.8, 0.025, std_null=values.std(ddof=1))
    assert samples_needed(sums, 400) == pytest.approx(expected, rel=1e-9)


def test_no_difference_is_never_shown() -> None:
    assert samples_needed(DocumentSums(np.array([1.0, -1.0]), np.ones(2)), 2) == math.inf


def test_a_loss_of_likelihood_is_seen_before_one_of_answers(repository: Path, tmp_path: Path) -> None:
    """Every right option becomes a little less likely, and no answer changes."""
    chosen = {
        "studies": ["grid"],
        "models": ["phi-4"],
        "datasets": ["pubmedqa", "hoc"],
        "precisions": ["full", "w4a16"],
    }
    catalogue = paper_catalogue(repository, **chosen)
    cells = run_cells(catalogue)
    run = Run(catalogue, tmp_path, cells, simulate(catalogue, tmp_path, n=60))
    full, other = (cell for cell in cells if cell.dataset == "pubmedqa")
    folders = {cell: tmp_path / "cells" / cell.folder for cell in (full, other)}
    for name in ("scored.jsonl", "scores.json"):
        (folders[other] / name).write_bytes((folders[full] / name).read_bytes())
    add_likelihoods(run, cells)
    before, after = (Likelihoods.read(folders[cell] / "likelihoods.npz") for cell in (full, other))
    assert before.options is not None
    lower = before.options.log_probabilities.copy().reshape(60, 3)
    lower[np.arange(60), np.argsort(lower, axis=1)[:, 0]] += 0.2
    options = replace(before.options, log_probabilities=lower.ravel())
    replace(after, options=options).write(folders[other] / "likelihoods.npz")
    (needs,) = all_needs(catalogue.vocabulary, read_ledgers(catalogue.vocabulary, tmp_path, cells))
    assert tuple(needs.needed) == MEASURES and needs.samples == 60
    assert needs.needed["accuracy"] == math.inf
    assert needs.needed["likelihood of gold"] < math.inf and needs.needed["divergence"] < 60
