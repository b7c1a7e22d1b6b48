"""The studies that ``benchmarks/null_study.py`` simulates are what it says they are, and its table counts them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.simulated.answers import FULL, LOSSY, MODELS, QUANTIZED, Rates, drawn_answers, found_rates
from benchmarks.simulated.shape import shapes
from benchmarks.simulated.tally import LIMITS, Asked, Found, Limits, tallied

from quantbench.config import load_datasets
from quantbench.tasks.metrics import METRICS

NAMES = sorted(shapes())


def test_shapes_are_those_of_the_datasets(repository: Path) -> None:
    datasets = load_datasets(repository)
    assert sorted(datasets) == NAMES
    for name, shape in shapes().items():
        rows = {file.rows for file in datasets[name].files["test"]}
        assert shape.sizes.sum() in rows
        assert shape.metric == datasets[name].metric
        if shape.metric == "macro_f1":
            assert shape.labels == len(datasets[name].labels)
        for table in (repository / "resources/documents").glob(f"{name}.test.csv"):
            assert len(shape.sizes) == len(table.read_text(encoding="utf-8").splitlines()) - 1


@pytest.mark.parametrize("name", NAMES)
def test_flips_and_losses_are_as_many_as_asked_for(name: str) -> None:
    """Over a test set of twenty times the size; without a loss the mean difference of 24 comparisons is near 0."""
    shape = shapes()[name]
    (rates,) = found_rates(shape, [0.1], 0.03, seed=1)
    generator = np.random.default_rng(4)
    answers = drawn_answers(shape, shape.drawn(generator, 20_000 // max(1, int(shape.sizes.mean()))), rates, generator)
    assert answers.flipped[:, list(QUANTIZED)].mean() == pytest.approx(0.1, abs=0.012)
    scores = METRICS[shape.metric].values(answers.counts.sum(axis=2))
    differences = (scores - scores[:, [FULL]]).mean(axis=0)
    assert differences[list(QUANTIZED)] == pytest.approx([0, 0], abs=0.004)
    # Against the same answers unspoiled, flips aside.
    lost = (scores[:, list(LOSSY)] - scores[:, list(QUANTIZED)]).mean()
    assert lost == pytest.approx(-0.03, abs=0.004)


def test_answers_of_a_document_change_together() -> None:
    """Flips gather in documents: their number there varies by far more than by chance."""
    shape = shapes()["bc5cdr_chemical"]
    generator = np.random.default_rng(2)
    golds = shape.drawn(generator)
    answers = drawn_answers(shape, golds, Rates(0.2, np.zeros(MODELS)), generator)
    net = answers.counts[:, QUANTIZED[0], :, 0, 0] - answers.counts[:, FULL, :, 0, 0]
    single = (answers.sentences[:, QUANTIZED[0], :, 0, 0] - answers.sentences[:, FULL, :, 0, 0]).astype(float)
    assert (net**2).sum() > 1.2 * (single**2).sum()


def test_a_share_has_the_error_of_its_studies() -> None:
    """Ten studies of a hundred answers each that agree within a study tell no more than ten answers."""
    asked = Asked("no loss: interval covers 0", "hoc", 0.1, "after")
    share = tallied([Found(asked, study, study < 9) for study in range(10) for _ in range(100)])[asked]
    assert share.value == 0.9
    assert share.error == pytest.approx(np.sqrt(0.9 * 0.1 / 9), rel=1e-6)
    assert LIMITS[asked.what] == Limits(0.93, 0.97)
    assert not LIMITS[asked.what].broken(0.92, 0.005)
    assert LIMITS[asked.what].broken(0.90, 0.005)
    assert LIMITS[asked.what].wide(0.99, 0.005)
    assert not LIMITS[asked.what].broken(0.99, 0.005)


def test_one_study_makes_a_table(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(repository / "benchmarks/null_study.py"), "--to", str(tmp_path), "--studies", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--resamples", "60", "--flips", "0.1"], capture_output=True, text=True, env=environment
    )
    assert done.returncode in (0, 1), done.stderr
    with (tmp_path / "null_study.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head[2:] == ["before 10%", "after 10%"]
    assert {row[1] for row in rows} >= {*NAMES, "all"}
    assert (tmp_path / "null_study.md").read_text(encoding="utf-8").count("\n") == len(rows) + 2
