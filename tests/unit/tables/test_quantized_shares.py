"""Where a precision quantizes little of a model, tables and figures say how much."""

from __future__ import annotations

import pytest
from tests.simulated_run import Run, tables_of

from quantbench import figures
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.measurements import Measurements, QuantizedShare
from quantbench.contracts.run_tables import CellRow
from quantbench.figures.selection import selection
from quantbench.figures.view import View
from quantbench.report.verdict import verdict_words
from quantbench.tables import share_notes, table1, table1_markdown
from quantbench.tables.quantized_shares import quantized_note

CELL = Cell("phi-4", "w4a16", "hoc", "instruction", 0)
NOTE = "w4a16 quantizes 8% of this model's weights"


def counted(run: Run, of_all: float, of_layers: float) -> None:
    """Have a cell's measurements say what was counted."""
    path = run.results / "cells" / CELL.folder / "measurements.json"
    share = QuantizedShare(of_all=of_all, of_layers=of_layers)
    Measurements.read(path).model_copy(update={"quantized": share}).write(path)


@pytest.mark.parametrize(("of_all", "of_layers"), [(0.08, 0.083), (0.6, 0.9)])
def test_an_unusual_share_is_noted(of_all: float, of_layers: float) -> None:
    note = quantized_note("w4a16", QuantizedShare(of_all=of_all, of_layers=of_layers))
    assert note == f"w4a16 quantizes {of_all:.0%} of this model's weights"


@pytest.mark.parametrize(("of_all", "of_layers"), [(0.97, 1.0), (0.4, 0.995), (0.0, 0.0)])
def test_embeddings_routers_and_full_precision_are_not_worth_a_note(of_all: float, of_layers: float) -> None:
    assert quantized_note("w4a16", QuantizedShare(of_all=of_all, of_layers=of_layers)) is None
    assert quantized_note("w4a16", None) is None


def test_files_of_earlier_versions_say_nothing(run: Run) -> None:
    rows = tables_of(run).cells
    assert {(row.quantized_share, row.quantized_note) for row in rows} == {(None, None)}
    assert share_notes(run.catalogue.vocabulary, rows) == []


def test_the_note_stands_in_tables_report_and_figures(run: Run, tmp_path) -> None:
    counted(run, 0.08, 0.083)
    words, tables = run.catalogue.vocabulary, tables_of(run)
    (row,) = [row for row in tables.cells if row.cell == CELL]
    assert (row.quantized_share, row.quantized_note) == (0.08, NOTE)
    CellRow.write(tmp_path / "cells.csv", tables.cells)
    assert [one.quantized_note for one in CellRow.read(tmp_path / "cells.csv")] == [
        one.quantized_note for one in tables.cells
    ]
    assert f"- Phi-4: {NOTE}.\n" in table1_markdown(words, table1(words, tables.cells, []), 0.95)
    told = verdict_words(words, run.catalogue.run, tables.cells, tables.effects, [], [], {})
    assert f"Phi-4: {NOTE}." in told
    for name in ("effects", "figure7"):
        shown = selection(run.catalogue).cells(name)
        view = View(words, run.catalogue.run, shown, tuple(tables.cells), tuple(tables.effects))
        assert f"Phi-4: {NOTE}." in " ".join(figures.draw(name, view).get_supxlabel().split())


def test_precisions_of_one_share_are_noted_together(run: Run) -> None:
    rows = [row for row in tables_of(run).cells if (row.model, row.dataset, row.shots) == ("phi-4", "hoc", 0)]
    noted = [
        row.model_copy(update={"quantized_note": f"{row.precision} quantizes 9% of this model's weights"})
        for row in rows
        if row.precision in {"w8a16", "w4a16"}
    ]
    assert share_notes(run.catalogue.vocabulary, noted) == [
        "Phi-4: w8a16 and w4a16 quantize 9% of this model's weights."
    ]
