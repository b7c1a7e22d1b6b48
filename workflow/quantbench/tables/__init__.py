"""Cells -> tidy tables (docs/protocol.md#comparisons). No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LabelEffectRow, LengthEffectRow
from ..contracts.effect_rows import EffectRow
from ..contracts.files import write_bytes, write_text
from ..contracts.likelihood_tables import FlipRow, LikelihoodRow, ReliabilityRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.resampled_scores import ResampledScores
from ..contracts.run_tables import CellRow, EfficiencyRow, Table1Row
from ..statistics import Bootstrap
from .candidate_draws import candidate_draws
from .cells import cells_table
from .confidence_bins import ConfidenceBins
from .efficiency import efficiency_table
from .interval_units import unit_note, unit_words
from .judged_cells import JudgedCells
from .label_effects import label_effects_table
from .ledgers import read_ledgers
from .length_effects import length_effects_table
from .likelihood_rows import LikelihoodTable
from .paper_rows import PublishedRow
from .pooled_effects import pooled_table
from .precision_effects import Judging, compared_pairs, effects_table
from .quantized_shares import share_notes
from .table1 import table1, table1_markdown

__all__ = [
    "LIKELIHOOD_TABLES",
    "PACKED",
    "Judging",
    "PublishedRow",
    "cells_table",
    "effects_table",
    "efficiency_table",
    "pooled_table",
    "share_notes",
    "table1",
    "table1_markdown",
    "unit_note",
    "unit_words",
    "write_likelihood_tables",
    "write_tables",
]

# Tables that a bundle brings along stand here, since what they are made of is not in it.
PACKED = "packed"
LIKELIHOOD_TABLES = (LikelihoodRow.path, ReliabilityRow.path, FlipRow.path)


def write_tables(
    vocabulary: Vocabulary,
    results: Path,
    cells: Sequence[Cell],
    studies: Mapping[str, Sequence[Cell]],
    judging: Judging,
    paper: Path,
) -> None:
    """Write every table of finished cells into ``<results>/tables``.

    Args:
        vocabulary: see :func:`effects_table`, as for the next four.
        results: likewise.
        cells: likewise.
        studies: likewise.
        judging: likewise.
        paper: the published Table 1.

    Raises:
        DataError: a file of a cell or the published table is missing or malformed.
    """
    rows = cells_table(vocabulary, results, cells)
    beside = table1(vocabulary, rows, PublishedRow.read(paper))
    judged = JudgedCells(vocabulary, results)
    compared = compared_pairs(judged, cells, studies, judging)
    pooled = pooled_table(vocabulary, compared.studies, compared.counts, judging.bootstrap)
    CellRow.write(results / CellRow.path, rows)
    Table1Row.write(results / Table1Row.path, beside)
    write_text(results / "tables/table1.md", table1_markdown(vocabulary, beside, judging.bootstrap.confidence))
    EffectRow.write(results / EffectRow.path, compared.rows)
    PooledRow.write(results / PooledRow.path, pooled)
    draws = candidate_draws(judged, cells, compared.counts, judging.bootstrap)
    draws.write(results / ResampledScores.path)
    labels = label_effects_table(judged, compared.rows, judging.bootstrap)
    LabelEffectRow.write(results / LabelEffectRow.path, labels)
    lengths = length_effects_table(judged, compared.rows, judging.bootstrap)
    LengthEffectRow.write(results / LengthEffectRow.path, lengths)
    efficiency = efficiency_table(vocabulary, results, rows, judging.bootstrap.confidence)
    EfficiencyRow.write(results / EfficiencyRow.path, efficiency)


def write_likelihood_tables(vocabulary: Vocabulary, results: Path, cells: Sequence[Cell], bootstrap: Bootstrap) -> None:
    """Write the tables made of log-probabilities into ``<results>/tables``; with headers only where no cell kept any.

    Bundles leave log-probabilities out and bring these tables along (:data:`PACKED`): an opened one keeps those it came with.

    Args:
        vocabulary: see :func:`effects_table`, as for the next two.
        results: likewise.
        cells: likewise.
        bootstrap: how intervals are made.

    Raises:
        DataError: a file of a cell is malformed, or not of the answers beside it.
    """
    bins = ConfidenceBins(vocabulary, bootstrap.confidence)
    rows = LikelihoodTable(vocabulary, bootstrap).rows(bins.collected(read_ledgers(vocabulary, results, cells)))
    LikelihoodRow.write(results / LikelihoodRow.path, rows)
    ReliabilityRow.write(results / ReliabilityRow.path, bins.reliability())
    FlipRow.write(results / FlipRow.path, bins.flips())
    for path in LIKELIHOOD_TABLES:
        if not rows and (results / PACKED / path).exists():
            write_bytes(results / path, (results / PACKED / path).read_bytes())
