from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from quantbench.contracts.pooled_rows import PooledRow
from quantbench.figures.pooled_panel import pooled_panel
from quantbench.figures.style import looks


def row(metric: str, precision: str, difference: float, general: float | None) -> PooledRow:
    """A mean difference whose interval reaches 0.005 to either side, and ``general`` for others like them."""
    return PooledRow(
        study="grid",
        precision=precision,
        metric=metric,
        comparisons=12,
        models=4,
        datasets=3,
        documents=500,
        left_out=0,
        full_score=0.7,
        score=0.7 + difference,
        difference=difference,
        difference_low=difference - 0.005,
        difference_high=difference + 0.005,
        general_low=None if general is None else difference - general,
        general_high=None if general is None else difference + general,
        basis="these",
        margin=0.01,
        verdict="inconclusive",
        recovery=0.98,
        recovery_low=0.97,
        recovery_high=0.99,
        recovery_above_chance=0.97,
        recovery_above_chance_low=0.96,
        recovery_above_chance_high=0.98,
        worst_model="phi-4",
        worst_dataset="hoc",
        worst_difference=-0.05,
        worst_low=-0.09,
        worst_high=-0.01,
    )


def test_each_metric_has_a_line_and_each_precision_a_mark() -> None:
    axis = Figure().subplots()
    rows = [row(metric, name, -0.02, None) for name in ("w8a16", "w4a16") for metric in ("all", "entity_f1")]
    pooled_panel(axis, rows, looks(["w8a16", "w4a16"]))
    assert [label.get_text() for label in axis.get_yticklabels()] == ["all", "entity F1"]
    assert len(axis.containers) == 4
    low, high = axis.get_xlim()
    assert low == pytest.approx(-high) and low < -0.025


def test_the_wider_interval_is_drawn_and_one_that_says_nothing_sets_no_scale() -> None:
    axis = Figure().subplots()
    pooled_panel(axis, [row("all", "w4a16", -0.02, 0.03), row("accuracy", "w4a16", -0.02, 0.7)], looks(["w4a16"]))
    thin = [
        np.asarray(line.get_xdata()).tolist() for line in axis.get_lines() if line.get_linewidth() == pytest.approx(0.6)
    ]
    assert thin == [pytest.approx([-0.05, 0.01]), pytest.approx([-0.72, 0.68])]
    assert axis.get_xlim()[1] == pytest.approx(1.05 * 0.05)
