from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import pytest
from tests.simulated_run import Run

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.pooled_rows import PooledRow
from quantbench.statistics import Bootstrap
from quantbench.study.grid import wanted_cells
from quantbench.tables import Judging, pooled_table
from quantbench.tables.judged_cells import JudgedCells
from quantbench.tables.precision_effects import ComparedPairs, compared_pairs

BOOTSTRAP = Bootstrap(300, 1, 0.95)


def compared(run: Run, cells: list[Cell] | None = None) -> ComparedPairs:
    catalogue = run.catalogue
    judging, studies = Judging(catalogue.run.comparison, BOOTSTRAP), wanted_cells(catalogue).studies
    judged = JudgedCells(catalogue.vocabulary, run.results)
    return compared_pairs(judged, cells or run.cells, studies, judging)


def pooled(run: Run, found: ComparedPairs) -> dict[tuple[str, str], PooledRow]:
    rows = pooled_table(run.catalogue.vocabulary, found.studies, found.counts, BOOTSTRAP)
    return {(row.precision, row.metric): row for row in rows}


def among(found: ComparedPairs, precision: str) -> list[EffectRow]:
    return [row for row in found.rows if row.precision == precision]


def set_constant(run: Run, cell: Cell, value: float) -> None:
    path = run.results / "cells" / cell.folder / "scores.json"
    write_json(path, read_json(path) | {"constant_value": value})


def test_a_pooled_effect_is_the_mean_of_the_comparisons_beside_it(run: Run) -> None:
    found = compared(run)
    rows, own = pooled(run, found), among(found, "w4a16")
    assert set(rows) == {
        (name, metric) for name in ("w8a16", "w4a16") for metric in ("all", "accuracy", "macro_f1", "entity_f1")
    }
    row = rows["w4a16", "all"]
    assert (row.study, row.comparisons, row.models, row.datasets, row.documents, row.left_out) == (
        "grid",
        6,
        2,
        3,
        24,
        0,
    )
    assert row.difference == pytest.approx(fmean(one.difference for one in own))
    assert row.recovery == pytest.approx(fmean(one.score for one in own) / fmean(one.full_score for one in own))
    above = fmean(one.score - 0.1 for one in own) / fmean(one.full_score - 0.1 for one in own)
    assert row.recovery_above_chance == pytest.approx(above)
    lowest = min(own, key=lambda one: one.difference)
    assert (row.worst_model, row.worst_dataset) == (lowest.model, lowest.dataset)
    assert row.worst_difference == pytest.approx(lowest.difference)
    # A mean is surer than any of its parts, and the one picked for being lowest less sure than that.
    assert row.difference_high - row.difference_low < fmean(one.difference_high - one.difference_low for one in own)
    assert row.worst_high - row.worst_low > 2 * (row.difference_high - row.difference_low)
    assert (row.basis, row.general_low) == ("these", None)  # two models


def test_one_metric_pools_its_own_datasets_alone(run: Run) -> None:
    found = compared(run)
    own = [row.difference for row in among(found, "w4a16") if row.metric == "entity_f1"]
    row = pooled(run, found)["w4a16", "entity_f1"]
    assert (row.comparisons, row.datasets, row.documents) == (2, 1, 8)
    assert row.verdict == "too few"
    assert row.difference == pytest.approx(fmean(own))


def test_what_has_nothing_to_lose_is_left_out(run: Run) -> None:
    full = Cell("phi-4", "full", "hoc", "instruction", 0)
    set_constant(run, full, 0.99)
    found = compared(run)
    kept = [row for row in among(found, "w8a16") if (row.model, row.dataset) != ("phi-4", "hoc")]
    row = pooled(run, found)["w8a16", "all"]
    assert (row.comparisons, row.left_out) == (5, 1)
    assert row.difference == pytest.approx(fmean(one.difference for one in kept))
    for model, dataset in (
        (model, dataset) for model in ("phi-4", "qwen2.5-3b") for dataset in ("pubmedqa", "hoc", "ncbi_disease")
    ):
        set_constant(run, replace(full, model=model, dataset=dataset), 0.999)
    assert pooled(run, compared(run)) == {}


def test_precisions_do_not_depend_on_one_another(run: Run) -> None:
    alone = [cell for cell in run.cells if cell.precision != "w8a16"]
    assert pooled(run, compared(run, alone)) == {
        key: row for key, row in pooled(run, compared(run)).items() if key[0] == "w4a16"
    }


def test_without_quantized_cells_there_is_nothing_to_pool(run: Run) -> None:
    assert pooled(run, compared(run, [cell for cell in run.cells if cell.precision == "full"])) == {}
