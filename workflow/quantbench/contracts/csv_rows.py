"""Tables as files: one class a table, whose fields are its columns in order; CSV for programs, Markdown for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ..config.settings import explain
from ..errors import DataError
from .files import write_text

Value = str | int | float | None


class Row(BaseModel):
    """One line of a table. Empty stands for what is unknown; only such fields are, a model may be called ``NA``."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def read(cls, path: Path) -> list[Self]:
        """Read a table written by :meth:`write`.

        Raises:
            DataError: no such file, or not this table; names line and column.
        """
        try:
            with path.open(encoding="utf-8", newline="") as file:
                lines = list(csv.DictReader(file))
        except FileNotFoundError:
            raise DataError(f"{path}: no such file") from None
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{path}: not readable as CSV ({error}); delete it to have it made again") from None
        return [cls._of(line, f"{path}, line {number}") for number, line in enumerate(lines, start=2)]

    @classmethod
    def _of(cls, line: dict[str | None, str | None], where: str) -> Self:
        try:
            return cls.model_validate({str(column): text or None for column, text in line.items()})
        except ValidationError as error:
            wrong = explain(cls, error.errors()[0])
            raise DataError(f"{where}: {wrong}; delete the table to have it made again") from None

    @classmethod
    def write(cls, path: Path, rows: Iterable[Self]) -> None:
        """Write a table atomically; numbers keep ten significant digits."""
        write_text(path, csv_text(cls.model_fields, (row.values() for row in rows)))

    def values(self) -> list[Value]:
        """The row's values in the order of the columns."""
        return [getattr(self, column) for column in type(self).model_fields]

    def shared_with(self, kind: type[Row]) -> dict[str, object]:
        """This row's values of the columns that another table has too."""
        return {column: getattr(self, column) for column in kind.model_fields if column in type(self).model_fields}


def csv_text(header: Iterable[str], rows: Iterable[Sequence[Value]]) -> str:
    """A CSV table; real numbers keep ten significant digits, None is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{value:.10g}" if isinstance(value, float) else value for value in row] for row in rows)
    return buffer.getvalue()


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in GitHub's Markdown; a bar inside a cell is escaped."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(text.replace("|", r"\|") for text in line) + " |\n" for line in lines)
