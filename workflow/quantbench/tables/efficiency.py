"""``efficiency.csv``: memory, latency, throughput and energy of each cell, and their ratios to full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..config import Vocabulary
from ..contracts.measurements import Measurements
from ..contracts.run_tables import CellRow, EfficiencyRow
from ..statistics import Ratio
from .time_pairs import TimePairs

# Of what neither the device nor its other users change.
SIZES = {"memory_ratio": "memory_gib", "weight_ratio": "weight_gib"}
TIMES = {"tokens_per_s_ratio": "tokens_per_s", "load_ratio": "load_s"}
ENERGIES = {"energy_ratio": "energy_per_answer_j", "energy_per_1000_tokens_ratio": "energy_per_1000_tokens_j"}


def efficiency_table(
    vocabulary: Vocabulary, results: Path, cells: Sequence[CellRow], confidence: float
) -> list[EfficiencyRow]:
    """Return one row a cell, in the order given; noise floors are left out.

    Args:
        vocabulary: which precision is the reference, and which are noise floors.
        results: ``results/<run>``, where raw times stand.
        cells: ``cells.csv``.
        confidence: of the intervals of paired ratios.

    Raises:
        DataError: a cell's ``measurements.json`` is missing or malformed.
    """
    shown = [row for row in cells if row.precision not in vocabulary.noise_floors]
    readings = {row.cell: Measurements.read(results / "cells" / row.cell.folder / "measurements.json") for row in shown}
    by_cell = {row.cell: row for row in shown}
    rows = []
    for row in shown:
        full = by_cell.get(replace(row.cell, precision=vocabulary.reference))
        if full is None:
            rows.append(_row(row, None, None, confidence))
        else:
            rows.append(_row(row, full, TimePairs(readings[row.cell], readings[full.cell]), confidence))
    return rows


def _row(row: CellRow, full: CellRow | None, pairs: TimePairs | None, confidence: float) -> EfficiencyRow:
    ratios = {**dict.fromkeys([*SIZES, *TIMES, *ENERGIES, "latency_ratio"]), **row.shared_with(EfficiencyRow)}
    if full is not None and pairs is not None:
        # The peak of a GPU and the bytes of a model on CPU are no two sizes of one thing.
        sizes = SIZES if row.memory_kind == full.memory_kind else {"weight_ratio": "weight_gib"}
        ratios |= _quotients(row, full, sizes)
        ratios |= {"full_timed_new_tokens_mean": full.timed_new_tokens_mean, "ratio_note": pairs.note(full.clock_note)}
        if not pairs.times_differ:
            ratios |= _quotients(row, full, TIMES)
            ratios |= _with_ends("latency_ratio", pairs.whole_answers(confidence))
            ratios |= _with_ends("further_token_ratio", pairs.further_tokens(confidence))
            ratios |= _with_ends("first_token_ratio", pairs.first_tokens(confidence))
        if not pairs.energies_differ:
            ratios |= _quotients(row, full, ENERGIES)
    return EfficiencyRow.model_validate(ratios)


def _with_ends(column: str, ratio: Ratio | None) -> dict[str, object]:
    if ratio is None:
        return {}
    return {column: ratio.value, f"{column}_low": ratio.low, f"{column}_high": ratio.high}


def _quotients(row: CellRow, full: CellRow, columns: dict[str, str]) -> dict[str, object]:
    return {name: _quotient(getattr(row, column), getattr(full, column)) for name, column in columns.items()}


def _quotient(value: float | None, reference: float | None) -> float | None:
    # An energy or time of 0 in the reference makes no ratio.
    return value / reference if value is not None and reference else None
