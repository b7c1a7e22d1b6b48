"""Marks shared by the figures: points, bars and lines by precision, with their error bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import NDArray

from .style import INK, PALE, WIDTH_IN, letter, looks
from .view import MeasuredRow, Quantity, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ErrorStyle(TypedDict):
    """How error bars look; sizes in points."""

    elinewidth: float
    ecolor: str
    capsize: float
    capthick: float


def error_style(colour: str = INK, width: float = 0.7) -> ErrorStyle:
    """Error bars of a colour and a line width in points."""
    return {"elinewidth": width, "ecolor": colour, "capsize": 1.2, "capthick": 0.6}


SPREAD = 0.8  # of the distance between two groups, taken up by the precisions of one
PER_ROW = 4  # panels side by side
CROWDED, CHARACTER = 0.08, 0.05  # shares of a numeric axis: least distance of two tick labels, width of a character
UPRIGHT_GROUPS = 8  # more group names than this are set upright
DODGE = 0.018  # between two precisions at one place of a numeric axis, as a share of its length


@dataclass(frozen=True, slots=True)
class Mark:
    """One value with the ends of its error bar, in shown units; nan where there is none."""

    value: float
    low: float
    high: float


NOTHING = Mark(math.nan, math.nan, math.nan)


def score_mark(row: MeasuredRow) -> Mark:
    """A score with its confidence interval."""
    return Mark(row.score, _number(row.score_low), _number(row.score_high))


def memory_mark(row: MeasuredRow, quantity: Quantity) -> Mark:
    """Memory, which has no error bar."""
    return Mark(row.memory_gib * quantity.factor, math.nan, math.nan)


def latency_mark(row: MeasuredRow, quantity: Quantity) -> Mark:
    """A mean latency with one standard deviation either side, not below 0."""
    mean, deviation = row.latency_mean_s * quantity.factor, _number(row.latency_sd_s) * quantity.factor
    return Mark(mean, max(0.0, mean - deviation), mean + deviation)


def mean_mark(marks: Sequence[Mark]) -> Mark:
    """The mean of some values with one standard deviation among them either side; empty where there are none."""
    if not marks:
        return NOTHING
    values = np.array([mark.value for mark in marks])
    mean, deviation = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return Mark(mean, max(0.0, mean - deviation), mean + deviation)


def points(axis: Axes, marks: dict[str, list[Mark]], size: float = 3.2) -> None:
    """Draw points with error bars: for each precision one mark a group, groups at 0, 1, 2 ... on the x axis."""
    for (precision, look), offset in zip(looks(list(marks)).items(), _offsets(len(marks)), strict=True):
        series = marks[precision]
        axis.errorbar(
            np.arange(len(series)) + offset,
            [mark.value for mark in series],
            yerr=_errors(series),
            fmt=look.marker,
            color=look.colour,
            markersize=size,
            markeredgecolor=INK,
            markeredgewidth=0.3,
            **error_style(),
        )
    axis.margins(y=0.12)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    _say_if_empty(axis, marks)


def bars(axis: Axes, marks: dict[str, list[Mark]]) -> None:
    """Draw bars from 0 with error bars: for each precision one mark a group, groups at 0, 1, 2 ... on the x axis."""
    width = SPREAD / max(1, len(marks))
    for (precision, look), offset in zip(looks(list(marks)).items(), _offsets(len(marks)), strict=True):
        series = marks[precision]
        positions = np.arange(len(series)) + offset
        values = [mark.value for mark in series]
        axis.bar(positions, values, width, color=look.colour, hatch=look.hatch, edgecolor=INK, linewidth=0.3)
        axis.errorbar(positions, values, yerr=_errors(series), fmt="none", **error_style())
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    _say_if_empty(axis, marks)


def lines(axis: Axes, marks: dict[str, list[Mark]], places: dict[str, list[float]]) -> None:
    """Draw values along a numeric axis, those of one precision joined by a line.

    Args:
        axis: where to draw.
        marks: for each precision its values.
        places: for each precision where they stand, in ascending order; at nan a line ends and another begins.
    """
    everywhere = [place for series in places.values() for place in series if math.isfinite(place)]
    # Slightly apart, so that the error bars of several precisions at one place stay visible side by side.
    barred = any(np.isfinite(mark.low) for series in marks.values() for mark in series)
    apart = DODGE * (max(everywhere) - min(everywhere)) if barred and everywhere else 0
    for rank, (precision, look) in enumerate(looks(list(marks)).items()):
        series = marks[precision]
        axis.errorbar(
            [place + apart * (rank - (len(marks) - 1) / 2) for place in places[precision]],
            [mark.value for mark in series],
            yerr=_errors(series),
            fmt=look.marker,
            linestyle="-",
            color=look.colour,
            linewidth=1.0,
            markersize=3.6,
            markeredgecolor=INK,
            markeredgewidth=0.3,
            **error_style(look.colour),
        )
    axis.margins(x=0.08, y=0.12)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    _say_if_empty(axis, marks)


def group_axis(axis: Axes, labels: Sequence[str], shown: bool = True, characters: int = 24) -> None:
    """Name the groups on the x axis, turned where longer than ``characters``; ``shown=False`` keeps ticks only."""
    axis.set_xlim(-0.5, max(len(labels), 1) - 0.5)
    axis.set_xticks(range(len(labels)))
    axis.grid(visible=False, axis="x")
    if not shown:
        axis.set_xticklabels([])
        return
    if len(labels) > UPRIGHT_GROUPS:
        axis.set_xticklabels(labels, rotation=90)
    elif len(labels) * max((len(text) for text in labels), default=0) > characters:
        axis.set_xticklabels(labels, rotation=45, ha="right", rotation_mode="anchor")
    else:
        axis.set_xticklabels(labels)


def number_axis(axis: Axes, values: Sequence[float], labels: Sequence[str]) -> None:
    """Put a tick at each value of a numeric x axis and nowhere else; labels that would touch the one before are left
    out.

    ``values`` ascend.
    """
    reach = values[-1] - values[0] if len(values) > 1 else 0
    shown: list[str] = []
    last, before = -math.inf, ""
    for value, label in zip(values, labels, strict=True):
        room = reach * max(CROWDED, CHARACTER * (len(before) + len(label)) / 2)
        crowded = value - last < room or value == last
        shown.append("" if crowded else label)
        last, before = (last, before) if crowded else (value, label)
    axis.xaxis.set_major_locator(FixedLocator(list(values)))
    axis.set_xticklabels(shown)


def separate_last(axis: Axes, groups: int) -> None:
    """Draw a thin line before the last of ``groups`` groups."""
    axis.axvline(groups - 1.5, color=PALE, linewidth=0.8)


def marks_by_precision(
    view: View, rows: Sequence[MeasuredRow], key: Literal["model", "prompting"], mark: Callable[[MeasuredRow], Mark]
) -> dict[str, list[Mark]]:
    """Return for each precision one mark a model or prompting (in expected order); missing cells become empty marks."""
    found = {(str(getattr(row, key)), row.precision): mark(row) for row in rows}
    groups: Sequence[str] = view.names("model") if key == "model" else view.promptings
    return {
        precision: [found.get((group, precision), NOTHING) for group in groups] for precision in view.names("precision")
    }


def panel_figure(rows: int, columns: int, row_height: float, extra: float) -> tuple[Figure, list[list[Axes]]]:
    """A figure of double-column width with ``rows x columns`` axes, returned row by row.

    ``row_height`` and ``extra`` (legend, labels, footnotes) are in inches.
    """
    figure = Figure(figsize=(WIDTH_IN, rows * row_height + extra), layout="constrained")
    return figure, [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def block_figure(
    blocks: int, count: int, row_height: float, extra: float, per_row: int = PER_ROW
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of some blocks of ``count`` panels each: blocks below one another, or in one row where all fit there.

    Returns:
        The figure and for each block its axes.
    """
    one_row = blocks * count <= per_row
    columns = blocks * count if one_row else min(count, per_row)
    rows_of_block = 1 if one_row else math.ceil(count / columns)
    figure, axes = panel_figure(1 if one_row else blocks * rows_of_block, columns, row_height, extra)
    slots = [axis for row in axes for axis in row]
    stride = count if one_row else rows_of_block * columns
    chosen = [slots[block * stride : block * stride + count] for block in range(blocks)]
    used = [axis for block in chosen for axis in block]
    for axis in slots:
        if axis not in used:
            axis.remove()
    for place, axis in enumerate(used):
        letter(axis, place)
    return figure, chosen


def below(axis: Axes, others: Sequence[Axes]) -> bool:
    """Whether one of ``others`` stands in the same column of the figure's grid, further down."""
    column, row = _place(axis)
    return any(other[0] == column and other[1] > row for other in map(_place, others))


def _place(axis: Axes) -> tuple[int, int]:
    """Column and row of the figure's grid where a panel begins."""
    spec = axis.get_subplotspec()
    return (spec.colspan.start, spec.rowspan.start) if spec else (-1, -1)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _offsets(count: int) -> list[float]:
    width = SPREAD / max(1, count)
    return [(place - (count - 1) / 2) * width for place in range(count)]


def say_nothing(axis: Axes, words: str = "no results") -> None:
    """Mark a panel that has nothing to show: by default, since none of its cells exists."""
    axis.set_yticks([])
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color=INK)


def _say_if_empty(axis: Axes, marks: dict[str, list[Mark]]) -> None:
    if not any(np.isfinite(mark.value) for series in marks.values() for mark in series):
        say_nothing(axis)


def _errors(marks: Sequence[Mark]) -> NDArray[np.float64]:
    """Distances to the ends of the error bars, shape (2, n); nan, and so nothing drawn, where a mark has none."""
    below = [mark.value - mark.low for mark in marks]
    above = [mark.high - mark.value for mark in marks]
    errors: NDArray[np.float64] = np.maximum(np.array([below, above], dtype=float), 0)  # rounding may leave -1e-17
    return errors
