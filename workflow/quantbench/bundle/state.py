"""An opened bundle: what of it is not scored again, texts put back, and whether redrawn figures are the packed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..config import DatasetEntry
from ..contracts.bundle_index import Index
from ..contracts.checksums import Expected, difference
from ..contracts.prepared_dataset import PreparedDataset
from ..contracts.records import Sample, read_records, write_records
from ..datasets import prepare
from ..errors import DataError
from ..reading import json_text
from ..recovery.partial_files import temporary_folder
from .index import INDEX, read_index
from .index_limits import LARGEST_INDEX

_AGAIN = "move this folder away, and open the bundle again"


def opened_index(results: Path) -> Index | None:
    """The index of the bundle that ``results/<run>`` was opened from; None where it is a run of this machine."""
    path = results / INDEX
    if not path.exists():
        return None
    return read_index(json_text.read_object(path, limit=LARGEST_INDEX, remedy=_AGAIN), str(results), _AGAIN)


def unscored(results: Path) -> set[str]:
    """Datasets whose scored answers are taken as they came, because texts or outputs are missing here."""
    index = opened_index(results)
    if index is None:
        return set()
    complete = {name for name in index.without_texts if _has_texts(results / "datasets" / name)}
    return set(index.without_texts) - complete | set(index.without_outputs)


def restore_texts(
    results: Path, data: Path, datasets: Mapping[str, DatasetEntry], limit: int | None, seed: int
) -> list[str]:
    """Put the texts of withheld datasets back from their published files; returns the datasets restored.

    Args:
        results: the opened bundle.
        data: a folder with one sub-folder a dataset; those it does not have stay as they are.
        datasets: the bundle's datasets by name, with the files that ``data`` states.
        limit: the run's number of samples a dataset; None: all.
        seed: the run's.

    Raises:
        DataError: files that are not the pinned ones, or that give other samples than the run had.
    """
    index = opened_index(results)
    wanted = [name for name in (index.without_texts if index else []) if (data / name).is_dir()]
    for name in wanted:
        folder = results / "datasets" / name
        with temporary_folder(folder, ".prepared-") as beside:
            recorded = _recorded(folder)
            # Runs of before documents were mapped had the same texts, each sentence a group of its own.
            for entry in (datasets[name], _without_documents(datasets[name])):
                prepare(entry, name, data / name, limit, seed, beside)
                if recorded.is_proof and difference(beside / "samples.jsonl", recorded) is None:
                    break
            else:
                raise DataError(f"{data / name}: gives other samples than the run had; is it the same release?")
            _keep_names(folder / "samples.jsonl", Path(beside) / "samples.jsonl")
            for file in ("shots.jsonl", "samples.jsonl"):
                (beside / file).replace(folder / file)
    return wanted


def figures_unchanged(results: Path) -> Mapping[str, bool]:
    """Name of each figure that was packed -> whether the one redrawn here has the same bytes; empty for other runs."""
    index = opened_index(results)
    folder = results / "figures"
    return {
        name: difference(folder / name, Expected(sha256=sha256)) is None
        for name, sha256 in (index.figures if index else {}).items()
    }


def _without_documents(entry: DatasetEntry) -> DatasetEntry:
    files = {
        split: [file.model_copy(update={"documents": None}) for file in files] for split, files in entry.files.items()
    }
    return entry.model_copy(update={"files": files})


def _keep_names(packed: Path, restored: Path) -> None:
    """Give samples the names that the bundle's answers have for them: those of private datasets were replaced when it was packed."""
    before, now = read_records(packed, Sample), read_records(restored, Sample)
    if [one.sample_id for one in before] != [one.sample_id for one in now]:
        named = zip(now, before, strict=True)
        write_records(restored, [replace(new, sample_id=old.sample_id, group=old.group) for new, old in named])


def _has_texts(folder: Path) -> bool:
    recorded = _recorded(folder)
    return recorded.is_proof and difference(folder / "samples.jsonl", recorded) is None


def _recorded(folder: Path) -> Expected:
    """The samples that the run had, as far as it is known."""
    description = folder / "dataset.json"
    return Expected(sha256=PreparedDataset.read(description).samples_sha256 if description.exists() else None)
