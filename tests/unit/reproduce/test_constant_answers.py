"""What one answer to every question scores: the committed facts, and the test sets they come from."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from quantbench.config import load_datasets
from quantbench.reproduce.constant_answers import read_constant_answers
from quantbench.tables import paper_rows
from quantbench.tasks.metrics import METRICS, PUBLISHED_METRICS


def script(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("made", repository / "resources/paper/constant_answers.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dataset_of_the_paper_has_one(repository: Path) -> None:
    found = read_constant_answers(repository)
    sizes = {
        row.dataset: row.test_examples for row in paper_rows.TestSetSize.read(repository / "resources/paper/table2.csv")
    }
    assert list(found) == list(sizes)
    for name, row in found.items():
        assert row.published_metric in PUBLISHED_METRICS and row.own_metric in METRICS
        assert row.items == sizes[name] or row.source == "test.reconstructed.tsv"


@pytest.mark.parametrize(
    ("dataset", "answer", "published", "own"),
    [
        ("ddi2013", "DDI-false", 0.4850, 0.1814),
        ("chemprot", "false", 0.3142, 0.1466),
        ("hoc", "all 10 labels", 0.2555, 0.2555),
        ("litcovid", "all 7 labels", 0.3171, 0.3171),
        ("pubmedqa", "yes", 0.5520, 0.5520),
        ("medqa", "B", 0.2176, 0.2176),
        ("bc5cdr_chemical", "all 1,241 distinct mentions", 0.0017, 0.0),
        ("ncbi_disease", "all 423 distinct mentions", 0.0046, 0.0),
    ],
)
def test_the_best_constant_answers(repository: Path, dataset: str, answer: str, published: float, own: float) -> None:
    row = read_constant_answers(repository)[dataset]
    assert row.constant_answer == answer
    assert (row.published_value, row.own_value) == (pytest.approx(published, abs=5e-5), pytest.approx(own, abs=5e-5))


@pytest.mark.parametrize("dataset", ["ddi2013", "chemprot", "pubmedqa", "ncbi_disease"])
def test_the_published_test_sets_give_them(repository: Path, real_data: Path, dataset: str) -> None:
    stated = read_constant_answers(repository)[dataset]
    entry = load_datasets(repository)[dataset]
    made = script(repository).constant_answer(dataset, entry, real_data / dataset / stated.source)
    values = {"published_value", "own_value"}
    assert made.model_dump(exclude=values) == stated.model_dump(exclude=values)
    for name in values:
        assert getattr(made, name) == pytest.approx(getattr(stated, name), abs=1e-6)
