"""From published files in a folder to what inference reads: samples, worked examples, and their provenance."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..config import Catalogue, DataFile, DatasetEntry, Split, data_folder, find_file, located
from ..contracts.checksums import sha256_of, verify_file
from ..contracts.files import read_json, write_json
from ..contracts.records import Sample, write_records
from ..errors import DataError
from .fewshot import draw_shots, few_shot_pool
from .reading import read_split
from .stratification import count_strata, limit_samples

MAX_SHOTS = 16
POOL_SIZE = 64
DOWNLOADS = Path("resources/datasets")


def prepare(
    entry: DatasetEntry, name: str, folder: Path, limit: int | None, seed: int, out_folder: Path
) -> dict[str, Any]:
    """Verify and read a dataset's files, and write ``samples.jsonl``, ``shots.jsonl`` and ``dataset.json``.

    Args:
        entry: the dataset's configuration.
        name: the dataset's name, for messages and ``dataset.json``.
        folder: where its files stand (``<data folder>/<dataset>``).
        limit: number of test samples, drawn by :func:`limit_samples`; None: all.
        seed: of the limit and of the worked examples.
        out_folder: takes the three files; ``shots.jsonl`` is empty where no train or dev file stands in ``folder``.

    Returns:
        The content of ``dataset.json``, which is written last: ``dataset``, ``files`` (split -> name, sha256, rows),
        ``limit``, ``seed``, ``samples`` (number written), ``label_counts`` of these, ``shots``, ``samples_sha256``,
        ``shots_sha256``.

    Raises:
        DataError: no acceptable test file, or a file that is not the pinned one or is malformed.
    """
    test_file = _required(entry, name, folder)
    test = _read(test_file, entry, folder)
    samples = limit_samples(test, entry, limit, seed)
    files = {"test": _describe(test_file, folder, len(test))}
    shots: list[Sample] = []
    pool_split, pool_file = find_pool(entry, folder)
    if pool_split is not None and pool_file is not None:
        pool = _read(pool_file, entry, folder)
        shots = draw_shots(few_shot_pool(pool, entry, seed, POOL_SIZE, test=test), entry, MAX_SHOTS, seed)
        files[pool_split] = _describe(pool_file, folder, len(pool))
    write_records(out_folder / "samples.jsonl", samples)
    write_records(out_folder / "shots.jsonl", shots)
    description = {
        "dataset": name,
        "files": files,
        "limit": limit,
        "seed": seed,
        "samples": len(samples),
        "label_counts": count_strata(samples, entry),
        "shots": len(shots),
        "samples_sha256": sha256_of(out_folder / "samples.jsonl"),
        "shots_sha256": sha256_of(out_folder / "shots.jsonl"),
    }
    write_json(out_folder / "dataset.json", description)
    return description


def check_prepared(folder: Path) -> None:
    """Hold prepared samples and worked examples against the hashes their ``dataset.json`` states.

    Raises:
        DataError: a file that changed after it was prepared.
    """
    description = read_json(folder / "dataset.json")
    for name in ("samples", "shots"):
        expected = description.get(f"{name}_sha256")
        if expected is not None and sha256_of(folder / f"{name}.jsonl") != expected:
            raise DataError(
                f"{folder / name}.jsonl: changed after it was prepared (expected SHA-256 {expected}); delete it and run "
                "again to have it prepared anew"
            )


def source_files(entry: DatasetEntry, name: str, folder: Path) -> list[Path]:
    """The files of a local folder that :func:`prepare` would read: the test file, and the pool's where there is one.

    Raises:
        DataError: no acceptable test file.
    """
    _, pool = find_pool(entry, folder)
    own = folder / "files.yaml"
    files = [folder / file.name for file in (_required(entry, name, folder), pool) if file is not None]
    return [*files, own] if own.exists() else files


def source_folder(root: Path, entry: DatasetEntry, name: str, local: Path | None) -> Path:
    """Where a dataset's files stand: in the local data folder, beside its own entry, or where downloads go.

    Args:
        root: the catalogue's root.
        entry: the dataset's configuration.
        name: its name.
        local: the run's data folder; None where it has none.
    """
    beside = located(root, f"config/datasets/{name}")
    places = [beside] if local is None else [local / name, beside]
    default = DOWNLOADS / name if local is None else local / name
    return next((place for place in places if find_file(entry, "test", place)), default)


def local_sources(catalogue: Catalogue, names: Iterable[str]) -> dict[str, list[str]]:
    """The source files of the named datasets that are local; those that are downloaded are left out.

    Raises:
        DataError: a dataset without an acceptable test file.
    """
    local = data_folder(catalogue.root, catalogue.run)
    sources = {}
    for name in dict.fromkeys(names):
        entry = catalogue.datasets[name]
        folder = source_folder(catalogue.root, entry, name, local)
        if folder != DOWNLOADS / name:
            sources[name] = [str(path) for path in source_files(entry, name, folder)]
    return sources


def find_pool(entry: DatasetEntry, folder: Path) -> tuple[Split | None, DataFile | None]:
    """The first few-shot split that has a file in ``folder``, with that file; (None, None) where there is none."""
    for split in entry.few_shot_splits:
        file = find_file(entry, split, folder)
        if file is not None:
            return split, file
    return None, None


def _required(entry: DatasetEntry, name: str, folder: Path) -> DataFile:
    file = find_file(entry, "test", folder)
    if file is None:
        names = " or ".join(acceptable.name for acceptable in entry.files.get("test", []))
        raise DataError(f"{folder}: no test file of {name}; put {names or 'one'} there, or name yours in files.yaml")
    return file


def _read(file: DataFile, entry: DatasetEntry, folder: Path) -> list[Sample]:
    verify_file(folder / file.name, file)
    return read_split(folder / file.name, entry, file.rows)


def _describe(file: DataFile, folder: Path, rows: int) -> dict[str, Any]:
    return {"name": file.name, "sha256": sha256_of(folder / file.name), "rows": rows}
