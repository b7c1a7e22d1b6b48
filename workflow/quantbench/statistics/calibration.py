"""Are probabilities of options what they claim? Calibration error, Brier's score and the bins of a reliability diagram.

Guo et al. 2017 ("On calibration of modern neural networks") compare in each of some bins how sure a model was with how often it was
right. Their expected calibration error (ECE) is biased upwards: in finite bins even a perfectly calibrated model seems to be off
(Kumar et al. 2019; Roelofs et al. 2022). So what such a model would have shown on as many samples is reported beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..tasks.metrics import Counts, Floats
from .bootstrap import Bootstrap, resampled_sums
from .document_means import Estimate

BINS = 10
# Draws of a perfectly calibrated model: enough for the mean and the last few percent of their errors.
CALIBRATED_DRAWS = 400
# Of an error beside which its bias is told, more resamples would tell no more, and a run has hundreds of them.
MOST_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class OptionShares:
    """The options of some samples as shares of one another, and which of them is right.

    Attributes:
        logarithms: shape (samples, options), natural logarithms of shares that add up to 1 in each sample; ``-inf`` where a sample
            has fewer options.
        gold: shape (samples,), the place of the right one.
    """

    logarithms: Floats
    gold: Counts

    @classmethod
    def of(cls, log_probabilities: Floats, gold: Counts) -> OptionShares:
        """Softmax over the options of each sample, of log-probabilities that need not add up to anything."""
        raised = log_probabilities - log_probabilities.max(axis=1, keepdims=True)
        return cls(raised - np.log(np.exp(raised).sum(axis=1, keepdims=True)), gold)

    @property
    def gold_losses(self) -> Floats:
        """Negative log-likelihood of the right option in nats, shape (samples,)."""
        losses: Floats = -self.logarithms[np.arange(len(self.gold)), self.gold]
        return losses

    @property
    def brier_scores(self) -> Floats:
        """Brier's score of several classes (Brier 1950): squared distance to the right answer, 0 to 2, shape (samples,)."""
        shares = np.exp(self.logarithms)
        right = shares[np.arange(len(self.gold)), self.gold]
        scores: Floats = (shares**2).sum(axis=1) - 2 * right + 1
        return scores

    @property
    def favourites(self) -> Counts:
        """The place of the likeliest option, the first of equals, shape (samples,)."""
        favourites: Counts = self.logarithms.argmax(axis=1)
        return favourites

    @property
    def confidences(self) -> Floats:
        """The share of the likeliest option, shape (samples,)."""
        confidences: Floats = np.exp(self.logarithms.max(axis=1))
        return confidences

    @property
    def margins(self) -> Floats:
        """Log-odds of the likeliest option to the runner-up, in nats, shape (samples,); needs two options a sample."""
        two = np.partition(self.logarithms, -2, axis=1)[:, -2:]
        margins: Floats = two[:, 1] - two[:, 0]
        return margins


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """An expected calibration error, and the mean one of a perfectly calibrated model on as many samples."""

    error: Estimate
    if_calibrated: float


@dataclass(frozen=True, slots=True)
class Confidences:
    """How sure a model was of some answers, and whether they hold; arrays of shape (samples,)."""

    confidence: Floats
    holds: NDArray[np.bool_]
    groups: Sequence[str]

    def binned(self, places: Counts) -> Floats:
        """What each document adds to each bin: samples, confidence and how many hold, shape (documents, 3, bins)."""
        names, members = np.unique(np.asarray(self.groups, dtype=str), return_inverse=True)
        bins = int(places.max(initial=0)) + 1
        cells = members * bins + places
        weights = (np.ones(len(places)), self.confidence, self.holds.astype(np.float64))
        sums = [np.bincount(cells, weights=weight, minlength=len(names) * bins) for weight in weights]
        return np.stack([one.reshape(len(names), bins) for one in sums], axis=1)

    def calibration_error(self, places: Counts, bootstrap: Bootstrap) -> CalibrationError:
        """ECE of the samples put into bins (``places``, shape (samples,)), with an interval over documents.

        Resampling adds as much noise to the bins as sampling did, so that resampled errors are too large by once the bias of the
        error itself and once more by their own. The interval is that of the resampled errors, moved down by both, and cut at 0; so
        it is of the error without bias, and can lie below the value. Its lower end is 0 wherever a perfectly calibrated model
        would have shown an error as large often enough.
        """
        rows = self.binned(places)
        value = float(_error(rows.sum(axis=0)))
        calibrated = self._errors_if_calibrated(places, bootstrap.seed)
        expected = float(calibrated.mean())
        if len(rows) < 2:
            return CalibrationError(Estimate(value), expected)
        tail = (1 - bootstrap.confidence) / 2
        fewer = replace(bootstrap, resamples=min(bootstrap.resamples, MOST_RESAMPLES))
        resampled = _error(resampled_sums(rows, fewer))
        low, high = np.quantile(resampled, [tail, 1 - tail]) - 2 * max(0.0, float(resampled.mean()) - value)
        if value <= np.quantile(calibrated, 1 - tail):
            low = 0.0
        return CalibrationError(Estimate(value, max(0.0, float(low)), max(0.0, float(high))), expected)

    def _errors_if_calibrated(self, places: Counts, seed: int) -> Floats:
        """Drawn errors of a model as sure as this one, and right as often as it is sure (Broecker and Smith 2007)."""
        held = np.random.default_rng(seed).random((CALIBRATED_DRAWS, len(places))) < self.confidence
        bins = np.eye(int(places.max(initial=0)) + 1)[places]
        errors: Floats = np.abs(held @ bins - self.confidence @ bins).sum(axis=1) / len(places)
        return errors


def equal_width(confidence: Floats, bins: int = BINS) -> Counts:
    """The bin of each sample, of bins that part 0 to 1 evenly and hold their upper end (Guo et al. 2017)."""
    places: Counts = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return places


def equal_mass(confidence: Floats, bins: int = BINS) -> Counts:
    """The bin of each sample, of bins with about as many samples each; equal confidences share one (Nguyen and O'Connor 2015)."""
    inner = np.quantile(confidence, np.arange(1, bins) / bins)
    return np.unique(np.searchsorted(inner, confidence, side="left"), return_inverse=True)[1]


def _error(sums: Floats) -> Floats:
    """ECE of sums of shape ``(..., 3, bins)``, as :meth:`Confidences.binned` has them."""
    gaps = np.abs(sums[..., 2, :] - sums[..., 1, :]).sum(axis=-1)
    error: Floats = gaps / sums[..., 0, :].sum(axis=-1)
    return error
