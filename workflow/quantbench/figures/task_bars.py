"""Figure 2 as bars: means of Table 1 with standard deviations, task by task, and a run under both of its scorings below.

Not a figure of a run: it shows the published values, and a run's beside them. What it says of a reading's scores it says under that
reading's own convention, with a line at what the best constant answer scores under the same convention.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from matplotlib.lines import Line2D

from ..config import is_zero_shot
from ..config.vocabulary import task_title
from ..reproduce import ReadCell, Reading
from .legends import footnote, precision_legend
from .panels import SPREAD, Mark, bars, group_axis, mean_mark, panel_figure, separate_last
from .style import INK, SMALL_PT, letter, style
from .view import PUBLISHED_WORDS, Quantity, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Groups = Literal["dataset", "model"]
TALL_IN, LOW_IN = 1.2, 0.98  # height of a row: where they are few, and where all must go on one page
FEW_ROWS = 4
LABELS_IN = 1.05  # height of upright group names below a row that is not the last
TITLE_CHARACTERS = 22  # of a line above a panel
_ROWS = {"published": "published", "as_published": "this run,\nas published", "ours": "this run,\nour scoring"}
_LAST = {"dataset": "both", "model": "mean"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of panels: a quantity of one reading, a panel for each task."""

    reading: Reading
    quantity: Quantity
    value: Callable[[ReadCell], float]
    is_score: bool = False

    @property
    def label(self) -> str:
        words = _ROWS[self.reading.scoring]
        if not self.is_score:
            words = words.split(",")[0]
        return f"{self.quantity.titled}\n{words}"


def draw_task_bars(readings: Sequence[Reading], devices: Sequence[str], by: Groups) -> Figure:
    """Draw scores of every reading, then memory and latency: of Table 1, and of the run where there is one.

    A bar is the mean over models and, in the last group of a panel, over the task's datasets too; by model, it is the mean over the
    task's datasets, and the last group the mean over models and datasets. Whiskers are one standard deviation either side.

    Where the run has cells that Table 1 has, all rows show these cells alone, on the same axes. Where it has none but shares datasets,
    Table 1 is shown on these alone.

    Args:
        readings: Table 1, and the run's where there is one.
        devices: what latencies were measured on: Table 1's, then the run's.
        by: what the bars of a panel are grouped by.
    """
    zero_shot = [one.of([cell.cell for cell in one.cells if is_zero_shot(cell.cell)]) for one in readings]
    common = [cell.cell for cell in zero_shot[0].cells if all(cell.cell in one.by_cell for one in zero_shot)]
    shown = [one.of(common) for one in zero_shot] if common else _on_shared_datasets(zero_shot)
    with style():
        return _draw(shown, bool(common), devices, by)


def _on_shared_datasets(readings: Sequence[Reading]) -> list[Reading]:
    """Table 1 on the datasets that the run has too, where there are some: a run of one dataset needs no panels for seven others."""
    published, *run = readings
    measured = {cell.cell.dataset for one in run for cell in one.cells}
    shared = [cell.cell for cell in published.cells if cell.cell.dataset in measured]
    return [published.of(shared) if shared else published, *run]


def _draw(readings: Sequence[Reading], common: bool, devices: Sequence[str], by: Groups) -> Figure:
    rows = _rows(readings)
    tasks = list(dict.fromkeys(cell.task for one in readings for cell in one.cells))
    precisions = {cell.cell.precision: cell.precision for one in readings for cell in one.cells}
    figure, axes = panel_figure(len(rows), len(tasks), TALL_IN if len(rows) <= FEW_ROWS else LOW_IN, extra=2.2)
    for place, axis in enumerate(axis for line in axes for axis in line):
        letter(axis, place)
    for row, line in zip(rows, axes, strict=True):
        for task, axis in zip(tasks, line, strict=True):
            _panel(axis, row, [cell for cell in row.reading.cells if cell.task == task], by, list(precisions))
    for task, axis in zip(tasks, axes[0], strict=True):
        name = textwrap.wrap(task_title(task).capitalize(), TITLE_CHARACTERS)
        axis.set_title("\n".join([*name, axis.get_title()]), fontsize=SMALL_PT)
    named = _same_axes(rows, axes, common)
    figure.set_figheight(figure.get_figheight() + LABELS_IN * (named - 1))
    figure.align_ylabels([line[0] for line in axes])
    constant = {"best constant answer": Line2D([], [], color=INK, linewidth=1.2, linestyle=(0, (2, 1)))}
    precision_legend(figure, precisions, ["bar"], constant)
    footnote(figure, _notes(readings, common, devices, by))
    return figure


def _rows(readings: Sequence[Reading]) -> list[_Row]:
    """Scores of each reading; memory and latency are the same under both scorings of a run."""
    costs = [one for one in readings if one.scoring != "as_published"]
    rows = [_Row(one, Quantity("Score"), lambda cell: cell.score, is_score=True) for one in readings]
    for one in costs:
        small = max((cell.memory_gib for cell in one.cells), default=1) < 0.5
        label = "Memory" if one.on_gpu else "Model bytes"
        quantity = Quantity(label, 1024 if small else 1, "MiB" if small else "GiB")
        rows.append(_Row(one, quantity, lambda cell: cell.memory_gib))
    for one in costs:
        quick = max((cell.latency_s for cell in one.cells), default=1) < 0.5
        quantity = Quantity("Latency", 1000 if quick else 1, "ms" if quick else "s")
        rows.append(_Row(one, quantity, lambda cell: cell.latency_s))
    return rows


def _panel(axis: Axes, row: _Row, cells: Sequence[ReadCell], by: Groups, precisions: Sequence[str]) -> None:
    names = dict.fromkeys((getattr(cell.cell, by), getattr(cell, by)) for cell in cells)
    groups: list[list[ReadCell]] = [[cell for cell in cells if getattr(cell.cell, by) == name] for name, _ in names]
    titles = [title for _, title in names]
    if len(groups) > 1:
        groups.append(list(cells))
        titles.append(_LAST[by])
    # Means over different cells do not compare.
    complete = [_with_every(group, precisions) for group in groups]
    marks = {
        precision: [_mark(row, [cell for cell in group if cell.cell.precision == precision]) for group in complete]
        for precision in precisions
    }
    bars(axis, marks)
    if row.is_score:
        axis.set_title("\n".join(_metric_lines(cells)), fontsize=SMALL_PT)
        for place, group in enumerate(groups):
            _constant_line(axis, place, group)
    axis.set_ylabel(row.label)
    group_axis(axis, titles)
    axis.set_xticklabels(titles, rotation=90)
    if len(groups) > 1:
        separate_last(axis, len(groups))


def _with_every(cells: Sequence[ReadCell], precisions: Sequence[str]) -> list[ReadCell]:
    """The cells of the models and datasets that have every precision."""
    found: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        found.setdefault((cell.cell.model, cell.cell.dataset), set()).add(cell.cell.precision)
    return [cell for cell in cells if found[cell.cell.model, cell.cell.dataset] >= set(precisions)]


def _mark(row: _Row, cells: Sequence[ReadCell]) -> Mark:
    return mean_mark([Mark(row.value(cell) * row.quantity.factor, math.nan, math.nan) for cell in cells])


def _constant_line(axis: Axes, place: int, cells: Sequence[ReadCell]) -> None:
    """A line at the mean over datasets of what the best constant answer scores; none where a dataset's is unknown."""
    by_dataset = {cell.cell.dataset: cell.constant for cell in cells}
    known = [value for value in by_dataset.values() if value is not None]
    if known and len(known) == len(by_dataset):
        reach = SPREAD / 2 + 0.06
        axis.hlines(
            math.fsum(known) / len(known),
            place - reach,
            place + reach,
            color=INK,
            linewidth=1.2,
            linestyle=(0, (2, 1)),
            zorder=5,
        )


def _metric_lines(cells: Sequence[ReadCell]) -> list[str]:
    words = " / ".join(dict.fromkeys(cell.metric for cell in cells))
    return textwrap.wrap(words, TITLE_CHARACTERS)


def _same_axes(rows: Sequence[_Row], axes: Sequence[Sequence[Axes]], common: bool) -> int:
    """Scores from 0 to 1; memory and latency of the same cells from 0 to the same end, task by task. Labels at the edges only.

    Returns:
        How many rows of panels have group names below them.
    """
    for row, line in zip(rows, axes, strict=True):
        for axis in line:
            if row.is_score:
                axis.set_ylim(0, 1)
        for axis in line[1:]:
            axis.set_ylabel("")
    for kind in ("Memory", "Model bytes", "Latency"):
        alike = [line for row, line in zip(rows, axes, strict=True) if row.quantity.label == kind]
        for column in zip(*alike, strict=True) if common else ():
            top = max(axis.get_ylim()[1] for axis in column)
            for axis in column:
                axis.set_ylim(0, top)
    named = 1
    for line, below in pairwise(axes):
        for axis, other in zip(line, below, strict=True):
            if _group_names(axis) == _group_names(other):
                axis.set_xticklabels([])
        named += any(name for axis in line for name in _group_names(axis))
    return named


def _group_names(axis: Axes) -> list[str]:
    return [text.get_text() for text in axis.get_xticklabels()]


def _notes(readings: Sequence[Reading], common: bool, devices: Sequence[str], by: Groups) -> str:
    models = {one.scoring: len({cell.cell.model for cell in one.cells}) for one in readings}
    over = {"dataset": ("models", "datasets"), "model": ("the task's datasets", "models")}[by]
    lines = [
        PUBLISHED_WORDS,
        "The convention above each panel is the one by which its values were scored, of published ones probably.",
        f"Bars: mean over {over[0]} that have every precision, in the last group of a panel over {over[1]} too; whiskers: one standard deviation among "
        "them. Dashed: the best answer that is the same for every sample, under the same convention.",
    ]
    if len(readings) > 1:
        if common:
            count = len({cell.cell for cell in readings[0].cells})
            lines.append(f"All rows show the {count} cells that both Table 1 and this run have.")
        else:
            lines.append(
                f"Table 1 and this run have no cell in common: {models['published']} published models above, "
                f"{models['ours']} of this run below, and axes of their own."
            )
            measured = {cell.cell.dataset for one in readings[1:] for cell in one.cells}
            if {cell.cell.dataset for cell in readings[0].cells} <= measured:
                lines.append("Published values are shown on datasets that the run has.")
    lines.append("Memory is the peak on GPUs." if readings[-1].on_gpu else "Published memory is the peak on GPUs.")
    lines.append(f"Latency on {', below on '.join(devices)}.")
    return wrap([" ".join(lines)])
