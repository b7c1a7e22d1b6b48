"""Cells -> tidy tables (docs/protocol.md#comparisons). No pandas, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.files import write_text
from .cells import CellRow, cells_table
from .efficiency import EfficiencyRow, efficiency_table
from .paper_rows import PublishedRow
from .precision_effects import EffectRow, Judging, effects_table
from .table1 import Table1Row, table1, table1_markdown

__all__ = [
    "CellRow",
    "EffectRow",
    "EfficiencyRow",
    "Judging",
    "PublishedRow",
    "Table1Row",
    "cells_table",
    "effects_table",
    "efficiency_table",
    "table1",
    "table1_markdown",
    "write_tables",
]


def write_tables(
    vocabulary: Vocabulary,
    results: Path,
    cells: Sequence[Cell],
    studies: Mapping[str, Sequence[Cell]],
    judging: Judging,
    paper: Path,
) -> None:
    """Write every table of finished cells into ``<results>/tables``.

    Args:
        vocabulary: see :func:`effects_table`, as for the next four.
        results: likewise.
        cells: likewise.
        studies: likewise.
        judging: likewise.
        paper: the published Table 1.

    Raises:
        DataError: a file of a cell or the published table is missing or malformed.
    """
    folder, rows = results / "tables", cells_table(vocabulary, results, cells)
    beside = table1(vocabulary, rows, PublishedRow.read(paper))
    effects = effects_table(vocabulary, results, cells, studies, judging)
    CellRow.write(folder / "cells.csv", rows)
    Table1Row.write(folder / "table1.csv", beside)
    write_text(folder / "table1.md", table1_markdown(vocabulary, beside, judging.bootstrap.confidence))
    EffectRow.write(folder / "precision_effects.csv", effects)
    EfficiencyRow.write(folder / "efficiency.csv", efficiency_table(vocabulary, rows))
