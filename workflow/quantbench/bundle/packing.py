"""Writing a bundle: same run, same bytes."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..config import Catalogue
from ..contracts.bundle_index import Index, Member
from ..contracts.cell_name import Cell
from ..contracts.checksums import sha256_of
from ..contracts.files import write_stream
from ..contracts.likelihood_tables import LikelihoodRow
from ..contracts.records import repeat_files
from ..errors import DataError
from ..figures import FORMATS
from ..privacy import Withheld, withheld
from ..tables import LIKELIHOOD_TABLES, PACKED
from .entry_files import Packed, entry_files, file_of, made
from .files_without_texts import MANIFEST, MEASUREMENTS, Unnamed, answers_without_texts, samples_without_texts
from .index import CELL_FILES, FORMAT, INDEX, check_index, index_text
from .leak_guard import Guard
from .opening import check_bundle

_RENAME = "rename it or move it away, and pack again"
LEVEL = 10  # of zstd: about ten times smaller than the files, at about 50 MB/s


def pack(
    catalogue: Catalogue,
    results: Path,
    cells: Iterable[Cell],
    target: Path,
    phrases: Sequence[Path] = (),
    without_outputs: frozenset[str] = frozenset(),
) -> Index:
    """Pack finished cells of ``results/<run>`` into ``target``, atomically.

    Args:
        catalogue: the run's.
        results: its folder.
        cells: the cells to pack.
        target: the bundle.
        phrases: files with phrases that are no secret, wherever they stand.
        without_outputs: datasets whose raw outputs are left out as well, if their texts are.

    Raises:
        DataError: no cell, a cell's file is missing, a text that may not be passed on stands in a file, or `quantbench open` would refuse
            what was written.
    """
    import zstandard

    chosen = sorted(cells)
    if not chosen:
        raise DataError(f"{results}: no finished cell to pack; run snakemake first")
    run = catalogue.run
    datasets = {name: catalogue.datasets[name] for name in sorted({cell.dataset for cell in chosen})}
    left_out = withheld(run.data.texts_in_bundles, datasets, without_outputs)
    files = [
        *_cells(results, chosen, left_out),
        *_datasets(results, datasets, left_out),
        *entry_files(catalogue, chosen),
    ]
    # Log-probabilities are large and stay behind: what tables say of them comes along.
    if _has_rows(results / LikelihoodRow.path):
        files += [(f"{PACKED}/{path}", file_of(results / path)) for path in LIKELIHOOD_TABLES]
    readers = dict(sorted(files))
    guard = Guard.of(catalogue, results, left_out, phrases)
    members = {}
    for path, read in readers.items():
        content = read()
        members[path] = _member(content)
        guard.look_at(content, path)
    index = Index(
        format=FORMAT,
        quantbench=__version__,
        configuration=run.model_dump(mode="json"),
        cells=[cell.folder for cell in chosen],
        without_texts=sorted(left_out.texts),
        without_outputs=sorted(left_out.outputs),
        files=members,
        figures={path.name: sha256_of(path) for path in _figures(results)},
    )
    guard.look_at(index_text(index).encode(), INDEX)
    guard.check(target)
    if guard.unsearched:
        print(f"note: not searched for, since they have too few words: {guard.unsearched} texts", file=sys.stderr)
    check_index(index, str(target), _RENAME)

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

        # Held to what `open` asks before it gets its name: what stood under that stays, where this one could not be opened.
        handle.flush()
        check_bundle(Path(handle.name), str(target))

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


def _cells(results: Path, cells: Iterable[Cell], left_out: Withheld) -> Iterator[Packed]:
    for cell in cells:
        folder, name = f"cells/{cell.folder}", cell.dataset
        if name in left_out.names:
            yield from _unnamed(results, folder, Unnamed(results / "datasets" / name / "samples.jsonl"))
            continue
        repeats = [path.name for path in repeat_files(results / folder)]
        for file in (*CELL_FILES, *([] if name in left_out.outputs else ["predictions.jsonl", *repeats])):
            yield f"{folder}/{file}", file_of(results / folder / file)
        if name in left_out.texts:
            yield f"{folder}/scores.json", file_of(results / folder / "scores.json")
            yield f"{folder}/scored.jsonl", made(answers_without_texts, results / folder / "scored.jsonl")


def _unnamed(results: Path, folder: str, private: Unnamed) -> Iterator[Packed]:
    """A cell of which nothing of the texts, outputs and names may be passed on."""
    yield f"{folder}/scores.json", file_of(results / folder / "scores.json")
    for file, make in (
        (MEASUREMENTS, private.made_measurements),
        (MANIFEST, private.made_manifest),
        ("scored.jsonl", private.made_answers),
    ):
        yield f"{folder}/{file}", made(make, results / folder / file)


def _datasets(results: Path, names: Iterable[str], left_out: Withheld) -> Iterator[Packed]:
    for name in names:
        folder = f"datasets/{name}"
        samples = results / folder / "samples.jsonl"
        if name in left_out.names:
            yield f"{folder}/samples.jsonl", made(Unnamed(samples).made_samples, samples)
        elif name in left_out.texts:
            yield f"{folder}/samples.jsonl", made(samples_without_texts, samples)
        else:
            yield f"{folder}/samples.jsonl", file_of(samples)
        for optional in ("dataset.json", *([] if name in left_out.texts else ["shots.jsonl"])):
            if (results / folder / optional).exists():
                yield f"{folder}/{optional}", file_of(results / folder / optional)
