"""How far one sampled answer a sample lets a score wander, and which differences of Table 1 are larger.

The model: a share of the items is undecided, answered rightly in one run and wrongly in the next at even odds; all others
are answered alike each time. An item is a question, a pair, a text, or (entities) one distinct string of one sentence.
For a proportion any other odds are covered: items right with probability p count as the share 4 p (1 - p) of undecided ones.

What a wrong answer is: another option, another class (drawn as often as each occurs), one gold label exchanged for another,
a mention that is not marked. The rest is right as often as it takes to score the median that Table 1 has for the dataset.
Scores are those of the convention that Table 1 was probably scored by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from hidden_losses import Floats, classes_of
from numpy.typing import NDArray
from test_sets import TestSet

from quantbench.contracts.csv_rows import Row
from quantbench.tables import PublishedRow
from quantbench.tasks import Metric

SEED = 2509
RUNS = 1000
UNDECIDED = (0.05, 0.1, 0.2, 0.4, 1.0)
# Of the shares above the one whose ranges are shown.
SHOWN_SHARE = 0.2
# Two-sided 95% of a normal distribution.
Z = 1.959963984540054

Counts = NDArray[np.int64]
Decoding = Literal["sampled", "greedy"]
# As the public copy of the authors' code decodes; Llama-3.3's generation settings are inferred from its family.
DECODING: dict[str, Decoding] = {
    "deepseek-llm-67b": "sampled",
    "llama-3.3-70b": "sampled",
    "phi-4": "greedy",
    "qwen2.5-72b": "sampled",
}


class NoiseRow(Row):
    """The noise of one run's score on one test set, a share of whose items is undecided; scores between 0 and 1."""

    dataset: str
    items: int
    undecided: float
    score: float  # mean over runs
    sd: float  # over simulated runs
    sd_reckoned: float  # to first order: each undecided item by itself
    low: float  # 95% of the runs lie between
    high: float
    difference_range: float  # 95% of differences of two runs lie within plus and minus this


class DifferenceRow(Row):
    """One quantized cell of Table 1 minus the same model's at full precision."""

    dataset: str
    model: str
    precision: str
    decoding: Decoding
    full: float
    quantized: float
    difference: float
    undecided_needed: float  # share of undecided items at which it is just the edge of the 95% range
    undecided_at_most: (
        float  # that there can be: 1, and of a proportion 4 m (1 - m), m being the mean of the two scores
    )

    @property
    def is_beyond_noise(self) -> bool:
        """Whether no share of undecided items puts it inside the range."""
        return self.undecided_needed > self.undecided_at_most


@dataclass(frozen=True)
class Items:
    """What each item adds to the counts, answered rightly and wrongly: shape (items, labels, 3) each."""

    right: Counts
    wrong: Counts
    metric: Metric


def items_of(test: TestSet) -> Items:
    """The items of a test set under the published convention."""
    generator = np.random.default_rng(SEED)
    make = {
        "question_answering": _questions,
        "relation_extraction": _pairs,
        "multi_label_classification": _texts,
        "named_entity_recognition": _mentions,
    }[test.entry.task]
    right, wrong = make(test, generator)
    return Items(right, wrong, test.convention.metric)


def noise_rows(test: TestSet, table: Sequence[PublishedRow]) -> list[NoiseRow]:
    """Simulate ``RUNS`` runs for each share of undecided items."""
    items = items_of(test)
    level = median(row.score for row in table if row.dataset == test.name)
    return [_noise(test.name, items, share, level) for share in UNDECIDED]


def difference_rows(table: Sequence[PublishedRow], noise: Sequence[NoiseRow]) -> Iterator[DifferenceRow]:
    """Hold each difference of Table 1 between precisions against the noise."""
    full = {(row.model, row.dataset): row.score for row in table if row.precision == "full"}
    for row in table:
        if row.precision != "full":
            # Published scores have three decimals.
            reference = full[row.model, row.dataset]
            difference, mean = round(row.score - reference, 3), (row.score + reference) / 2
            yield DifferenceRow(
                dataset=row.dataset,
                model=row.model,
                precision=row.precision,
                decoding=DECODING[row.model],
                full=reference,
                quantized=row.score,
                difference=difference,
                undecided_needed=_undecided_needed(difference, [one for one in noise if one.dataset == row.dataset]),
                undecided_at_most=4 * mean * (1 - mean) if row.metric == "Accuracy" else 1,
            )


def _undecided_needed(difference: float, noise: Sequence[NoiseRow]) -> float:
    """The share at which a difference is the edge of the range: variances grow about as the share, so between these in a line."""
    shares = np.array([0.0, *(row.undecided for row in noise)])
    variances = np.array([0.0, *(row.difference_range**2 for row in noise)])
    if difference**2 > variances[-1]:
        return float(shares[-1] * difference**2 / variances[-1])
    return float(np.interp(difference**2, variances, shares))


def _noise(dataset: str, items: Items, share: float, level: float) -> NoiseRow:
    generator = np.random.default_rng(SEED)
    order = generator.permutation(len(items.right))
    undecided, decided = np.split(order, [round(share * len(order))])
    gains = (items.right[undecided] - items.wrong[undecided]).astype(np.float64)
    always = items.wrong[undecided].sum(axis=0) + _decided(items, decided, gains, level, undecided)
    right = (generator.random((RUNS, len(undecided))) < 0.5).astype(np.float64)
    sums = always + (right @ gains.reshape(len(undecided), -1)).reshape(RUNS, *always.shape)
    scores = items.metric.values(sums)
    sd = float(scores.std(ddof=1))
    low, high = (float(bound) for bound in np.quantile(scores, [0.025, 0.975]))
    return NoiseRow(
        dataset=dataset,
        items=len(order),
        undecided=share,
        score=float(scores.mean()),
        sd=sd,
        sd_reckoned=_reckoned_sd(always + gains.sum(axis=0) / 2, gains, items.metric),
        low=low,
        high=high,
        difference_range=Z * 2**0.5 * sd,
    )


def _decided(items: Items, decided: Counts, gains: Floats, level: float, undecided: Counts) -> Floats:
    """Counts of the decided items, so many of them right that the expected score comes nearest to the level."""
    half = items.wrong[undecided].sum(axis=0) + gains.sum(axis=0) / 2
    low, high = 0, len(decided)
    while low < high:
        middle = (low + high) // 2
        if items.metric.value(half + _so_many_right(items, decided, middle)) < level:
            low = middle + 1
        else:
            high = middle
    return _so_many_right(items, decided, low)


def _so_many_right(items: Items, decided: Counts, right: int) -> Floats:
    return np.asarray(
        items.right[decided[:right]].sum(axis=0) + items.wrong[decided[right:]].sum(axis=0), dtype=np.float64
    )


def _reckoned_sd(mean: Floats, gains: Floats, metric: Metric) -> float:
    """To first order the variances of independent items add up; each has two values at even odds."""
    distinct, members = np.unique(gains.reshape(len(gains), -1), axis=0, return_counts=True)
    steps = distinct.reshape(-1, *mean.shape) / 2
    changes = np.array([metric.value(mean + step) - metric.value(mean - step) for step in steps])
    return float(np.sqrt((members * changes**2).sum() / 4))


def _questions(test: TestSet, _: np.random.Generator) -> tuple[Counts, Counts]:
    n = len(test.samples)
    return _rows(n, [1, 0, 0]), _rows(n, [0, 0, 1])


def _rows(n: int, counts: list[int]) -> Counts:
    return np.tile(np.array(counts, dtype=np.int64), (n, 1, 1))


def _pairs(test: TestSet, generator: np.random.Generator) -> tuple[Counts, Counts]:
    classes = classes_of(test)
    gold = np.array([classes.names.index(str(one)) for one in test.golds])
    told = np.empty_like(gold)
    for one in range(len(classes.names)):
        others = np.where(np.arange(len(classes.names)) == one, 0, classes.support)
        told[gold == one] = generator.choice(len(others), size=int((gold == one).sum()), p=others / others.sum())
    return _set_counts(classes.characters[gold], classes.characters[gold]), _set_counts(
        classes.characters[told], classes.characters[gold]
    )


def _texts(test: TestSet, generator: np.random.Generator) -> tuple[Counts, Counts]:
    labels = list(test.entry.labels)
    gold = np.array([[label in one for label in labels] for one in test.golds if isinstance(one, list)])
    told = gold.copy()
    for row in told:
        row[generator.choice(np.flatnonzero(row))] = False
    absent = np.array([generator.choice(np.flatnonzero(~row)) for row in gold])
    told[np.arange(len(told)), absent] = True
    return _set_counts(gold, gold), _set_counts(told, gold)


def _mentions(test: TestSet, _: np.random.Generator) -> tuple[Counts, Counts]:
    strings = [one for gold in test.golds for one in sorted(test.convention.gold_parts(gold))]
    _, label = np.unique(np.array(strings), return_inverse=True)
    right = np.zeros((len(label), label.max() + 1, 3), dtype=np.int8)
    wrong = right.copy()
    right[np.arange(len(label)), label, 0] = 1
    wrong[np.arange(len(label)), label, 2] = 1
    return right, wrong  # type: ignore[return-value]  # a byte each: there are 18 million


def _set_counts(told: NDArray[np.bool_], gold: NDArray[np.bool_]) -> Counts:
    return np.stack([told & gold, told & ~gold, ~told & gold], axis=-1).astype(np.int64)
