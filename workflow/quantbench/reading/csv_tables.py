"""Tables as text, comma- or tab-separated, read strictly: every record has a field for each column of the header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, shorten
from .os_errors import Kind
from .text_files import LARGEST, read_text

# Longest field; the library's own limit, stated since it holds for the whole process and anybody may change it.
LONGEST_FIELD = 131_072
_OTHERS = {";": "semicolons", "\t": "tabs", ",": "commas"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and each record with the line (1-based) it starts on."""

    where: str
    columns: list[str]
    records: list[tuple[int, list[str]]]

    def named(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each record's line, and its fields by column."""
        for line, record in self.records:
            yield line, dict(zip(self.columns, record, strict=True))


def read(path: Path, delimiter: str = ",", error: Kind = DataError, remedy: str = "", limit: int = LARGEST) -> Table:
    """A table from a file; arguments and errors as of :func:`parse` and :func:`.text_files.read_text`."""
    return parse(read_text(path, error, limit, remedy), str(path), delimiter, error, remedy)


def parse(text: str, where: str, delimiter: str = ",", error: Kind = DataError, remedy: str = "") -> Table:
    """A table with a header.

    Args:
        text: the table; quoted fields may hold delimiters, quotes and line breaks.
        where: the file, as errors name it.
        delimiter: one character.
        error: which error is raised.
        remedy: what to do about a malformed file; empty: what fits the fault.

    Raises:
        QuantbenchError: of the kind ``error``: no header, a column that is there twice, a record with too few or too many fields, quotes
            left open, a field of more than ``LONGEST_FIELD`` characters; with the line.
    """
    found = records(text, where, delimiter, error, remedy)
    _, columns = next(found, (1, []))
    if not any(columns):
        raise error(f"{where}: no header, with which a table begins; {remedy or 'generate it again'}")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise error(f"{where}, line 1: column {shorten(twice)} is there more than once; {remedy or 'rename one'}")
    rows = []
    for line, record in found:
        if len(record) != len(columns):
            raise error(
                f"{where}, line {line}: {len(record)} fields where the header has {len(columns)}: {shorten(record)}; "
                f"{remedy or 'correct the line'}"
            )
        rows.append((line, record))
    return Table(where, columns, rows)


def records(
    text: str, where: str, delimiter: str = ",", error: Kind = DataError, remedy: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which it starts, fields) of each record, the header too; lines end at ``\\n`` or ``\\r\\n``.

    Arguments and errors as of :func:`parse`.
    """
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    start = 1
    try:
        for record in reader:
            yield start, record
            start = reader.line_num + 1
    except csv.Error as wrong:
        step = f"; {remedy}" if remedy else ""
        raise error(
            f"{where}, line {start}: malformed record that ends at line {reader.line_num} ({wrong}){step}"
        ) from None


def other_delimiter(columns: list[str]) -> str:
    """By what a header is separated that was read as one column; empty: by nothing that is known."""
    only = columns[0] if len(columns) == 1 else ""
    return next((name for sign, name in _OTHERS.items() if sign in only), "")
