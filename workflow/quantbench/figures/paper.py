"""The paper's published values drawn as this product draws a run: Figure 2's panels, and the recommendations.

Not a figure of a run: both figures are made from ``resources/paper/table1.csv`` and say so on their face.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import RunConfig, Vocabulary
from ..contracts.cell_name import Cell
from ..recommend import published_evidence
from ..tables import PublishedRow
from . import draw
from .figure7 import draw_evidence
from .style import style
from .view import PUBLISHED_WORDS, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_published(vocabulary: Vocabulary, run: RunConfig, shown: Sequence[Cell], path: Path) -> dict[str, Figure]:
    """Return ``figure2`` and ``figure7`` from published values.

    Args:
        vocabulary: titles and licences.
        run: whose margin recommendations keep to.
        shown: the cells of Figure 2.
        path: the published Table 1.

    Raises:
        DataError: the published tables are missing or malformed.
    """
    evidence = published_evidence(vocabulary, path)
    precisions = {name: vocabulary.title("precision", name) for name in ("full", "w8a16", "w4a16")}
    with style():
        recommendations = draw_evidence(
            evidence,
            list(evidence.candidates),
            precisions,
            run.comparison.margin,
            [PUBLISHED_WORDS, *evidence.notes[1:]],
        )
    view = View(vocabulary, run, tuple(shown), tuple(PublishedRow.read(path)))
    return {"figure2": draw("figure2", view), "figure7": recommendations}
