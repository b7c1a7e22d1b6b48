"""The formats of published files: one module ``read_<name>.py`` each, found by the name that a dataset's entry gives.

To add a format, add its module; the configuration knows a reader as soon as its file stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ...config import DatasetEntry
from ...contracts.records import Sample, Unit
from ...errors import DataError
from ...tasks import samples_of


@dataclass(frozen=True, slots=True)
class SplitSamples:
    """One split as it was read.

    Attributes:
        samples: in file order.
        documents_known: whether a sample's group names the document it is from, alike in every split of the dataset where they are
            known; else each sample is a group of its own, and another split may use the same names.
    """

    samples: list[Sample]
    documents_known: bool

    def unit(self, entry: DatasetEntry) -> Unit:
        """What is taken as independent of its like."""
        return "document" if self.documents_known else samples_of(entry).unit


class ReaderModule(Protocol):
    """What every ``read_<name>.py`` has."""

    def read(self, path: Path, entry: DatasetEntry) -> SplitSamples:
        """Read one split's file; anything malformed is a :class:`DataError`."""


def reader_of(entry: DatasetEntry) -> ReaderModule:
    """The reader that a dataset's entry names."""
    return cast(ReaderModule, import_module(f"{__name__}.read_{entry.reader}"))


def read_split(path: Path, entry: DatasetEntry, expected_rows: int | None) -> list[Sample]:
    """The samples of one published file, in file order; arguments and errors as of :func:`read_split_samples`."""
    return read_split_samples(path, entry, expected_rows).samples


def read_split_samples(path: Path, entry: DatasetEntry, expected_rows: int | None) -> SplitSamples:
    """Read one published file.

    Args:
        path: the file, in the format that ``entry.reader`` names.
        entry: the dataset's configuration; its labels are the inventory.
        expected_rows: number of records (sentences for token tags) the file must hold; None: any number but zero.

    Raises:
        DataError: anything malformed, with file, line, column and value; another number of records than expected.
    """
    split = reader_of(entry).read(path, entry)
    if expected_rows is not None and len(split.samples) != expected_rows:
        raise DataError(
            f"{path}: expected {expected_rows} records, found {len(split.samples)}; retrieve the file again, "
            "or state the number in dataset.yaml if the file is meant to differ"
        )
    return split
