"""Tables on standard output."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def write_text(header: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> None:
    """Print columns in line, the first ``names`` to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    for row in [header, *rows]:
        cells = [
            text.ljust(width) if index < names else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
