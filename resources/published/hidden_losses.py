"""How much of a loss by label the score over characters hides: oracles with errors on the two relation datasets.

An oracle knows every gold class and errs at a given rate, in one of four ways. Its confusion matrix is drawn ``DRAWS`` times
by a seed, and both scores are computed from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from test_sets import TestSet

from quantbench.contracts.csv_rows import Row
from quantbench.tasks.metrics import f1_from_counts

SEED = 2509
DRAWS = 200
# Macro F1 by label before the loss, and the points it loses.
STARTS = (0.8, 0.6, 0.4)
LOSSES = (0.05, 0.1, 0.2)
# Scores over characters for which it is asked what may lie behind them.
CHARACTER_SCORES = (0.45, 0.5, 0.56, 0.6, 0.7, 0.8, 0.9)

Floats = NDArray[np.float64]


class HiddenLoss(Row):
    """One loss: what macro F1 by label lost, and what the score over characters shows of it. Scores between 0 and 1."""

    dataset: str
    error: str
    by_label: float
    by_label_lost: float
    by_characters: float
    by_characters_lost: float
    by_characters_lost_sd: float  # over draws
    shown: float  # points lost by characters for each lost by label


class LabelScoreBehind(Row):
    """What macro F1 by label an oracle has whose score over characters is given; empty where no oracle of the kind gets it."""

    dataset: str
    by_characters: float
    error: str
    by_label: float | None


@dataclass(frozen=True)
class Classes:
    """A relation dataset's classes: ``names``, how many samples each has, which is the negative one."""

    names: tuple[str, ...]
    support: NDArray[np.int64]
    negative: int

    @property
    def characters(self) -> NDArray[np.bool_]:
        """Shape (classes, characters): which class's name has which character."""
        known = sorted(set("".join(self.names)))
        return np.array([[character in name for character in known] for name in self.names])

    @property
    def positive_shares(self) -> Floats:
        """Shape (classes,): how the positive samples divide, 0 for the negative class."""
        support = np.where(np.arange(len(self.names)) == self.negative, 0, self.support)
        return np.asarray(support / support.sum())


def classes_of(test: TestSet) -> Classes:
    """The classes of a relation dataset, in the order of its entry."""
    names = tuple(test.entry.labels)
    support = Counter(map(str, test.golds))
    negative = names.index(str(test.entry.negative_label))
    return Classes(names, np.array([support[name] for name in names]), negative)


def label_score(confusion: Floats) -> Floats:
    """Macro F1 by label of confusion matrices, shape (..., gold, told)."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _macro_f1(hits, confusion.sum(axis=-2) - hits, confusion.sum(axis=-1) - hits)


def character_score(confusion: Floats, classes: Classes) -> Floats:
    """Macro F1 over the characters of class names, of confusion matrices of shape (..., gold, told)."""
    has = classes.characters.astype(np.float64)
    hits = np.einsum("...gt,gk,tk->...k", confusion, has, has)
    told = confusion.sum(axis=-2) @ has
    true = confusion.sum(axis=-1) @ has
    return _macro_f1(hits, told - hits, true - hits)


def _macro_f1(hits: Floats, wrong: Floats, missed: Floats) -> Floats:
    return np.asarray(f1_from_counts(np.stack([hits, wrong, missed], axis=-1)).mean(axis=-1))


# Each: the matrix (gold, told) of probabilities of an oracle that errs so at a rate between 0 and 1.
Errors = Callable[[Classes, float], Floats]


def _missed(classes: Classes, rate: float) -> Floats:
    told = (1 - rate) * np.eye(len(classes.names))
    told[:, classes.negative] += rate
    return told


def _false_alarms(classes: Classes, rate: float) -> Floats:
    told = np.eye(len(classes.names))
    told[classes.negative] = (1 - rate) * told[classes.negative] + rate * classes.positive_shares
    return told


def _mixed_up(classes: Classes, rate: float) -> Floats:
    """Positive classes taken for each other, as often as each occurs."""
    told = np.eye(len(classes.names))
    for gold in range(len(classes.names)):
        if gold != classes.negative:
            others = np.where(np.arange(len(classes.names)) == gold, 0, classes.positive_shares)
            told[gold] = (1 - rate) * told[gold] + rate * others / others.sum()
    return told


def _by_chance(classes: Classes, rate: float) -> Floats:
    """Any class, all equally likely."""
    n = len(classes.names)
    return np.asarray((1 - rate) * np.eye(n) + rate / n)


ERRORS: dict[str, Errors] = {
    "relations missed (called negative)": _missed,
    "false alarms (negatives called a relation)": _false_alarms,
    "relations taken for one another": _mixed_up,
    "a class by chance": _by_chance,
}


def hidden_losses(test: TestSet) -> Iterator[HiddenLoss]:
    """Let oracles that are wrong by chance at first lose points by label, each in one way."""
    classes = classes_of(test)
    generator = np.random.default_rng(SEED)
    for start in STARTS:
        before = _by_chance(classes, _rate(classes, _by_chance, np.eye(len(classes.names)), start))
        for name, errors in ERRORS.items():
            for loss in LOSSES:
                if label_score(_expected(classes, before @ errors(classes, 1))) > start - loss:
                    continue  # errors of this kind alone cannot cost so much
                after = before @ errors(classes, _rate(classes, errors, before, start - loss))
                first, second = (_drawn(classes, told, generator) for told in (before, after))
                lost = label_score(first) - label_score(second)
                characters = character_score(first, classes), character_score(second, classes)
                lost_characters = characters[0] - characters[1]
                yield HiddenLoss(
                    dataset=test.name,
                    error=name,
                    by_label=float(label_score(first).mean()),
                    by_label_lost=float(lost.mean()),
                    by_characters=float(characters[0].mean()),
                    by_characters_lost=float(lost_characters.mean()),
                    by_characters_lost_sd=float(lost_characters.std(ddof=1)),
                    shown=float(lost_characters.mean() / lost.mean()),
                )


def label_scores_behind(test: TestSet) -> Iterator[LabelScoreBehind]:
    """Ask of each kind of error which score by label goes with a score over characters. No draws: expected confusions."""
    classes = classes_of(test)
    rates = np.linspace(0, 1, 2001)
    for name, errors in ERRORS.items():
        told = np.stack([_expected(classes, errors(classes, rate)) for rate in rates])
        by_characters, by_label = character_score(told, classes), label_score(told)
        for score in CHARACTER_SCORES:
            below = np.flatnonzero(by_characters <= score)
            behind = float(by_label[below[0]]) if len(below) else None
            yield LabelScoreBehind(dataset=test.name, by_characters=score, error=name, by_label=behind)


def _expected(classes: Classes, told: Floats) -> Floats:
    return np.asarray(classes.support[:, None] * told)


def _drawn(classes: Classes, told: Floats, generator: np.random.Generator) -> Floats:
    """Shape (DRAWS, gold, told)."""
    rows = [generator.multinomial(n, row / row.sum(), size=DRAWS) for n, row in zip(classes.support, told, strict=True)]
    return np.stack(rows, axis=1).astype(np.float64)


def _rate(classes: Classes, errors: Errors, before: Floats, wanted: float) -> float:
    """The rate of further errors at which the expected score by label is the one wanted: by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if label_score(_expected(classes, before @ errors(classes, middle))) > wanted:
            low = middle
        else:
            high = middle
    return high
