"""A mean over models and datasets as one would see it with other models and datasets (docs/protocol.md#pooled-effects).

Each difference is the effect plus what is particular to its model, to its dataset and to the two together, plus the sampling error of
its documents, which the models of one dataset share in part. The variance of the mean is taken from how much the means of datasets, and
of models, differ among themselves, so that it holds whatever these parts are, sampling error included.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..tasks.metrics import Floats
from .student import student_quantile

Places = NDArray[np.intp]

# Two models agree too often by chance: the interval would then miss in 9 to 11 of 100 studies, with three in 5 or 6.
FEWEST_MODELS, FEWEST_DATASETS = 3, 2


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """A mean with the interval that it has for models and datasets like these.

    Attributes:
        mean: of the differences.
        low: end of the interval.
        high: end of the interval.
        degrees: of freedom, by Satterthwaite (1946, Biometrics Bulletin 2:110).
    """

    mean: float
    low: float
    high: float
    degrees: float


@dataclass(frozen=True, slots=True)
class _Part:
    """An estimated part of a variance, with its degrees of freedom."""

    variance: float
    degrees: float


def random_effects(
    differences: Sequence[float], models: Sequence[Hashable], datasets: Sequence[Hashable], confidence: float
) -> RandomEffects | None:
    """The mean with its interval, models and datasets being random effects; None with fewer than three models or two datasets.

    The variance is ``B + max(0, A - R)``: ``B`` from the datasets' means, ``A`` from the models' means, ``R`` from what is left when
    both are taken out. Where every model has every dataset these are mean squares of the two-way layout over the number of
    differences, and ``B + A - R`` is what the variance is estimated by without bias (Searle, Casella and McCulloch 1992,
    *Variance Components*, chapter 4; by clusters Cameron, Gelbach and Miller 2011, J Bus Econ Stat 29:238). The datasets' part always
    counts whole, since the sampling error that models share is in it; with a single model, or models that agree, the
    interval is that of Hartung and Knapp (2001, Stat Med 20:3875) over datasets. Where models and datasets are not fully crossed,
    each part is corrected for the unequal numbers as by Bell and McCaffrey (2002, Survey Methodology 28:169).

    Args:
        differences: one a model and dataset.
        models: the model of each.
        datasets: the dataset of each.
        confidence: of the interval.
    """
    values = np.asarray(differences, dtype=np.float64)
    of_model, of_dataset = (np.unique(np.asarray(names), return_inverse=True)[1] for names in (models, datasets))
    if of_model.max() + 1 < FEWEST_MODELS or of_dataset.max() + 1 < FEWEST_DATASETS:
        return None
    rest = values - values.mean()
    between, across, left = _between(rest, of_dataset), _between(rest, of_model), _left(rest, of_model, of_dataset)
    variance, doubt = between.variance, between.variance**2 / between.degrees
    if left is not None and across.variance > left.variance:
        variance += across.variance - left.variance
        doubt += across.variance**2 / across.degrees + left.variance**2 / left.degrees
    degrees = max(1.0, float(variance**2 / doubt)) if doubt else between.degrees
    reach = student_quantile((1 + confidence) / 2, degrees) * math.sqrt(variance)
    mean = float(values.mean())
    return RandomEffects(mean, mean - reach, mean + reach, degrees)


def _between(rest: Floats, cluster: Places) -> _Part:
    """The variance of the mean that clusters make, from their sums; degrees of freedom as if nothing but clusters varied."""
    sizes = np.bincount(cluster).astype(np.float64)
    n = sizes.sum()
    # Effects of clusters, independent and of one variance, make these sums of deviations from the mean.
    makes = np.diag(sizes) - np.outer(sizes, sizes) / n
    squared = makes.T @ makes
    expected = float(np.trace(squared))
    sums = np.bincount(cluster, weights=rest)
    return _Part(
        float((sums**2).sum()) / expected * float((sizes**2).sum()) / n**2, expected**2 / float((squared**2).sum())
    )


def _left(rest: Floats, of_model: Places, of_dataset: Places) -> _Part | None:
    """The variance of the mean that differences make which neither model nor dataset explains; None where nothing is left over."""
    design = np.concatenate([np.eye(of_model.max() + 1)[of_model], np.eye(of_dataset.max() + 1)[of_dataset]], axis=1)
    solved, _, rank, _ = np.linalg.lstsq(design, rest, rcond=None)
    degrees = len(rest) - int(rank)
    if not degrees:
        return None
    return _Part(float(((rest - design @ solved) ** 2).sum()) / degrees / len(rest), float(degrees))
