"""The verdict in words: what the run says, before any table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from ..config import Vocabulary
from ..config.run import ComparisonSettings, RunConfig
from ..contracts.cell_name import Cell
from ..contracts.effect_rows import EffectRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.run_tables import CellRow, EfficiencyRow
from ..statistics import UNCOUNTED
from ..tables import share_notes
from .answer_remarks import precision_remark, worst_remark
from .pooled_words import pooled_words, worst_words
from .savings import savings_remark


def verdict_words(
    vocabulary: Vocabulary,
    run: RunConfig,
    cells: Sequence[CellRow],
    effects: Sequence[EffectRow],
    pooled: Sequence[PooledRow],
    efficiency: Sequence[EfficiencyRow],
    limits: Mapping[Cell, int],
) -> list[str]:
    """Sentences in the order of their weight.

    Args:
        vocabulary: titles, and which precision is the reference.
        run: its protocol, margin and confidence.
        cells: ``cells.csv``.
        effects: ``precision_effects.csv``.
        pooled: ``pooled_effects.csv``.
        efficiency: ``efficiency.csv``.
        limits: every cell of the run, finished or not, with the most new tokens of an answer.
    """
    # Of a pair that several studies want, one row: they differ in the family of Holm's p alone.
    compared = list({row.cell: row for row in effects}.values())
    lines = []
    if any(row.demonstration for row in cells):
        lines.append("The models are tiny demonstration models: nothing here is about real language models.")
    names = ", ".join(dict.fromkeys(row.title for row in cells if row.weights == "random"))
    if names:
        lines.append(f"Random weights: {names}. Memory and latency are real; their answers and scores mean nothing.")
    if not run.protocol.is_sound:
        lines.append(
            f"The run leaves the sound protocol ({', '.join(run.protocol.switched)}): it is for reading the paper by, not for "
            "choosing a model (docs/reproduction.md)."
        )
    lines += pooled_words(vocabulary, pooled, run.comparison.confidence)
    for precision in dict.fromkeys(row.precision for row in compared):
        own = [row for row in compared if row.precision == precision]
        saved = [row for row in efficiency if row.precision == precision]
        lines.append(_one_by_one(vocabulary, own) + savings_remark(vocabulary, saved) + precision_remark(limits, own))
    lines += worst_words(vocabulary, pooled)
    if not compared:
        lines.append("No quantized cell has its full-precision twin, so nothing could be compared.")
    lines += share_notes(vocabulary, cells)
    full = [row.unparseable_rate for row in cells if row.precision == vocabulary.reference]
    lines += worst_remark(vocabulary, limits, cells)
    lines += _surroundings(run.comparison, compared, full)
    missing = len(limits.keys() - {row.cell for row in cells})
    if missing:
        lines.append(f"{missing} of {missing + len(cells)} cells are missing; tables and figures show the rest.")
    return lines


def _one_by_one(vocabulary: Vocabulary, own: Sequence[EffectRow]) -> str:
    counts = Counter(row.verdict for row in own)
    judged = [row for row in own if row.verdict not in UNCOUNTED]
    title = vocabulary.title("precision", own[0].precision)
    if not judged:
        return f"{title}, one by one: none of {len(own)} comparisons can be judged ({_uncounted(own)})."
    return (
        f"{title}, one by one: in {counts['preserved'] + counts['improved']} of {len(judged)} comparisons the score of full precision is "
        f"preserved, in {counts['degraded']} it is degraded, in {counts['worse, extent open']} it is worse by an open extent, in "
        f"{counts['inconclusive']} the samples cannot tell{f'; not counted: {_uncounted(own)}' if len(judged) < len(own) else ''}."
    )


def _uncounted(own: Sequence[EffectRow]) -> str:
    """How many comparisons are outside all counts, and why."""
    counts = Counter(row.verdict for row in own if row.verdict in UNCOUNTED)
    reasons = {"at chance": "with nothing to lose", "too few": "of too few documents"}
    return ", ".join(f"{counts[word]} {reasons[word]}" for word in UNCOUNTED if counts[word])


def _legend(comparison: ComparisonSettings, compared: Sequence[EffectRow]) -> str:
    """What the verdicts mean, by the margins that the comparisons were judged by."""
    margins = " or ".join(f"{margin:g}" for margin in sorted({row.margin for row in compared}))
    return (
        f"Preserved: the {comparison.confidence:.0%} interval of the difference lies above minus the margin, the largest loss that is "
        f"negligible on a dataset ({margins}). Degraded: it lies below. Worse by an open extent: it lies below 0 and reaches across minus the margin. "
        "Nothing to lose (at chance, in tables): full precision itself is not shown to score more than a constant answer."
    )


def _surroundings(comparison: ComparisonSettings, compared: Sequence[EffectRow], full: Sequence[float]) -> list[str]:
    lines = [_legend(comparison, compared)] if compared else []
    floors = [row.noise_floor_flip_rate for row in compared if row.noise_floor_flip_rate is not None]
    if floors:
        tested = [row.within_noise_floor for row in compared if row.within_noise_floor is not None]
        lines.append(
            f"Noise floor: composing batches otherwise, at full precision, already changed {min(floors):.1%} to "
            f"{max(floors):.1%} of the answers. Quantization changed more than that in {tested.count(False)} of "
            f"{len(tested)} comparisons tested against it; in the others its changes cannot be told from those of batching."
        )
    if full:
        lines.append(f"At full precision, no answer could be read from {fmean(full):.1%} of the outputs.")
    return lines
