"""Cells -> tidy tables (docs/protocol.md#comparisons). Needs pandas; no torch."""

from .cells import cells_table
from .efficiency import efficiency_table
from .precision_effects import effects_table
from .stored import existing_cells
from .table1 import table1, table1_markdown
from .writing import read_csv, write_csv, write_markdown

__all__ = [
    "cells_table",
    "effects_table",
    "efficiency_table",
    "existing_cells",
    "read_csv",
    "table1",
    "table1_markdown",
    "write_csv",
    "write_markdown",
]
