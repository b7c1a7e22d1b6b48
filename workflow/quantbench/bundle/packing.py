"""Writing a bundle: same run, same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..config import Catalogue, located, shipped_catalogue
from ..contracts.files import write_stream
from ..datasets import sha256_of
from ..errors import DataError
from ..figures import FORMATS
from ..study.grid import Cell
from ..tables.paper_rows import published_path
from .index import CELL_FILES, FORMAT, INDEX, Index, Member
from .withholding import answers_without_texts, keeps_outputs, keeps_texts, samples_without_texts

LEVEL = 10  # of zstd: about ten times smaller than the files, at about 50 MB/s
_Reader = Callable[[], bytes]


def pack(catalogue: Catalogue, results: Path, cells: Iterable[Cell], target: Path) -> Index:
    """Pack finished cells of ``results/<run>`` into ``target``, atomically.

    Raises:
        DataError: no cell, or a cell's file is missing.
    """
    import zstandard

    chosen = sorted(cells)
    if not chosen:
        raise DataError(f"{results}: no finished cell to pack; run snakemake first")
    readers = dict(sorted(_readers(catalogue, results, chosen)))
    index = _index(catalogue, results, chosen, readers)

    def write(handle: BinaryIO) -> None:
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        with (
            compressor.stream_writer(handle, closefd=False) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            _add(archive, INDEX, (json.dumps(index.as_json(), ensure_ascii=False, indent=1) + "\n").encode())
            for path, read in readers.items():
                content = read()
                if hashlib.sha256(content).hexdigest() != index.files[path].sha256:
                    raise DataError(f"{results / path}: changed while it was packed; pack again")
                _add(archive, path, content)

    write_stream(target, write)
    return index


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    """Owner, date and mode are fixed, so that the archive's bytes depend on its content alone."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))


def _index(catalogue: Catalogue, results: Path, cells: list[Cell], readers: dict[str, _Reader]) -> Index:
    datasets = sorted({cell.dataset for cell in cells})
    files = {}
    for path, read in readers.items():
        content = read()
        files[path] = Member(len(content), hashlib.sha256(content).hexdigest())
    figures = sorted(path for kind in FORMATS for path in (results / "figures").glob(f"*.{kind}"))
    return Index(
        format=FORMAT,
        quantbench=__version__,
        configuration=catalogue.run.model_dump(mode="json"),
        cells=[cell.folder for cell in cells],
        without_texts=[name for name in datasets if not keeps_texts(catalogue, name)],
        without_outputs=[name for name in datasets if not keeps_outputs(catalogue, name)],
        files=files,
        figures={path.name: sha256_of(path) for path in figures},
    )


def _readers(catalogue: Catalogue, results: Path, cells: list[Cell]) -> Iterable[tuple[str, _Reader]]:
    """(path in the bundle, function that gives its content) of every file."""
    for cell in cells:
        folder, texts = f"cells/{cell.folder}", keeps_texts(catalogue, cell.dataset)
        for name in (*CELL_FILES, *(["predictions.jsonl"] if keeps_outputs(catalogue, cell.dataset) else [])):
            yield f"{folder}/{name}", _file(results / folder / name)
        if not texts:
            yield f"{folder}/scores.json", _file(results / folder / "scores.json")
            yield f"{folder}/scored.jsonl", _made(answers_without_texts, results / folder / "scored.jsonl")
    for name in {cell.dataset for cell in cells}:
        yield from _dataset(results, name, keeps_texts(catalogue, name))
    for name in _entries(catalogue, cells):
        yield name, _file(located(catalogue.root, name))
    yield "config/studies.yaml", _file(located(catalogue.root, catalogue.run.studies_file))
    yield "resources/paper/table1.csv", _file(published_path(catalogue.root))


def _dataset(results: Path, name: str, texts: bool) -> Iterable[tuple[str, _Reader]]:
    folder = f"datasets/{name}"
    samples = results / folder / "samples.jsonl"
    yield f"{folder}/samples.jsonl", _file(samples) if texts else _made(samples_without_texts, samples)
    for optional in ("dataset.json", *(["shots.jsonl"] if texts else [])):
        if (results / folder / optional).exists():
            yield f"{folder}/{optional}", _file(results / folder / optional)


def _entries(catalogue: Catalogue, cells: list[Cell]) -> Iterable[str]:
    """Configuration files of all models, precisions and datasets that the run's cells or studies name."""
    places = (catalogue.root, shipped_catalogue())
    for key in ("model", "precision", "dataset"):
        named = {str(getattr(cell, key)) for cell in cells}
        for chosen in (catalogue.run, *catalogue.studies.values()):
            names = getattr(chosen, f"{key}s")
            named |= set(names) if isinstance(names, list) else set()
        if key == "precision":
            named |= catalogue.noise_floors.keys() | set(catalogue.noise_floors.values())
        for name in named:
            yield from (
                sorted(
                    {
                        f"config/datasets/{name}/{path.name}"
                        for place in places
                        for path in (place / f"config/datasets/{name}").glob("*")
                    }
                )
                if key == "dataset"
                else [f"config/{key}s/{name}.yaml"]
            )


def _file(path: Path) -> _Reader:
    return _made(Path.read_bytes, path)


def _made(make: Callable[[Path], bytes], path: Path) -> _Reader:
    def read() -> bytes:
        try:
            return make(path)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file; a bundle needs it, run snakemake first") from None

    return read
