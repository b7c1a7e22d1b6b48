"""Each task of two runs judged as the pipeline judges a quantized cell against full precision (docs/protocol.md#comparisons)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..config.entries import DEFAULT_MARGIN
from ..contracts.csv_rows import Row
from ..contracts.effect_rows import Verdict
from ..errors import ConfigError
from ..statistics import (
    Bootstrap,
    at_chance,
    compare,
    holm,
    interval_of_counts,
    mcnemar_exact,
    permutation_test,
    too_few,
    verdict,
)
from ..tasks.metrics import MEAN_SCORE, Counts, Floats, Metric, metric
from .outside_task import OutsideSample
from .pairing import PairedTask


class JudgedRow(Row):
    """One task: the other run against the reference."""

    task: str = Field(description="its name in the files, `answers` where these have none")
    metric: str = Field(description="the score that was read")
    filter: str | None = Field(description="how answers were taken out of outputs; empty where the files name none")
    n: int = Field(description="samples")
    unit: str = Field(description="what is taken as independent: `sample`, or the field that samples were grouped by")
    units: int = Field(description="how many of these")
    reference_score: float = Field(description="mean score of the reference")
    score: float = Field(description="mean score of the other run")
    difference: float = Field(description="the other run's score minus the reference's")
    difference_low: float = Field(description="end of its interval")
    difference_high: float = Field(description="end of its interval")
    permutation_p: float = Field(description="two-sided p of swapping the two answers unit by unit")
    mcnemar_p: float | None = Field(description="exact; empty where answers are grouped, or not right or wrong alone")
    holm_p: float = Field(description="`permutation_p`, corrected for all tasks judged at once")
    family_size: int = Field(description="how many these are")
    flip_rate: float = Field(description="share of answers that changed")
    flips: int = Field(description="answers that changed")
    lost: int = Field(description="answers whose score fell")
    gained: int = Field(description="answers whose score rose")
    margin: float = Field(description="largest loss still called preserved")
    verdict: Verdict = Field(description="see docs/protocol.md#verdicts")
    supported_margin: float = Field(description="smallest margin by which this interval would be called preserved")
    smallest_detectable: float = Field(description="difference found with 80% power")
    units_needed: int = Field(
        description="how many units would show with 80% power that no more than `margin` is lost, where nothing is"
    )
    reference: str = Field(description="file that was read")
    other: str = Field(description="file that was read")


# Below it the units that would be needed are beyond any number that means something.
_LEAST_MARGIN = 1e-6


@dataclass(frozen=True, slots=True)
class Flip:
    """One answer that changed, or whose score did."""

    task: str
    id: str
    group: str
    reference_answer: str
    answer: str
    gold: str
    reference_score: float
    score: float

    @property
    def change(self) -> str:
        """``lost``, ``gained`` or ``changed``: another answer of the same score."""
        if self.score == self.reference_score:
            return "changed"
        return "lost" if self.score < self.reference_score else "gained"


def judge(pairs: Sequence[PairedTask], margin: float, bootstrap: Bootstrap) -> list[JudgedRow]:
    """Judge each task.

    All tasks are one family of Holm's correction.

    Args:
        pairs: the tasks of two runs.
        margin: largest loss of score, absolute, that is still called preserved.
        bootstrap: how intervals are made.

    Raises:
        ConfigError: the margin is out of range.
    """
    if not _LEAST_MARGIN <= margin < 1:
        raise ConfigError(
            f"--margin has the value {margin:g}; give a loss of score between 0 and 1, such as {DEFAULT_MARGIN:g}"
        )
    rows = [_row(pair, margin, bootstrap) for pair in pairs]
    corrected = holm([row.permutation_p for row in rows])
    size = len(rows)
    return [row.model_copy(update={"holm_p": p, "family_size": size}) for row, p in zip(rows, corrected, strict=True)]


def flips(pairs: Sequence[PairedTask]) -> Iterator[Flip]:
    """The answers that changed, in the order of the tasks and of the reference."""
    for pair in pairs:
        for before, after in pair.samples:
            if (before.answer, before.score) != (after.answer, after.score):
                yield _flip(pair.name, before, after)


def _flip(task: str, before: OutsideSample, after: OutsideSample) -> Flip:
    return Flip(
        task=task,
        id=before.key,
        group=before.group,
        reference_answer=before.answer,
        answer=after.answer,
        gold=before.gold,
        reference_score=before.score,
        score=after.score,
    )


def _row(pair: PairedTask, margin: float, bootstrap: Bootstrap) -> JudgedRow:
    """One row of the table, Holm's p that of a family of one."""
    reference, other = (_counts(task.samples, pair.right_or_wrong) for task in (pair.reference, pair.other))
    scored_by = metric("accuracy") if pair.right_or_wrong else MEAN_SCORE
    groups = pair.groups
    units = len(set(groups))
    paired = compare(reference, other, groups, scored_by, bootstrap)
    p = permutation_test(reference, other, groups, scored_by, bootstrap)
    changes = Counter(flip.change for flip in flips([pair]))
    nothing_to_lose = at_chance(
        interval_of_counts(reference, groups, scored_by, bootstrap)[0], _constant_score(pair), scored_by
    )
    ungrouped = units == len(groups)
    return JudgedRow(
        task=pair.name,
        metric=pair.reference.metric,
        filter=pair.reference.filter,
        n=len(groups),
        unit=pair.reference.unit,
        units=units,
        reference_score=_mean(reference, scored_by),
        score=_mean(other, scored_by),
        difference=paired.difference,
        difference_low=paired.low,
        difference_high=paired.high,
        permutation_p=p,
        mcnemar_p=mcnemar_exact(changes["lost"], changes["gained"]) if pair.right_or_wrong and ungrouped else None,
        holm_p=p,
        family_size=1,
        flip_rate=changes.total() / len(groups),
        flips=changes.total(),
        lost=changes["lost"],
        gained=changes["gained"],
        margin=margin,
        verdict=verdict(paired.low, paired.high, margin, few=too_few(units), chance=nothing_to_lose),
        supported_margin=paired.supported_margin,
        smallest_detectable=paired.smallest_detectable,
        units_needed=paired.units_needed(margin),
        reference=str(pair.reference.source),
        other=str(pair.other.source),
    )


def _counts(samples: Sequence[OutsideSample], whole: bool) -> Counts | Floats:
    """What each sample got and missed, as true positives and false negatives of one label: shape ``(n, 1, 3)``."""
    scores = np.array([sample.score for sample in samples])
    counts = np.stack([scores, np.zeros_like(scores), 1 - scores], axis=-1)[:, None, :]
    return counts.astype(np.int64) if whole else counts


def _mean(counts: Counts | Floats, scored_by: Metric) -> float:
    return scored_by.value(counts.sum(axis=0))


def _constant_score(pair: PairedTask) -> float:
    """What the best answer that is the same for every sample would score, where answers are right or wrong; else 0, for want of more."""
    if not pair.right_or_wrong:
        return 0.0
    golds = Counter(sample.label for sample in pair.reference.samples)
    return max(golds.values()) / golds.total()
