"""What each quantized precision costs label by label: difference in F1 to full precision, the rarest label on top.

One panel a dataset whose answers are labels, one line a label, with the number of samples that have it. Large marks are the
mean over models (of one model, its own difference) with the interval of a joint bootstrap: the same documents drawn for
all models. A filled mark is a label whose interval excludes 0 and whose p is below 0.05 after Holm's correction; a hollow
one could be chance. Small dots are the single models. The fewer samples have a label, the wider its interval: a rare class that is lost
shows here before it shows in the mean of all classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..contracts.effect_parts import LabelEffectRow
from .legends import footnote
from .panels import SPREAD, error_style, panel_figure, say_nothing
from .style import INK, PALE, Look, letter, looks
from .view import View, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class SingleMark(TypedDict):
    """How a single model's difference looks, beside the mean over models."""

    marker: str
    color: str
    alpha: float
    markersize: float
    markeredgewidth: float
    linestyle: Literal["none"]


EVERY_RUN = True
AXIS = "labels"
ACROSS = 2  # panels side by side: labels have long names
LINE_IN = 0.2  # height of a label's line
MOST_LETTERS = 26  # of a label's name
_SINGLE: SingleMark = {
    "marker": "o",
    "color": INK,
    "alpha": 0.45,
    "markersize": 2.2,
    "markeredgewidth": 0,
    "linestyle": "none",
}


def draw(view: View) -> Figure:
    """Draw the forest of label differences of the run's zero-shot cells."""
    rows = [row for row in view.label_effects if row.dataset in view.names("dataset")]
    datasets = view.names("dataset")
    lines = max([2, *(len({row.label for row in rows if row.dataset == name}) for name in datasets)])
    columns = min(ACROSS, len(datasets))
    figure, axes = panel_figure(
        math.ceil(len(datasets) / columns), columns, row_height=0.55 + LINE_IN * lines, extra=0.75
    )
    for place, axis in enumerate(axis for row in axes for axis in row):
        if place >= len(datasets):
            axis.remove()
            continue
        letter(axis, place)
        axis.set_title(view.title("dataset", datasets[place]))
        axis.set_xlabel("Difference in F1 of the label")
        _panel(view, axis, [row for row in rows if row.dataset == datasets[place]])
    _legend(figure, view, single=any(row.model is None for row in rows))
    footnote(figure, _notes(view, rows))
    return figure


def _panel(view: View, axis: Axes, rows: Sequence[LabelEffectRow]) -> None:
    support = {row.label: row.support for row in rows}
    labels = sorted(support, key=lambda label: (support[label], label))
    precisions = view.names("precision")
    step = SPREAD * 0.7 / len(precisions)
    for row in rows:
        place = labels.index(row.label) + (precisions.index(row.precision) - (len(precisions) - 1) / 2) * step
        look = looks([view.vocabulary.reference, *precisions])[row.precision]
        if row.model is None or not _has_mean(rows, row):
            _mark(axis, place, row, look, row.stands_out(view.run.comparison.confidence))
        else:
            axis.plot(row.difference, place, **_SINGLE)
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.set_yticks(range(len(labels)), [f"{_short(label)} ({support[label]:,})" for label in labels])
    axis.set_ylim(max(1, len(labels)) - 0.5, -0.5)
    axis.grid(visible=False)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    if not rows:
        say_nothing(axis)


def _has_mean(rows: Sequence[LabelEffectRow], row: LabelEffectRow) -> bool:
    return any(one.model is None and (one.precision, one.label) == (row.precision, row.label) for one in rows)


def _mark(axis: Axes, place: float, row: LabelEffectRow, look: Look, found: bool) -> None:
    low = row.difference if row.difference_low is None else row.difference_low
    high = row.difference if row.difference_high is None else row.difference_high
    axis.errorbar(
        row.difference,
        place,
        xerr=[[row.difference - low], [high - row.difference]],
        fmt=look.marker,
        color=look.colour,
        markerfacecolor=look.colour if found else "white",
        markersize=4,
        markeredgewidth=0.9,
        **error_style(look.colour, 1.0),
    )


def _short(label: str) -> str:
    return label if len(label) <= MOST_LETTERS else f"{label[: MOST_LETTERS - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _legend(figure: Figure, view: View, single: bool) -> None:
    known = looks([view.vocabulary.reference, *view.names("precision")])
    full = view.title("precision", view.vocabulary.reference)
    handles = [
        Line2D(
            [],
            [],
            color=known[name].colour,
            marker=known[name].marker,
            linestyle="none",
            markersize=5,
            label=f"{view.title('precision', name)} minus {full}",
        )
        for name in view.names("precision")
    ]
    handles += [
        Line2D([], [], color=INK, marker="o", markerfacecolor=face, label=name, linestyle="none", markersize=5)
        for name, face in {"beyond chance": PALE, "could be chance": "white"}.items()
    ]
    if single:
        handles.append(Line2D([], [], label="single model", **_SINGLE))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.2, handletextpad=0.2)


def _notes(view: View, rows: Sequence[LabelEffectRow]) -> str:
    comparison = view.run.comparison
    models = max((row.models for row in rows), default=0)
    return wrap(
        [
            f"In brackets: samples with the label. {comparison.confidence:.0%} intervals, {comparison.resamples} resamples; "
            f"{'means over models' if models > 1 else 'one model'}.",
            view.missing_words(view.missing),
            "Tiny demonstration models." if view.demonstration else "",
        ]
    )
