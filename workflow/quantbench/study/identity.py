"""What a cell's outputs depend on, as plain values: the workflow reruns a cell, and progress is reused, by these alone."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from ..config import Catalogue
from ..prompts import read_template, template_path, text_hash
from .grid import Cell

# Raise it when a change of the engine changes outputs or measurements: every cell then runs again.
ENGINE_VERSION = 3
# Raise it when stand-ins come out otherwise (models/random_weights.py): their cells then run again.
RANDOM_WEIGHTS_VERSION = 1


def cell_identity(catalogue: Catalogue, cell: Cell) -> dict[str, Any]:
    """Everything in the configuration that a cell's predictions and measurements depend on, ready for JSON."""
    run = catalogue.run
    precision = catalogue.precisions[cell.precision]
    dataset = catalogue.datasets[cell.dataset]
    generation: dict[str, Any] = {"max_new_tokens": max_new_tokens(catalogue, cell)}
    if cell.prompting == "self_consistency":
        generation |= run.inference.self_consistency.model_dump()
    return {
        "cell": cell.folder,
        "model": _model_identity(catalogue, cell),
        "precision": precision.model_dump(include={"method", "settings", "noise_floor_of"}, exclude_none=True),
        "prompt": {
            "template": _template_hash(
                catalogue.root, cell.dataset, template_path(catalogue.root, cell.dataset, cell.prompting)
            ),
            "labels": text_hash(json.dumps([dataset.labels, dataset.entity_type])),
        },
        "samples": {"limit": run.limit, "seed": run.seed},
        "generation": generation,
        "inference": run.inference.model_dump(include={"engine", "token_budget", "max_batch_size", "stop_early"}),
        "measurement": run.measurement.model_dump(),
        "engine_version": ENGINE_VERSION,
    }


def max_new_tokens(catalogue: Catalogue, cell: Cell) -> int:
    """Most new tokens of one answer: the dataset's limit for the prompting, or the run's where that is lower."""
    stated = catalogue.datasets[cell.dataset].max_new_tokens[cell.prompting]
    return min(stated, catalogue.run.inference.max_new_tokens or stated)


def identity_hash(identity: dict[str, Any]) -> str:
    """SHA-256 of an identity, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _model_identity(catalogue: Catalogue, cell: Cell) -> dict[str, Any]:
    """What the weights and the tokenizer are; a stand-in's follow from its architecture and the seed of its weights."""
    model = catalogue.models[cell.model]
    if not model.has_random_weights:
        return model.model_dump(include={"hub_id", "revision", "folder", "chat_template", "full_dtype"})
    stand_in = model.model_dump(include={"weights", "family", "architecture", "chat_template", "full_dtype"})
    return stand_in | {
        "weights_version": RANDOM_WEIGHTS_VERSION,
        "prompt_tokens": catalogue.run.random_weights.prompt_tokens,
    }


@cache
def _template_hash(root: Path, dataset: str, path: Path) -> str:
    return text_hash(read_template(path))
