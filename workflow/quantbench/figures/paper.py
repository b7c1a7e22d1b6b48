"""The paper's published values drawn as this product draws a run: Figure 2's panels, and the recommendations.

Not a figure of a run: both figures are made from ``resources/paper/table1.csv`` and say so on their face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import Catalogue
from ..recommend import published_evidence
from ..tables.paper_rows import published_cells
from . import draw
from .figure7 import draw_evidence
from .style import style
from .view import PUBLISHED_WORDS, Tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_published(catalogue: Catalogue) -> dict[str, Figure]:
    """Return ``figure2`` and ``figure7`` from published values.

    Raises:
        DataError: the published tables are missing or malformed.
    """
    import pandas as pd

    evidence = published_evidence(catalogue)
    precisions = {name: catalogue.precisions[name].title for name in ("full", "w8a16", "w4a16")}
    with style():
        recommendations = draw_evidence(
            evidence,
            list(evidence.candidates),
            precisions,
            catalogue.run.comparison.margin,
            [PUBLISHED_WORDS, *evidence.notes[1:]],
        )
    tables = Tables(published_cells(catalogue), effects=pd.DataFrame())
    return {"figure2": draw("figure2", catalogue, tables), "figure7": recommendations}
