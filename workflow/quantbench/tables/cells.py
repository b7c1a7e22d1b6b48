"""``cells.csv``: one row a cell, everything measured and scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import Catalogue
from ..errors import DataError
from ..planner import GIB, linear_weights
from ..statistics import percentile, samples_needed
from ..study.grid import Cell
from .stored import Document, cell_folder, weights_of

if TYPE_CHECKING:
    import pandas as pd

    from ..config import Architecture

KEYS = ["model", "precision", "dataset", "prompting", "shots"]
PERCENTS = (50, 90, 95, 99)
PEAK = "peak allocated"
MODEL_BYTES = "model bytes"


def cells_table(catalogue: Catalogue, results: Path, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return one row a cell, in the order given.

    Args:
        catalogue: the configuration, for titles, tasks and sizes.
        results: ``results/<run>``.
        cells: finished cells (see :func:`existing_cells`).

    Units stand in the column names; ``_gib`` is 2**30 bytes, scores and rates are between 0 and 1, ``parameters`` is a
    count. ``memory_gib`` is the peak torch allocated during inference, summed over devices; on CPU the model's own
    bytes: ``memory_kind`` says which. ``weights`` is ``published``, or ``random`` where the model was a stand-in: memory
    and latency are the model's then, scores mean nothing. ``constant_score`` is the chance level: what the best
    constant answer scores. ``latency_note`` names the percentiles left empty because n is too small.

    Raises:
        DataError: a file is missing or malformed, or lacks a field.
    """
    import pandas as pd

    return pd.DataFrame([_row(catalogue, cell_folder(results, cell), cell) for cell in cells], columns=COLUMNS)


def parameters(facts: Architecture) -> int:
    """Number of weights of a model: linear layers, embeddings and output head (norms and biases are left out)."""
    return linear_weights(facts) + facts.vocab_size * facts.hidden_size * (1 if facts.tied_head else 2)


def _row(catalogue: Catalogue, folder: Path, cell: Cell) -> dict[str, Any]:
    model, dataset = catalogue.models[cell.model], catalogue.datasets[cell.dataset]
    measured = Document(folder / "measurements.json")
    return {
        "model": cell.model,
        "title": model.title,
        "domain": model.domain,
        "parameters": parameters(model.architecture),
        "demonstration": model.demonstration,
        "weights": weights_of(measured),
        "precision": cell.precision,
        "dataset": cell.dataset,
        "dataset_title": dataset.title,
        "task": dataset.task,
        "prompting": cell.prompting,
        "shots": cell.shots,
        **_scores(Document(folder / "scores.json")),
        **_memory(measured),
        **_latency(measured),
        "load_s": measured.get("load_s"),
        "energy_j": measured.get("energy", "energy_j"),
        "energy_note": measured.get("energy", "reason") or None,
        "device": _device(measured),
        "contended_by": "; ".join(map(_process, measured.get("latency", "contended_by"))) or None,
    }


def _scores(scores: Document) -> dict[str, Any]:
    interval = scores.get("interval")
    return {
        "metric": scores.get("metric"),
        "score": scores.get("value"),
        "score_low": interval[0],
        "score_high": interval[1],
        "constant_score": scores.get("constant_value"),
        "n": scores.get("n"),
        "unparseable_rate": scores.get("unparseable_rate"),
        "strict_score": scores.get("strict_value"),
        "strict_unparseable_rate": scores.get("strict_unparseable_rate"),
    }


def _memory(measured: Document) -> dict[str, Any]:
    weight_bytes = measured.get("weight_bytes")
    on_gpu = measured.get("device", "kind") == "cuda"
    memory_bytes = measured.get("memory", "inference", "peak_allocated_bytes") if on_gpu else weight_bytes
    if memory_bytes is None:
        raise DataError(f"{measured.path}: memory.inference.peak_allocated_bytes is null although the device is cuda")
    process = measured.get("memory", "inference", "peak_process_bytes")
    return {
        "memory_gib": memory_bytes / GIB,
        "memory_kind": PEAK if on_gpu else MODEL_BYTES,
        "weight_gib": weight_bytes / GIB,
        "process_gib": None if process is None else process / GIB,
        "resident_gib": measured.get("memory", "inference", "peak_resident_bytes") / GIB,
    }


def _latency(measured: Document) -> dict[str, Any]:
    samples = measured.get("latency", "samples")
    if not samples:
        raise DataError(f"{measured.path}: latency.samples is empty; measurement.latency_samples must be at least 1")
    seconds = [sample["latency_s"] for sample in samples]
    percentiles = {percent: percentile(seconds, percent) for percent in PERCENTS}
    unsupported = [
        f"p{percent} needs {samples_needed(percent)}" for percent in PERCENTS if percentiles[percent] is None
    ]
    return {
        "latency_n": len(seconds),
        "latency_mean_s": float(np.mean(seconds)),
        "latency_sd_s": float(np.std(seconds, ddof=1)) if len(seconds) > 1 else None,
        **{f"latency_p{percent}_s": value for percent, value in percentiles.items()},
        "latency_note": f"n too small: {', '.join(unsupported)}" if unsupported else None,
        "first_token_mean_s": float(np.mean([sample["first_token_s"] for sample in samples])),
        "tokens_per_s": sum(sample["new_tokens"] for sample in samples) / sum(seconds),
        "prompt_tokens_mean": float(np.mean([sample["prompt_tokens"] for sample in samples])),
    }


def _process(foreign: dict[str, Any]) -> str:
    """For example ``python (pid 4711)``."""
    return f"{foreign['name']} (pid {foreign['pid']})"


def _device(measured: Document) -> str:
    """For example ``CPU`` with its name, or ``2 x NVIDIA A100``."""
    names = [str(name) for name in measured.get("device", "names")]
    counted = [name if names.count(name) == 1 else f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
    words = " + ".join(counted)
    if measured.get("device", "kind") == "cpu":
        return f"CPU ({words})" if words else "CPU"
    return words


COLUMNS = [
    *("model", "title", "domain", "parameters", "demonstration", "weights", "precision"),
    *("dataset", "dataset_title", "task"),
    *("prompting", "shots", "metric", "score", "score_low", "score_high", "constant_score", "n", "unparseable_rate"),
    *(
        "strict_score",
        "strict_unparseable_rate",
        "memory_gib",
        "memory_kind",
        "weight_gib",
        "process_gib",
        "resident_gib",
    ),
    *("latency_n", "latency_mean_s", "latency_sd_s", *(f"latency_p{percent}_s" for percent in PERCENTS)),
    *("latency_note", "first_token_mean_s", "tokens_per_s", "prompt_tokens_mean", "load_s", "energy_j"),
    *("energy_note", "device", "contended_by"),
]
