"""How one model answers a test set, by kind of task: draw answers by skill, spoil right ones, count them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from .shape import Floats, Golds, Numbers, Shape

Flags = NDArray[np.bool_]


class Answering(ABC):
    """One kind of task; answers are an array whose first axis is the sample."""

    def __init__(self, shape: Shape, golds: Golds) -> None:
        self.shape, self.gold = shape, golds.gold
        self._first = np.flatnonzero(np.diff(golds.document, prepend=-1))

    @abstractmethod
    def drawn(self, skill: Floats, generator: np.random.Generator) -> Numbers:
        """Answers of samples that are answered right with these probabilities, shape ``(n,)``."""

    @abstractmethod
    def spoiled(self, answers: Numbers, share: Floats, generator: np.random.Generator) -> Numbers:
        """The answers with this share, shape ``(n,)``, of what is right in them made wrong."""

    @abstractmethod
    def counts(self, answers: Numbers) -> Numbers:
        """True positives, false positives, false negatives of each sample, shape ``(n, labels, 3)``."""

    def changed(self, answers: Numbers, others: Numbers) -> Flags:
        """Which samples are answered otherwise, shape ``(n,)``."""
        return (answers != others).reshape(len(answers), -1).any(axis=1)

    def right(self, counts: Numbers) -> Flags:
        """Which samples are answered without a fault, shape ``(n,)``."""
        return ~counts[..., 1:].any(axis=(1, 2))

    def by_document(self, counts: Numbers) -> Numbers:
        """Counts of samples added up: shape ``(documents, labels, 3)``."""
        if len(self._first) == len(counts):
            return counts.astype(np.int64)
        return np.add.reduceat(counts, self._first, axis=0, dtype=np.int64)


class OneLabel(Answering):
    """Relations by macro F1, questions by accuracy. A wrong answer is any other label, common ones more often."""

    def drawn(self, skill: Floats, generator: np.random.Generator) -> Numbers:
        """Gold with the probability of skill, else a wrong label."""
        return np.where(generator.random(len(skill)) < skill, self.gold, self._wrong(generator))

    def spoiled(self, answers: Numbers, share: Floats, generator: np.random.Generator) -> Numbers:
        """Right labels become wrong ones."""
        hit = (answers == self.gold) & (generator.random(len(answers)) < share)
        return np.where(hit, self._wrong(generator), answers)

    def _wrong(self, generator: np.random.Generator) -> Numbers:
        labels = len(self.shape.frequencies)
        liked = (self.shape.frequencies + 1 / labels) / 2
        # Another label than gold: of the others, in the same proportions.
        others = np.tile(liked, (labels, 1)) * ~np.eye(labels, dtype=bool)
        reached = (others / others.sum(axis=1, keepdims=True)).cumsum(axis=1)
        return (generator.random(len(self.gold))[:, None] > reached[self.gold, :-1]).sum(axis=1)

    def counts(self, answers: Numbers) -> Numbers:
        """Of accuracy a hit is the true positive of the only label."""
        hit = answers == self.gold
        if self.shape.metric == "accuracy":
            return np.stack([hit, np.zeros_like(hit), ~hit], axis=1)[:, None, :].astype(np.int8)
        labels = np.arange(self.shape.labels)
        gold, answer = self.gold[:, None] == labels, answers[:, None] == labels
        return np.stack([gold & answer, ~gold & answer, gold & ~answer], axis=-1).astype(np.int8)


class LabelSets(Answering):
    """Several labels by macro F1: gold ones are found with the probability of skill, others claimed more rarely."""

    def drawn(self, skill: Floats, generator: np.random.Generator) -> Numbers:
        """Gold labels with the probability of skill, others more rarely."""
        claimed = (1 - skill)[:, None] * np.minimum(1, 1.5 * self.shape.frequencies)
        likely = np.where(self.gold == 1, skill[:, None], claimed)
        return (generator.random(self.gold.shape) < likely).astype(np.int64)

    def spoiled(self, answers: Numbers, share: Floats, generator: np.random.Generator) -> Numbers:
        """Labels that were found are left out."""
        hit = (answers & self.gold).astype(bool) & (generator.random(answers.shape) < share[:, None])
        return np.where(hit, 0, answers)

    def counts(self, answers: Numbers) -> Numbers:
        """Label by label."""
        return np.stack([answers & self.gold, answers & ~self.gold, self.gold & ~answers], axis=-1).astype(np.int8)


class Entities(Answering):
    """Entities by F1: answers are how many gold ones were found and how many others were marked, shape ``(n, 2)``."""

    def drawn(self, skill: Floats, generator: np.random.Generator) -> Numbers:
        """Gold entities with the probability of skill, and marks where none is."""
        return np.stack([generator.binomial(self.gold, skill), generator.poisson(0.8 * (1 - skill))], axis=1)

    def spoiled(self, answers: Numbers, share: Floats, generator: np.random.Generator) -> Numbers:
        """Entities that were found are missed."""
        lost = generator.binomial(answers[:, 0], np.minimum(1, share))
        return answers - np.stack([lost, np.zeros_like(lost)], axis=1)

    def counts(self, answers: Numbers) -> Numbers:
        """Entities of the sentence; one label."""
        return np.stack([answers[:, 0], answers[:, 1], self.gold - answers[:, 0]], axis=1)[:, None, :]


def answering(shape: Shape, golds: Golds) -> Answering:
    """The kind that this dataset is of."""
    kind = Entities if shape.metric == "entity_f1" else LabelSets if shape.several else OneLabel
    return kind(shape, golds)
