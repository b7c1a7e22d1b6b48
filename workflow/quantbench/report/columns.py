"""Tables for people: which columns, under which names, in which form; cells stay sortable by their value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import Catalogue
from ..recommend.words import task_words
from ..tables.table1 import METRIC_WORDS

if TYPE_CHECKING:
    import pandas as pd


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


_Cell = Callable[[dict[str, Any]], Shown]


def table1(catalogue: Catalogue, table: pd.DataFrame) -> ReportTable:
    """Table 1: the zero-shot cells, with published values where the same cell was published."""
    published = bool(table["published_score"].notna().any())
    columns: dict[str, _Cell] = {
        **_names(catalogue),
        "Metric": lambda row: _word(str(METRIC_WORDS.get(row["metric"], row["metric"]))),
        "Score": _number("score", ".3f"),
        "Interval": _interval("score_low", "score_high", ".3f"),
        "Constant answer": _number("constant_score", ".3f"),
        **({"Published score": _number("published_score", ".3f")} if published else {}),
        **_memory_column(table),
        **({"Published memory (GiB)": _number("published_memory_gib", ".1f")} if published else {}),
        "Latency (s)": _number("latency_s", ".3g"),
        **({"Published latency (s)": _number("published_latency_s", ".3g")} if published else {}),
        "Unparseable": _number("unparseable_rate", ".1%"),
        "n": _number("n", ".0f"),
    }
    caption = "Zero-shot cells: score with its confidence interval, memory, mean latency of single queries"
    return _table(("table1", "Table 1"), caption, columns, table)


def effects(catalogue: Catalogue, table: pd.DataFrame) -> ReportTable:
    """Each quantized cell against full precision."""
    columns: dict[str, _Cell] = {
        "Study": lambda row: _word(str(row["study"])),
        **_names(catalogue),
        "Prompt": lambda row: _word(f"{row['prompting']}, {row['shots']} shots"),
        "Full": _number("full_score", ".3f"),
        "Score": _number("score", ".3f"),
        "Difference": _number("difference", "+.3f"),
        "Interval": _interval("difference_low", "difference_high", "+.3f"),
        "Verdict": lambda row: _word(str(row["verdict"])),
        "Changed": _number("flip_rate", ".1%"),
        "Lost": _number("lost", ".0f"),
        "Gained": _number("gained", ".0f"),
        "p (Holm)": _number("holm_p", ".2g"),
        "Noise floor": _number("noise_floor_flip_rate", ".1%"),
    }
    caption = (
        "Quantized minus full precision on the same samples, with the paired interval; changed answers, lost and gained"
    )
    return _table(("effects", "effects of precision"), caption, columns, table, also=("Study", "Verdict"))


def efficiency(catalogue: Catalogue, table: pd.DataFrame) -> ReportTable:
    """Memory and latency beside score; ratios are to full precision."""
    columns: dict[str, _Cell] = {
        **_names(catalogue),
        "Prompt": lambda row: _word(f"{row['prompting']}, {row['shots']} shots"),
        "Score": _number("score", ".3f"),
        **_memory_column(table),
        "Memory ratio": _number("memory_ratio", ".2f"),
        "Latency (s)": _number("latency_mean_s", ".3g"),
        "Latency ratio": _number("latency_ratio", ".2f"),
        "Tokens/s": _number("tokens_per_s", ".3g"),
        "Energy (J)": _number("energy_j", ".3g"),
    }
    caption = "Memory, latency and energy of every cell, and as ratios to full precision (below 1 is a saving)"
    return _table(("efficiency", "memory and latency"), caption, columns, table)


def _names(catalogue: Catalogue) -> dict[str, _Cell]:
    return {
        "Task": lambda row: _word(task_words(str(row["task"]))),
        "Dataset": lambda row: _word(catalogue.datasets[row["dataset"]].title),
        "Model": lambda row: _word(catalogue.models[row["model"]].title),
        "Precision": lambda row: _word(catalogue.precisions[row["precision"]].title),
    }


def _memory_column(table: pd.DataFrame) -> dict[str, _Cell]:
    small = len(table) > 0 and table["memory_gib"].max() < 0.5
    return {"Memory (MiB)" if small else "Memory (GiB)": _number("memory_gib", ".2f", 1024 if small else 1)}


def _table(
    name: tuple[str, str], caption: str, columns: dict[str, _Cell], table: pd.DataFrame, also: Sequence[str] = ()
) -> ReportTable:
    records = table.to_dict("records")
    rows = [
        [cell({str(key): value for key, value in record.items()}) for cell in columns.values()] for record in records
    ]
    header = list(columns)
    chosen = [header.index(word) for word in ("Task", "Dataset", "Model", "Precision", *also)]
    words = {"Study", "Task", "Dataset", "Model", "Precision", "Prompt", "Metric", "Interval", "Verdict"}
    return ReportTable(*name, caption, header, [word not in words for word in header], sorted(chosen), rows)


def _word(text: str) -> Shown:
    return Shown(text, text)


def _number(column: str, style: str, factor: float = 1) -> _Cell:
    def cell(row: dict[str, Any]) -> Shown:
        value = row[column]
        # Unknown values sort to one end.
        if value is None or math.isnan(value):
            return Shown("", "-1e300")
        return Shown(format(value * factor, style), repr(float(value)))

    return cell


def _interval(low: str, high: str, style: str) -> _Cell:
    def cell(row: dict[str, Any]) -> Shown:
        if row[low] is None or math.isnan(row[low]):
            return Shown("", "-1e300")
        return Shown(f"[{row[low]:{style}}, {row[high]:{style}}]", repr(float(row[low])))

    return cell
