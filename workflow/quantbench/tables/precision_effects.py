"""``precision_effects.csv``: each quantized cell against full precision, pair by pair (docs/protocol.md#comparisons)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config import Catalogue
from ..contracts.records import Sample, ScoredAnswer, read_records
from ..errors import DataError
from ..statistics import compare, holm, mcnemar_exact, verdict
from ..study.grid import Cell, study_cells
from ..tasks.metrics import metric_value
from .efficiency import REFERENCE
from .stored import Document, cell_folder, weights_of

if TYPE_CHECKING:
    import pandas as pd

# scores.json and the counts of scored.jsonl are of the same answers; more than rounding between them means a stale
# file.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Answers:
    """One cell's judged answers. ``counts`` has the shape (n, labels, 3)."""

    answers: list[ScoredAnswer]
    counts: NDArray[Any]
    scores: Document
    weights: str


def effects_table(
    catalogue: Catalogue, results: Path, cells: Sequence[Cell], samples: Mapping[str, Path]
) -> pd.DataFrame:
    """Return one row a study of the run and quantized cell whose full-precision twin exists too.

    Args:
        catalogue: the configuration; margin, resamples, confidence and seed are the run's.
        results: ``results/<run>``.
        cells: finished cells (see :func:`existing_cells`).
        samples: dataset -> its ``samples.jsonl``, for the source document of each sample.

    ``difference`` is quantized minus full precision. ``flip_rate`` is the share of samples whose answer changed at all,
    ``lost`` and ``gained`` count changes of correctness; ``holm_p`` corrects ``mcnemar_p`` within the study.
    ``noise_floor_*`` are flip rate and difference of the reference run again under a second batch plan, empty where it
    was not; ``within_noise_floor``: quantization flipped no more answers than that.

    Raises:
        DataError: a file is missing or malformed, two cells hold different samples, or a score does not follow from the
            answers beside it.
    """
    import pandas as pd

    finished = set(cells)
    wanted = {name: _pairs(catalogue, study_cells(catalogue, name), finished) for name in catalogue.run.studies}
    pairs = [cell for cells_of_study in wanted.values() for cell in cells_of_study]
    effects = _all_effects(catalogue, results, pairs, finished, samples)
    rows: list[dict[str, Any]] = []
    for study, pairs in wanted.items():
        corrected = holm([effects[cell]["mcnemar_p"] for cell in pairs])
        rows += [{"study": study, **effects[cell], "holm_p": p} for cell, p in zip(pairs, corrected, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _pairs(catalogue: Catalogue, cells: Sequence[Cell], finished: set[Cell]) -> list[Cell]:
    quantized = [cell for cell in cells if cell.precision != REFERENCE and cell.precision not in catalogue.noise_floors]
    return [cell for cell in quantized if {cell, _reference(cell)} <= finished]


def _reference(cell: Cell) -> Cell:
    return replace(cell, precision=REFERENCE)


def _all_effects(
    catalogue: Catalogue, results: Path, pairs: Sequence[Cell], finished: set[Cell], samples: Mapping[str, Path]
) -> dict[Cell, dict[str, Any]]:
    """Compare each pair once, however many studies want it; a reference is read once for all its precisions."""
    quantized: dict[Cell, list[Cell]] = {}
    for cell in dict.fromkeys(pairs):
        quantized.setdefault(_reference(cell), []).append(cell)
    documents = {name: _documents(samples, name) for name in dict.fromkeys(cell.dataset for cell in quantized)}
    effects: dict[Cell, dict[str, Any]] = {}
    for reference, others in quantized.items():
        full = _read(catalogue, results, reference)
        groups = [_document_of(documents[reference.dataset], answer, reference) for answer in full.answers]
        floor = _noise_floor(catalogue, results, reference, full, finished)
        for cell in others:
            effect = _effect(catalogue, cell, full, _read(catalogue, results, cell), groups)
            within = effect["flip_rate"] <= floor["noise_floor_flip_rate"] if floor else None
            effects[cell] = effect | floor | {"within_noise_floor": within}
    return effects


def _noise_floor(
    catalogue: Catalogue, results: Path, reference: Cell, full: _Answers, finished: set[Cell]
) -> dict[str, float]:
    """What a second batch plan alone changed at full precision; empty where that was not run."""
    repeats = [replace(reference, precision=name) for name, of in catalogue.noise_floors.items() if of == REFERENCE]
    found = [cell for cell in repeats if cell in finished]
    if not found:
        return {}
    again = _read(catalogue, results, found[0])
    _check_same_samples(found[0], full, again)
    return {
        "noise_floor_flip_rate": _changes(full.answers, again.answers)["flip_rate"],
        "noise_floor_difference": again.scores.get("value") - full.scores.get("value"),
    }


def _documents(samples: Mapping[str, Path], dataset: str) -> dict[str, str]:
    if dataset not in samples:
        raise DataError(f"no samples.jsonl given for {dataset}; the comparison needs each sample's source document")
    return {sample.sample_id: sample.group for sample in read_records(samples[dataset], Sample)}


def _document_of(documents: Mapping[str, str], answer: ScoredAnswer, cell: Cell) -> str:
    try:
        return documents[answer.sample_id]
    except KeyError:
        raise DataError(f"{cell.label}: sample {answer.sample_id!r} is not in the dataset's samples.jsonl") from None


def _read(catalogue: Catalogue, results: Path, cell: Cell) -> _Answers:
    from .. import tasks

    folder = cell_folder(results, cell)
    answers = read_records(folder / "scored.jsonl", ScoredAnswer)
    task = tasks.get(catalogue.datasets[cell.dataset])
    counts = task.counts([answer.parsed for answer in answers], [answer.gold for answer in answers])
    scores = Document(folder / "scores.json")
    recomputed = float(metric_value(counts.sum(axis=0), catalogue.datasets[cell.dataset].metric))
    if abs(recomputed - scores.get("value")) > TOLERANCE:
        raise DataError(
            f"{scores.path}: the value {scores.get('value')} does not follow from scored.jsonl beside it, which gives "
            f"{recomputed:.6f}; delete both files to have the cell scored again"
        )
    return _Answers(answers, counts, scores, weights_of(Document(folder / "measurements.json")))


def _check_same_samples(cell: Cell, full: _Answers, other: _Answers) -> None:
    if [answer.sample_id for answer in full.answers] != [answer.sample_id for answer in other.answers]:
        raise DataError(
            f"{cell.label}: other samples, or in another order, than at full precision ({len(other.answers)} and "
            f"{len(full.answers)}); delete the older of the two cells to have it made again"
        )


def _effect(catalogue: Catalogue, cell: Cell, full: _Answers, other: _Answers, groups: list[str]) -> dict[str, Any]:
    """One row of the table, without study and Holm's p."""
    _check_same_samples(cell, full, other)
    settings, dataset = catalogue.run.comparison, catalogue.datasets[cell.dataset]
    paired = compare(
        full.counts, other.counts, groups, dataset.metric, settings.resamples, catalogue.run.seed, settings.confidence
    )
    random = "random" in (full.weights, other.weights)
    return {
        "model": cell.model,
        "title": catalogue.models[cell.model].title,
        "weights": "random" if random else "published",
        "dataset": cell.dataset,
        "task": dataset.task,
        "prompting": cell.prompting,
        "shots": cell.shots,
        "precision": cell.precision,
        "metric": dataset.metric,
        "n": len(groups),
        "documents": len(set(groups)),
        "full_score": full.scores.get("value"),
        "score": other.scores.get("value"),
        "score_low": other.scores.get("interval")[0],
        "score_high": other.scores.get("interval")[1],
        "difference": paired.difference,
        "difference_low": paired.low,
        "difference_high": paired.high,
        **_changes(full.answers, other.answers),
        "margin": settings.margin,
        # The scores of random weights say nothing about a precision.
        "verdict": "inconclusive" if random else verdict(paired.low, paired.high, settings.margin),
        "smallest_detectable": paired.smallest_detectable,
        "full_unparseable_rate": full.scores.get("unparseable_rate"),
        "unparseable_rate": other.scores.get("unparseable_rate"),
    }


def _changes(full: Sequence[ScoredAnswer], other: Sequence[ScoredAnswer]) -> dict[str, Any]:
    right = np.array([[before.correct, after.correct] for before, after in zip(full, other, strict=True)])
    lost = int((right[:, 0] & ~right[:, 1]).sum())
    gained = int((~right[:, 0] & right[:, 1]).sum())
    changed = sum(
        (before.parsed_ok, before.parsed) != (after.parsed_ok, after.parsed)
        for before, after in zip(full, other, strict=True)
    )
    return {
        "flip_rate": changed / len(full),
        "lost": lost,
        "gained": gained,
        "mcnemar_p": mcnemar_exact(lost, gained),
    }


COLUMNS = [
    *(
        "study",
        "model",
        "title",
        "weights",
        "dataset",
        "task",
        "prompting",
        "shots",
        "precision",
        "metric",
        "n",
        "documents",
    ),
    *("full_score", "score", "score_low", "score_high", "difference", "difference_low", "difference_high"),
    *("flip_rate", "lost", "gained", "mcnemar_p", "holm_p", "margin", "verdict", "smallest_detectable"),
    *("noise_floor_flip_rate", "noise_floor_difference", "within_noise_floor"),
    *("full_unparseable_rate", "unparseable_rate"),
]
