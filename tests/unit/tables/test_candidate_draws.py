"""Zero-shot cells are scored on the same draws of documents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_run import Run

from quantbench.config import is_zero_shot
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.resampled_scores import ResampledScores
from quantbench.contracts.scores import Scores
from quantbench.statistics import Bootstrap
from quantbench.study.grid import wanted_cells
from quantbench.tables import Judging
from quantbench.tables.candidate_draws import candidate_draws
from quantbench.tables.judged_cells import JudgedCells
from quantbench.tables.precision_effects import compared_pairs

BOOTSTRAP = Bootstrap(400, 1, 0.95)


def draws(run: Run, cells: list[Cell]) -> ResampledScores:
    catalogue = run.catalogue
    judging, studies = Judging(catalogue.run.comparison, BOOTSTRAP), wanted_cells(catalogue).studies
    judged = JudgedCells(catalogue.vocabulary, run.results)
    pairs = compared_pairs(judged, cells, studies, judging).counts
    return candidate_draws(judged, cells, pairs, BOOTSTRAP)


def value(run: Run, cell: Cell) -> float:
    return Scores.read(run.results / "cells" / cell.folder / "scores.json").value


def test_every_zero_shot_cell_is_drawn_around_its_score(run: Run) -> None:
    found = draws(run, list(run.cells))
    floors = run.catalogue.vocabulary.noise_floors
    assert set(found.cells) == {cell for cell in run.cells if is_zero_shot(cell) and cell.precision not in floors}
    assert found.scores.shape == (len(found.cells), 400)
    for cell, drawn in zip(found.cells, found.scores, strict=True):
        assert drawn.mean() == pytest.approx(value(run, cell), abs=0.1)
        assert ((drawn >= 0) & (drawn <= 1)).all()


def test_cells_of_a_dataset_share_their_draws_with_or_without_full_precision(run: Run) -> None:
    """What a cell scores in a draw does not depend on which other cells there are."""
    whole = draws(run, list(run.cells))
    reference = run.catalogue.vocabulary.reference
    alone = draws(run, [cell for cell in run.cells if cell.precision != reference])
    assert reference not in {cell.precision for cell in alone.cells}
    assert alone.cells
    for cell in alone.cells:
        np.testing.assert_array_equal(whole.of([cell]), alone.of([cell]))


def test_two_cells_that_answered_alike_never_differ(run: Run) -> None:
    cell = next(cell for cell in run.cells if cell.dataset == "hoc" and cell.precision == "full" and is_zero_shot(cell))
    twin = replace(cell, precision="w4a16")
    folder, other = (run.results / "cells" / one.folder for one in (cell, twin))
    for name in ("scored.jsonl", "scores.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    both = draws(run, list(run.cells)).of([cell, twin])
    assert both is not None
    np.testing.assert_array_equal(both[0], both[1])
    assert both[0].std() > 0


def test_a_run_without_zero_shot_cells_has_no_draws(run: Run) -> None:
    assert draws(run, []).scores.shape == (0, 0)
