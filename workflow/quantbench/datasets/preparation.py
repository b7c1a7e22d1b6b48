"""From published files in a folder to what inference reads: samples, worked examples, and their provenance."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..config import Catalogue, DataFile, DatasetEntry, Split, data_folder, find_file
from ..errors import DataError
from ..records import Sample, write_json, write_records
from .checksums import sha256_of, verify_file
from .fewshot import draw_shots, few_shot_pool
from .reading import read_split
from .stratification import count_strata, limit_samples

MAX_SHOTS = 16
POOL_SIZE = 64


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


def source_files(entry: DatasetEntry, name: str, folder: Path) -> list[Path]:
    """The files of a local folder that :func:`prepare` would read: the test file, and the pool's where there is one.

    Raises:
        DataError: no acceptable test file.
    """
    _, pool = find_pool(entry, folder)
    own = folder / "files.yaml"
    files = [folder / file.name for file in (_required(entry, name, folder), pool) if file is not None]
    return [*files, own] if own.exists() else files


def local_sources(catalogue: Catalogue, names: Iterable[str]) -> dict[str, list[str]]:
    """The source files of the named datasets where the run reads a local folder; empty where it downloads.

    Raises:
        DataError: a dataset without an acceptable test file.
    """
    folder = data_folder(catalogue.root, catalogue.run)
    if folder is None:
        return {}
    return {
        name: [str(path) for path in source_files(catalogue.datasets[name], name, folder / name)]
        for name in dict.fromkeys(names)
    }


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
