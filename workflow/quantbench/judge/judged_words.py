"""What was judged, in words: one line a task, and the sentences that a table cannot say."""

from __future__ import annotations

from collections.abc import Sequence

from .judged_effects import JudgedRow
from .pairing import PairedTask

HEADER = (
    *("task", "metric", "verdict", "samples", "reference", "other", "difference", "interval", "p", "Holm's p"),
    *("McNemar's p", "flips", "lost", "gained", "supports", "detects", "needs"),
)
# How many columns of the header hold text, and stand to the left.
NAMES = 3


def table_rows(rows: Sequence[JudgedRow]) -> list[list[str]]:
    """One line of text a task, under :data:`HEADER`."""
    return [
        [
            row.task,
            row.metric if row.filter in (None, "none") else f"{row.metric} ({row.filter})",
            row.verdict,
            f"{row.n:,}" if row.units == row.n else f"{row.n:,} in {row.units:,}",
            f"{row.reference_score:.4f}",
            f"{row.score:.4f}",
            f"{row.difference:+.4f}",
            f"[{row.difference_low:+.4f}, {row.difference_high:+.4f}]",
            p_text(row.permutation_p),
            p_text(row.holm_p),
            "" if row.mcnemar_p is None else p_text(row.mcnemar_p),
            f"{row.flips:,}",
            f"{row.lost:,}",
            f"{row.gained:,}",
            f"{row.supported_margin:.4f}",
            f"{row.smallest_detectable:.4f}",
            f"{row.units_needed:,}",
        ]
        for row in rows
    ]


def p_text(p: float) -> str:
    """A p value to four decimals, small ones by their power of ten."""
    if p < 1e-300:
        return "<1e-300"
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.0e}"


def verdict_sentence(row: JudgedRow) -> str:
    """What a task's verdict means here."""
    margin, change = f"{row.margin:g}", f"{row.difference:+.4f} [{row.difference_low:+.4f}, {row.difference_high:+.4f}]"
    meaning = {
        "preserved": f"a loss of {margin} or more can be ruled out",
        "improved": "the other run scores more than the reference",
        "degraded": f"the loss is more than {margin}",
        "worse, extent open": f"something is lost; the samples cannot tell whether more than {margin}",
        "inconclusive": f"the samples cannot tell whether more than {margin} is lost; losses from {row.supported_margin:.4f} on can be ruled "
        "out",
        "too few": f"{row.units:,} independent units are too few for a verdict",
        "at chance": "the reference is not shown to know more than the best constant answer, so it has nothing to lose",
    }[row.verdict]
    return f"{row.task}: {row.verdict}. Difference {change}: {meaning}."


def remarks(pairs: Sequence[PairedTask], rows: Sequence[JudgedRow]) -> list[str]:
    """How the numbers came about, in the order of their weight."""
    said = []
    if any(row.unit == "sample" and row.units == row.n for row in rows):
        said.append(
            "Samples are taken as independent. Where several ask about one document, name its field with --group-field: else intervals are too "
            "narrow."
        )
    said += [
        f"Samples of one {row.unit} are taken together: {row.units:,} of them in {row.task}."
        for row in rows
        if row.unit != "sample"
    ]
    said += [
        f"Epochs of one sample are taken together: {row.units:,} samples, {row.n:,} answers in {row.task}."
        for row in rows
        if row.unit == "sample" and row.units < row.n
    ]
    said += [
        f"{pair.name} was judged by {pair.reference.metric}"
        f"{f', filter {pair.reference.filter}' if pair.reference.filter else ''}.{pair.reference.also}"
        for pair in pairs
        if pair.reference.also
    ]
    if len(rows) > 1:
        said.append(
            f"Holm's p is corrected for the {len(rows)} tasks judged here; intervals and verdicts are of each task alone."
        )
    said.append(
        "p: both answers swapped unit by unit; McNemar's: only where answers are right or wrong and not grouped. supports: the smallest "
        "margin by which the score would be called preserved. detects: the difference found with 80% power. needs: the units that would "
        "show with 80% power that no more than the margin is lost, if nothing is. flips: answers that changed; lost and gained: whose "
        "score fell or rose."
    )
    return said
