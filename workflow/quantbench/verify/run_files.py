"""Every retrieved or made file of a run read again and held against its recorded hash, whatever its size and time say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..config import DataFile, DatasetEntry, ModelEntry, PrecisionEntry, find_file
from ..contracts.checksums import Expected, difference
from ..contracts.prepared_dataset import DownloadedDataset
from ..datasets import RECEIPT, find_pool, source_folder
from ..errors import QuantbenchError
from ..store.folder_checks import verified_files
from ..store.places import MANIFEST, checkpoint_folder, model_folder, read_manifest, recorded_hashes, released_marker


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what is wrong with it (nothing: it is as recorded), and what else there is to say."""

    subject: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """The outcome in one line."""
        return f"{self.subject}: {'WRONG' if self.problems else '; '.join(self.notes)}"


def verify_models(
    root: Path,
    models_folder: str,
    models: Mapping[str, ModelEntry],
    precisions: Mapping[str, PrecisionEntry],
    notes: Path,
) -> Iterator[Check]:
    """Verify the files of models and of their quantized checkpoints, as far as they are here.

    Args:
        root: the repository.
        models_folder: where retrieved models and checkpoints stand, relative to it.
        models: the models to look at, by name.
        precisions: those that checkpoints may be made at, by name.
        notes: as in :func:`quantbench.store.folder_checks.verified_files`.
    """
    for name, entry in models.items():
        folder = model_folder(root, models_folder, name, entry)
        if entry.has_random_weights:
            yield Check(name, notes=["random weights, made where they run"])
        elif not folder.is_dir():
            yield Check(name, notes=["not retrieved yet"])
        elif released_marker(folder).exists():
            yield Check(name, notes=["full weights freed (keep: quantized)"])
        else:
            recorded = recorded_hashes(root, models_folder, name, entry, folder)
            yield _folder(folder, name, recorded, notes)
        for precision, settings in precisions.items():
            made = checkpoint_folder(root, models_folder, name, precision)
            if (made / MANIFEST).exists():
                yield _folder(made, f"{name}-{precision}", read_manifest(made, settings).files, notes)


def verify_datasets(root: Path, datasets: Mapping[str, DatasetEntry], local: Path | None) -> Iterator[Check]:
    """Verify the files that datasets are prepared from, as far as they are here.

    Args:
        root: the repository.
        datasets: the datasets to look at, by name.
        local: the run's data folder; None where it has none.
    """
    for name, entry in datasets.items():
        folder = source_folder(root, entry, name, local)
        test, (_, pool) = find_file(entry, "test", folder), find_pool(entry, folder)
        for file in (test, pool):
            if file is not None:
                yield _data_file(file, folder)


def _folder(folder: Path, name: str, recorded: dict[str, str] | None, notes: Path) -> Check:
    try:
        files = verified_files(folder, name, recorded, notes, force=True)
    except QuantbenchError as error:
        return Check(str(folder), [str(error)])
    how = "verified" if recorded is not None else "read; a local folder, whose hashes nobody recorded"
    return Check(str(folder), notes=[f"{len(files)} files {how}"])


def _data_file(file: DataFile, folder: Path) -> Check:
    """By what the entry states, else by what the download's receipt says."""
    path, expected = folder / file.name, Expected.of(file)
    if not expected.is_proof and (folder / RECEIPT).exists():
        expected = Expected(sha256=DownloadedDataset.read(folder / RECEIPT).files.get(file.name))
    wrong = difference(path, expected)
    if wrong is not None:
        return Check(str(path), [f"{path}: not the pinned file: {wrong}; delete it and retrieve it again"])
    return Check(str(path), notes=["verified" if expected.is_proof else "no checksum is stated for it"])
