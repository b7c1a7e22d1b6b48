"""Which cells have too many cut or unreadable answers, and what is likely behind them."""

from __future__ import annotations

import pytest
from tests.simulated_run import Run

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.run_tables import CellRow
from quantbench.tables import cells_table
from quantbench.tables.answer_faults import MANY, Cause, faulty_cells

FULL = Cell("phi-4", "full", "hoc", "instruction", 0)
QUANTIZED = Cell("phi-4", "w4a16", "hoc", "instruction", 0)


@pytest.fixture
def cells(run: Run) -> list[CellRow]:
    """Finished cells, none of which has many such answers."""
    few = {"unparseable_rate": 0.02, "truncated_rate": 0.0}
    return [row.model_copy(update=few) for row in cells_table(run.catalogue.vocabulary, run.results, run.cells)]


def found(run: Run, cells: list[CellRow], **changed: dict[str, object]) -> dict[Cell, Cause]:
    """The causes of faulty cells, after changes to the full and the quantized one."""
    changes = {FULL: changed.get("full", {}), QUANTIZED: changed.get("quantized", {})}
    rows = [row.model_copy(update=changes.get(row.cell, {})) for row in cells]
    return {faults.row.cell: faults.cause for faults in faulty_cells(run.catalogue.vocabulary, rows)}


def test_few_are_not_named(run: Run, cells: list[CellRow]) -> None:
    assert found(run, cells) == {}
    assert found(run, cells, full={"unparseable_rate": MANY - 0.001, "truncated_rate": MANY - 0.001}) == {}


@pytest.mark.parametrize(
    ("unreadable", "cut", "cause"),
    [
        (0.3, 0.4, Cause.LIMIT),
        (0.01, 0.4, Cause.NO_END),
        (0.3, 0.01, Cause.FORM),
        (0.3, None, Cause.LIMIT_OR_FORM),
    ],
)
def test_the_cause_follows_from_the_two_shares(
    run: Run, cells: list[CellRow], unreadable: float, cut: float | None, cause: Cause
) -> None:
    shares = {"unparseable_rate": unreadable, "truncated_rate": cut}
    assert found(run, cells, full=shares) == {FULL: cause}
    assert found(run, cells, full=shares, quantized=shares) == {FULL: cause, QUANTIZED: cause}


def test_what_full_precision_has_far_fewer_of_is_quantizations(run: Run, cells: list[CellRow]) -> None:
    quantized = {"unparseable_rate": 0.3, "truncated_rate": 0.4}
    assert found(run, cells, quantized=quantized) == {QUANTIZED: Cause.QUANTIZATION}
    one_alike = found(run, cells, full={"truncated_rate": 0.3}, quantized=quantized)
    assert one_alike[QUANTIZED] is Cause.LIMIT
    unknown = found(run, cells, full={"truncated_rate": None}, quantized=quantized)
    assert unknown == {QUANTIZED: Cause.LIMIT}


def test_a_cell_without_its_reference_is_judged_alone(run: Run, cells: list[CellRow]) -> None:
    alone = [row for row in cells if row.cell != FULL]
    assert found(run, alone, quantized={"unparseable_rate": 0.3}) == {QUANTIZED: Cause.FORM}


def test_answers_of_random_weights_and_repetitions_are_left_out(run: Run, cells: list[CellRow]) -> None:
    faulty = [row.model_copy(update={"unparseable_rate": 0.9}) for row in cells]
    random = [row.model_copy(update={"weights": "random"}) for row in faulty]
    repeated = [row.model_copy(update={"precision": "full-replanned"}) for row in faulty]
    assert faulty_cells(run.catalogue.vocabulary, [*random, *repeated]) == []


def test_the_worst_come_first(run: Run, cells: list[CellRow]) -> None:
    rising = [row.model_copy(update={"unparseable_rate": 0.1 + place / 100}) for place, row in enumerate(cells)]
    shares = [faults.worst for faults in faulty_cells(run.catalogue.vocabulary, rising)]
    assert shares == sorted(shares, reverse=True) and len(shares) == len(cells)
