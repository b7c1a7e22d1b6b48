"""``cells.csv``: one row a cell, everything measured and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.measurements import Measurements
from ..contracts.run_tables import CellRow
from ..contracts.scores import Scores
from ..errors import DataError
from ..planner import GIB
from ..statistics import percentile, samples_needed
from .measured_columns import clock_note, device_words, energy_columns, fixed_columns
from .quantized_shares import quantized_note

PERCENTS = (50, 90, 95, 99)


def cells_table(vocabulary: Vocabulary, results: Path, cells: Sequence[Cell]) -> list[CellRow]:
    """Return one row a cell, in the order given.

    Args:
        vocabulary: titles, tasks and sizes.
        results: ``results/<run>``.
        cells: cells with all their files.

    Raises:
        DataError: a file is missing or malformed, or lacks a field.
    """
    rows = [_row(vocabulary, results / "cells" / cell.folder, cell) for cell in cells]
    by_cell = {row.cell: row for row in rows}
    return [_beside_full(row, by_cell.get(replace(row.cell, precision=vocabulary.reference))) for row in rows]


def _row(vocabulary: Vocabulary, folder: Path, cell: Cell) -> CellRow:
    model, dataset = vocabulary.models[cell.model], vocabulary.datasets[cell.dataset]
    path = folder / "measurements.json"
    measured, scores = Measurements.read(path), Scores.read(folder / "scores.json")
    on_gpu = measured.device.kind == "cuda"
    peak = measured.memory.inference
    memory_bytes = peak.peak_allocated_bytes if on_gpu else measured.weight_bytes
    if memory_bytes is None:
        raise DataError(f"{path}: memory.inference.peak_allocated_bytes is null although the device is cuda")
    samples = measured.latency.samples
    if not samples:
        raise DataError(f"{path}: latency.samples is empty; measurement.latency_samples must be at least 1")
    seconds = [sample.latency_s for sample in samples]
    firsts = [sample.first_token_s for sample in samples if sample.first_token_s is not None]
    percentiles = {percent: percentile(seconds, percent) for percent in PERCENTS}
    unsupported = [
        f"p{percent} needs {samples_needed(percent)}" for percent, value in percentiles.items() if value is None
    ]
    published = scores.as_published
    return CellRow(
        model=cell.model,
        title=model.title,
        domain=model.domain,
        parameters=model.counted.parameters,
        demonstration=model.demonstration,
        weights=measured.weights,
        precision=cell.precision,
        dataset=cell.dataset,
        dataset_title=dataset.title,
        task=dataset.task,
        prompting=cell.prompting,
        shots=cell.shots,
        metric=scores.metric,
        score=scores.value,
        score_low=scores.interval[0],
        score_high=scores.interval[1],
        constant_score=scores.constant_value,
        n=scores.n,
        unit=scores.unit,
        units=scores.units,
        unparseable_rate=scores.unparseable_rate,
        refused_rate=scores.refused_rate,
        strict_score=scores.strict_value,
        strict_unparseable_rate=scores.strict_unparseable_rate,
        published_metric=None if published is None else published.metric,
        score_as_published=None if published is None else published.value,
        score_as_published_low=None if published is None else published.interval[0],
        score_as_published_high=None if published is None else published.interval[1],
        repeats=max(1, len(scores.repeats)),
        score_sd=_spread(scores.repeats),
        score_as_published_sd=_spread(published.repeats) if published else None,
        truncated_rate=scores.truncated_rate,
        mean_new_tokens=scores.mean_new_tokens,
        quantized_share=measured.quantized.of_all if measured.quantized else None,
        quantized_note=quantized_note(cell.precision, measured.quantized),
        memory_gib=memory_bytes / GIB,
        memory_kind="peak allocated" if on_gpu else "model bytes",
        weight_gib=measured.weight_bytes / GIB,
        process_gib=None if peak.peak_process_bytes is None else peak.peak_process_bytes / GIB,
        resident_gib=peak.peak_resident_bytes / GIB,
        latency_n=len(seconds),
        latency_mean_s=float(np.mean(seconds)),
        latency_sd_s=float(np.std(seconds, ddof=1)) if len(seconds) > 1 else None,
        latency_p50_s=percentiles[50],
        latency_p90_s=percentiles[90],
        latency_p95_s=percentiles[95],
        latency_p99_s=percentiles[99],
        latency_note=f"n too small: {', '.join(unsupported)}" if unsupported else None,
        first_token_mean_s=float(np.mean(firsts)) if firsts else None,
        tokens_per_s=sum(sample.new_tokens for sample in samples) / sum(seconds),
        prompt_tokens_mean=float(np.mean([sample.prompt_tokens for sample in samples])),
        timed_new_tokens_mean=float(np.mean([sample.new_tokens for sample in samples])),
        **fixed_columns(measured.latency.fixed),
        load_s=measured.load_s,
        energy_j=measured.energy.energy_j,
        **energy_columns(measured),
        energy_note=measured.energy.reason or None,
        device=device_words(measured.device),
        clock_note=clock_note(measured),
        contended_by="; ".join(f"{one.name} (pid {one.pid})" for one in measured.latency.contended_by) or None,
    )


def _beside_full(row: CellRow, full: CellRow | None) -> CellRow:
    """The row with how much more often its outputs were cut off, and how much longer they were, than at full precision."""
    if full is None or full is row:
        return row
    return row.model_copy(
        update={
            "truncated_difference": _difference(row.truncated_rate, full.truncated_rate),
            "new_tokens_difference": _difference(row.mean_new_tokens, full.mean_new_tokens),
        }
    )


def _spread(scores: Sequence[float]) -> float | None:
    """The standard deviation over repeats; None where there are fewer than two."""
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else None


def _difference(value: float | None, reference: float | None) -> float | None:
    return None if value is None or reference is None else value - reference
