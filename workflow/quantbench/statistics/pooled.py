"""One effect over many comparisons: how far scores move in the mean, how much of them is kept, and the worst (docs/protocol.md#pooled-effects)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..tasks.metrics import Floats
from .bootstrap import Bootstrap
from .joint_draws import JointCounts
from .random_effects import RandomEffects, random_effects
from .simultaneous import simultaneous


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DatasetEffects:
    """The comparisons of one precision on one dataset.

    Attributes:
        dataset: its name.
        models: the model of each comparison.
        counts: of the comparisons, by document.
        constants: shape ``(comparisons,)``, what the best constant answer scores.
        resampled: shape ``(resamples, comparisons, 2)``, scores of drawn documents.
    """

    dataset: str
    models: tuple[str, ...]
    counts: JointCounts
    constants: Floats
    resampled: Floats

    @classmethod
    def drawn(
        cls,
        dataset: str,
        models: Sequence[str],
        counts: JointCounts,
        constants: Sequence[float],
        bootstrap: Bootstrap,
        stream: int,
    ) -> DatasetEffects:
        """With the scores of drawn documents, see :meth:`~quantbench.statistics.JointCounts.resampled_scores`."""
        resampled = counts.resampled_scores(bootstrap, stream)
        return cls(dataset, tuple(models), counts, np.asarray(constants, dtype=np.float64), resampled)


@dataclass(frozen=True, slots=True)
class Worst:
    """The comparison with the largest loss; the interval holds for all comparisons of the pool at once."""

    model: str
    dataset: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class PooledEffect:
    """What a precision costs over a pool of comparisons, each counting the same.

    Attributes:
        full: mean score of full precision.
        score: mean score quantized.
        difference: the second minus the first; the interval is for these models on these datasets, other documents.
        general: the same for models and datasets like these; None where there are too few.
        recovery: quantized over full precision, mean score over mean score.
        recovery_above_chance: the same of what lies above the best constant answers.
        worst: the largest loss.
    """

    full: float
    score: float
    difference: Estimate
    general: RandomEffects | None
    recovery: Estimate
    recovery_above_chance: Estimate
    worst: Worst


def pooled_effect(pool: Sequence[DatasetEffects], bootstrap: Bootstrap) -> PooledEffect:
    """The effect over all comparisons of some datasets.

    Args:
        pool: the comparisons of each dataset, of samples that full precision answers better than the best constant answer does.
        bootstrap: how ``resampled`` was drawn; its confidence is that of all intervals.
    """
    observed = np.concatenate([of.counts.scores for of in pool])
    resampled = np.concatenate([of.resampled for of in pool], axis=1)
    drawn = resampled.mean(axis=1)
    means, constant = observed.mean(axis=0), float(np.concatenate([of.constants for of in pool]).mean())
    differences = observed[:, 1] - observed[:, 0]
    models = [model for of in pool for model in of.models]
    datasets = [of.dataset for of in pool for _ in of.models]
    at_once = simultaneous(resampled[..., 1] - resampled[..., 0], bootstrap.confidence)
    place = int(differences.argmin())
    reach = at_once.quantile * float(at_once.errors[place])
    lost = float(differences[place])
    return PooledEffect(
        full=float(means[0]),
        score=float(means[1]),
        difference=_estimate(means[1] - means[0], drawn[:, 1] - drawn[:, 0], bootstrap),
        general=random_effects(differences.tolist(), models, datasets, bootstrap.confidence),
        recovery=_estimate(means[1] / means[0], drawn[:, 1] / drawn[:, 0], bootstrap),
        recovery_above_chance=_estimate(
            (means[1] - constant) / (means[0] - constant),
            (drawn[:, 1] - constant) / (drawn[:, 0] - constant),
            bootstrap,
        ),
        worst=Worst(models[place], datasets[place], Estimate(lost, lost - reach, lost + reach)),
    )


def _estimate(value: float, drawn: Floats, bootstrap: Bootstrap) -> Estimate:
    """A number with the percentiles of its resamples."""
    tail = (1 - bootstrap.confidence) / 2
    low, high = (float(bound) for bound in np.quantile(drawn, [tail, 1 - tail]))
    return Estimate(float(value), min(low, float(value)), max(high, float(value)))
