"""From published files in a folder to what inference reads: samples, worked examples, and their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..config import DataFile, DatasetEntry, Split, find_file, located
from ..contracts.checksums import Expected, difference, sha256_of, verify_file
from ..contracts.prepared_dataset import PreparedDataset, SourceFile
from ..contracts.records import Sample, write_records
from ..errors import DataError
from .fewshot import draw_shots, few_shot_pool
from .first_rows import first_rows_pool
from .readers import SplitSamples, read_split_samples
from .stratification import count_strata, limit_samples

MAX_SHOTS = 16
POOL_SIZE = 64
DOWNLOADS = Path("resources/datasets")
RECEIPT = "retrieved.json"  # beside downloaded files


def prepare(
    entry: DatasetEntry, name: str, folder: Path, limit: int | None, seed: int, out_folder: Path
) -> PreparedDataset:
    """Verify and read a dataset's files, and write ``samples.jsonl``, ``shots.jsonl`` and ``dataset.json``.

    Args:
        entry: the dataset's configuration.
        name: the dataset's name, for messages and ``dataset.json``.
        folder: where its files stand (``<data folder>/<dataset>``).
        limit: number of test samples, drawn by :func:`limit_samples`; None: all.
        seed: of the limit and of the worked examples.
        out_folder: takes the three files; ``shots.jsonl`` is empty where no train or dev file stands in ``folder``.

    Returns:
        The content of ``dataset.json``, which is written last.

    Raises:
        DataError: no acceptable test file, or a file that is not the pinned one or is malformed.
    """
    test_file = _required(entry, name, folder)
    test = _read(test_file, entry, folder)
    samples = limit_samples(test.samples, entry, limit, seed)
    files: dict[Split, SourceFile] = {"test": _describe(test_file, folder, len(test.samples))}
    shots: list[Sample] = []
    pool_split, pool_file = find_pool(entry, folder)
    if pool_split is not None and pool_file is not None:
        pool = _read(pool_file, entry, folder)
        shots = draw_shots(few_shot_pool(pool, entry, seed, POOL_SIZE, test=test), entry, MAX_SHOTS, seed)
        files[pool_split] = _describe(pool_file, folder, len(pool.samples))
    write_records(out_folder / "samples.jsonl", samples)
    write_records(out_folder / "shots.jsonl", shots)
    description = PreparedDataset(
        dataset=name,
        files=files,
        limit=limit,
        seed=seed,
        samples=len(samples),
        unit=test.unit(entry),
        units=len({sample.group for sample in samples}),
        label_counts=count_strata(samples, entry),
        shots=len(shots),
        samples_sha256=sha256_of(out_folder / "samples.jsonl"),
        shots_sha256=sha256_of(out_folder / "shots.jsonl"),
    )
    description.write(out_folder / "dataset.json")
    if test.documents_known:
        print(f"{name}: {len(samples)} test samples from {description.units} documents")
    elif description.unit != "question":
        alone = f"the file names no documents, so that each {description.unit} counts by itself"
        print(f"{name}: {len(samples)} test samples; {alone}")
    return description


def prepare_first_rows(
    entry: DatasetEntry, name: str, folder: Path, limit: int | None, seed: int, out_folder: Path
) -> PreparedDataset:
    """As :func:`prepare`, with the first rows of the few-shot split as worked examples (:mod:`quantbench.datasets.first_rows`).

    ``shots.jsonl`` holds those of prompts with up to ``MAX_SHOTS`` examples: which of them a prompt shows depends on their number.
    """
    description = prepare(entry.model_copy(update={"few_shot_splits": []}), name, folder, limit, seed, out_folder)
    split, file = find_pool(entry, folder)
    if split is None or file is None:
        return description
    rows = _read(file, entry, folder).samples
    shots = first_rows_pool(rows, MAX_SHOTS)
    write_records(out_folder / "shots.jsonl", shots)
    described = description.model_copy(
        update={
            "files": description.files | {split: _describe(file, folder, len(rows))},
            "shots": len(shots),
            "shots_sha256": sha256_of(out_folder / "shots.jsonl"),
        }
    )
    described.write(out_folder / "dataset.json")
    return described


def check_prepared(folder: Path) -> None:
    """Hold prepared samples and worked examples against the hashes their ``dataset.json`` states.

    Raises:
        DataError: a file that changed after it was prepared.
    """
    description = PreparedDataset.read(folder / "dataset.json")
    for name, sha256 in (("samples", description.samples_sha256), ("shots", description.shots_sha256)):
        wrong = difference(folder / f"{name}.jsonl", Expected(sha256=sha256)) if sha256 is not None else None
        if wrong is not None:
            raise DataError(
                f"{folder / name}.jsonl: changed after it was prepared: {wrong}; delete it and run again to have it "
                "prepared anew"
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


def local_sources(root: Path, datasets: Mapping[str, DatasetEntry], local: Path | None) -> dict[str, list[str]]:
    """The source files of those datasets that are local; those that are downloaded are left out.

    Arguments as of :func:`source_folder`.

    Raises:
        DataError: a dataset without an acceptable test file.
    """
    sources = {}
    for name, entry in datasets.items():
        folder = source_folder(root, entry, name, local)
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


def _read(file: DataFile, entry: DatasetEntry, folder: Path) -> SplitSamples:
    verify_file(folder / file.name, file)
    return read_split_samples(folder / file.name, entry, file.rows)


def _describe(file: DataFile, folder: Path, rows: int) -> SourceFile:
    return SourceFile(name=file.name, sha256=sha256_of(folder / file.name), rows=rows)
