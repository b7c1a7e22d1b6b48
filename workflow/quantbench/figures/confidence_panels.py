"""Panels along confidence, one a dataset: what the samples of each bin of confidence came to, at each precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .legends import footnote, precision_legend
from .panels import PER_ROW, Mark, lines, panel_figure, say_nothing
from .style import INK, letter
from .view import View, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class BinPoint:
    """The samples of one bin: their mean confidence, and a share of them with its interval; ``model`` is None for all together."""

    dataset: str
    precision: str
    model: str | None
    confidence: float
    share: Mark


@dataclass(frozen=True, slots=True)
class ConfidenceAxes:
    """What the axes of all panels say; ``diagonal`` draws where share and confidence are equal.

    ``or_else`` is why a cell that kept log-probabilities may be missing all the same.
    """

    confidence: str
    share: str
    diagonal: bool = False
    or_else: str = ""


def share_mark(share: float, low: float | None, high: float | None) -> Mark:
    """A share with its interval, if it has one."""
    return Mark(share, math.nan if low is None else low, math.nan if high is None else high)


def confidence_figure(view: View, found: Sequence[BinPoint], axes: ConfidenceAxes) -> Figure:
    """Draw one panel for each dataset to show, and in it one line a precision, of all models together.

    Args:
        view: what to show.
        found: the points of all models together, and those of each, which tell what is missing.
        axes: their labels.
    """
    pooled = [point for point in found if point.model is None]
    datasets = view.names("dataset")
    columns = max(1, min(PER_ROW, len(datasets)))
    figure, grid = panel_figure(math.ceil(len(datasets) / columns), columns, row_height=1.75, extra=0.75)
    for place, axis in enumerate(axis for row in grid for axis in row):
        if place >= len(datasets):
            axis.remove()
            continue
        letter(axis, place)
        axis.set_title(view.title("dataset", datasets[place]))
        shown = [point for point in pooled if point.dataset == datasets[place]]
        _panel(view, axis, shown, axes.diagonal)
        if not shown:
            ran = any(row.dataset == datasets[place] for row in view.rows)
            say_nothing(axis, "left out, see below" if ran else "no results")
        axis.set_xlabel(axes.confidence)
        if place % columns == 0:
            axis.set_ylabel(axes.share)
    precision_legend(figure, {name: view.title("precision", name) for name in view.names("precision")}, ("line",))
    footnote(figure, _notes(view, found, axes))
    return figure


def _panel(view: View, axis: Axes, found: Sequence[BinPoint], diagonal: bool) -> None:
    series = {name: [point for point in found if point.precision == name] for name in view.names("precision")}
    if found and diagonal:
        axis.plot([0, 1], [0, 1], color=INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    if found:
        lines(
            axis,
            {name: [point.share for point in points] for name, points in series.items()},
            {name: [point.confidence for point in points] for name, points in series.items()},
        )
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.5, 1])
    if found:
        axis.set_ylim(0, 1 if diagonal else min(1.02, axis.get_ylim()[1]))


def _notes(view: View, found: Sequence[BinPoint], axes: ConfidenceAxes) -> str:
    kept = {(point.model, point.precision, point.dataset) for point in found}
    silent = sum((row.model, row.precision, row.dataset) not in kept for row in view.rows)
    random = any(row.weights == "random" for row in view.rows)
    return wrap(
        [
            f"{view.run.comparison.confidence:.0%} intervals over documents; bins without samples have no mark.",
            view.missing_words(view.missing),
            f"{silent} of {len(view.rows)} cells kept no log-probabilities{axes.or_else}." if silent else "",
            "Random weights are left out." if random else "",
            view.share_words,
            "Tiny demonstration models." if view.demonstration else "",
        ]
    )
