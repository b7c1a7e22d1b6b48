"""A figure that shows a stand-in says so across its face: random weights answer nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import Catalogue
from ..study.grid import active_studies, study_cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .view import Tables

TEXT = "RANDOM WEIGHTS\noutputs meaningless"


def mark_random_weights(figure: Figure, name: str, catalogue: Catalogue, tables: Tables) -> None:
    """Write :data:`TEXT` over a figure whose models include a stand-in (column ``weights`` of ``cells.csv``)."""
    stand_ins = set(tables.cells.loc[tables.cells["weights"] == "random", "model"])
    if stand_ins & _shown(name, catalogue):
        tall = figure.get_figheight() > figure.get_figwidth() / 2
        figure.text(
            0.5,
            0.5,
            TEXT,
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


def _shown(name: str, catalogue: Catalogue) -> set[str]:
    """The models that a figure shows: those of its study, or of the whole run where no study names it."""
    studies = active_studies(catalogue)
    own = [study for study, entry in studies.items() if entry.figure == name] or list(studies)
    return {cell.model for study in own for cell in study_cells(catalogue, study)}
