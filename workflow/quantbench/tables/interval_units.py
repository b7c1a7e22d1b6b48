"""What intervals take as independent, in words: so many documents of a dataset, or its samples where no documents are known.

Samples of one document succeed and fail together, so an interval over samples whose documents nobody knows may be too narrow: it
is said wherever intervals are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Vocabulary
from ..contracts.effect_rows import EffectRow
from ..contracts.records import Unit
from ..contracts.run_tables import CellRow, Table1Row

# A question is no part of a document.
_KNOWN = ("document", "question")


def unit_words(row: CellRow | Table1Row | EffectRow) -> str:
    """For example ``500 documents``; empty in tables of before it was said."""
    count = row.documents if isinstance(row, EffectRow) else row.units
    return "" if row.unit is None or count is None else _counted(row.unit, count)


def unit_note(vocabulary: Vocabulary, rows: Sequence[CellRow] | Sequence[Table1Row]) -> str | None:
    """One sentence about the datasets of some rows; None where nothing is known of any.

    Args:
        vocabulary: titles of datasets.
        rows: of ``cells.csv`` or ``table1.csv``.
    """
    words: dict[str, str] = {}
    for row in rows:
        if row.unit is not None and (said := unit_words(row)):
            unknown = "" if row.unit in _KNOWN else " (their documents are not known)"
            words.setdefault(row.dataset, f"{vocabulary.title('dataset', row.dataset)} {said}{unknown}")
    return f"Intervals take as independent: {', '.join(words.values())}." if words else None


def _counted(unit: Unit, count: int) -> str:
    return f"{count:,} {unit}{'s' * (count != 1)}"
