"""What all figures share: sizes, type, and one look (colour, marker, hatch) a precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib import font_manager

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

WIDTH_IN = 7.0  # a double column
SMALL_PT = 7.0  # nothing on a figure is set smaller
INK = "#333333"
PALE = "#b8b8b8"
FAMILY = "DejaVu Sans"  # ships with matplotlib: same glyphs on every machine

_RC: dict[RcKeyType, object] = {
    "font.family": FAMILY,
    "font.size": SMALL_PT,
    "axes.titlesize": 7.5,
    "axes.labelsize": SMALL_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": 7.5,
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.pad": 1.5,
    "ytick.major.pad": 1.5,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a title with two dollar signs is no formula
    "svg.hashsalt": "quantbench",  # ids, and so bytes, are the same in every run
    "pdf.fonttype": 42,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a precision looks in every figure; markers and hatches tell it apart without colour."""

    colour: str
    marker: str
    hatch: str


# Okabe and Ito's palette, safe for colour-blind readers; the three built-in precisions also differ in lightness.
_KNOWN = {
    "full": Look("#0072B2", "o", ""),
    "w8a16": Look("#E69F00", "s", "////"),
    "w4a16": Look("#009E73", "^", "...."),
}
_FURTHER = (
    Look("#CC79A7", "D", "xxxx"),
    Look("#56B4E9", "v", "\\\\\\\\"),
    Look("#D55E00", "P", "++++"),
    Look("#000000", "X", "----"),
)


@contextmanager
def style() -> Iterator[None]:
    """Draw and save inside this context: the settings are the figure's, and the caller's come back afterwards."""
    with matplotlib.rc_context(_RC), _shipped_fonts():
        yield


@contextmanager
def _shipped_fonts() -> Iterator[None]:
    """Take the family's fonts that come with matplotlib: a machine may have others of that name, which PDF files would embed."""
    manager = font_manager.fontManager
    known = manager.ttflist
    manager.ttflist = [entry for entry in known if entry.name != FAMILY]
    for path in sorted(Path(matplotlib.get_data_path(), "fonts/ttf").glob("DejaVuSans*.ttf")):
        manager.addfont(path)
    try:
        yield
    finally:
        manager.ttflist = known


def looks(precisions: Sequence[str]) -> dict[str, Look]:
    """The look of each precision: fixed for the built-in three, further ones take the next free one in order."""
    further = [name for name in precisions if name not in _KNOWN]
    taken = {name: _FURTHER[place % len(_FURTHER)] for place, name in enumerate(further)}
    return {name: _KNOWN.get(name) or taken[name] for name in precisions}


def letter(axis: Axes, place: int) -> None:
    """Mark a panel by its letter: a to z, then aa, ab and so on."""
    text = chr(ord("a") + place % 26)
    axis.set_title(text if place < 26 else f"{chr(ord('a') + place // 26 - 1)}{text}", loc="left", fontweight="bold")
