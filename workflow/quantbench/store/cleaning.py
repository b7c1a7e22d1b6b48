"""Freeing disk: what retrieved models, quantized checkpoints and datasets take, said before anything is deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..contracts.model_folder import Released
from .folder_checks import verified_files
from .places import receipt_path, released_marker
from .sharing import alone, share

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that can be freed, and the bytes it takes."""

    path: Path
    bytes: int


def taken(paths: Iterable[Path]) -> list[Place]:
    """What files and folders take; those that do not exist are left out."""
    return [Place(path, _size(path)) for path in paths if path.exists()]


def free(places: Iterable[Place]) -> None:
    """Delete files and folders."""
    for place in places:
        if place.path.is_dir() and not place.path.is_symlink():
            shutil.rmtree(place.path)
        else:
            place.path.unlink()


def retrieved_models(root: Path, models_folder: str, names: Iterable[str]) -> list[Path]:
    """Folder, receipt and marker of each named model that was retrieved; a local folder is the user's own."""
    paths = []
    for name in names:
        folder = root / models_folder / name
        paths += [folder, receipt_path(root, models_folder, name), released_marker(folder)]
    return paths


def release_weights(folder: Path, name: str, checkpoints: Mapping[Path, dict[str, str]], notes: Path) -> None:
    """Delete a retrieved model's full weights, once its quantized checkpoints are proved whole; leave a marker.

    Args:
        folder: the model's folder; configuration, tokenizer and licence stay.
        name: the model's name.
        checkpoints: folder -> file name -> recorded SHA-256 of every checkpoint that takes the weights' place.
        notes: as in :func:`quantbench.store.folder_checks.verified_files`.

    Raises:
        ModelError: a checkpoint that is not what was recorded; the weights then stay.
    """
    with alone(folder.parent, name):
        for checkpoint, files in checkpoints.items():
            verified_files(checkpoint, f"{name}-{checkpoint.name}", files, notes)
        weights = sorted(folder.glob("*.safetensors"))
        freed = sum(path.stat().st_size for path in weights)
        kept = ", ".join(map(str, checkpoints))
        print(f"{name}: freeing {freed / GIB:.2f} GiB of full weights in {folder}; kept are {kept}")
        marker = released_marker(folder)
        Released(model=name, freed_bytes=freed, freed=datetime.now(UTC).isoformat()).write(marker)
        share(marker)
        for path in weights:
            path.unlink()


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
