"""The page: verdicts in words, intervals drawn beside the margin, the table, and the answers that changed, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import __version__
from ..contracts.files import write_text
from .judged_effects import Flip, JudgedRow
from .judged_words import HEADER, NAMES, table_rows, verdict_sentence

_HERE = Path(__file__).parent
# The report's look; its room is not imported, which would take matplotlib.
_STYLE = _HERE.parent / "report/page/style.css"
MOST_SHOWN = 500
_WIDTH, _LEFT, _LINE = 900, 240, 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One task of the drawing; places in pixels."""

    name: str
    y: int
    low: float
    high: float
    middle: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One number of the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Each task's interval on one axis of score differences; ``edge`` is the margin."""

    width: int
    height: int
    left: int
    zero: float
    edge: float
    ticks: list[Tick]
    bars: list[Bar]


def write_page(
    target: Path, rows: Sequence[JudgedRow], flips: Sequence[Flip], remarks: Sequence[str], runs: tuple[Path, Path]
) -> None:
    """Write one self-contained page.

    Args:
        target: the page.
        rows: one a task, at least one.
        flips: all answers that changed; the first :data:`MOST_SHOWN` are shown.
        remarks: how the numbers came about.
        runs: where reference and other run were read from.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE / "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("judged.html.j2").render(
        version=__version__,
        style=_STYLE.read_text(encoding="utf-8"),
        runs=[str(run) for run in runs],
        sentences=[verdict_sentence(row) for row in rows],
        remarks=remarks,
        margin=f"{rows[0].margin:g}",
        drawing=drawing(rows),
        header=HEADER,
        names=NAMES,
        table=table_rows(rows),
        flips=flips[:MOST_SHOWN],
        changed=len(flips),
    )
    write_text(target, page)


def drawing(rows: Sequence[JudgedRow]) -> Drawing:
    """Where everything stands."""
    margin = rows[0].margin
    reach = 1.08 * max(2 * margin, *(max(abs(row.difference_low), abs(row.difference_high)) for row in rows))
    middle, scale = (_LEFT + _WIDTH) / 2, (_WIDTH - _LEFT) / 2 / reach
    step = _round_step(reach)
    ticks = [step * place for place in range(-int(reach / step), int(reach / step) + 1)]
    return Drawing(
        width=_WIDTH,
        height=_LINE * (len(rows) + 2),
        left=_LEFT,
        zero=middle,
        edge=round(middle - margin * scale, 1),
        ticks=[Tick(round(middle + tick * scale, 1), f"{tick:+g}" if tick else "0") for tick in ticks],
        bars=[
            Bar(
                name=row.task if len(row.task) < 32 else f"{row.task[:30]}…",
                y=_LINE * place + _LINE // 2 + 4,
                low=round(middle + row.difference_low * scale, 1),
                high=round(middle + row.difference_high * scale, 1),
                middle=round(middle + row.difference * scale, 1),
                verdict=row.verdict,
            )
            for place, row in enumerate(rows)
        ],
    )


def _round_step(reach: float) -> float:
    """The distance of numbers on the axis: two or three of them each side."""
    steps = [factor * 10**power for power in range(-6, 1) for factor in (1, 2, 5)]
    return next((round(step, 8) for step in steps if reach / step < 4), 0.5)
