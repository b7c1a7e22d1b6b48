from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_run import Run, effects_of, simulate, write_lengths

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_parts import LengthEffectRow
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.records import Prediction, ScoredAnswer, read_records, write_records
from quantbench.errors import DataError
from quantbench.statistics import Bootstrap
from quantbench.tables.judged_cells import JudgedCells
from quantbench.tables.length_effects import length_effects_table

CELL = Cell("phi-4", "w4a16", "pubmedqa", "instruction", 0)
FULL = replace(CELL, precision="full")


def table(run: Run, cells: list[Cell] | None = None) -> list[LengthEffectRow]:
    effects = effects_of(run, cells or run.cells)
    return length_effects_table(JudgedCells(run.catalogue.vocabulary, run.results), effects, Bootstrap(500, 3))


def rewritten(run: Run, cell: Cell, prompts: list[int], new: list[int]) -> None:
    lines = [Prediction(str(k), [""], prompts[k], [new[k]], ["stop"]) for k in range(len(prompts))]
    write_records(run.results / "cells" / cell.folder / "predictions.jsonl", lines)


def test_four_rows_a_quantized_cell_whose_parts_are_the_whole(run: Run) -> None:
    write_lengths(run.results, run.cells)
    rows = table(run)
    assert len(rows) == 4 * 2 * 2 * 3
    by_cell: dict[Cell, list[LengthEffectRow]] = {}
    for row in rows:
        by_cell.setdefault(row.cell, []).append(row)
    effects = {row.cell: row for row in effects_of(run, run.cells)}
    for cell, (every, *thirds) in by_cell.items():
        assert [row.part for row in thirds] == ["shortest third", "middle third", "longest third"]
        assert sum(row.n for row in thirds) == every.n == 30
        assert sum(row.n * row.new_tokens for row in thirds) == pytest.approx(30 * every.new_tokens)
        assert thirds[0].prompt_tokens_high < thirds[1].prompt_tokens_low
        whole = effects[cell]
        assert (every.difference, every.difference_low) == pytest.approx((whole.difference, whole.difference_low))
        assert every.trend == pytest.approx(thirds[2].difference - thirds[0].difference)
        assert every.trend_low < every.trend_high
        assert all(row.trend is None for row in thirds)
        for row in thirds:
            assert row.difference_low <= row.difference <= row.difference_high or row.difference == 0


def test_a_loss_on_long_prompts_alone_is_a_trend(run: Run) -> None:
    """All right at full precision; quantized, the longest 40 of 120 are lost, and their outputs are 5 tokens longer."""
    simulate(run.catalogue, run.results, n=120, cells=[FULL, CELL])
    for cell, right in ((FULL, [True] * 120), (CELL, [k < 80 for k in range(120)])):
        folder = run.results / "cells" / cell.folder
        answers = [ScoredAnswer(str(k), "yes" if good else "no", True, "yes", good) for k, good in enumerate(right)]
        write_records(folder / "scored.jsonl", answers)
        write_json(folder / "scores.json", read_json(folder / "scores.json") | {"value": sum(right) / 120})
        rewritten(run, cell, [100 + k for k in range(120)], [20 if good else 25 for good in right])
    every, short, middle, long = table(run, [FULL, CELL])
    assert [row.difference for row in (short, middle, long)] == [0, 0, -1]
    assert long.difference_high < -0.2
    assert (every.trend, every.trend_high < -0.2) == (-1, True)
    assert (short.prompt_tokens_low, long.prompt_tokens_low, long.prompt_tokens_high) == (100, 180, 219)
    assert (every.full_new_tokens, every.new_tokens_difference) == pytest.approx((20, 5 / 3))
    assert every.new_tokens_low < 5 / 3 < every.new_tokens_high
    assert (long.new_tokens_difference, long.new_tokens_low, long.new_tokens_high) == (5, 5, 5)


def test_prompts_of_one_length_are_not_divided(run: Run) -> None:
    write_lengths(run.results, run.cells)
    for cell in (FULL, CELL):
        rewritten(run, cell, [100] * 30, list(np.arange(30) + 5))
    (every,) = table(run, [FULL, CELL])
    assert (every.part, every.trend, every.new_tokens_difference) == ("all", None, 0)


def test_cells_without_predictions_are_left_out(run: Run) -> None:
    assert table(run) == []
    write_lengths(run.results, [cell for cell in run.cells if cell.precision != "w8a16"])
    assert {row.precision for row in table(run)} == {"w4a16"}


def test_predictions_of_other_samples_are_refused(run: Run) -> None:
    write_lengths(run.results, run.cells)
    path = run.results / "cells" / CELL.folder / "predictions.jsonl"
    lines = read_records(path, Prediction)
    write_records(path, lines[:-1])
    with pytest.raises(DataError, match="29 lines for 30 scored answers"):
        table(run)
    write_records(path, [*lines[1:], lines[0]])
    with pytest.raises(DataError, match=r"line 1: sample .1., and scored\.jsonl beside it has .0."):
        table(run)
