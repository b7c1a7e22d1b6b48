"""``efficiency.csv``: memory, latency, throughput and energy of each cell, and their ratios to full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..config import Prompting, Vocabulary
from .cells import CellRow
from .rows import CellKeys, Gib, Ratio, Seconds, Weights


class EfficiencyRow(CellKeys):
    """One cell beside the ``full`` cell of the same model, dataset and prompt.

    A ratio below 1 is a saving (above 1 for tokens per second). Latencies are of the same samples at every precision, at
    batch 1. The other columns are those of ``cells.csv``.
    """

    model: str
    title: str
    domain: str
    weights: Weights
    precision: str
    dataset: str
    task: str
    prompting: Prompting
    shots: int
    memory_kind: str
    memory_gib: Gib
    memory_ratio: Ratio
    weight_gib: Gib
    weight_ratio: Ratio
    latency_mean_s: Seconds
    latency_ratio: Ratio
    tokens_per_s: float
    tokens_per_s_ratio: Ratio
    energy_j: float | None
    energy_ratio: Ratio
    load_s: Seconds
    load_ratio: Ratio
    latency_sd_s: Seconds | None
    latency_n: int
    first_token_mean_s: Seconds
    energy_note: str | None
    device: str
    contended_by: str | None


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
