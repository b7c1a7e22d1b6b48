"""Score and memory against the size of models, at each precision.

One panel a dataset; the horizontal axis is the number of weights, on a logarithmic scale. Lines join models of one
architecture and domain. Upper panels: score with its
confidence interval (Wilson for accuracy, bootstrap over documents for F1). Lower panels: memory, on a GPU the
peak allocated during inference, on a CPU the model's own bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from .legends import finish
from .panels import NOTHING, Mark, block_figure, lines, marks_by_precision, memory_mark, number_axis, score_mark
from .view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..config import ModelEntry

AXIS = "size"
MILLION, BILLION = 10**6, 10**9


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
    models = [view.vocabulary.models[model] for model in view.names("model")]
    sizes = [model.counted.parameters for model in models]
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    places = [math.log10(sizes[rank]) for rank in order]
    joined = _joined(models, order)
    along = [math.nan if rank is None else math.log10(sizes[rank]) for rank in joined]
    drawn = {name: [NOTHING if rank is None else series[rank] for rank in joined] for name, series in marks.items()}
    lines(axis, drawn, dict.fromkeys(marks, along))
    labels, title = _size_labels([sizes[rank] for rank in order])
    number_axis(axis, places, labels)
    axis.set_xlabel(title)


def _size_labels(sizes: Sequence[int]) -> tuple[list[str], str]:
    """Labels of ascending sizes and the axis's own: one unit for all, or each with its own where they lie far apart."""
    if sizes[-1] >= BILLION > sizes[0]:
        return [
            f"{_size(size, BILLION)}B" if size >= BILLION else f"{_size(size, MILLION)}M" for size in sizes
        ], "Weights"
    unit, word = (BILLION, "billions") if sizes[0] >= BILLION else (MILLION, "millions")
    return [_size(size, unit) for size in sizes], f"Weights ({word})"


def _size(size: int, unit: int) -> str:
    return f"{size / unit:.2g}" if size < 100 * unit else f"{size / unit:.0f}"


def _joined(models: Sequence[ModelEntry], order: Sequence[int]) -> list[int | None]:
    """Ranks in ``order``, those of one architecture and domain together, with None where a line ends."""
    together: dict[tuple[str, str], list[int]] = {}
    for rank in order:
        together.setdefault((models[rank].family, models[rank].domain), []).append(rank)
    return [rank for group in together.values() for rank in (*group, None)][:-1]
