"""Cells of CSV files that a spreadsheet would take for formulas.

Excel, LibreOffice and Google Sheets run a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, however it is quoted in the
file; titles, labels and notes come from configurations and bundles of other people. Such a text gets an apostrophe in front, which
spreadsheets take for "this is text" (OWASP, CSV injection). Numbers stay as they are.
"""

from __future__ import annotations

import re

# Also the full-width signs, which Excel takes for the plain ones in some languages. An apostrophe of the text's own before such a
# sign is guarded too, so that what is read back is what was written.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile(f"'{_FORMULA.pattern}")


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text of a cell that :func:`guarded` made; other cells are what they are."""
    return cell[1:] if _GUARDED.match(cell) else cell
