"""Writing a bundle: same run, same bytes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..config import Catalogue, RunConfig, StudyEntry, located, shipped_catalogue
from ..contracts.bundle_index import Index, Member
from ..contracts.cell_name import Cell
from ..contracts.checksums import sha256_of
from ..contracts.files import write_stream
from ..contracts.likelihood_tables import LikelihoodRow
from ..contracts.records import repeat_files
from ..errors import DataError
from ..figures import FORMATS
from ..tables import LIKELIHOOD_TABLES, PACKED
from ..tables.paper_rows import published_path
from .index import CELL_FILES, FORMAT, INDEX, index_text
from .withholding import Withheld, answers_without_texts, samples_without_texts, withheld

LEVEL = 10  # of zstd: about ten times smaller than the files, at about 50 MB/s
_Reader = Callable[[], bytes]
_Packed = tuple[str, _Reader]  # path in the bundle, and the function that gives the file's content


def pack(catalogue: Catalogue, results: Path, cells: Iterable[Cell], target: Path) -> Index:
    """Pack finished cells of ``results/<run>`` into ``target``, atomically.

    Raises:
        DataError: no cell, or a cell's file is missing.
    """
    import zstandard

    chosen = sorted(cells)
    if not chosen:
        raise DataError(f"{results}: no finished cell to pack; run snakemake first")
    run, root = catalogue.run, catalogue.root
    datasets = {name: catalogue.datasets[name] for name in sorted({cell.dataset for cell in chosen})}
    left_out = withheld(run.data.texts_in_bundles, datasets)
    named = _named(chosen, [run, *catalogue.studies.values()], catalogue.noise_floors)
    files = [*_cells(results, chosen, left_out), *_datasets(results, datasets, left_out), *_entries(root, named)]
    # Log-probabilities are large and stay behind: what tables say of them comes along.
    if _has_rows(results / LikelihoodRow.path):
        files += [(f"{PACKED}/{path}", _file(results / path)) for path in LIKELIHOOD_TABLES]
    files.append(("config/studies.yaml", _file(located(root, run.studies_file))))
    files.append(("resources/paper/table1.csv", _file(published_path(root))))
    readers = dict(sorted(files))
    index = Index(
        format=FORMAT,
        quantbench=__version__,
        configuration=run.model_dump(mode="json"),
        cells=[cell.folder for cell in chosen],
        without_texts=sorted(left_out.texts),
        without_outputs=sorted(left_out.outputs),
        files={path: _member(read()) for path, read in readers.items()},
        figures={path.name: sha256_of(path) for path in _figures(results)},
    )

    def write(handle: BinaryIO) -> None:
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        with (
            compressor.stream_writer(handle, closefd=False) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            _add(archive, INDEX, index_text(index).encode())
            for path, read in readers.items():
                content = read()
                if _member(content) != index.files[path]:
                    raise DataError(f"{results / path}: changed while it was packed; pack again")
                _add(archive, path, content)

    write_stream(target, write)
    return index


def _has_rows(table: Path) -> bool:
    return table.exists() and table.read_bytes().count(b"\n") > 1


def _member(content: bytes) -> Member:
    return Member(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _figures(results: Path) -> list[Path]:
    return sorted(path for kind in FORMATS for path in (results / "figures").glob(f"*.{kind}"))


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    """Owner, date and mode are fixed, so that the archive's bytes depend on its content alone."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))


def _cells(results: Path, cells: Iterable[Cell], left_out: Withheld) -> Iterator[_Packed]:
    for cell in cells:
        folder = f"cells/{cell.folder}"
        repeats = [path.name for path in repeat_files(results / folder)]
        for name in (*CELL_FILES, *([] if cell.dataset in left_out.outputs else ["predictions.jsonl", *repeats])):
            yield f"{folder}/{name}", _file(results / folder / name)
        if cell.dataset in left_out.texts:
            yield f"{folder}/scores.json", _file(results / folder / "scores.json")
            yield f"{folder}/scored.jsonl", _made(answers_without_texts, results / folder / "scored.jsonl")


def _datasets(results: Path, names: Iterable[str], left_out: Withheld) -> Iterator[_Packed]:
    for name in names:
        folder, texts = f"datasets/{name}", name not in left_out.texts
        samples = results / folder / "samples.jsonl"
        yield f"{folder}/samples.jsonl", _file(samples) if texts else _made(samples_without_texts, samples)
        for optional in ("dataset.json", *(["shots.jsonl"] if texts else [])):
            if (results / folder / optional).exists():
                yield f"{folder}/{optional}", _file(results / folder / optional)


def _named(
    cells: Iterable[Cell], chosen: Iterable[RunConfig | StudyEntry], floors: Mapping[str, str]
) -> dict[str, set[str]]:
    """Folder of ``config/`` -> names of all entries there that the run's cells or studies name."""
    named: dict[str, set[str]] = {"models": set(), "precisions": {*floors, *floors.values()}, "datasets": set()}
    for cell in cells:
        named["models"].add(cell.model)
        named["precisions"].add(cell.precision)
        named["datasets"].add(cell.dataset)
    for one in chosen:
        for key, names in (("models", one.models), ("precisions", one.precisions), ("datasets", one.datasets)):
            named[key].update(names if isinstance(names, list) else [])
    return named


def _entries(root: Path, named: Mapping[str, Iterable[str]]) -> Iterator[_Packed]:
    """The configuration files of these entries, one's own before the shipped; a dataset's are a folder."""
    for kind, names in named.items():
        for name in names:
            files = [f"config/{kind}/{name}.yaml"]
            if kind == "datasets":
                folders = (place / "config/datasets" / name for place in (root, shipped_catalogue()))
                files = sorted({f"config/datasets/{name}/{path.name}" for one in folders for path in one.glob("*")})
            yield from ((file, _file(located(root, file))) for file in files)


def _file(path: Path) -> _Reader:
    return _made(Path.read_bytes, path)


def _made(make: Callable[[Path], bytes], path: Path) -> _Reader:
    def read() -> bytes:
        try:
            return make(path)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file; a bundle needs it, run snakemake first") from None

    return read
