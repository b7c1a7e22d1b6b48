"""What each quantized precision costs in score: difference to full precision, pair by pair.

One panel a dataset, one line a model: score of the quantized cell minus score at full precision on the same samples,
with its paired bootstrap interval over documents. The dashed line is the margin, the largest loss still called
preserved; the shaded side lies beyond it. A filled mark is preserved (interval above the margin) or improved (above 0), a
black one degraded (interval below the margin) or, half black, worse by an open extent (below 0); a hollow one is inconclusive:
the samples cannot tell. A pale mark is no verdict: too few documents, or full precision is not shown to score more than a constant
answer and has nothing to lose. Grey bars around 0 are the noise floor, drawn where it was run: how far the score of full precision moves, either way, when only the batches its samples
share are composed otherwise. A difference inside the bar may be batching alone.
The last panel has the mean differences over models and datasets, of all metrics and of each: the thick interval is for these
models on these datasets, the thin one for models and datasets like these, where there are enough; it may run off the panel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..config import is_zero_shot
from ..config.entries import DEFAULT_MARGIN
from ..contracts.cell_name import Cell
from ..contracts.effect_rows import EffectRow, Verdict
from .legends import footnote
from .panels import PER_ROW, SPREAD, error_style, panel_figure, say_nothing
from .pooled_panel import pooled_panel
from .style import INK, PALE, Look, letter, looks
from .view import View, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVERY_RUN = True
AXIS = "precision"
LINE_IN = 0.24  # height of a model's line
LEGEND_COLUMNS = 5  # more do not fit beside each other
OUTLINE = 1.6  # points; shows a noise floor of 0 too


class _Fill(TypedDict, total=False):
    """How the inside of a mark is coloured, as matplotlib names it."""

    markerfacecolor: str
    markerfacecoloralt: str
    fillstyle: Literal["full", "left"]


@dataclass(frozen=True, slots=True)
class _Style:
    """How a verdict looks: ``face`` of its mark (None: in the colour of its precision), pale where it counts nowhere."""

    label: str
    face: str | None = None
    half: bool = False
    pale: bool = False

    def fill(self, colour: str) -> _Fill:
        """The inside of a mark whose own colour is ``colour``."""
        face = self.face or colour
        return _Fill(markerfacecolor=face, markerfacecoloralt="white", fillstyle="left" if self.half else "full")


_UNJUDGED = _Style("at chance or too few", "white", pale=True)
_STYLES: dict[Verdict, _Style] = {
    "preserved": _Style("preserved or improved"),
    "improved": _Style("preserved or improved"),
    "degraded": _Style("degraded", "black"),
    "worse, extent open": _Style("worse, extent open", "black", half=True),
    "inconclusive": _Style("inconclusive", "white"),
    "at chance": _UNJUDGED,
    "too few": _UNJUDGED,
}


def draw(view: View) -> Figure:
    """Draw the forest of score differences of the run's zero-shot instruction cells."""
    # Of a pair that several studies want, the first row: they differ in the family of Holm's p alone.
    first = {row.cell: row for row in reversed(view.effects) if is_zero_shot(row)}
    effects = [first[row.cell] for row in view.effects if first.get(row.cell) is row]
    figure = _forest(view, effects)
    floors = [row.noise_floor_flip_rate for row in effects if row.noise_floor_flip_rate is not None]
    _legend(figure, view, bool(floors), frozenset(row.verdict for row in effects))
    missing = [cell for cell in view.expected if cell not in first]
    footnote(figure, _notes(view, effects, missing, floors))
    return figure


def _forest(view: View, effects: Sequence[EffectRow]) -> Figure:
    datasets, models = view.names("dataset"), view.names("model")
    pooled = [row for row in view.pooled if row.precision in view.names("precision")]
    count = len(datasets) + bool(pooled)
    columns = max(1, min(PER_ROW, count))
    rows = max(1, math.ceil(count / columns))
    figure, axes = panel_figure(rows, columns, row_height=0.55 + LINE_IN * max(2, len(models)), extra=0.75)
    for place, axis in enumerate(axis for row in axes for axis in row):
        if place >= count:
            axis.remove()
            continue
        letter(axis, place)
        if place == len(datasets):
            pooled_panel(axis, pooled, {name: _look(view, name) for name in view.names("precision")})
            continue
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
    margin = effects[0].margin if effects else DEFAULT_MARGIN
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
    style = _STYLES[row.verdict]
    colour = PALE if style.pale else look.colour
    axis.errorbar(
        row.difference,
        place,
        xerr=[[row.difference - row.difference_low], [row.difference_high - row.difference]],
        fmt=look.marker,
        color=colour,
        **style.fill(colour),
        markersize=4,
        markeredgecolor="black" if style.face == "black" else colour,
        markeredgewidth=0.9,
        **error_style(colour, 1.0),
    )


def _look(view: View, precision: str) -> Look:
    return looks([view.vocabulary.reference, *view.names("precision")])[precision]


def _legend(figure: Figure, view: View, noise_floor: bool, verdicts: frozenset[Verdict]) -> None:
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
    handles += [
        Line2D(
            [],
            [],
            color=PALE if style.pale else INK,
            marker="o",
            **style.fill(PALE),
            label=style.label,
            linestyle="none",
            markersize=5,
        )
        for style in dict.fromkeys(_STYLES[word] for word in get_args(Verdict) if word in verdicts)
    ]
    if noise_floor:
        handles.append(
            Line2D(
                [], [], color=PALE, marker="|", markeredgewidth=3, label="noise floor", linestyle="none", markersize=5
            )
        )
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(handles), LEGEND_COLUMNS),
        columnspacing=1.2,
        handletextpad=0.2,
    )


def _notes(view: View, effects: Sequence[EffectRow], missing: Sequence[Cell], floors: Sequence[float]) -> str:
    comparison = view.run.comparison
    margins = " or ".join(f"{margin:g}" for margin in sorted({row.margin for row in effects}))
    return wrap(
        [
            f"Margin {margins or 'of the dataset'} (dashed); {comparison.confidence:.0%} intervals, "
            f"{comparison.resamples} resamples.",
            f"Noise floor (grey): another batch plan at full precision flipped {min(floors):.1%} to {max(floors):.1%} "
            "of the answers."
            if floors
            else "",
            view.missing_words(missing),
            view.share_words,
            "Tiny demonstration models." if view.demonstration else "",
        ]
    )
