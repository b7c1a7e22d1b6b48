"""Score and memory of one model family against size, at each precision.

One panel a dataset; the horizontal axis is the number of weights, on a logarithmic scale. Upper panels: score with its
confidence interval (Wilson for accuracy, bootstrap over documents for F1). Lower panels: memory, on a GPU the
peak allocated during inference, on a CPU the model's own bytes.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from .panels import Mark, block_figure, finish, lines, marks_by_precision, memory_mark, number_axis, score_mark
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: View) -> Figure:
    """Draw score and memory of the study's models against their size on each of its datasets."""
    datasets = view.names("dataset")
    figure, (upper, lower) = block_figure(2, len(datasets), row_height=1.6, extra=0.7)
    for dataset, score_axis, memory_axis in zip(datasets, upper, lower, strict=True):
        rows = view.where(dataset=dataset)
        _lines(view, score_axis, marks_by_precision(view, rows, "model", score_mark))
        _lines(view, memory_axis, marks_by_precision(view, rows, "model", partial(memory_mark, quantity=view.memory)))
        score_axis.set_ylabel(view.score_label(dataset))
        memory_axis.set_ylabel(view.memory.titled)
        memory_axis.set_ylim(bottom=0)
        for axis in (score_axis, memory_axis):
            axis.set_title(view.title("dataset", dataset))
    finish(figure, view, view.notes(), ("line",))
    return figure


def _lines(view: View, axis: Axes, marks: dict[str, list[Mark]]) -> None:
    """Draw marks, given in the order of the view's models, against the models' sizes."""
    sizes = [view.vocabulary.models[model].counted.parameters for model in view.names("model")]
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    places = [math.log10(sizes[rank]) for rank in order]
    lines(
        axis, {name: [series[rank] for rank in order] for name, series in marks.items()}, dict.fromkeys(marks, places)
    )
    unit, word = (10**9, "billions") if max(sizes) >= 10**9 else (10**6, "millions")
    number_axis(axis, places, [f"{sizes[rank] / unit:.2g}" for rank in order])
    axis.set_xlabel(f"Weights ({word})")
