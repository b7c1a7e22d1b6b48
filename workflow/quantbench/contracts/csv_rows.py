"""Tables as files: one class a table, whose fields are its columns in order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ..config.settings import explain
from ..errors import DataError
from ..reading import csv_tables
from .files import write_text
from .spreadsheets import guarded, unguarded

if TYPE_CHECKING:
    import pandas as pd

_REMEDY = "delete the table to have it made again"
Value = str | int | float | None


class Row(BaseModel):
    """One line of a table. Empty stands for what is unknown; only such fields are, a model may be called ``NA``."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)

    @classmethod
    def read(cls, path: Path) -> list[Self]:
        """Read a table written by :meth:`write`.

        Raises:
            DataError: no such file, or not this table; names line and column.
        """
        # As text: what is empty and what is a number, the fields say.
        table = csv_tables.read(path, remedy=_REMEDY)
        return [cls._of(fields, f"{path}, line {number}") for number, fields in table.named()]

    @classmethod
    def _of(cls, line: dict[str, str], where: str) -> Self:
        try:
            return cls.model_validate({column: unguarded(text) or None for column, text in line.items()})
        except ValidationError as error:
            wrong = explain(cls, error.errors()[0])
            raise DataError(f"{where}: {wrong}; {_REMEDY}") from None

    @classmethod
    def write(cls, path: Path, rows: Iterable[Self]) -> None:
        """Write a table atomically; numbers keep ten significant digits, and no text is a formula to a spreadsheet."""
        write_text(path, csv_text(cls.frame(rows)))

    @classmethod
    def frame(cls, rows: Iterable[Self]) -> pd.DataFrame:
        """The table as a data frame, whose columns are the fields in order; what is unknown stays None."""
        import pandas as pd

        return pd.DataFrame([row.values() for row in rows], columns=list(cls.model_fields), dtype=object)

    def values(self) -> list[Value]:
        """The row's values in the order of the columns."""
        return [getattr(self, column) for column in type(self).model_fields]

    def shared_with(self, kind: type[Row]) -> dict[str, object]:
        """This row's values of the columns that another table has too."""
        return {column: getattr(self, column) for column in kind.model_fields if column in type(self).model_fields}


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV; real numbers keep ten significant digits, None is empty, texts that would be formulas are guarded."""
    return str(table.map(_as_text).to_csv(index=False))


def _as_text(value: object) -> object:
    """A cell; numbers as text: a column of whole numbers and None would else be written as one of real numbers."""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) if isinstance(value, int) else value
