"""``efficiency.csv``: memory, latency, throughput and energy of each cell, and their ratios to full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..config import Vocabulary
from ..contracts.run_tables import CellRow, EfficiencyRow

RATIOS = {
    "memory_ratio": "memory_gib",
    "weight_ratio": "weight_gib",
    "latency_ratio": "latency_mean_s",
    "tokens_per_s_ratio": "tokens_per_s",
    "energy_ratio": "energy_j",
    "load_ratio": "load_s",
}


def efficiency_table(vocabulary: Vocabulary, cells: Sequence[CellRow]) -> list[EfficiencyRow]:
    """Return one row a cell, in the order given; noise floors are left out."""
    by_cell = {row.cell: row for row in cells}
    rows = []
    for row in cells:
        if row.precision in vocabulary.noise_floors:
            continue
        full = by_cell.get(replace(row.cell, precision=vocabulary.reference))
        ratios = {name: _ratio(row, full, column) for name, column in RATIOS.items()}
        rows.append(EfficiencyRow.model_validate({**row.shared_with(EfficiencyRow), **ratios}))
    return rows


def _ratio(row: CellRow, full: CellRow | None, column: str) -> float | None:
    value: float | None = getattr(row, column)
    reference: float | None = getattr(full, column, None)
    # An energy or time of 0 in the reference makes no ratio.
    return value / reference if value is not None and reference else None
