"""Evidence from a run's tables and from the published Table 1."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from tests.simulated_run import Run, Tables, paper_catalogue, simulate, tables_of

from quantbench.config import Catalogue
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.run_tables import CellRow
from quantbench.errors import DataError
from quantbench.planner import GIB, Setting, Workload, plan_memory
from quantbench.recommend import Constraints, Evidence, measured_evidence, published_evidence, recommend
from quantbench.recommend.from_run import tables_evidence
from quantbench.recommend.overview import overview, write_overview
from quantbench.study.grid import run_cells
from quantbench.tables.paper_rows import published_path

NARROW = {
    "models": ["phi-4", "qwen2.5-7b"],
    "datasets": ["hoc", "medqa", "pubmedqa"],
    "studies": ["grid", "noise_floor"],
    "comparison": {"margin": 0.01, "resamples": 100, "confidence": 0.95},
}


@pytest.fixture(scope="module")
def catalogue(repository: Path) -> Catalogue:
    return paper_catalogue(repository, **NARROW)


@pytest.fixture(scope="module")
def tables(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("run")
    return tables_of(Run(catalogue, folder, run_cells(catalogue), simulate(catalogue, folder, n=40)))


def published(catalogue: Catalogue) -> Evidence:
    return published_evidence(catalogue.vocabulary, published_path(catalogue.root))


def evidence_of(catalogue: Catalogue, cells: list[CellRow], tables: Tables) -> Evidence:
    return measured_evidence(catalogue.vocabulary, catalogue.run, cells, tables.effects)


@pytest.fixture
def evidence(catalogue: Catalogue, tables: Tables) -> Evidence:
    return evidence_of(catalogue, tables.cells, tables)


def test_noise_floors_are_no_candidates(tables: Tables, evidence: Evidence) -> None:
    assert "full-replanned" in {row.precision for row in tables.cells}
    for candidates in evidence.candidates.values():
        assert [one.precision for one in candidates] == ["full", "w8a16", "w4a16"] * 2


def test_a_run_as_published_says_that_it_is_not_for_choosing(
    catalogue: Catalogue, tables: Tables, evidence: Evidence
) -> None:
    switched = catalogue.run.protocol.model_copy(update={"examples": "first_rows"})
    run = catalogue.run.model_copy(update={"protocol": switched})
    found = measured_evidence(catalogue.vocabulary, run, tables.cells, tables.effects)
    (note,) = set(found.notes) - set(evidence.notes)
    assert note.startswith("The run leaves the sound protocol (protocol.examples): it is for reading the paper by")


def test_a_tasks_score_is_the_mean_of_its_datasets(tables: Tables, evidence: Evidence) -> None:
    wanted = ("phi-4", "w4a16", "question_answering")
    cells = [row for row in tables.cells if (row.model, row.precision, row.task) == wanted]
    found = next(one for one in evidence.of("question_answering") if (one.model, one.precision) == ("phi-4", "w4a16"))
    assert [row.dataset for row in cells] == ["medqa", "pubmedqa"]
    assert found.score == pytest.approx(fmean(row.score for row in cells))
    assert found.memory_gib == pytest.approx(max(row.memory_gib for row in cells))
    assert found.latency_s == pytest.approx(max(row.latency_mean_s for row in cells))
    assert {cell.memory_source for cell in found.cells} == {"measured"}


def test_the_verdict_is_that_of_the_table(tables: Tables, evidence: Evidence) -> None:
    own = [row for row in tables.effects if (row.study, row.dataset) == ("grid", "hoc")]
    verdicts = {(row.model, row.precision): row.verdict for row in own}
    for one in evidence.of("multi_label_classification"):
        expected = "full" if one.precision == "full" else verdicts[one.model, one.precision]
        assert one.verdict(0.01) == expected


def test_on_a_cpu_memory_is_planned_and_said(catalogue: Catalogue, tables: Tables) -> None:
    cells = [row.model_copy(update={"memory_kind": "model bytes"}) for row in tables.cells]
    found = evidence_of(catalogue, cells, tables)
    assert any("planned" in note for note in found.notes)
    one = next(one for one in found.of("multi_label_classification") if one.precision == "w4a16")
    (row,) = [row for row in cells if (row.model, row.dataset, row.precision) == ("phi-4", "hoc", "w4a16")]
    work = Workload(prompt_tokens=-int(-3 * row.prompt_tokens_mean // 1), new_tokens=50)
    setting = Setting(catalogue.models["phi-4"], catalogue.precisions["w4a16"], work)
    assert one.memory_gib == pytest.approx(plan_memory(setting).peak_bytes / GIB)


def test_demonstration_entries_are_refused(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    models = {name: entry.model_copy(update={"demonstration": True}) for name, entry in catalogue.models.items()}
    found = evidence_of(replace(catalogue, models=models), tables.cells, tables)
    assert all(one.best is None for of_task in overview(found, 0.01).values() for one in of_task)
    write_overview(found, 0.01, tmp_path)
    assert (tmp_path / "recommendations.md").read_text().count("No recommendation: every model") == 2


def test_random_weights_are_refused(catalogue: Catalogue, tables: Tables) -> None:
    cells = [row.model_copy(update={"weights": "random"}) for row in tables.cells]
    found = evidence_of(catalogue, cells, tables)
    assert all(one.demonstration for task in found.datasets for one in found.of(task))


def test_only_candidates_with_every_dataset_of_a_task_are_compared(catalogue: Catalogue, tables: Tables) -> None:
    short = [row for row in tables.cells if (row.model, row.dataset) != ("phi-4", "medqa")]
    found = evidence_of(catalogue, short, tables)
    assert "phi-4" in {one.model for one in found.of("question_answering")}
    assert "phi-4" not in {one.model for one in found.complete("question_answering")}
    assert len(found.complete("question_answering")) > 0


def test_the_overview_covers_tasks_and_sizes(evidence: Evidence, tmp_path: Path) -> None:
    write_overview(evidence, 0.01, tmp_path)
    with (tmp_path / "recommendations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 5 * 6  # tasks, sizes, candidates
    assert all(bool(row["rank"]) != bool(row["reason"]) for row in rows)
    text = (tmp_path / "recommendations.md").read_text()
    assert "| 24 GiB |" in text and "## Question answering" in text


def test_the_published_table_answers_as_read_by_hand(repository: Path) -> None:
    """By hand from Table 1: means over each task's two datasets, peaks of the larger, what fits with headroom."""
    evidence = published(paper_catalogue(repository))
    expected = {
        24: ["phi-4 w4a16", "phi-4 w4a16", "phi-4 w8a16", "phi-4 w4a16"],
        40: ["phi-4 w4a16", "phi-4 w4a16", "phi-4 w8a16", "phi-4 full"],
        80: ["qwen2.5-72b w8a16", "qwen2.5-72b w8a16", "qwen2.5-72b w4a16", "llama-3.3-70b w4a16"],
    }
    for size, names in expected.items():
        found = [recommend(evidence, task, Constraints(size)).best for task in evidence.candidates]
        assert [f"{one.model} {one.precision}" for one in found if one] == names
    best = recommend(evidence, "named_entity_recognition", Constraints(24)).best
    assert best is not None
    assert best.score == pytest.approx((0.653 + 0.372) / 2)
    assert (best.memory_gib, best.latency_s) == (10.23, 2.93)
    assert best.difference == pytest.approx((0.653 - 0.656 + 0.372 - 0.332) / 2)
    assert best.verdict(0.01) == "untested" and best.interval is None


def test_published_accuracies_have_wilson_intervals(repository: Path) -> None:
    found = published(paper_catalogue(repository)).of("question_answering")[0]
    medqa = found.cells[0]
    # Wilson's interval of 561 of 1273 by its formula.
    assert (medqa.score_low, medqa.score_high) == (pytest.approx(0.4136, abs=1e-4), pytest.approx(0.4681, abs=1e-4))


def test_a_published_name_without_entry_is_refused(repository: Path) -> None:
    vocabulary = paper_catalogue(repository).vocabulary
    models = {name: entry for name, entry in vocabulary.models.items() if name != "phi-4"}
    with pytest.raises(DataError, match=r"table1.csv: no entry for the model 'phi-4'"):
        published_evidence(replace(vocabulary, models=models), published_path(repository))


@pytest.mark.parametrize("column", ["model", "dataset", "precision"])
def test_a_table_that_names_what_no_entry_describes_is_refused(
    column: str, catalogue: Catalogue, tables: Tables, tmp_path: Path
) -> None:
    strange = [tables.cells[0], tables.cells[1].model_copy(update={column: "ghost"})]
    CellRow.write(tmp_path / CellRow.path, strange)
    EffectRow.write(tmp_path / EffectRow.path, tables.effects)
    with pytest.raises(DataError, match=rf"cells.csv, line 3: {column}: '?ghost"):
        tables_evidence(catalogue.vocabulary, catalogue.run, tmp_path)
