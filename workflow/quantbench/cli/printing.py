"""Tables on standard output: for people in columns, for programs as CSV or JSON."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence

from ..contracts.spreadsheets import guarded

Value = str | int | float | None


def write_records(form: str, columns: Mapping[str, int | None], rows: Iterable[Sequence[Value]]) -> None:
    """Print rows for programs.

    Args:
        form: ``csv``, with one header line and empty fields for what is not known; or ``json``, a list of objects.
        columns: name -> decimals of its numbers; None: as they are.
        rows: one value a column.
    """
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_text(value, digits) for value, digits in zip(row, columns.values(), strict=True)])
        return
    objects = [
        {name: _number(value, digits) for (name, digits), value in zip(columns.items(), row, strict=True)}
        for row in rows
    ]
    print(json.dumps(objects, ensure_ascii=False, indent=1, allow_nan=False))


def write_text(header: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> None:
    """Print columns in line, the first ``names`` to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    for row in [header, *rows]:
        cells = [
            text.ljust(width) if index < names else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _text(value: Value, digits: int | None) -> Value:
    if isinstance(value, str):
        return guarded(value)
    return f"{value:.{digits}f}" if isinstance(value, float) and digits is not None else value


def _number(value: Value, digits: int | None) -> Value:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)
