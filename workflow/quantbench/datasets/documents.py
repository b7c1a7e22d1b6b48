"""Which document each sentence comes from, by a mapping that stands beside a published file that does not say it itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from ..config import DataFile, DatasetEntry, located
from ..contracts.checksums import sha256_of
from ..errors import DataError, shorten
from ..reading import csv_tables
from ..reading.text_files import read_text

HEADER = ["first_sentence", "pmid"]


def mapped_documents(path: Path, entry: DatasetEntry, sentences: int) -> list[str] | None:
    """The document of each sentence of a file, by the mapping that the entry names for a file of this content.

    Args:
        path: the file; its name does not matter, its SHA-256 does.
        entry: the dataset's configuration.
        sentences: how many were read from it.

    Returns:
        As many documents as sentences, in file order; None where the entry names no mapping for this content.

    Raises:
        DataError: the mapping is missing, malformed, or of a file with other sentences.
    """
    file = _file_with_documents(path, entry)
    if file is None or file.documents is None:
        return None
    # Configurations are read in the working directory, whose files stand before the shipped ones.
    mapping = located(Path.cwd(), file.documents)
    if sentences != file.rows:
        raise DataError(
            f"{path}: {sentences} sentences, and {mapping} is of a file with {file.rows}; state the right number as rows in "
            "dataset.yaml, or take documents out"
        )
    starts = _read_starts(mapping)
    if starts[-1][0] >= sentences:
        raise DataError(
            f"{mapping}: first_sentence {starts[-1][0]} lies beyond the {sentences} sentences of {path} (the first has the number 0); "
            "name the mapping of this file as documents in dataset.yaml"
        )
    ends = [start for start, _ in starts[1:]] + [sentences]
    return [document for (start, document), end in zip(starts, ends, strict=True) for _ in range(start, end)]


def mapping_hashes(root: Path, entry: DatasetEntry) -> dict[str, str | None]:
    """Each mapping that an entry names -> its SHA-256, or None where it is missing; a change prepares the dataset anew."""
    names = {file.documents for files in entry.files.values() for file in files if file.documents is not None}
    paths = {name: located(root, name) for name in sorted(names)}
    return {name: sha256_of(path) if path.is_file() else None for name, path in paths.items()}


def _file_with_documents(path: Path, entry: DatasetEntry) -> DataFile | None:
    """The entry's file that has a mapping and the content of the file at ``path``."""
    known = [file for files in entry.files.values() for file in files if file.documents is not None]
    sha256 = sha256_of(path) if known else None
    return next((file for file in known if file.sha256 == sha256), None)


def _read_starts(path: Path) -> list[tuple[int, str]]:
    """The number (0-based) of each document's first sentence, with the document: documents are contiguous."""
    absent = "no such file, and dataset.yaml names it as documents; put it there, or take documents out"
    lines = csv_tables.records(read_text(path, missing=absent), str(path))
    _, header = next(lines, (1, []))
    if header != HEADER:
        raise DataError(f"{path}, line 1: expected the columns {','.join(HEADER)}, found {shorten(header)}")
    starts = [_start(path, number, line) for number, line in lines]
    _check_order(path, [first for first, _ in starts])
    document, times = Counter(document for _, document in starts).most_common(1)[0]
    if times > 1:
        raise DataError(f"{path}: pmid {document!r} stands on {times} lines; each document is stated once")
    return starts


def _start(path: Path, number: int, line: list[str]) -> tuple[int, str]:
    if len(line) != len(HEADER) or not line[0].isdecimal() or not line[1].strip():
        raise DataError(f"{path}, line {number}: expected the number of a sentence and a pmid, found {shorten(line)}")
    return int(line[0]), line[1].strip()


def _check_order(path: Path, numbers: Sequence[int]) -> None:
    if not numbers or numbers[0] != 0:
        raise DataError(f"{path}, line 2: the first document does not begin with sentence 0")
    for line, (before, after) in enumerate(pairwise(numbers), start=3):
        if after <= before:
            raise DataError(f"{path}, line {line}: first_sentence {after} does not follow {before}; sort by it")
