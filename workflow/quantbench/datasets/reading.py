"""One entrance to the readers: a split's file and the dataset's entry give samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..config import DatasetEntry
from ..config.entries import Reader
from ..contracts.records import Sample
from ..errors import DataError
from . import entity_pairs, labelled_text, multiple_choice, own_records, token_tags, yes_no_maybe

READERS: dict[Reader, Callable[[Path, DatasetEntry], list[Sample]]] = {
    "labelled_text": labelled_text.read,
    "token_tags": token_tags.read,
    "entity_pairs": entity_pairs.read,
    "multiple_choice": multiple_choice.read,
    "yes_no_maybe": yes_no_maybe.read,
    "records": own_records.read,
}


def read_split(path: Path, entry: DatasetEntry, expected_rows: int | None) -> list[Sample]:
    """Read one published file into samples, in file order.

    Args:
        path: the file, in the format that ``entry.reader`` names.
        entry: the dataset's configuration; its labels are the inventory.
        expected_rows: number of records (sentences for token tags) the file must hold; None: any number but zero.

    Raises:
        DataError: anything malformed, with file, line, column and value; another number of records than expected.
    """
    samples = READERS[entry.reader](path, entry)
    if expected_rows is not None and len(samples) != expected_rows:
        raise DataError(
            f"{path}: expected {expected_rows} records, found {len(samples)}; retrieve the file again, "
            "or state the number in dataset.yaml if the file is meant to differ"
        )
    return samples
