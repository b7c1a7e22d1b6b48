"""What the verdict says of cut, longer and unreadable answers: of a run by the real engine, and of given shares."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.simulated_run import Run, Tables, paper_catalogue, simulate, tables_of
from tests.small_run import Project, make_project

from quantbench import jobs
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.records import Prediction, read_records
from quantbench.contracts.run_tables import CellRow, Table1Row
from quantbench.report.answer_remarks import fault_remarks, precision_remark, worst_remark
from quantbench.study.grid import run_cells
from quantbench.study.spec import cell_specs

FULL = Cell("phi-4", "full", "hoc", "instruction", 0)
QUANTIZED = replace(FULL, precision="w4a16")


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A random model that knows no end: with four new tokens nearly every answer is cut, and none can be read."""
    return make_project(repository, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def page(project: Project) -> str:
    """The text of the report on the run, made by the workflow's own jobs."""
    config: dict[str, Any] = project.catalogue.run.model_dump(mode="json")
    cells = run_cells(project.catalogue)
    target = project.results / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        for dataset in ("hoc", "ddi2013"):
            of_dataset = [cell.folder for cell in cells if cell.dataset == dataset]
            jobs.score(config, dataset, project.results / "datasets" / dataset / "samples.jsonl", of_dataset)
        jobs.compare(config, [cell.folder for cell in cells])
        jobs.report(config, [cell.folder for cell in cells], target)
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", target.read_text(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_the_table_counts_what_the_engine_left(project: Project, page: str) -> None:
    rows = CellRow.read(project.results / CellRow.path)
    assert len(rows) == 6
    for row in rows:
        found = read_records(project.results / "cells" / row.cell.folder / "predictions.jsonl", Prediction)
        ends = [reason for prediction in found for reason in prediction.finish_reason]
        lengths = [length for prediction in found for length in prediction.new_tokens]
        assert row.truncated_rate == pytest.approx(ends.count("length") / len(ends))
        assert row.mean_new_tokens == pytest.approx(sum(lengths) / len(lengths))
    assert sum(row.truncated_rate or 0 for row in rows) > 0


def test_the_report_names_the_cells_with_their_limit(project: Project, page: str) -> None:
    rows = CellRow.read(project.results / CellRow.path)
    shown = [row for row in rows if row.precision != "full-replanned"]
    assert (
        f"In {len(shown)} of {len(rows)} cells 10% or more of the answers were cut or could not be read, most with "
        in page
    )
    for row in CellRow.read(project.results / CellRow.path):
        if row.precision == "full":
            title = project.catalogue.datasets[row.dataset].title
            cut = f"{row.truncated_rate:.1%} cut at 4 new tokens, "
            assert f"{title} full ({cut}{row.unparseable_rate:.1%} unreadable)" in page


def test_table_1_shows_cut_answers_and_lengths(project: Project, page: str) -> None:
    assert "Cut off Cut off, change New tokens New tokens, change" in page
    for row in Table1Row.read(project.results / Table1Row.path):
        assert f"{row.truncated_rate:.1%}" in page
        assert (row.truncated_difference is None) == (row.precision == "full")


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("simulated")
    catalogue = paper_catalogue(
        repository,
        studies=["grid", "prompting"],
        models=["phi-4", "qwen2.5-72b", "meditron-70b"],
        datasets=["hoc", "medqa"],
        comparison={"margin": 0.01, "resamples": 100, "confidence": 0.95},
    )
    cells = run_cells(catalogue)
    return Run(catalogue, folder, cells, simulate(catalogue, folder, n=20, cells=cells))


@pytest.fixture(scope="module")
def limits(run: Run) -> dict[Cell, int]:
    return {cell: spec.max_new_tokens for cell, spec in cell_specs(run.catalogue, run.cells).items()}


@pytest.fixture(scope="module")
def tables(run: Run) -> Tables:
    return tables_of(run)


def remarks(run: Run, limits: dict[Cell, int], tables: Tables, changes: dict[Cell, dict[str, object]]) -> list[str]:
    few = {"unparseable_rate": 0.02, "truncated_rate": 0.0}
    rows = [row.model_copy(update=few | changes.get(row.cell, {})) for row in tables.cells]
    return fault_remarks(run.catalogue.vocabulary, limits, rows)


def test_a_precision_is_told_with_its_limit(limits: dict[Cell, int], tables: Tables) -> None:
    own = [
        row.model_copy(update={"full_truncated_rate": 0.02, "truncated_rate": 0.31, "n": 100})
        for row in tables.effects
        if row.cell == QUANTIZED
    ]
    assert precision_remark(limits, own) == " 31.0% of its answers were cut at 50 new tokens (2.0% at full precision)."
    longer = [row.model_copy(update={"truncated_rate": 0.0, "full_truncated_rate": 0.0}) for row in own]
    longer = [row.model_copy(update={"mean_new_tokens": 48.0, "full_mean_new_tokens": 12.0}) for row in longer]
    assert precision_remark(limits, longer) == (
        " Its answers have 48.0 new tokens on average (12.0 at full precision)."
    )


def test_shares_are_of_all_answers_and_several_limits_have_no_number(limits: dict[Cell, int], tables: Tables) -> None:
    few = next(row for row in tables.effects if row.cell == QUANTIZED)
    many = next(row for row in tables.effects if row.prompting == "cot")
    shares = {"full_truncated_rate": 0.0, "full_mean_new_tokens": None}
    own = [
        few.model_copy(update=shares | {"truncated_rate": 0.5, "n": 10}),
        many.model_copy(update=shares | {"truncated_rate": 0.1, "n": 90}),
    ]
    told = " 14.0% of its answers were cut at the limit of new tokens (0.0% at full precision)."
    assert precision_remark(limits, own) == told


def test_nothing_is_said_of_what_hardly_changed_or_is_unknown(limits: dict[Cell, int], tables: Tables) -> None:
    row = next(row for row in tables.effects if row.cell == QUANTIZED)
    same = {"full_truncated_rate": 0.03, "truncated_rate": 0.034, "full_mean_new_tokens": 20.0, "mean_new_tokens": 21.9}
    unknown = dict.fromkeys(same)
    assert precision_remark(limits, [row.model_copy(update=same)]) == ""
    assert precision_remark(limits, [row.model_copy(update=unknown)]) == ""
    assert precision_remark(limits, []) == ""


def test_a_cell_is_named_with_its_likely_cause(run: Run, limits: dict[Cell, int], tables: Tables) -> None:
    assert remarks(run, limits, tables, {}) == []
    shares = {"unparseable_rate": 0.28, "truncated_rate": 0.31}
    (quantized,) = remarks(run, limits, tables, {QUANTIZED: shares})
    assert quantized == (
        "Phi-4: HoC W4A16 (31.0% cut at 50 new tokens, 28.0% unreadable). Likely cause: quantization, "
        "since full precision has far fewer of them on the same samples."
    )
    (both,) = remarks(run, limits, tables, {FULL: shares, QUANTIZED: shares})
    assert "HoC full (31.0% cut at 50 new tokens, 28.0% unreadable), HoC W4A16 (" in both
    assert "too low a limit of new tokens" in both and "reasoning_tokens" in both
    assert "its chat template is missing or wrong" in both


@pytest.mark.parametrize(
    ("unreadable", "cut", "words"),
    [
        (0.28, 0.0, "the model ends its answers itself, in a form that cannot be read"),
        (0.02, 0.4, "most of these answers can be read, but the model does not end them"),
        (0.28, None, "the predictions do not say whether answers were cut"),
    ],
)
def test_each_cause_has_words_that_know_of_the_template(
    run: Run, limits: dict[Cell, int], tables: Tables, unreadable: float, cut: float | None, words: str
) -> None:
    shares = {"unparseable_rate": unreadable, "truncated_rate": cut}
    base = replace(FULL, model="meditron-70b")
    found = remarks(run, limits, tables, {FULL: shares, base: shares})
    assert len(found) == 2 and all(words in line for line in found)
    told = {line.split(":")[0]: line for line in found}
    assert "its chat template is missing or wrong" in told["Phi-4"]
    assert "it is asked without a chat template" in told["Meditron-70B"]


def test_of_many_cells_the_worst_are_named_and_the_rest_counted(
    run: Run, limits: dict[Cell, int], tables: Tables
) -> None:
    own = [cell for cell in run.cells if cell.model == "qwen2.5-72b"]
    assert len(own) > 7
    shares = {cell: {"unparseable_rate": 0.2 + place / 100} for place, cell in enumerate(own)}
    (line,) = remarks(run, limits, tables, shares)
    assert f" and {len(own) - 6} more cells." in line
    assert f"({shares[own[-1]]['unparseable_rate']:.1%} unreadable)" in line
    assert "20.0% unreadable" not in line
    assert "chain of thought, 0 shots" in line


def test_the_verdict_tells_of_the_worst_cell(run: Run, limits: dict[Cell, int], tables: Tables) -> None:
    vocabulary = run.catalogue.vocabulary
    rows = [row.model_copy(update={"unparseable_rate": 0.02, "truncated_rate": 0.0}) for row in tables.cells]
    assert worst_remark(vocabulary, limits, rows) == []
    cot = replace(QUANTIZED, model="qwen2.5-72b", prompting="cot")
    shares = {FULL: {"unparseable_rate": 0.28}, cot: {"truncated_rate": 0.31}}
    faulty = [row.model_copy(update=shares.get(row.cell, {})) for row in rows]
    assert worst_remark(vocabulary, limits, faulty) == [
        f"In 2 of {len(rows)} cells 10% or more of the answers were cut or could not be read, most with Qwen2.5-72B on HoC "
        "W4A16, chain of thought, 0 shots (31.0% cut at 512 new tokens). Likely cause: quantization, since full precision has "
        "far fewer of them on the same samples."
    ]
