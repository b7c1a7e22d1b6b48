"""The formats of published files: one module ``read_<name>.py`` each, found by the name that a dataset's entry gives.

To add a format, add its module; the configuration knows a reader as soon as its file stands here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ...config import DatasetEntry
from ...contracts.records import Sample
from ...errors import DataError


class ReaderModule(Protocol):
    """What every ``read_<name>.py`` has.

    Attributes:
        GROUPS_ARE_DOCUMENTS: whether a sample's group names the document it is from, in every split alike; else no
            sample of train or dev counts as being from a document of the test set.
    """

    GROUPS_ARE_DOCUMENTS: bool

    def read(self, path: Path, entry: DatasetEntry) -> list[Sample]:
        """Read one split's file into samples, in file order; anything malformed is a :class:`DataError`."""


def reader_of(entry: DatasetEntry) -> ReaderModule:
    """The reader that a dataset's entry names."""
    return cast(ReaderModule, import_module(f"{__name__}.read_{entry.reader}"))


def read_split(path: Path, entry: DatasetEntry, expected_rows: int | None) -> list[Sample]:
    """Read one published file into samples, in file order.

    Args:
        path: the file, in the format that ``entry.reader`` names.
        entry: the dataset's configuration; its labels are the inventory.
        expected_rows: number of records (sentences for token tags) the file must hold; None: any number but zero.

    Raises:
        DataError: anything malformed, with file, line, column and value; another number of records than expected.
    """
    samples = reader_of(entry).read(path, entry)
    if expected_rows is not None and len(samples) != expected_rows:
        raise DataError(
            f"{path}: expected {expected_rows} records, found {len(samples)}; retrieve the file again, "
            "or state the number in dataset.yaml if the file is meant to differ"
        )
    return samples
