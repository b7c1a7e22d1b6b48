"""What each quantized precision costs in score: difference to full precision, pair by pair.

One panel a dataset, one line a model: score of the quantized cell minus score at full precision on the same samples,
with its paired bootstrap interval over documents. The dashed line is the margin, the largest loss still called
preserved; the shaded side lies beyond it. A filled mark is preserved (interval above the margin), a black one
degraded (interval below it), a hollow one inconclusive: the samples cannot tell. Grey bars around 0 are the noise
floor, drawn where it was run: how far the score of full precision moves, either way, when only the batches its samples
share are composed otherwise. A difference inside the bar may be batching alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..config import is_zero_shot
from ..contracts.cell_name import Cell
from ..contracts.run_tables import EffectRow
from .panels import PER_ROW, SPREAD, error_style, footnote, panel_figure, say_nothing
from .style import INK, PALE, Look, letter, looks
from .view import View, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVERY_RUN = True
AXIS = "precision"
LINE_IN = 0.24  # height of a model's line
OUTLINE = 1.6  # points; shows a noise floor of 0 too


def draw(view: View) -> Figure:
    """Draw the forest of score differences of the run's zero-shot instruction cells."""
    # Of a pair that several studies want, the first row: they differ in the family of Holm's p alone.
    first = {row.cell: row for row in reversed(view.effects) if is_zero_shot(row)}
    effects = [first[row.cell] for row in view.effects if first.get(row.cell) is row]
    figure = _forest(view, effects)
    floors = [row.noise_floor_flip_rate for row in effects if row.noise_floor_flip_rate is not None]
    _legend(figure, view, bool(floors))
    missing = [cell for cell in view.expected if cell not in first]
    footnote(figure, _notes(view, missing, floors))
    return figure


def _forest(view: View, effects: Sequence[EffectRow]) -> Figure:
    datasets, models = view.names("dataset"), view.names("model")
    columns = max(1, min(PER_ROW, len(datasets)))
    rows = max(1, math.ceil(len(datasets) / columns))
    figure, axes = panel_figure(rows, columns, row_height=0.55 + LINE_IN * max(2, len(models)), extra=0.75)
    for place, axis in enumerate(axis for row in axes for axis in row):
        if place >= len(datasets):
            axis.remove()
            continue
        letter(axis, place)
        dataset = datasets[place]
        axis.set_title(view.title("dataset", dataset))
        axis.set_xlabel(f"Difference in {view.score_label(dataset)}")
        own = [row for row in effects if row.dataset == dataset]
        _panel(view, axis, own)
        titles = [view.title("model", model) for model in models]
        axis.set_yticks(range(len(models)), titles if place % columns == 0 else [""] * len(models))
        axis.set_ylim(len(models) - 0.5, -0.5)
        if not own:
            say_nothing(axis)
    return figure


def _panel(view: View, axis: Axes, effects: Sequence[EffectRow]) -> None:
    models, precisions = view.names("model"), view.names("precision")
    margin = view.run.comparison.margin
    step = SPREAD * 0.7 / len(precisions)
    for row in effects:
        place = models.index(row.model) + (precisions.index(row.precision) - (len(precisions) - 1) / 2) * step
        _mark(axis, place, row, _look(view, row.precision))
    floors = {row.model: row.noise_floor_difference for row in effects}
    for model, difference in floors.items():
        if difference is None:
            continue
        floor = abs(difference)
        axis.barh(models.index(model), 2 * floor, left=-floor, height=SPREAD, zorder=0.5, color=PALE, linewidth=OUTLINE)
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.axvline(-margin, color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    low, high = axis.get_xlim()
    reach = 1.05 * max(abs(low), abs(high), 2 * margin) if len(effects) else 3 * margin
    axis.axvspan(-reach, -margin, color="#f0f0f0", zorder=0, linewidth=0)
    axis.set_xlim(-reach, reach)
    axis.grid(visible=False)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(4, symmetric=True, min_n_ticks=3))


def _mark(axis: Axes, place: float, row: EffectRow, look: Look) -> None:
    faces = {"preserved": look.colour, "degraded": "black", "inconclusive": "white"}
    axis.errorbar(
        row.difference,
        place,
        xerr=[[row.difference - row.difference_low], [row.difference_high - row.difference]],
        fmt=look.marker,
        color=look.colour,
        markerfacecolor=faces.get(row.verdict, "white"),
        markersize=4,
        markeredgecolor="black" if row.verdict == "degraded" else look.colour,
        markeredgewidth=0.9,
        **error_style(look.colour, 1.0),
    )


def _look(view: View, precision: str) -> Look:
    return looks([view.vocabulary.reference, *view.names("precision")])[precision]


def _legend(figure: Figure, view: View, noise_floor: bool) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=_look(view, name).colour,
            marker=_look(view, name).marker,
            linestyle="none",
            markersize=5,
            label=f"{view.title('precision', name)} minus {view.title('precision', view.vocabulary.reference)}",
        )
        for name in view.names("precision")
    ]
    faces = {"preserved": PALE, "degraded": "black", "inconclusive": "white"}
    handles += [
        Line2D([], [], color=INK, marker="o", markerfacecolor=face, label=name, linestyle="none", markersize=5)
        for name, face in faces.items()
    ]
    if noise_floor:
        handles.append(
            Line2D(
                [], [], color=PALE, marker="|", markeredgewidth=3, label="noise floor", linestyle="none", markersize=5
            )
        )
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.2, handletextpad=0.2)


def _notes(view: View, missing: Sequence[Cell], floors: Sequence[float]) -> str:
    comparison = view.run.comparison
    return wrap(
        [
            f"Margin {comparison.margin:g} (dashed); {comparison.confidence:.0%} intervals, "
            f"{comparison.resamples} resamples.",
            f"Noise floor (grey): a second batch plan at full precision flipped {min(floors):.1%} to {max(floors):.1%} "
            "of the answers."
            if floors
            else "",
            view.missing_words(missing),
            view.share_words,
            "Tiny demonstration models." if view.demonstration else "",
        ]
    )
