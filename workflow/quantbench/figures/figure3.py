"""Score and memory of biomedical models, or of models of both domains, at each precision.

One panel a dataset. Upper panels: score with its confidence interval (Wilson for accuracy, bootstrap over documents
for F1). Lower panels: memory, on a GPU the peak allocated during inference, on a CPU the model's own bytes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .legends import finish
from .panels import bars, below, block_figure, group_axis, marks_by_precision, memory_mark, points, score_mark
from .view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS = "domain"


def draw(view: View) -> Figure:
    """Draw score and memory of the study's models on each of its datasets."""
    datasets = view.names("dataset")
    figure, (upper, lower) = block_figure(2, len(datasets), row_height=1.35, extra=1.4)
    labels = [view.title("model", model) for model in view.names("model")]
    for dataset, score_axis, memory_axis in zip(datasets, upper, lower, strict=True):
        rows = view.where(dataset=dataset)
        points(score_axis, marks_by_precision(view, rows, "model", score_mark))
        bars(memory_axis, marks_by_precision(view, rows, "model", partial(memory_mark, quantity=view.memory)))
        score_axis.set_ylabel(view.score_label(dataset))
        memory_axis.set_ylabel(view.memory.titled)
        for axis in (score_axis, memory_axis):
            axis.set_title(view.title("dataset", dataset))
            group_axis(axis, labels, shown=not below(axis, [*upper, *lower]))
    finish(figure, view, view.notes(), ("point", "bar"))
    return figure
