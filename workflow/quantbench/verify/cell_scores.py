"""Do a cell's scores follow from its answers? They are scored again, in memory, and compared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue

from .. import tasks
from ..config import Catalogue, DatasetEntry
from ..contracts.cell_name import Cell
from ..contracts.records import Sample, ScoredAnswer, read_records
from ..contracts.run_settings import RunSettings
from ..contracts.scores import Scores
from ..errors import shorten
from ..scoring import judged_cell, origin_of
from ..statistics import Bootstrap, interval_of_counts

_REMEDY = "edited, or made by another version; delete scored.jsonl and scores.json to have the cell scored again"


def score_problems(catalogue: Catalogue, run: Path, cell: Cell) -> Iterator[str]:
    """What in ``scored.jsonl`` and ``scores.json`` does not follow from the answers; a cell that is not scored yet has none.

    Where a bundle left texts or outputs out, the scores are held against ``scored.jsonl`` as far as they follow from it.

    Args:
        catalogue: what the cell was run with.
        run: folder of the run.
        cell: which one.

    Raises:
        DataError: a file is missing or malformed.
    """
    folder, samples = run / "cells" / cell.folder, run / "datasets" / cell.dataset / "samples.jsonl"
    scored_path, scores_path = folder / "scored.jsonl", folder / "scores.json"
    if not scored_path.exists() or not scores_path.exists():
        return
    entry, bootstrap = catalogue.datasets[cell.dataset], _bootstrap(catalogue, run)
    known = read_records(samples, Sample)
    answers, scores = read_records(scored_path, ScoredAnswer), Scores.read(scores_path)
    stated = {key: value for key, value in scores.as_json().items() if key in scores.model_fields_set}
    if (folder / "predictions.jsonl").exists() and all(sample.inputs for sample in known):
        again, found = judged_cell(folder, samples, entry, bootstrap, origin_of(catalogue, cell))
        other = [one.sample_id for one, now in zip(answers, again, strict=False) if replace(one, note=now.note) != now]
        if other or len(answers) != len(again):
            where = f"sample {shorten(other[0])}" if other else f"{len(answers)} answers, {len(again)} samples"
            yield f"{scored_path}: not what is read from predictions.jsonl ({where}): {_REMEDY}"
        follows = found.as_json()
    else:
        follows = _summed(answers, known, entry, bootstrap)
    for key, value in follows.items():
        if key in stated and not _alike(stated[key], value):
            yield f"{scores_path}: {key} is {shorten(stated[key])}, and the answers give {shorten(value)}: {_REMEDY}"


def _summed(
    answers: list[ScoredAnswer], samples: list[Sample], entry: DatasetEntry, bootstrap: Bootstrap
) -> dict[str, JsonValue]:
    """What judged answers come to."""
    task = tasks.get(entry)
    groups = {sample.sample_id: sample.group for sample in samples}
    counts = task.counts([answer.parsed for answer in answers], [answer.gold for answer in answers])
    low, high = interval_of_counts(counts, [groups[one.sample_id] for one in answers], task.metric, bootstrap)
    return {
        "value": task.metric.value(counts.sum(axis=0)),
        "interval": [low, high],
        "n": len(answers),
        "unparseable_rate": sum(not answer.parsed_ok for answer in answers) / len(answers),
    }


def _bootstrap(catalogue: Catalogue, run: Path) -> Bootstrap:
    path = run / RunSettings.path
    settings = RunSettings.read(path) if path.exists() else catalogue.run
    return Bootstrap(settings.comparison.resamples, settings.seed, settings.comparison.confidence)


def _alike(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same but for the last digits of numbers, which differ between processors."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other
