"""The paper's published values drawn: as this product draws a run (Figure 2's panels, and the recommendations), and as bars.

Not figures of a run: all are made from ``resources/paper/table1.csv`` and say so on their face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import RunConfig, Vocabulary
from ..contracts.cell_name import Cell
from ..recommend import published_evidence
from ..reproduce.constant_answers import ConstantAnswer
from ..reproduce.readings import published_reading
from ..tables import PublishedRow
from . import draw
from .figure7 import draw_evidence
from .style import style
from .task_bars import draw_task_bars
from .view import PUBLISHED_WORDS, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_published(
    vocabulary: Vocabulary,
    run: RunConfig,
    shown: Sequence[Cell],
    path: Path,
    constants: Mapping[str, ConstantAnswer],
) -> dict[str, Figure]:
    """Return ``figure2`` and ``figure7`` from published values, and ``figure2_bars`` by dataset and by model.

    Args:
        vocabulary: titles and licences.
        run: whose margin recommendations keep to.
        shown: the cells of Figure 2.
        path: the published Table 1.
        constants: what the best constant answer scores, by dataset.

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
    rows = PublishedRow.read(path)
    reading, devices = [published_reading(vocabulary, rows, constants)], list(dict.fromkeys(row.device for row in rows))
    return {
        "figure2": draw("figure2", View(vocabulary, run, tuple(shown), tuple(rows))),
        "figure2_bars": draw_task_bars(reading, devices, "dataset"),
        "figure2_bars_by_model": draw_task_bars(reading, devices, "model"),
        "figure7": recommendations,
    }
