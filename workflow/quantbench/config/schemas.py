"""JSON schemas of the configuration files, generated from the typed settings: ``python -m quantbench.config.schemas``."""

from __future__ import annotations

import json
from pathlib import Path

from .entries import DatasetEntry, ModelEntry, PrecisionEntry, StudyEntry
from .run import RunConfig
from .settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
_KINDS: dict[str, type[Settings]] = {
    "run": RunConfig,
    "model": ModelEntry,
    "precision": PrecisionEntry,
    "dataset": DatasetEntry,
    "study": StudyEntry,
}


def schema_texts() -> dict[str, str]:
    """File name -> content of every schema."""
    return {
        f"{name}.schema.json": json.dumps(kind.model_json_schema(), indent=2) + "\n" for name, kind in _KINDS.items()
    }


if __name__ == "__main__":
    for name, text in schema_texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
