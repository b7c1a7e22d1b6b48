"""Freeing disk: what retrieved models, quantized checkpoints and datasets take, said before anything is deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..contracts.files import write_json
from .receipts import receipt_path, released_marker
from .recorded_files import verified_files
from .sharing import alone, share

GIB = 1024**3


def sizes(paths: Iterable[Path]) -> dict[Path, int]:
    """The bytes that each file or folder takes; those that do not exist are left out."""
    return {path: _size(path) for path in paths if path.exists()}


def delete(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def retrieved_models(root: Path, models_folder: str, names: Iterable[str]) -> list[Path]:
    """Folder, receipt and marker of each named model that was retrieved; a local folder is the user's own."""
    paths = []
    for name in names:
        folder = root / models_folder / name
        paths += [folder, receipt_path(root, models_folder, name), released_marker(folder)]
    return paths


def release_weights(folder: Path, name: str, checkpoints: dict[str, dict[str, str]], notes: Path) -> None:
    """Delete a retrieved model's full weights, once its quantized checkpoints are proved whole; leave a marker.

    Args:
        folder: the model's folder; configuration, tokenizer and licence stay.
        name: the model's name.
        checkpoints: folder -> file name -> recorded SHA-256 of every checkpoint that takes the weights' place.
        notes: as in :func:`quantbench.store.recorded_files.verified_files`.

    Raises:
        ModelError: a checkpoint that is not what was recorded; the weights then stay.
    """
    with alone(folder.parent, name):
        for checkpoint, files in checkpoints.items():
            verified_files(Path(checkpoint), f"{name}-{Path(checkpoint).name}", files, notes)
        weights = sorted(folder.glob("*.safetensors"))
        freed = sum(path.stat().st_size for path in weights)
        print(f"{name}: freeing {freed / GIB:.2f} GiB of full weights in {folder}; kept are {', '.join(checkpoints)}")
        marker = released_marker(folder)
        write_json(marker, {"model": name, "freed_bytes": freed, "freed": datetime.now(UTC).isoformat()})
        share(marker)
        for path in weights:
            path.unlink()


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
