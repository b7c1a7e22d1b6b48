from __future__ import annotations

import pandas as pd
import pytest
from tests.simulated_run import Run

from quantbench.tables import cells_table, efficiency_table, table1, table1_markdown


@pytest.fixture
def cells(run: Run) -> pd.DataFrame:
    return cells_table(run.catalogue, run.results, run.cells)


def test_rows_stand_in_configuration_order(run: Run, cells: pd.DataFrame) -> None:
    table = table1(run.catalogue, cells.sample(frac=1, random_state=0))
    keys = list(table[["dataset", "model", "precision"]].itertuples(index=False, name=None))
    assert keys[:4] == [
        ("pubmedqa", "phi-4", "full"),
        ("pubmedqa", "phi-4", "w8a16"),
        ("pubmedqa", "phi-4", "w4a16"),
        ("pubmedqa", "qwen2.5-3b", "full"),
    ]
    assert len(keys) == len(run.cells)


def test_published_values_stand_beside_the_same_cell_only(run: Run, cells: pd.DataFrame) -> None:
    """Phi-4 W4A16 on HoC in the paper's Table 1: 10.72 GiB, 1.45 s, 0.487; it has no Qwen2.5-3B."""
    table = table1(run.catalogue, cells).set_index(["dataset", "model", "precision"])
    row = table.loc[("hoc", "phi-4", "w4a16")]
    assert (row["published_memory_gib"], row["published_latency_s"], row["published_score"]) == (10.72, 1.45, 0.487)
    assert row["score_difference"] == pytest.approx(row["score"] - 0.487)
    assert row["memory_ratio"] == pytest.approx(row["memory_gib"] / 10.72)
    assert row["latency_ratio"] == pytest.approx(row["latency_s"] / 1.45)
    assert table.loc[("hoc", "qwen2.5-3b", "full"), "published_score"] != row["published_score"]
    assert table.xs("qwen2.5-3b", level="model")["published_score"].isna().all()


def test_only_zero_shot_instruction_cells_are_shown(run: Run, cells: pd.DataFrame) -> None:
    cells.loc[0, "prompting"] = "cot"
    cells.loc[1, "shots"] = 3
    assert len(table1(run.catalogue, cells)) == len(cells) - 2


def test_a_noise_floor_is_no_row_of_its_own(run: Run, cells: pd.DataFrame) -> None:
    floor = cells[cells["precision"] == "full"].assign(precision="full-replanned")
    both = pd.concat([cells, floor], ignore_index=True)
    assert table1(run.catalogue, both).equals(table1(run.catalogue, cells))
    assert efficiency_table(run.catalogue, both).equals(efficiency_table(run.catalogue, cells))
    assert "second batch plan" not in table1_markdown(run.catalogue, table1(run.catalogue, both))


def test_markdown_shows_titles_intervals_and_published_values(run: Run, cells: pd.DataFrame) -> None:
    table = table1(run.catalogue, cells)
    text = table1_markdown(run.catalogue, table)
    lines = text.splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == 10
    row = next(line for line in lines if "HoC | Phi-4 | W4A16" in line)
    assert "(10.72)" in row and "(0.487)" in row and "[" in row
    assert "LLM.int8" in text
    assert "demonstration" not in text


def test_markdown_of_small_models_counts_in_mib(run: Run, cells: pd.DataFrame) -> None:
    cells["memory_gib"] = 0.25
    assert "(MiB) |" in table1_markdown(run.catalogue, table1(run.catalogue, cells))


def test_ratios_are_to_full_precision_of_the_same_cell(run: Run, cells: pd.DataFrame) -> None:
    table = efficiency_table(run.catalogue, cells).set_index(["model", "dataset", "precision"])
    memory = cells.set_index(["model", "dataset", "precision"])["memory_gib"]
    key = ("phi-4", "hoc", "w4a16")
    assert table.loc[key, "memory_ratio"] == pytest.approx(memory[key] / memory[("phi-4", "hoc", "full")])
    assert (table.xs("full", level="precision")["latency_ratio"] == 1).all()
    assert table["energy_ratio"].isna().all()
    assert len(table) == len(cells)


def test_a_missing_reference_leaves_ratios_empty(run: Run, cells: pd.DataFrame) -> None:
    table = efficiency_table(run.catalogue, cells[cells["precision"] != "full"])
    assert table["memory_ratio"].isna().all()
    assert len(table) == 12
