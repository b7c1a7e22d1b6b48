"""Tables as files: CSV for programs, Markdown for people; written atomically."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.files import write_text
from ..errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; numbers keep ten significant digits, unknown values are empty."""
    write_text(path, table.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table written by :func:`write_csv`; only empty fields are unknown (a model may be called ``NA``).

    Raises:
        DataError: no such file, or not a CSV table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as CSV ({error}); delete it to have it made again") from None


def write_markdown(path: Path, text: str) -> None:
    """Write Markdown text atomically."""
    write_text(path, text)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in GitHub's Markdown; a bar inside a cell is escaped."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(text.replace("|", r"\|") for text in line) + " |\n" for line in lines)
