"""What twelve models answer at full precision and in quantized arms that lose nothing, or exactly so much.

A model answers a sample by its skill, by how hard the sample's document is for everyone, and by how hard it is for this model.
Each arm keeps the model's answer or, in some documents more often than in others, draws it anew, by a skill in this document that is
the arm's own. So arms are exchangeable, document by document: none loses anything, though their answers differ, and differ
together within a document. A lossy arm then spoils so many of its right answers that the expected score falls by a stated amount.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantbench.tasks.metrics import METRICS

from .answering import Answering, Flags, answering
from .shape import Floats, Golds, Numbers, Shape

MODELS = 12
# Full precision, two quantized arms, and the same two with a loss.
FULL, QUANTIZED, LOSSY = 0, (1, 2), (3, 4)
ARMS = 5
# Standard deviations of skill on the logit scale: of documents for all models, for one, and for one in one arm. Beside the
# logistic variance of 3.29 they make an intraclass correlation of 0.37.
_FOR_ALL, _FOR_MODEL, _FOR_ARM = 0.7, 0.5, 1.1
# Intraclass correlation of whether an answer is drawn anew, and of whether it is spoiled.
_REDRAWN_ALIKE, _SPOILED_ALIKE = 0.2, 0.2
_SKILLS = np.linspace(0.1, 1.6, MODELS)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a dataset's simulation is set to.

    Attributes:
        redrawn: the share of answers that each arm draws anew.
        spoiled: shape ``(models,)``, the share of right answers that lossy arms spoil.
    """

    redrawn: float
    spoiled: Floats


@dataclass(frozen=True, slots=True)
class Answers:
    """A dataset's judged answers.

    Attributes:
        sentences: of entities the counts of each sample, shape ``(models, arms, n, 1, 3)``; else None.
        counts: shape ``(models, arms, documents, labels, 3)``, summed over documents.
        samples: how many there are.
        right: shape ``(models, arms, n)``, which samples are answered without a fault.
        flipped: shape ``(models, arms)``, the share of answers other than at full precision.
    """

    sentences: Numbers | None
    counts: Numbers
    samples: int
    right: Flags
    flipped: Floats


def drawn_answers(shape: Shape, golds: Golds, rates: Rates, generator: np.random.Generator) -> Answers:
    """Answers of all models in all arms."""
    kind = answering(shape, golds)
    hard = generator.normal(0, _FOR_ALL, golds.document[-1] + 1)
    by_model = [
        _of_model(kind, golds, skill + hard, rates.redrawn, spoiled, generator)
        for skill, spoiled in zip(_SKILLS, rates.spoiled, strict=True)
    ]
    counts = [[kind.counts(answers) for answers in arms] for arms in by_model]
    return Answers(
        sentences=np.stack([np.stack(arms) for arms in counts]) if shape.metric == "entity_f1" else None,
        counts=np.stack([np.stack([kind.by_document(arm) for arm in arms]) for arms in counts]),
        samples=len(golds.document),
        right=np.stack([np.stack([kind.right(arm) for arm in arms]) for arms in counts]),
        flipped=np.array([[kind.changed(arms[FULL], arm).mean() for arm in arms] for arms in by_model]),
    )


def _of_model(
    kind: Answering, golds: Golds, skill: Floats, redrawn: float, spoiled: float, generator: np.random.Generator
) -> list[Numbers]:
    """Answers of one model arm by arm; ``skill`` is that in each document, on the logit scale."""
    documents, document = len(skill), golds.document
    skill = skill + generator.normal(0, _FOR_MODEL, documents)
    kept = kind.drawn(_chance(skill + generator.normal(0, _FOR_ARM, documents))[document], generator)
    anew = _alike(redrawn, _REDRAWN_ALIKE, documents, generator)[document]
    arms = []
    for _ in (FULL, *QUANTIZED):
        own = kind.drawn(_chance(skill + generator.normal(0, _FOR_ARM, documents))[document], generator)
        chosen = generator.random(len(document)) < anew
        arms.append(np.where(chosen if own.ndim == 1 else chosen[:, None], own, kept))
    for arm in QUANTIZED:
        share = _alike(spoiled, _SPOILED_ALIKE, documents, generator)[document]
        arms.append(kind.spoiled(arms[arm], share, generator))
    return arms


def _chance(skill: Floats) -> Floats:
    return 1 / (1 + np.exp(-skill))


def _alike(share: float, alike: float, documents: int, generator: np.random.Generator) -> Floats:
    """Probabilities that differ between documents: beta with this mean and intraclass correlation."""
    if share in (0.0, 1.0):
        return np.full(documents, share)
    concentration = 1 / alike - 1
    return generator.beta(share * concentration, (1 - share) * concentration, documents)


# Samples of one draw of the population that stands for all there are, and how many documents of equal size all draws are worth
# together: where few documents hold most samples, one draw is off by some percent of the loss.
_POPULATION, _WORTH = 60_000, 5_000


def found_rates(shape: Shape, flips: Sequence[float], loss: float, seed: int) -> list[Rates]:
    """What makes each of these shares of answers differ between two arms, and lossy ones lose so much of the expected score.

    A large population tells both, since what an answer is drawn from does not depend on how often it is drawn anew.
    """
    generator = np.random.default_rng(seed)
    documents = int(_POPULATION / shape.sizes.mean())
    # Kish's number: that of documents of equal size whose mean would vary as much.
    draws = math.ceil(_WORTH / (documents * shape.sizes.mean() ** 2 / (shape.sizes**2).mean()))
    (intact, change), apart = np.zeros((2, MODELS, shape.labels, 3)), 0.0
    for _ in range(draws):
        drawn = drawn_answers(shape, shape.drawn(generator, documents), Rates(1.0, np.ones(MODELS)), generator)
        counts = drawn.counts.sum(axis=2)
        intact += counts[:, : LOSSY[0]].sum(axis=1) / LOSSY[0]
        change += (counts[:, list(LOSSY)] - counts[:, list(QUANTIZED)]).sum(axis=1) / len(LOSSY)
        apart += drawn.flipped[:, list(QUANTIZED)].mean() / draws
    spoiled = [_that_loses(shape, *model, loss) for model in zip(intact, change, strict=True)]
    return [Rates(_that_flips(share / apart), np.array(spoiled)) for share in flips]


def _that_flips(share: float) -> float:
    """How often each of two arms must draw anew so that at least one does with this probability."""
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        either = 1 - (1 - middle) ** 2 - middle * (1 - middle) * _REDRAWN_ALIKE
        low, high = (middle, high) if either < share else (low, middle)
    return high


def _that_loses(shape: Shape, intact: Floats, change: Floats, loss: float) -> float:
    """The share of right answers to spoil: expected counts, shape ``(labels, 3)``, go along a line from intact by ``change``."""
    metric, low, high = METRICS[shape.metric], 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        reached = metric.value(intact) - metric.value(intact + middle * change)
        low, high = (middle, high) if reached < loss else (low, middle)
    return high
