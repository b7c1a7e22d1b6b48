"""What a figure says around its panels: legend of precisions, footnotes, and that weights are random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .style import INK, SMALL_PT, Look, looks
from .view import View

if TYPE_CHECKING:
    pass


Kind = Literal["point", "bar", "line"]


def finish(figure: Figure, view: View, notes: str, kinds: Sequence[Kind]) -> None:
    """Add the legend of precisions on top, showing each kind of mark the figure uses, and the footnotes below."""
    precision_legend(figure, {name: view.title("precision", name) for name in view.names("precision")}, kinds)
    footnote(figure, notes)


def precision_legend(
    figure: Figure, titles: Mapping[str, str], kinds: Sequence[Kind], others: Mapping[str, Artist] | None = None
) -> None:
    """Add a legend on top: the look of each precision, named by its title, and ``others`` by their names."""
    # Matplotlib draws a tuple as marks side by side; its type hints do not know that.
    handles: list[Any] = [tuple(_handle(look, kind) for kind in kinds) for look in looks(list(titles)).values()]
    handles += (others or {}).values()
    labels = [*titles.values(), *(others or {})]
    joined = {tuple: HandlerTuple(ndivide=None, pad=0.6)}
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=len(labels),
        handler_map=joined,
        handlelength=1.6 * len(kinds),
    )


def _handle(look: Look, kind: Kind) -> Artist:
    if kind == "bar":
        return Patch(facecolor=look.colour, hatch=look.hatch, edgecolor=INK, linewidth=0.3)
    return Line2D(
        [],
        [],
        color=look.colour,
        marker=look.marker,
        markersize=4.5,
        markeredgecolor=INK,
        markeredgewidth=0.3,
        linestyle="-" if kind == "line" else "none",
    )


def mark_random_weights(figure: Figure) -> None:
    """Say across the face of a figure that shows a stand-in that random weights answer nothing."""
    tall = figure.get_figheight() > figure.get_figwidth() / 2
    figure.text(
        0.5,
        0.5,
        "RANDOM WEIGHTS\noutputs meaningless",
        ha="center",
        va="center",
        rotation=30 if tall else 7,
        fontsize=34 if tall else 28,
        fontweight="bold",
        color="#b00000",
        alpha=0.22,
        linespacing=1.1,
        zorder=100,
        in_layout=False,
    )


def footnote(figure: Figure, notes: str) -> None:
    """Write footnotes below the figure."""
    if notes:
        figure.supxlabel(notes, x=0.01, ha="left", fontsize=SMALL_PT, color=INK)
