"""One panel of effects pooled over models and datasets: a line for all metrics and one for each, a mark a precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from ..contracts.pooled_rows import PooledRow
from ..tables.pooled_effects import EVERY_METRIC
from ..tasks import metric
from .panels import SPREAD, error_style
from .style import INK, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THICK, THIN = 1.6, 0.6  # points


def pooled_panel(axis: Axes, rows: Sequence[PooledRow], shown: Mapping[str, Look]) -> None:
    """Draw mean differences: a thick interval for these models on these datasets, a thin one for others like them.

    Args:
        axis: where to draw.
        rows: of ``pooled_effects.csv``.
        shown: how each precision looks, in order.
    """
    names = list(dict.fromkeys(row.metric for row in rows))
    step = SPREAD * 0.7 / len(shown)
    for row in rows:
        look, rank = shown[row.precision], list(shown).index(row.precision)
        place = names.index(row.metric) + (rank - (len(shown) - 1) / 2) * step
        if row.general_low is not None and row.general_high is not None:
            axis.plot([row.general_low, row.general_high], [place, place], color=look.colour, linewidth=THIN)
        axis.errorbar(
            row.difference,
            place,
            xerr=[[row.difference - row.difference_low], [row.difference_high - row.difference]],
            fmt=look.marker,
            color=look.colour,
            markersize=4,
            **error_style(look.colour, THICK),
        )
    axis.set_title("Pooled")
    axis.set_xlabel("Mean difference in score")
    axis.set_yticks(range(len(names)), ["all" if name == EVERY_METRIC else metric(name).title for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
    _frame(axis, rows)


def _frame(axis: Axes, rows: Sequence[PooledRow]) -> None:
    """No difference in the middle, the margin of all comparisons, and what lies beyond it."""
    margin = rows[0].margin
    ends = [end for row in rows for end in (row.difference_low, row.difference_high, *_within_reach(row, margin))]
    reach = 1.05 * max(2 * margin, *map(abs, ends))
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.axvline(-margin, color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    axis.axvspan(-reach, -margin, color="#f0f0f0", zorder=0, linewidth=0)
    axis.set_xlim(-reach, reach)
    axis.grid(visible=False)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(4, symmetric=True, min_n_ticks=3))


def _within_reach(row: PooledRow, margin: float) -> tuple[float, ...]:
    """Ends of the wider interval; one from two datasets would leave nothing else to see, and runs off the panel."""
    if row.general_low is None or row.general_high is None or row.general_high - row.general_low > 20 * margin:
        return ()
    return row.general_low, row.general_high
