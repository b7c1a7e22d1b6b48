"""What others measured, and how Table 1 was probably scored: typed, and named as this repository names things."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.errors import DataError
from quantbench.tables.other_measurements import OTHER_MEASUREMENTS, others_measured
from quantbench.tables.paper_rows import PublishedConvention, PublishedRow, conventions_path, published_path


def test_every_figure_has_a_source_that_can_be_looked_up(repository: Path) -> None:
    rows = others_measured(repository)
    assert len(rows) > 40
    for row in rows:
        assert row.address.startswith("https://") and row.source and row.licence, row
        assert 2024 <= row.year <= 2026 and row.bits in (16, 8, 4), row
    assert len({(row.source, row.measured, row.model, row.precision_in_source, row.hardware) for row in rows}) == len(
        rows
    )


def test_precisions_and_families_are_those_of_the_entries(repository: Path) -> None:
    precisions = read_entries(repository / "config/precisions", PrecisionEntry)
    rows = others_measured(repository)
    assert {row.precision for row in rows if row.precision} <= precisions.keys()
    families = {entry.family for entry in read_entries(repository / "config/models", ModelEntry).values()}
    assert {row.family for row in rows} & families == {"llama", "qwen2", "phi3"}


def test_figures_are_picked_by_method_bits_and_family(repository: Path) -> None:
    same_method = others_measured(repository, precisions=["w8a16"], families=["qwen2"])
    assert [(row.model, row.value) for row in same_method] == [
        ("Qwen2.5-32B-Instruct", 5.49),
        ("Qwen2.5-32B-Instruct", 157.83),
    ]
    four_bit = others_measured(repository, bits=[4])
    assert {row.bits for row in four_bit} == {4} and len({row.source for row in four_bit}) == 5
    assert others_measured(repository, families=["mamba"]) == []


def test_a_table_of_ones_own_comes_first_and_its_faults_are_named(tmp_path: Path) -> None:
    own = tmp_path / OTHER_MEASUREMENTS
    own.parent.mkdir(parents=True)
    own.write_text("source,year\nme,soon\n")
    with pytest.raises(DataError, match=r"other_measurements\.csv, line 2"):
        others_measured(tmp_path)


def test_every_dataset_of_table_1_has_its_convention(repository: Path) -> None:
    table = PublishedRow.read(published_path(repository))
    conventions = PublishedConvention.read(conventions_path(repository))
    assert len(conventions) == 8
    assert {(row.task, row.dataset, row.metric_in_paper) for row in conventions} == {
        (row.task, row.dataset, row.metric) for row in table
    }
