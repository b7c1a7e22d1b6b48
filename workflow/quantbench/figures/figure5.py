"""Score and memory against the number of worked examples in the prompt, at each precision.

One row a dataset. Left to right: score against worked examples (shots), score against the mean prompt length, memory
against shots, memory against the mean prompt length. Scores carry confidence intervals (Wilson for accuracy,
bootstrap over documents for F1). Memory is on a GPU the peak allocated during inference, on a CPU the model's own
bytes, which do not grow with the prompt.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from .legends import finish
from .panels import lines, memory_mark, number_axis, panel_figure, score_mark
from .style import letter
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXIS = "shots"


def draw(view: View) -> Figure:
    """Draw the study's few-shot curves, one row for each of its models and datasets."""
    rows = list(dict.fromkeys((cell.model, cell.dataset) for cell in view.expected))
    figure, axes = panel_figure(len(rows), 4, row_height=1.35, extra=0.7)
    for place, axis in enumerate(axis for row in axes for axis in row):
        letter(axis, place)
    for row, (model, dataset) in zip(axes, rows, strict=True):
        _row(view, model, dataset, row)
        name = view.title("dataset", dataset)
        row[0].set_ylabel(name if len(view.names("model")) == 1 else f"{view.title('model', model)}\n{name}")
        row[0].set_ylabel(f"{row[0].get_ylabel()}\n{view.score_label(dataset)}")
    for axis, heading in zip(axes[0], ("Score", "Score", view.memory.label, view.memory.label), strict=True):
        axis.set_title(heading)
    for axis, label in zip(axes[-1], ("Shots", "Prompt length (tokens)") * 2, strict=True):
        axis.set_xlabel(label)
    figure.align_ylabels([row[0] for row in axes])
    finish(figure, view, view.notes(), ("line",))
    return figure


def _row(view: View, model: str, dataset: str, axes: list[Axes]) -> None:
    shots = list(dict.fromkeys(cell.shots for cell in view.expected))
    rows = {
        name: sorted(view.where(model=model, dataset=dataset, precision=name), key=lambda row: row.shots)
        for name in view.names("precision")
    }
    scores = {name: [score_mark(row) for row in series] for name, series in rows.items()}
    memory = {name: [memory_mark(row, view.memory) for row in series] for name, series in rows.items()}
    by_shots = {name: [float(row.shots) for row in series] for name, series in rows.items()}
    by_length = {name: [row.prompt_tokens_mean or math.nan for row in series] for name, series in rows.items()}
    for axis, marks, places in zip(axes, (scores, scores, memory, memory), (by_shots, by_length) * 2, strict=True):
        lines(axis, marks, places)
    for axis in (axes[0], axes[2]):
        number_axis(axis, shots, [str(count) for count in shots])
    for axis in (axes[1], axes[3]):
        axis.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    for axis in axes[2:]:
        axis.set_ylabel(view.memory.unit)
        axis.set_ylim(bottom=0)
