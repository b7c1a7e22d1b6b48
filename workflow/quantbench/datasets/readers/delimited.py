"""Tab-separated files in the quoted dialect the benchmarks are published in, read strictly."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, nearest, shorten
from ...reading import csv_tables
from ...reading.text_files import read_text


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: the fields by column name, and the physical line (1-based) on which it starts."""

    path: Path
    line: int
    values: dict[str, str]

    def error(self, column: str, problem: str) -> DataError:
        """An error that names file, line and column."""
        return DataError(f"{self.path}, line {self.line}, column {column!r}: {problem}")

    def text(self, column: str) -> str:
        """The field as published, blanks and escapes included; a blank field is an error."""
        value = self.values[column]
        if not value.strip():
            raise self.error(column, "the field is empty; fill it or take the row out")
        return value

    def label(self, column: str, inventory: list[str]) -> str:
        """The field as one label of ``inventory``."""
        return self.known(column, self.text(column), inventory)

    def known(self, column: str, label: str, inventory: list[str]) -> str:
        """Return ``label`` if it is one of ``inventory``, else raise with the nearest one."""
        if label not in inventory:
            raise self.error(column, f"label {label!r} is outside the inventory{nearest(label, inventory)}")
        return label

    def literal(self, column: str) -> object:
        """The field as a Python literal: how the publishers wrote lists (single quotes: not JSON)."""
        value = self.text(column)
        try:
            found: object = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.error(column, f"expected a Python list, found {shorten(value)}") from None
        return found


def filled_text(path: Path) -> str:
    """A file's text, of which there must be some.

    Raises:
        DataError: as :func:`quantbench.reading.text_files.read_text`, or an empty file.
    """
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path}: the file is empty; retrieve it again")
    return text


def read_table(path: Path, columns: list[str]) -> list[Row]:
    """Read a file of tab-separated records with a header; quoted fields may hold tabs, quotes and line breaks.

    Args:
        path: the file. Its last line must be ended, as in every published file: else it was cut off.
        columns: those that must be there; more are allowed, in any order.

    Raises:
        DataError: missing column, wrong number of fields, quotes left open, no records, no final line break.
    """
    text = filled_text(path)
    records = csv_tables.records(text, str(path), "\t")
    _, header = next(records)
    for column in columns:
        if header.count(column) != 1:
            how = "missing" if column not in header else "there more than once"
            raise DataError(f"{path}, line 1: column {column!r} is {how}; found {', '.join(map(repr, header))}")
    rows = []
    for line, record in records:
        if len(record) != len(header):
            raise DataError(
                f"{path}, line {line}: {len(record)} fields where the header has {len(header)}: {shorten(record)}"
            )
        rows.append(Row(path, line, dict(zip(header, record, strict=True))))
    if not rows:
        raise DataError(f"{path}: a header and no records; retrieve the file again")
    refuse_cut_off(path, text)
    return rows


def refuse_cut_off(path: Path, text: str) -> None:
    """Refuse a text whose last line is not ended: most likely the end of the file is lost."""
    if not text.endswith("\n"):
        line = text.count("\n") + 1
        last = text[text.rfind("\n") + 1 :]
        raise DataError(
            f"{path}, line {line}: the last line {shorten(last)} is not ended, so the file was cut off; "
            "retrieve it again, or end the line if it is complete"
        )
