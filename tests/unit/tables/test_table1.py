from __future__ import annotations

import random
import re

import pytest
from tests.simulated_run import Run

from quantbench.contracts.run_tables import CellRow, Table1Row
from quantbench.tables import PublishedRow, cells_table, table1, table1_markdown
from quantbench.tables.paper_rows import published_path


@pytest.fixture
def cells(run: Run) -> list[CellRow]:
    return cells_table(run.catalogue.vocabulary, run.results, run.cells)


def beside_published(run: Run, cells: list[CellRow]) -> list[Table1Row]:
    return table1(run.catalogue.vocabulary, cells, PublishedRow.read(published_path(run.catalogue.root)))


def markdown(run: Run, cells: list[CellRow]) -> str:
    return table1_markdown(run.catalogue.vocabulary, beside_published(run, cells), 0.95)


def with_noise_floor(cells: list[CellRow]) -> list[CellRow]:
    full = [row for row in cells if row.precision == "full"]
    return [*cells, *(row.model_copy(update={"precision": "full-replanned"}) for row in full)]


def test_rows_stand_in_configuration_order(run: Run, cells: list[CellRow]) -> None:
    shuffled = random.Random(0).sample(cells, len(cells))
    keys = [(row.dataset, row.model, row.precision) for row in beside_published(run, shuffled)]
    assert keys[:4] == [
        ("pubmedqa", "phi-4", "full"),
        ("pubmedqa", "phi-4", "w8a16"),
        ("pubmedqa", "phi-4", "w4a16"),
        ("pubmedqa", "qwen2.5-3b", "full"),
    ]
    assert len(keys) == len(run.cells)


def test_published_values_stand_beside_the_same_cell_only(run: Run, cells: list[CellRow]) -> None:
    """Phi-4 W4A16 on HoC in the paper's Table 1: 10.72 GiB, 1.45 s, 0.487; it has no Qwen2.5-3B."""
    table = {(row.dataset, row.model, row.precision): row for row in beside_published(run, cells)}
    row = table["hoc", "phi-4", "w4a16"]
    assert (row.published_memory_gib, row.published_latency_s, row.published_score) == (10.72, 1.45, 0.487)
    assert row.score_difference == pytest.approx(row.score - 0.487)
    assert row.difference_as_published == pytest.approx(row.score_as_published - 0.487)
    assert row.published_metric == "macro_f1_over_gold_labels"
    assert row.memory_ratio == pytest.approx(row.memory_gib / 10.72)
    assert row.latency_ratio == pytest.approx(row.latency_s / 1.45)
    assert {row.published_score for row in table.values() if row.model == "qwen2.5-3b"} == {None}


def test_only_zero_shot_instruction_cells_are_shown(run: Run, cells: list[CellRow]) -> None:
    others = [cells[0].model_copy(update={"prompting": "cot"}), cells[1].model_copy(update={"shots": 3}), *cells[2:]]
    assert len(beside_published(run, others)) == len(cells) - 2


def test_a_noise_floor_is_no_row_of_its_own(run: Run, cells: list[CellRow]) -> None:
    both = with_noise_floor(cells)
    assert beside_published(run, both) == beside_published(run, cells)
    assert "second batch plan" not in markdown(run, both)


def test_markdown_shows_titles_intervals_and_published_values(run: Run, cells: list[CellRow]) -> None:
    text = markdown(run, cells)
    lines = text.splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == 15
    row = next(line for line in lines if "HoC | Phi-4 | W4A16" in line)
    assert "(10.72)" in row and "(0.487)" in row and "[" in row
    assert "LLM.int8" in text
    assert "demonstration" not in text


def test_markdown_shows_the_score_as_published_with_its_metric_and_the_published_one_beside_it(
    run: Run, cells: list[CellRow]
) -> None:
    text = markdown(run, cells)
    lines = text.splitlines()
    places = [cell.strip() for cell in lines[0].split("|")]
    row = [cell.strip() for cell in next(line for line in lines if "HoC | Phi-4 | W4A16" in line).split("|")]
    assert row[places.index("Metric as published")] == "macro F1 over labels present in gold"
    assert re.fullmatch(
        r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\] \(0\.487\)", row[places.index("Score as published [95% interval]")]
    )
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", row[places.index("Score [95% interval]")])
    assert "docs/protocol.md#scores-as-published" in text


def test_runs_of_before_scores_as_published_are_shown_without(run: Run, cells: list[CellRow]) -> None:
    own = {name: None for name in CellRow.model_fields if "as_published" in name or name == "published_metric"}
    assert len(own) == 5
    older = [row.model_copy(update=own) for row in cells]
    text = markdown(run, older)
    row = next(line for line in text.splitlines() if "HoC | Phi-4 | W4A16" in line)
    assert "|  | (0.487) |" in row
    assert "scores-as-published" not in text
    assert {row.difference_as_published for row in beside_published(run, older)} == {None}


def test_markdown_shows_cut_answers_and_lengths_against_full_precision(run: Run, cells: list[CellRow]) -> None:
    lines = markdown(run, cells).splitlines()
    assert lines[0].endswith("| Unparseable | Cut off / change | New tokens / change |")
    full = next(line for line in lines if "HoC | Phi-4 | full" in line)
    other = next(line for line in lines if "HoC | Phi-4 | W4A16" in line)
    assert full.endswith("| 0.0% | 20.0 |")
    assert other.endswith("| 4.0% / +4.0% | 20.8 / +0.8 |")
    unknown = dict.fromkeys(("truncated_rate", "truncated_difference", "mean_new_tokens", "new_tokens_difference"))
    older = markdown(run, [row.model_copy(update=unknown) for row in cells]).splitlines()
    assert next(line for line in older if "HoC | Phi-4 | W4A16" in line).endswith("|  |  |")


def test_markdown_of_small_models_counts_in_mib(run: Run, cells: list[CellRow]) -> None:
    assert "(MiB) |" in markdown(run, [row.model_copy(update={"memory_gib": 0.25}) for row in cells])


def test_the_notes_are_on_the_precisions_of_the_table(run: Run, cells: list[CellRow]) -> None:
    vocabulary = run.catalogue.vocabulary
    assert vocabulary.precisions.keys() > {"full", "w8a16", "w4a16"}, "others are configured"
    titles = {name: entry.title for name, entry in vocabulary.precisions.items()}
    lines = markdown(run, [row for row in cells if row.precision != "w8a16"]).splitlines()
    assert [name for name, title in titles.items() if any(line.startswith(f"- {title}: ") for line in lines)] == [
        "full",
        "w4a16",
    ]


def test_what_intervals_take_as_independent_is_said_of_every_dataset(run: Run, cells: list[CellRow]) -> None:
    own = {"pubmedqa": {"unit": "question", "units": 30}, "ncbi_disease": {"unit": "sentence", "units": 1030}}
    told = [row.model_copy(update=own.get(row.dataset, {})) for row in cells]
    assert {(row.unit, row.units) for row in beside_published(run, told) if row.dataset == "hoc"} == {("document", 8)}
    assert (
        "- Intervals take as independent: PubMedQA 30 questions, HoC 8 documents, NCBI-disease 1,030 sentences (their documents are "
        "not known).\n"
    ) in markdown(run, told)


def test_of_tables_that_do_not_say_it_nothing_is_said(run: Run, cells: list[CellRow]) -> None:
    silent = [row.model_copy(update={"unit": None, "units": None}) for row in cells]
    assert "independent" not in markdown(run, silent)
