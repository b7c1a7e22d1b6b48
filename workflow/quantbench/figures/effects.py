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
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..config import Catalogue
from ..study.grid import Cell, run_cells
from ..tables.efficiency import REFERENCE
from .panels import ERROR, PER_ROW, SPREAD, footnote, panel_figure, say_nothing
from .style import INK, PALE, Look, letter, looks
from .view import StudyView, Tables, missing_words, view_of, wrap

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_IN = 0.24  # height of a model's line
OUTLINE = 1.6  # points; shows a noise floor of 0 too


def draw(catalogue: Catalogue, tables: Tables) -> Figure:
    """Draw the forest of score differences of the run's zero-shot instruction cells."""
    expected = [cell for cell in run_cells(catalogue) if cell.prompting == "instruction" and cell.shots == 0]
    quantized = [cell for cell in expected if cell.precision not in {REFERENCE, *catalogue.noise_floors}]
    view = view_of(catalogue, tables.cells, quantized)
    effects = tables.effects[(tables.effects["prompting"] == "instruction") & (tables.effects["shots"] == 0)]
    effects = effects.drop_duplicates(["model", "dataset", "precision"])
    figure = _forest(view, effects)
    floors = effects["noise_floor_flip_rate"].dropna()
    _legend(figure, view, bool(len(floors)))
    present = set(effects[["model", "dataset", "precision"]].itertuples(index=False, name=None))
    missing = [cell for cell in quantized if (cell.model, cell.dataset, cell.precision) not in present]
    footnote(figure, _notes(catalogue, view, missing, len(quantized), floors))
    return figure


def _forest(view: StudyView, effects: pd.DataFrame) -> Figure:
    datasets, models = view.names("dataset"), view.names("model")
    columns = max(1, min(PER_ROW, len(datasets)))
    rows = max(1, math.ceil(len(datasets) / columns))
    figure, axes = panel_figure(rows, columns, row_height=0.55 + LINE_IN * max(2, len(models)), extra=0.75)
    for place, axis in enumerate(axes.flat):
        if place >= len(datasets):
            axis.remove()
            continue
        letter(axis, place)
        dataset = datasets[place]
        axis.set_title(view.title("dataset", dataset))
        axis.set_xlabel(f"Difference in {view.score_label(dataset)}")
        _panel(view, axis, effects[effects["dataset"] == dataset])
        titles = [view.title("model", model) for model in models]
        axis.set_yticks(range(len(models)), titles if place % columns == 0 else [""] * len(models))
        axis.set_ylim(len(models) - 0.5, -0.5)
        if not (effects["dataset"] == dataset).any():
            say_nothing(axis)
    return figure


def _panel(view: StudyView, axis: Axes, effects: pd.DataFrame) -> None:
    models, precisions = view.names("model"), view.names("precision")
    margin = view.catalogue.run.comparison.margin
    step = SPREAD * 0.7 / len(precisions)
    for row in effects.itertuples(index=False):
        place = models.index(row.model) + (precisions.index(row.precision) - (len(precisions) - 1) / 2) * step
        _mark(axis, place, row, _look(view, str(row.precision)))
    floors = effects.drop_duplicates("model").dropna(subset="noise_floor_difference")
    for model, floor in zip(floors["model"], floors["noise_floor_difference"].abs(), strict=True):
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


def _mark(axis: Axes, place: float, row: Any, look: Look) -> None:
    faces = {"preserved": look.colour, "degraded": "black", "inconclusive": "white"}
    axis.errorbar(
        row.difference,
        place,
        xerr=[[row.difference - row.difference_low], [row.difference_high - row.difference]],
        fmt=look.marker,
        color=look.colour,
        markerfacecolor=faces[row.verdict],
        markersize=4,
        markeredgecolor="black" if row.verdict == "degraded" else look.colour,
        markeredgewidth=0.9,
        **{**ERROR, "ecolor": look.colour, "elinewidth": 1.0},
    )


def _look(view: StudyView, precision: str) -> Look:
    return looks([REFERENCE, *view.names("precision")])[precision]


def _legend(figure: Figure, view: StudyView, noise_floor: bool) -> None:
    plain: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    handles = [
        Line2D(
            [],
            [],
            color=_look(view, name).colour,
            marker=_look(view, name).marker,
            **plain,
            label=f"{view.title('precision', name)} minus {view.catalogue.precisions[REFERENCE].title}",
        )
        for name in view.names("precision")
    ]
    faces = {"preserved": PALE, "degraded": "black", "inconclusive": "white"}
    handles += [
        Line2D([], [], color=INK, marker="o", markerfacecolor=face, label=name, **plain) for name, face in faces.items()
    ]
    if noise_floor:
        handles.append(Line2D([], [], color=PALE, marker="|", markeredgewidth=3, label="noise floor", **plain))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.2, handletextpad=0.2)


def _notes(catalogue: Catalogue, view: StudyView, missing: list[Cell], expected: int, floors: pd.Series[float]) -> str:
    comparison = catalogue.run.comparison
    demonstration = any(catalogue.models[model].demonstration for model in view.names("model"))
    return wrap(
        [
            f"Margin {comparison.margin:g} (dashed); {comparison.confidence:.0%} intervals, "
            f"{comparison.resamples} resamples.",
            f"Noise floor (grey): a second batch plan at full precision flipped {floors.min():.1%} to {floors.max():.1%} "
            "of the answers."
            if len(floors)
            else "",
            missing_words(catalogue, missing, expected),
            "" if expected else "The run has no quantized precision: there is nothing to compare.",
            "Tiny demonstration models." if demonstration else "",
        ]
    )
