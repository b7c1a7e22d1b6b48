"""What to deploy on one GPU: score against memory for each task, and the recommendation for common GPU sizes.

One panel a task; each mark is one model at one precision: mean score over the task's datasets with its confidence
interval, against the GPU memory it needs (peak, 5% headroom, CUDA context) on a logarithmic scale; against the
planned peak alone where all models are tiny. The line is the Pareto front: no other mark scores more with the same
memory or less; its marks are numbered and named below the panel. Dotted lines are the memory of common GPUs. The
table names the recommendation for one GPU of each size, the highest score that fits, with its verdict against full
precision (untested where the source has no paired answers) and how many of the others that fit may be as good, as far as
these documents can tell. Demonstration models are shown and never recommended.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from ..config.vocabulary import task_title
from ..contracts.run_tables import CellRow
from ..planner.fitting import COMMON_GPUS_GIB
from ..recommend import Candidate, Evidence, Recommendation, measured_evidence
from ..recommend.overview import overview
from ..recommend.ranking import memory_needed_gib, pareto_front
from .legends import footnote
from .panels import error_style, say_nothing
from .style import INK, PALE, SMALL_PT, WIDTH_IN, letter, looks
from .view import View, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EVERY_RUN = True
AXIS = "model"
PANELS_A_ROW = 2
PANEL_IN, LINE_IN = 1.75, 0.13  # height of a panel without the names below it; of a line of text
NAMES_LINE = 58  # characters below a panel
ROOM = 0.12  # of the axis, above the highest mark, for its number
GAP = (0.045, 0.085)  # share of a panel's width and height that a number takes


def draw(view: View) -> Figure:
    """Draw the Pareto fronts and recommendations of the run's zero-shot instruction cells."""
    words = view.vocabulary
    tasks = list(dict.fromkeys(words.datasets[name].task for name in view.names("dataset")))
    cells = [row for row in view.table if isinstance(row, CellRow)]
    evidence = measured_evidence(words, view.run, cells, view.effects, view.draws)
    notes = [
        view.missing_words(view.missing),
        view.share_words,
        "Tiny demonstration models. None is recommended." if view.demonstration else "",
        *evidence.notes,
    ]
    titles = {name: view.title("precision", name) for name in view.names("precision")}
    return draw_evidence(evidence, tasks, titles, view.run.comparison.margin, notes)


def draw_evidence(
    evidence: Evidence, tasks: Sequence[str], precisions: Mapping[str, str], margin: float | None, notes: Sequence[str]
) -> Figure:
    """Draw some tasks of any evidence; ``precisions`` are titles by name, in the order of the legend."""
    shown = {task: evidence.complete(task) for task in tasks}
    fronts = {task: pareto_front(shown[task]) for task in tasks}
    names = {task: _names(front) for task, front in fronts.items()}
    rows = -(-len(tasks) // PANELS_A_ROW)
    longest = max((text.count("\n") + 1 for text in names.values()), default=1)
    heights = [PANEL_IN + LINE_IN * longest] * rows + [0.35 + 3 * LINE_IN * (len(tasks) + 1)]
    figure = Figure(figsize=(WIDTH_IN, sum(heights) + 0.7), layout="constrained")
    grid = figure.add_gridspec(rows + 1, PANELS_A_ROW, height_ratios=heights)
    for place, task in enumerate(tasks):
        axis = figure.add_subplot(grid[place // PANELS_A_ROW, place % PANELS_A_ROW])
        letter(axis, place)
        axis.set_title(task_title(task).capitalize())
        _panel(axis, shown[task], fronts[task], list(precisions))
        words = "Planned peak memory (MiB)" if _are_small(shown[task]) else "GPU memory needed (GiB)"
        axis.set_xlabel(f"{words}\n{names[task]}".rstrip("\n"))
        axis.set_ylabel("Mean score")
    table = figure.add_subplot(grid[rows, :])
    letter(table, len(tasks))
    _table(table, tasks, overview(evidence, margin))
    _legend(figure, precisions)
    footnote(figure, wrap([*notes, _left_out(evidence, shown)]))
    return figure


def _left_out(evidence: Evidence, shown: Mapping[str, Sequence[Candidate]]) -> str:
    short = {one.title for task, kept in shown.items() for one in evidence.candidates.get(task, ()) if one not in kept}
    if not short:
        return ""
    return f"Left out where not run on every dataset of a task: {', '.join(sorted(short))}."


def _panel(axis: Axes, candidates: Sequence[Candidate], front: Sequence[Candidate], precisions: list[str]) -> None:
    if not candidates:
        say_nothing(axis)
        axis.set_xticks([])
        return
    memory = _small if _are_small(candidates) else memory_needed_gib
    for name, look in looks(precisions).items():
        for one in (candidate for candidate in candidates if candidate.precision == name):
            low, high = one.interval or (one.score, one.score)
            axis.errorbar(
                memory(one),
                one.score,
                yerr=[[max(0.0, one.score - low)], [max(0.0, high - one.score)]],
                fmt=look.marker,
                color=look.colour,
                markersize=4,
                markeredgecolor=INK,
                markeredgewidth=0.3,
                **error_style(),
            )
    places = [(memory(one), one.score) for one in front]
    axis.plot(*zip(*places, strict=True), drawstyle="steps-post", color=INK, linewidth=0.8, zorder=1)
    axis.margins(x=0.1, y=0.1)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    if memory is memory_needed_gib:
        _gpu_axis(axis, [memory_needed_gib(one) for one in candidates])
    _numbers(axis, places)


def _are_small(candidates: Sequence[Candidate]) -> bool:
    """Whether all are tiny models, whose memory would vanish beside headroom and context."""
    return len(candidates) > 0 and max(one.memory_gib for one in candidates) < 0.5


def _small(candidate: Candidate) -> float:
    """The peak in MiB."""
    return candidate.memory_gib * 1024


def _gpu_axis(axis: Axes, memory: Sequence[float]) -> None:
    """A logarithmic axis whose ticks are the memory of common GPUs."""
    sizes = [size for size in COMMON_GPUS_GIB if size <= 2 * max(memory)] or [COMMON_GPUS_GIB[0]]
    axis.set_xscale("log")
    axis.set_xlim(0.8 * min(memory), 1.25 * max(*memory, *sizes))
    for size in sizes:
        axis.axvline(size, color=PALE, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=0)
    axis.xaxis.set_major_locator(FixedLocator(_apart(sizes, axis.get_xlim())))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def _apart(sizes: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """The sizes whose tick labels do not touch the one before."""
    shown: list[float] = []
    for size in sizes:
        if not shown or size / shown[-1] > (limits[1] / limits[0]) ** 0.06:
            shown.append(size)
    return shown


def _numbers(axis: Axes, places: Sequence[tuple[float, float]]) -> None:
    """Number the front's marks, above and to the left, where nothing can be; higher where another number is."""
    axis.autoscale_view()  # limits are final before anything is placed by them
    low, high = axis.get_ylim()
    axis.set_ylim(low, high + ROOM * (high - low))
    taken: list[tuple[float, float]] = []
    to_axes = axis.transAxes.inverted()
    for number, place in enumerate(places, start=1):
        x, y = to_axes.transform(axis.transData.transform(place))
        taken.append(_free(x - GAP[0] / 2, y + 0.8 * GAP[1], taken))
        axis.text(
            *taken[-1], str(number), transform=axis.transAxes, ha="center", va="center", fontsize=SMALL_PT, color=INK
        )


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The first place at, above, or left of (x, y) that is inside the panel and keeps its distance to those taken."""
    places = [(x - left * GAP[0], y + up * GAP[1]) for left in range(4) for up in range(6)]
    for column, row in places:
        inside = column > GAP[0] / 2 and row < 1 - GAP[1] / 2
        if inside and all(abs(column - a) >= GAP[0] or abs(row - b) >= GAP[1] for a, b in taken):
            return column, row
    return x, y


def _names(front: Sequence[Candidate]) -> str:
    # A name is kept on one line.
    named = ";  ".join(f"{number} {one.name}".replace(" ", "\u00a0") for number, one in enumerate(front, start=1))
    return textwrap.fill(named, NAMES_LINE, break_on_hyphens=False)


def _table(axis: Axes, tasks: Sequence[str], found: Mapping[str, Sequence[Recommendation]]) -> None:
    axis.set_title("Recommended for one GPU")
    axis.axis("off")
    columns = [f"{size:g} GiB" for size in COMMON_GPUS_GIB]
    cells = [[_short(one) for one in found[task]] if task in found else ["no results"] * len(columns) for task in tasks]
    names = [textwrap.fill(task_title(task).capitalize(), 18) for task in tasks]
    if not cells:
        return
    table = axis.table(
        [["", *columns], *([name, *row] for name, row in zip(names, cells, strict=True))],
        loc="center",
        cellLoc="center",
        bbox=Bbox.unit(),
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    for (row, _), cell in table.get_celld().items():
        cell.set_height(0.5 if row == 0 else 1)
        cell.set_text_props(fontsize=SMALL_PT)
        cell.set_edgecolor(PALE)
        cell.set_linewidth(0.6)


def _short(recommendation: Recommendation) -> str:
    best = recommendation.best
    if best is None:
        return "none"
    lines = [best.title, f"{best.precision_title}  {best.score:.3f}", best.verdict(recommendation.constraints.margin)]
    if recommendation.standings:
        lines.append(f"{len(recommendation.level)} others may be as good")
    return "\n".join(lines)


def _legend(figure: Figure, precisions: Mapping[str, str]) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=look.colour,
            marker=look.marker,
            label=precisions[name],
            linestyle="none",
            markersize=4.5,
            markeredgecolor=INK,
            markeredgewidth=0.3,
        )
        for name, look in looks(list(precisions)).items()
    ]
    handles.append(Line2D([], [], color=INK, linewidth=0.8, label="Pareto front"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
