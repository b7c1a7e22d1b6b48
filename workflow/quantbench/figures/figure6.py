"""Three ways of prompting at each precision: instruction, chain of thought, self-consistency.

One panel a dataset. Upper panels: score with its confidence interval (Wilson for accuracy, bootstrap over documents
for F1). Lower panels: latency of single queries, mean with one standard deviation. Where everything fits in one row,
latency stands to the right of score.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..config.vocabulary import PROMPTINGS
from .legends import finish
from .panels import bars, block_figure, group_axis, latency_mark, marks_by_precision, points, score_mark
from .view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS = "prompting"


def draw(view: View) -> Figure:
    """Draw score and latency of the study's promptings, one panel for each of its models and datasets."""
    models = view.names("model")
    pairs = list(dict.fromkeys((cell.model, cell.dataset) for cell in view.expected))
    figure, (scores, latencies) = block_figure(2, len(pairs), row_height=1.5, extra=0.7, per_row=2)
    labels = [PROMPTINGS[prompting] for prompting in view.promptings]
    for (model, dataset), score_axis, latency_axis in zip(pairs, scores, latencies, strict=True):
        rows = view.where(model=model, dataset=dataset)
        points(score_axis, marks_by_precision(view, rows, "prompting", score_mark), size=4)
        bars(latency_axis, marks_by_precision(view, rows, "prompting", partial(latency_mark, quantity=view.latency)))
        score_axis.set_ylabel(view.score_label(dataset))
        latency_axis.set_ylabel(view.latency.titled)
        name = view.title("dataset", dataset)
        for axis in (score_axis, latency_axis):
            axis.set_title(name if len(models) == 1 else f"{name}, {view.title('model', model)}")
            group_axis(axis, labels, characters=60)
    finish(figure, view, view.notes(latency=True), ("point", "bar"))
    return figure
