"""Every retrieved or made file of a run read again and held against its recorded hash, whatever its size and time say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config import Catalogue, DatasetEntry, ModelEntry, data_folder, find_file
from ..datasets import find_pool, source_folder, verify_file
from ..errors import DataError, ModelError
from ..store.checkpoints import checkpoint_folder, read_manifest
from ..store.folder import model_folder
from ..store.receipts import released_marker
from ..store.recorded_files import MANIFEST, recorded_hashes, verified_files


@dataclass(frozen=True)
class FileCheck:
    """A place that was looked at: ``found`` says what is there, ``problem`` what is wrong (None: nothing is)."""

    place: str
    found: str
    problem: str | None = None


def check_files(catalogue: Catalogue, models: list[str], datasets: list[str], notes: Path) -> Iterator[FileCheck]:
    """Read models, their quantized checkpoints and datasets as far as they are here, one place after the other."""
    root, kept = catalogue.root, catalogue.run.models_folder
    for name in models:
        yield from _model(root, kept, name, catalogue.models[name], notes)
        for precision, entry in catalogue.precisions.items():
            made = checkpoint_folder(root, kept, name, precision)
            if (made / MANIFEST).exists():
                yield _verified(made, f"{name}-{precision}", read_manifest(made, entry)["files"], notes)
    local = data_folder(root, catalogue.run)
    for name in datasets:
        dataset = catalogue.datasets[name]
        yield from _dataset(source_folder(root, dataset, name, local), dataset)


def _model(root: Path, models: str, name: str, entry: ModelEntry, notes: Path) -> Iterator[FileCheck]:
    folder = model_folder(root, models, name, entry)
    if entry.has_random_weights:
        yield FileCheck(name, "random weights, made where they run")
    elif not folder.is_dir():
        yield FileCheck(name, "not retrieved yet")
    elif released_marker(folder).exists():
        yield FileCheck(name, "full weights freed (keep: quantized)")
    else:
        yield _verified(folder, name, recorded_hashes(root, models, name, entry, folder), notes)


def _verified(folder: Path, name: str, recorded: dict[str, str] | None, notes: Path) -> FileCheck:
    try:
        files = verified_files(folder, name, recorded, notes, force=True)
    except ModelError as error:
        return FileCheck(str(folder), "WRONG", str(error))
    how = "verified" if recorded is not None else "read; a local folder, whose hashes nobody recorded"
    return FileCheck(str(folder), f"{len(files)} files {how}")


def _dataset(folder: Path, entry: DatasetEntry) -> Iterator[FileCheck]:
    test, (_, pool) = find_file(entry, "test", folder), find_pool(entry, folder)
    for file in (test, pool):
        if file is None:
            continue
        try:
            verify_file(folder / file.name, file)
        except DataError as error:
            yield FileCheck(str(folder / file.name), "WRONG", str(error))
        else:
            how = "verified" if file.sha256 or file.git_blob else "no checksum is stated for it"
            yield FileCheck(str(folder / file.name), how)
