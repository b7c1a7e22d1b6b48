"""The evidence of a run: its tables ``cells.csv`` and ``precision_effects.csv``, and the draws of its scores."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np

from ..config import RunConfig, Vocabulary, is_zero_shot, load
from ..contracts.effect_rows import EffectRow
from ..contracts.resampled_scores import ResampledScores
from ..contracts.run_settings import RunSettings
from ..contracts.run_tables import PEAK, CellRow
from ..errors import DataError, shorten
from ..planner import GIB, Setting, Workload, plan_memory
from .candidates import Candidate, CellEvidence, Evidence, by_deployment, by_task

# Tokens added to the mean prompt when memory is planned: the longest prompt decides, and it is not in the tables.
_LONGEST_OVER_MEAN = 3


def read_evidence(root: Path, folder: Path) -> Evidence:
    """The evidence of ``results/<run>``, whose tables and settings are all it needs.

    Args:
        root: the repository, whose entries the run names.
        folder: the run's.

    Raises:
        DataError: its tables or settings are missing or malformed.
        ConfigError: the repository's entries no longer have what the run names.
    """
    path = folder / RunSettings.path
    # The datasets' files need not be here.
    catalogue = load(root, RunSettings.read(path).as_json() | {"data": {"folder": None}}, str(path))
    return tables_evidence(catalogue.vocabulary, catalogue.run, folder)


def tables_evidence(vocabulary: Vocabulary, run: RunConfig, results: Path) -> Evidence:
    """The evidence of the tables of ``results/<run>``.

    Raises:
        DataError: a table is missing or malformed, or names what the configuration does not have.
    """
    cells, effects = CellRow.read(results / CellRow.path), EffectRow.read(results / EffectRow.path)
    _refuse_strangers(vocabulary, cells, results / CellRow.path)
    return measured_evidence(vocabulary, run, cells, effects, ResampledScores.found(results / ResampledScores.path))


def _refuse_strangers(vocabulary: Vocabulary, cells: Sequence[CellRow], path: Path) -> None:
    """Refuse cells whose model, dataset or precision has no entry: titles and facts come from there."""
    for number, row in enumerate(cells, start=2):
        known: tuple[tuple[str, str, Container[str]], ...] = (
            ("model", row.model, vocabulary.models),
            ("dataset", row.dataset, vocabulary.datasets),
            ("precision", row.precision, vocabulary.precisions),
        )
        for column, name, entries in known:
            if name not in entries:
                raise DataError(
                    f"{path}, line {number}: {column}: {shorten(name)}: no entry of that name; delete the table to have it made again"
                )


def measured_evidence(
    vocabulary: Vocabulary,
    run: RunConfig,
    cells: Sequence[CellRow],
    effects: Sequence[EffectRow],
    draws: ResampledScores | None = None,
) -> Evidence:
    """Take the zero-shot instruction cells of a run; noise floors are no candidates and are left out.

    Args:
        vocabulary: titles, licences, and the facts that memory is planned from.
        run: its name, and whether it was limited to some samples.
        cells: ``tables/cells.csv``.
        effects: ``tables/precision_effects.csv``.
        draws: ``tables/resampled_scores.npz``; None where tables of before it are read.
    """
    shown = [row for row in cells if is_zero_shot(row) and row.precision not in vocabulary.noise_floors]
    tested = {row.cell: row for row in reversed(effects)}  # of several studies, the first
    candidates = by_task(
        (task, _candidate(vocabulary, rows, [_cell(vocabulary, run, row, tested.get(row.cell)) for row in rows], draws))
        for (task, _, _), rows in by_deployment(shown).items()
    )
    titles: dict[str, dict[str, str]] = {}
    for row in shown:
        titles.setdefault(row.task, {})[row.dataset] = row.dataset_title
    return Evidence(f"run {run.run}", _notes(run, shown), titles, candidates, run.comparison.confidence)


def _candidate(
    vocabulary: Vocabulary, rows: Sequence[CellRow], cells: Sequence[CellEvidence], draws: ResampledScores | None
) -> Candidate:
    model, precision = rows[0].model, rows[0].precision
    entry = vocabulary.models[model]
    drawn = draws.of([row.cell for row in rows]) if draws else None
    return Candidate(
        model=model,
        precision=precision,
        title=entry.title,
        precision_title=vocabulary.title("precision", precision),
        licence=entry.licence,
        cells=tuple(cells),
        is_reference=precision == vocabulary.reference,
        demonstration=entry.demonstration or any(row.weights == "random" for row in rows),
        draws=None if drawn is None else drawn.mean(axis=0, dtype=np.float64),
    )


def _cell(vocabulary: Vocabulary, run: RunConfig, row: CellRow, effect: EffectRow | None) -> CellEvidence:
    on_gpu = row.memory_kind == PEAK
    return CellEvidence(
        dataset=row.dataset,
        score=row.score,
        score_low=row.score_low,
        score_high=row.score_high,
        memory_gib=row.memory_gib if on_gpu else _planned_gib(vocabulary, row),
        memory_source="measured" if on_gpu else "planned",
        latency_s=row.latency_mean_s,
        difference=effect.difference if effect else None,
        difference_low=effect.difference_low if effect else None,
        difference_high=effect.difference_high if effect else None,
        constant_score=row.constant_score,
        unparseable_rate=row.unparseable_rate,
        truncated_rate=row.truncated_rate,
        margin=effect.margin if effect else run.comparison.margin_of(vocabulary.datasets[row.dataset]),
        unjudged=effect.verdict if effect and effect.verdict in ("at chance", "too few") else None,
    )


def _planned_gib(vocabulary: Vocabulary, row: CellRow) -> float:
    """The peak on one GPU, by the memory planner: on a CPU nothing comparable is measured."""
    model, limit = vocabulary.models[row.model], vocabulary.datasets[row.dataset].max_new_tokens[row.prompting]
    work = Workload(
        prompt_tokens=math.ceil(_LONGEST_OVER_MEAN * row.prompt_tokens_mean),
        new_tokens=limit + model.reasoning_tokens,
    )
    return plan_memory(Setting(model, vocabulary.precisions[row.precision], work)).peak_bytes / GIB


def _notes(run: RunConfig, cells: Sequence[CellRow]) -> tuple[str, ...]:
    devices = dict.fromkeys(row.device for row in cells)
    notes = [f"Latency was measured on {', '.join(devices)}, one query at a time."] if devices else []
    if any(row.memory_kind != PEAK for row in cells):
        notes.append("The run was on a CPU: GPU memory is planned (docs/memory.md), not measured.")
    if not run.protocol.is_sound:
        notes.append(
            f"The run leaves the sound protocol ({', '.join(run.protocol.switched)}): it is for reading the paper by, not for "
            "choosing a model."
        )
    if run.limit:
        notes.append(f"Scores are of at most {run.limit} samples a dataset.")
    return tuple(notes)
