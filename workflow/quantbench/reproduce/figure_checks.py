"""What of the paper's Figures 2 to 6 can be held against a run, and what cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..contracts.cell_name import Cell
from .beside_table1 import CellBeside


@dataclass(frozen=True, slots=True)
class FigureCheck:
    """One figure of the paper.

    Attributes:
        figure: such as ``Figure 2``.
        title: what it shows.
        cells: how many cells it is made of.
        published: how many of these stand in Table 1.
        measured: how many of these the run has.
        compared: how many the run has that also stand in Table 1.
        inside: of these, how many have the published score inside the interval of the difference.
        can: what can be checked, in sentences; empty where nothing.
        cannot: what cannot be, likewise.
    """

    figure: str
    title: str
    cells: int
    published: int
    measured: int
    compared: int
    inside: int
    can: str
    cannot: str


def figure_checks(
    figures: Mapping[str, Collection[Cell]],
    titles: Mapping[str, str],
    table1: Collection[Cell],
    beside: Sequence[CellBeside],
    measured: Collection[Cell],
) -> list[FigureCheck]:
    """One check a figure, in the order given.

    Args:
        figures: figure, such as ``figure2``, to the paper's cells that it shows.
        titles: figure to what it shows, in words.
        table1: the published cells.
        beside: the run's zero-shot cells.
        measured: every cell of the run.
    """
    return [
        _check(name, titles[name], set(cells), set(table1), beside, set(measured)) for name, cells in figures.items()
    ]


def _check(
    name: str, title: str, cells: set[Cell], table1: set[Cell], beside: Sequence[CellBeside], measured: set[Cell]
) -> FigureCheck:
    compared = [one for one in beside if one.published and one.row.cell in cells]
    judged = [one for one in compared if one.inside is not None]
    inside = sum(one.inside is True for one in judged)
    published = len(cells & table1)
    return FigureCheck(
        figure=name.replace("figure", "Figure "),
        title=title,
        cells=len(cells),
        published=published,
        measured=len(cells & measured),
        compared=len(compared),
        inside=inside,
        can=_can(compared, judged, inside),
        cannot=_cannot(len(cells), published, len(compared), len(cells & measured)),
    )


def _can(compared: Sequence[CellBeside], judged: Sequence[CellBeside], inside: int) -> str:
    if not compared:
        return ""
    said = []
    if judged:
        said.append(f"of {len(judged)} published scores {inside} lie inside the interval of the difference")
    memory = median(one.memory_ratio for one in compared if one.memory_ratio is not None)
    latency = median(one.latency_ratio for one in compared if one.latency_ratio is not None)
    said.append(f"memory is {memory:.2f} and latency {latency:.2f} times the published (medians of {len(compared)})")
    return f"In numbers: {'; '.join(said)}."


def _cannot(cells: int, published: int, compared: int, measured: int) -> str:
    said = []
    if published > compared:
        said.append(f"{published - compared} of its {published} published values have no cell in this run.")
    if cells > published:
        unpublished = f"{cells - published} of its {cells} cells have no published number"
        seen = measured - compared
        said.append(
            f"{unpublished}; this run has {seen} of them, whose pattern can be compared with the figure by eye."
            if seen
            else f"{unpublished}, and this run has none of them."
        )
    return " ".join(said)
