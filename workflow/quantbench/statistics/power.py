"""What a comparison of a given size will be able to decide, before it is run (docs/protocol.md#power)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from .paired import reach_of
from .verdicts import RARE_UNITS, too_few

# F1 of a label before anything changed, which decides how much one changed answer moves it; between .4 and .8 the error varies by 7%.
USUAL_F1 = 0.6


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How large a test set is, as far as a comparison rests on it.

    Attributes:
        samples: of the run.
        units: how many documents they are from, or whatever is taken as independent.
        support: samples (of entities: mentions) whose gold answer has each label that the score averages over; of a share of samples
            answered right, the samples.
        averages: whether the score is a mean over labels of F1 (``macro_f1``), F1 of all (``entity_f1``) or a share (``accuracy``).
    """

    samples: int
    units: int
    support: tuple[int, ...]
    metric: str

    @property
    def answers(self) -> float:
        """How many independent answers, each of equal weight, would tell as much.

        A label's F1 is moved by ``(2 - F) / 2N`` where one of its N answers becomes wrong, and by ``F / 2N`` where it is given in vain (the
        derivatives of ``2 tp / (2 tp + fp + fn)`` where as many answers are given as there are); a mean of K labels by that over K.
        """
        per_label = sum(1 / count for count in self.support if count) / len(self.support) ** 2
        weight = 1.0 if self.metric == "accuracy" else (1 - USUAL_F1 / 2) ** 2 + (USUAL_F1 / 2) ** 2
        return 1 / (per_label * weight)

    @property
    def too_few(self) -> bool:
        """Whether a comparison of this size has no verdict; a label's documents are as many as its samples, or all there are."""
        rare = sum(min(count, self.units) < RARE_UNITS for count in self.support) if self.metric == "macro_f1" else 0
        return too_few(self.units, len(self.support), rare)

    def limited(self, limit: int | None) -> SampleSize:
        """What a stratified sample of at most so many samples leaves; its documents are those that it meets on average."""
        if limit is None or limit >= self.samples:
            return self
        share = limit / self.samples
        met = self.units * (1 - (1 - share) ** (self.samples / self.units))
        support = tuple(max(1, round(share * count)) for count in self.support)
        return SampleSize(limit, max(1, round(met)), support, self.metric)


@dataclass(frozen=True, slots=True)
class Power:
    """What a comparison decides where a share ``changed`` of the answers is other than at full precision.

    ``smallest`` is the smallest loss that is found, and the smallest margin within which a score that loses nothing is called
    preserved, each with 80% power; ``preserved`` is the probability of that verdict, with nothing lost, at the margin that holds.
    """

    changed: float
    smallest: float
    preserved: float
    samples_needed: int


def foresee(size: SampleSize, changed: float, margin: float, confidence: float) -> Power:
    """Foresee a comparison in which answers are lost and gained alike, each independently of the others of its document.

    The variance of the difference is that of Bonett and Price (2012), the two documents that join the pool included, as in
    :func:`~quantbench.statistics.compare`; the power is that of a one-sided test against the margin (Julious 2004, Statistics in
    Medicine 23:1921, section 5).

    Args:
        size: the size of the test set.
        changed: share of the answers that become wrong or right, 0 to 1.
        margin: largest loss that is still called preserved.
        confidence: of the interval.
    """
    error, reach = _standard_error(size, changed), reach_of(confidence)
    smallest = reach * error
    beyond = NormalDist().inv_cdf((1 + confidence) / 2)
    return Power(
        changed=changed,
        smallest=smallest,
        preserved=0.0 if size.too_few else NormalDist().cdf(margin / error - beyond),
        samples_needed=math.ceil(size.samples * (smallest / margin) ** 2),
    )


def _standard_error(size: SampleSize, changed: float) -> float:
    per_unit = size.samples / size.units
    with_change = size.units * (1 - (1 - changed) ** per_unit)
    lost_share = (1 + size.units * changed) / (1 + with_change)
    joined = 2 * (lost_share / (size.units + 2)) ** 2
    return math.sqrt(changed / size.answers * (size.units / (size.units + 2)) ** 2 + joined)
