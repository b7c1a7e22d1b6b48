"""Quantized checkpoints: where they stand, when cells load them, and the manifest that says what they are. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..config import ModelEntry, PrecisionEntry
from ..contracts.files import read_json
from ..errors import ModelError
from .recorded_files import MANIFEST


def uses_checkpoint(keep: str, model: ModelEntry, precision: PrecisionEntry) -> bool:
    """Whether cells of a model at a precision load a quantized checkpoint, rather than quantize while they load."""
    return keep != "full" and precision.method == "bitsandbytes" and not model.has_random_weights


def checkpoint_folder(root: Path, models_folder: str, model: str, precision: str) -> Path:
    """Where the quantized checkpoint of a model at a precision stands."""
    return root / models_folder / "quantized" / model / precision


def checkpoint_settings(precision: PrecisionEntry) -> dict[str, Any]:
    """What of a precision a checkpoint depends on."""
    return {"method": precision.method, "settings": dict(precision.settings)}


def read_manifest(folder: Path, precision: PrecisionEntry) -> dict[str, Any]:
    """Read the manifest of a checkpoint made at a precision.

    Raises:
        ModelError: no checkpoint, or one made with other settings than the precision has now.
        DataError: unreadable manifest.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise ModelError(f"{folder}: no quantized checkpoint; run snakemake, which makes it (rule quantize_model)")
    manifest = read_json(path)
    if manifest.get("precision") != checkpoint_settings(precision):
        raise ModelError(
            f"{path}: made with {manifest.get('precision')}, precision {precision.title!r} is "
            f"{checkpoint_settings(precision)} now; delete the folder and run again"
        )
    return manifest
