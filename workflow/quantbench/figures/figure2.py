"""Score, memory and latency of models at each precision.

One row a dataset. Left: score with its confidence interval (Wilson for accuracy, bootstrap over documents for F1).
Middle: memory, on a GPU the peak allocated during inference, on a CPU the model's own bytes. Right: latency of single
queries, mean with one standard deviation. The last group of each panel is the mean over models that have
every precision, with one standard deviation among models. W8A16 is the paper's label for LLM.int8, which really
multiplies 8-bit weights by 8-bit activations, with outlier columns in 16 bits.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .legends import finish
from .panels import (
    Mark,
    bars,
    group_axis,
    latency_mark,
    marks_by_precision,
    mean_mark,
    memory_mark,
    panel_figure,
    points,
    score_mark,
    separate_last,
)
from .style import letter
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXIS = "model"
ROW_IN = 0.92


def draw(view: View) -> Figure:
    """Draw score, memory and latency of the study's models on each of its datasets."""
    datasets = view.names("dataset")
    figure, axes = panel_figure(len(datasets), 3, ROW_IN, extra=1.5)
    for place, axis in enumerate(axis for row in axes for axis in row):
        letter(axis, place)
    for row, dataset in zip(axes, datasets, strict=True):
        _row(view, dataset, row)
    for axis, heading in zip(axes[0], ("Score", view.memory.titled, view.latency.titled), strict=True):
        axis.set_title(heading)
    labels = [view.title("model", model) for model in view.names("model")]
    for axis in (axis for row in axes for axis in row):
        groups = [*labels, "mean"] if len(labels) > 1 else labels
        group_axis(axis, groups, shown=axis in axes[-1])
    figure.align_ylabels([row[0] for row in axes])
    finish(figure, view, view.notes(latency=True), ("point", "bar"))
    return figure


def _row(view: View, dataset: str, axes: list[Axes]) -> None:
    rows = view.where(dataset=dataset)
    score, memory, latency = (
        _with_mean(marks_by_precision(view, rows, "model", mark))
        for mark in (
            score_mark,
            partial(memory_mark, quantity=view.memory),
            partial(latency_mark, quantity=view.latency),
        )
    )
    points(axes[0], score)
    bars(axes[1], memory)
    bars(axes[2], latency)
    axes[0].set_ylabel(f"{view.title('dataset', dataset)}\n{view.score_label(dataset)}")
    axes[1].set_ylabel(view.memory.unit)
    axes[2].set_ylabel(view.latency.unit)
    groups = len(next(iter(score.values())))
    if groups > 1:
        for axis in axes:
            separate_last(axis, groups)


def _with_mean(marks: dict[str, list[Mark]]) -> dict[str, list[Mark]]:
    """Append the mean over the models that have every precision: means over different models do not compare."""
    models = range(len(next(iter(marks.values()))))
    if len(models) < 2:
        return marks
    complete = [
        model for model in models if all(series[model].value == series[model].value for series in marks.values())
    ]
    return {
        precision: [*series, mean_mark([series[model] for model in complete])] for precision, series in marks.items()
    }
