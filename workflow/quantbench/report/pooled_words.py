"""What a precision costs over the whole zero-shot grid, in words: the headline first, the worst comparison last."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Vocabulary
from ..contracts.effect_rows import Verdict
from ..contracts.pooled_rows import PooledRow
from ..tables.pooled_effects import EVERY_METRIC, FEWEST_OF_EACH
from ..tasks import metric

_MEANINGS: dict[Verdict, str] = {
    "preserved": "preserved, no loss beyond the margin of {margin:.3g}",
    "degraded": "degraded, the loss exceeds the margin of {margin:.3g}",
    "worse, extent open": "worse, though whether by more than the margin of {margin:.3g} is open",
    "inconclusive": "inconclusive, a loss beyond the margin of {margin:.3g} is neither shown nor ruled out",
    "improved": "improved",
    "too few": "too few documents to tell",
}
_SMALL_LOSS = "preserved, there is a loss but none beyond the margin of {margin:.3g}"


def pooled_words(vocabulary: Vocabulary, pooled: Sequence[PooledRow], confidence: float) -> list[str]:
    """The mean difference of each precision with its verdict: what the run says first.

    Args:
        vocabulary: titles of precisions.
        pooled: ``pooled_effects.csv``.
        confidence: of its intervals.
    """
    lines = []
    for row in pooled:
        if row.metric == EVERY_METRIC:
            parts = [one for one in pooled if one.precision == row.precision and one.metric != EVERY_METRIC]
            said = [
                _difference(vocabulary, row, confidence),
                _reach(row),
                _recovery(row),
                _by_metric(parts),
            ]
            lines.append(" ".join(sentence for sentence in [*said, _left_out(row)] if sentence))
    return lines


def worst_words(vocabulary: Vocabulary, pooled: Sequence[PooledRow]) -> list[str]:
    """The largest loss of each precision, with an interval that allows for its having been picked."""
    lines = []
    for row in pooled:
        if row.metric != EVERY_METRIC:
            continue
        place = f"{vocabulary.title('model', row.worst_model)} on {vocabulary.title('dataset', row.worst_dataset)}"
        found = (
            "the largest loss is" if row.worst_difference < 0 else "no score is lower, and the smallest difference is"
        )
        line = (
            f"{vocabulary.title('precision', row.precision)}: {found} {row.worst_difference:+.3f} ({place}), "
            f"{_ends(row.worst_low, row.worst_high, 3)} by the interval that holds for "
            f"{_all_at_once(row.comparisons)}."
        )
        if row.worst_difference < 0 <= row.worst_high and row.comparisons > 1:
            line += f" It holds 0: the worst of {row.comparisons} can be as low as this where nothing is lost."
        lines.append(line)
    return lines


def _difference(vocabulary: Vocabulary, row: PooledRow, confidence: float) -> str:
    low, high = row.difference_low, row.difference_high
    if row.basis == "like these" and row.general_low is not None and row.general_high is not None:
        low, high = row.general_low, row.general_high
    meaning = _SMALL_LOSS if row.verdict == "preserved" and high < 0 else _MEANINGS[row.verdict]
    return (
        f"{vocabulary.title('precision', row.precision)} over {_counted(row.comparisons, 'zero-shot comparison')} of study "
        f"{row.study} ({_counted(row.models, 'model')}, {_counted(row.datasets, 'dataset')}): the mean score goes from "
        f"{row.full_score:.3f} to {row.score:.3f}, a difference of {row.difference:+.4f} with a {confidence:.0%} interval of "
        f"{_ends(low, high)}: {meaning.format(margin=row.margin)}."
    )


def _reach(row: PooledRow) -> str:
    """Whom the interval is about."""
    these = "for these models on these datasets"
    if row.basis == "like these":
        just = _ends(row.difference_low, row.difference_high)
        return f"The interval is for models and datasets like these; {these} alone it is {just}."
    few = [
        _counted(count, word)
        for count, word in ((row.models, "model"), (row.datasets, "dataset"))
        if count < FEWEST_OF_EACH
    ]
    told = f"The interval is {these}; {' and '.join(few)} tell too little of others"
    if row.general_low is None or row.general_high is None:
        return f"{told}."
    return f"{told}, for which it would be {_ends(row.general_low, row.general_high)}."


def _recovery(row: PooledRow) -> str:
    above = _share(row.recovery_above_chance, row.recovery_above_chance_low, row.recovery_above_chance_high)
    return (
        f"{_share(row.recovery, row.recovery_low, row.recovery_high)} of full precision's score is kept, {above} of what it has above "
        "the best constant answers."
    )


def _by_metric(parts: Sequence[PooledRow]) -> str:
    told = [
        f"{metric(row.metric).title} {row.difference:+.4f} {_ends(row.difference_low, row.difference_high)}"
        for row in parts
    ]
    return f"By metric, for these models on these datasets: {'; '.join(told)}." if told else ""


def _left_out(row: PooledRow) -> str:
    left = row.left_out
    return (
        f"Left out, with nothing to lose: {_counted(left, 'comparison')} at chance or of random weights."
        if left
        else ""
    )


def _all_at_once(comparisons: int) -> str:
    return f"all {comparisons} comparisons at once" if comparisons > 1 else "the only comparison"


def _ends(low: float, high: float, digits: int = 4) -> str:
    return f"[{low:+.{digits}f}, {high:+.{digits}f}]"


def _share(value: float, low: float, high: float) -> str:
    return f"{value:.1%} [{low:.1%}, {high:.1%}]"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
