"""Tables for people: cells that stay sortable by their value, and the columns that many tables have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..config import Vocabulary
from ..config.vocabulary import task_title
from ..contracts.effect_parts import LabelEffectRow
from ..contracts.effect_rows import EffectRow
from ..contracts.likelihood_tables import LikelihoodRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.run_tables import EfficiencyRow, Table1Row
from ..tables import unit_words


@dataclass(frozen=True)
class Shown:
    """One cell: the text shown and the value it sorts by."""

    text: str
    order: str


@dataclass(frozen=True)
class ReportTable:
    """A table of the page. ``chosen`` are the places of the columns with a list to choose a value from."""

    name: str
    title: str
    caption: str
    header: list[str]
    numeric: list[bool]
    chosen: list[int]
    rows: list[list[Shown]]


RowOf = TypeVar("RowOf", Table1Row, EffectRow, PooledRow, EfficiencyRow, LabelEffectRow, LikelihoodRow)
CellRowOf = TypeVar("CellRowOf", Table1Row, EffectRow, EfficiencyRow, LikelihoodRow)
UnitRowOf = TypeVar("UnitRowOf", Table1Row, EffectRow)
Column = Callable[[RowOf], Shown]


def cell_names(vocabulary: Vocabulary, kind: type[CellRowOf]) -> dict[str, Callable[[CellRowOf], Shown]]:
    """The columns that every table begins with."""
    return {
        "Task": lambda row: word(task_title(row.task)),
        "Dataset": lambda row: word(vocabulary.title("dataset", row.dataset)),
        "Model": lambda row: word(vocabulary.title("model", row.model)),
        "Precision": lambda row: word(vocabulary.title("precision", row.precision)),
    }


def report_table(
    name: tuple[str, str],
    caption: str,
    columns: Mapping[str, Column[RowOf]],
    table: Sequence[RowOf],
    also: Sequence[str] = (),
) -> ReportTable:
    """Fill a table of a name and title, its columns by header; ``also`` have a list to choose from beside the usual ones."""
    rows = [[cell(row) for cell in columns.values()] for row in table]
    header = list(columns)
    chosen = [header.index(one) for one in ("Task", "Dataset", "Model", "Precision", *also) if one in header]
    words = {"Study", "Task", "Dataset", "Model", "Precision", "Prompt", "Metric", "Interval", "Verdict", "Independent"}
    words |= {"Interval, others like them", "Largest loss", "Its interval", "Interval of what is kept", "Note"}
    words |= {"Label", "Noise floor of"}
    words |= {one for one in header if one.endswith(", interval")}
    return ReportTable(*name, caption, header, [one not in words for one in header], sorted(chosen), rows)


def word(text: str) -> Shown:
    """Text, sorted as such."""
    return Shown(text, text)


def shown_value(value: float | None, style: str, factor: float = 1) -> Shown:
    """A number times ``factor`` in this form, nothing where it is unknown."""
    # Unknown values sort to one end.
    return Shown("", "-1e300") if value is None else Shown(format(value * factor, style), repr(float(value)))


def number(column: str, style: str, factor: float = 1) -> Column[RowOf]:
    """The column of such numbers."""
    return lambda row: shown_value(getattr(row, column), style, factor)


def known_numbers(table: Sequence[RowOf], columns: Mapping[str, tuple[str, str]]) -> dict[str, Column[RowOf]]:
    """Numbers that runs of earlier versions do not have, header -> column and form: those that any row has."""
    return {
        header: number(column, style)
        for header, (column, style) in columns.items()
        if any(getattr(row, column) is not None for row in table)
    }


def units_column(table: Sequence[UnitRowOf]) -> dict[str, Callable[[UnitRowOf], Shown]]:
    """What intervals take as independent, where any row says it."""
    known = any(row.unit is not None for row in table)
    return {"Independent": lambda row: word(unit_words(row))} if known else {}


def interval(low: str, high: str, style: str) -> Column[RowOf]:
    """The column of intervals between two others, sorted by the lower end."""

    def cell(row: RowOf) -> Shown:
        ends: tuple[float | None, float | None] = getattr(row, low), getattr(row, high)
        if ends[0] is None or ends[1] is None:
            return Shown("", "-1e300")
        return Shown(f"[{ends[0]:{style}}, {ends[1]:{style}}]", repr(ends[0]))

    return cell
