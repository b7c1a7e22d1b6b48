"""Two cells on the same samples: difference, test, flips (docs/protocol.md#comparisons)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..tasks.metrics import Counts, Floats, Metric
from .bootstrap import Bootstrap, resampled_sums, sum_by_group
from .intervals import check_pair
from .student import stretched_reach

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """A quantized cell against its reference, in units of the score (0 to 1).

    ``units`` documents, or whatever was drawn, are behind it, and ``degrees`` of freedom behind the interval; ``smallest_detectable`` is the difference found with 80% power.
    """

    difference: float
    low: float
    high: float
    smallest_detectable: float
    units: int
    degrees: int

    @property
    def supported_margin(self) -> float:
        """The smallest margin by which this interval would be called preserved; it must be above this number."""
        return max(0.0, -self.low)

    def units_needed(self, margin: float) -> int:
        """How many documents would show with 80% power that no more than ``margin`` is lost, where nothing is.

        An interval whose middle scatters around 0 lies above ``-margin`` with 80% power where ``margin`` is ``z(1 - alpha/2) + z(0.8)``
        standard errors (Julious 2004, Statistics in Medicine 23:1921), the smallest detectable difference; and the error of
        documents that change as these do falls with the root of their number.
        """
        return math.ceil(self.units * (self.smallest_detectable / margin) ** 2)


def compare(
    reference: Counts | Floats, other: Counts | Floats, groups: Sequence[str], metric: Metric, bootstrap: Bootstrap
) -> Comparison:
    """Return ``other - reference`` with its paired bootstrap interval, documents being the resampling unit.

    When almost no answer changed, a plain bootstrap knows nothing of the changes it did not happen to see: without any
    flip its interval has width 0 for 20 documents as for 20,000. So two average documents join the pool, one lost and one
    gained: for accuracy of one sample a document this is the add-one rule of Bonett and Price (2012, "Adjusted Wald confidence
    interval for a difference of binomial proportions based on paired data"). How much of a document is lost follows from those that
    changed (:func:`_lost_share`): all of it where none did. Without a flip the interval is then about -3/n to 3/n of n documents
    (the "rule of three"). The difference itself is not adjusted.

    The ends are percentiles beyond the usual ones, as Student's t lies beyond the normal distribution, for what few documents leave
    unknown of their own spread (Hesterberg 2015, *What teachers should know about the bootstrap*, American Statistician 69:371).
    The degrees of freedom follow from how unlike the documents are (:func:`_degrees`). The end on the side of the longer tail lies
    further out still, since a plain percentile answers to skewness only in part (:func:`_reaches`).

    The smallest detectable difference is the one found with 80% power at this confidence,
    ``(z(1 - alpha/2) + z(0.8)) x standard error``, the error being that of the resampled differences.

    Args:
        reference: counts at full precision, shape ``(n, labels, 3)``, as for :func:`interval_of_counts`; of MEAN_SCORE, parts of samples.
        other: counts of the quantized cell on the same samples in the same order.
        groups: source document of each sample, length ``n``.
        metric: what the counts are scored by.
        bootstrap: resamples, seed and confidence.

    Raises:
        DataError: no samples, or shapes that differ.
    """
    check_pair(reference, other, groups)
    pair = np.stack([reference, other], axis=1)
    observed = _difference(pair.sum(axis=0), metric)
    documents: Floats = sum_by_group(pair.astype(np.float64), groups)
    rows = np.concatenate([documents, lost_and_gained(documents)])
    differences = _difference(resampled_sums(rows, bootstrap), metric)
    contributions = _contributions(documents, metric)
    degrees = _degrees(documents, contributions)
    below, above = _reaches(bootstrap.confidence, degrees, _skewness(contributions, len(documents)))
    low, high = np.quantile(differences, [NormalDist().cdf(-below), NormalDist().cdf(above)])
    return Comparison(
        difference=float(observed),
        low=float(min(low, observed)),
        high=float(max(high, observed)),
        smallest_detectable=float(reach_of(bootstrap.confidence) * differences.std(ddof=1)),
        units=len(documents),
        degrees=degrees,
    )


def reach_of(confidence: float) -> float:
    """How many standard errors a difference must be from a bound to be told from it with 80% power by an interval of this confidence."""
    return NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(POWER)


def mcnemar_exact(lost: int, gained: int) -> float:
    """Return the two-sided exact p of McNemar's test (McNemar 1947): is loss as likely as gain among changed samples?

    Args:
        lost: samples right at full precision and wrong in the quantized cell.
        gained: the other way round.
    """
    n, tail, ways = lost + gained, 0, 1
    # Whole numbers, so that the sum of the smaller tail is exact however many samples changed.
    for k in range(min(lost, gained) + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down method (Holm 1979), in the order given.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none may fall below the one before it.
    """
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def holm_by_family(p_values: Sequence[float], families: Sequence[Hashable]) -> list[float]:
    """Return p values corrected by :func:`holm`, each for those of its own family, in the order given.

    Args:
        p_values: of n tests.
        families: of each, length n.
    """
    corrected, places = [0.0] * len(p_values), dict[Hashable, list[int]]()
    for place, family in enumerate(families):
        places.setdefault(family, []).append(place)
    for of_family in places.values():
        for place, p in zip(of_family, holm([p_values[place] for place in of_family]), strict=True):
            corrected[place] = p
    return corrected


def _difference(pair: Counts | Floats, metric: Metric) -> Floats:
    """Score of the second minus the first of ``pair``, shape ``(..., 2, labels, 3)``."""
    scores = metric.values(pair)
    difference: Floats = scores[..., 1] - scores[..., 0]
    return difference


def lost_and_gained(documents: Floats) -> Floats:
    """An average document of which only the reference gets a share right, and one of which only the other does.

    Args:
        documents: shape ``(documents, 2, labels, 3)``, counts of the reference and the other.

    Returns:
        shape ``(2, 2, labels, 3)``; what is not lost is right in both.
    """
    support = (documents[:, 0, :, 0] + documents[:, 0, :, 2]).mean(axis=0)
    lost = support * _lost_share(documents)
    whole = np.stack([support, np.zeros_like(support), np.zeros_like(support)], axis=-1)
    part = np.stack([support - lost, np.zeros_like(support), lost], axis=-1)
    return np.stack([np.stack([whole, part]), np.stack([part, whole])])


def _lost_share(documents: Floats) -> float:
    """How much of a document changes where it changes: of those that did, and one more of average size that changed wholly."""
    change = np.abs(documents[:, 1] - documents[:, 0]).sum(axis=(1, 2))
    size = documents.sum(axis=(1, 2, 3))
    average = max(float(size.mean()), 1.0)
    return float((average + change.sum()) / (average + size[change > 0].sum()))


def _contributions(documents: Floats, metric: Metric) -> Floats:
    """What the difference loses without a document (the jackknife), of those that changed; others contribute next to nothing."""
    total = documents.sum(axis=0)
    changed = documents[(documents[:, 0] != documents[:, 1]).any(axis=(1, 2))]
    contributions: Floats = _difference(total, metric) - _difference(total - changed, metric)
    return contributions


def _degrees(documents: Floats, contributions: Floats) -> int:
    """How many degrees of freedom the spread of the difference is known with, at least 1: the fewer of two numbers."""
    return max(1, int(min(_degrees_by_change(contributions, len(documents) - 1), _degrees_by_size(documents))))


def _degrees_by_change(contributions: Floats, most: int) -> float:
    """Degrees of freedom by how unlike the changed documents' contributions are, ``most`` where they are alike.

    Satterthwaite's (1946) for a sum of squares, ``2 / (sum d^4 / (sum d^2)^2 - 1/m)`` for contributions ``d`` of m documents: about m where
    they are distributed normally, and fewer where a few documents, such as long ones or those of a rare label, move the score more than
    all others. Where all move it alike, nothing is unknown but how many do, which the two documents that join the pool stand for.
    """
    squares = contributions**2
    if not squares.any():
        return most
    unlike = float((squares**2).sum()) / float(squares.sum()) ** 2 - 1 / len(squares)
    return most if unlike * most <= 2 else 2 / unlike


def _degrees_by_size(documents: Floats) -> float:
    """Degrees of freedom by how unequal the documents are, whatever changed: n - 1 of n alike ones.

    A long document that did not change says nothing in :func:`_degrees_by_change`, and another sample of documents would have it change.
    So the number is also computed from the design, as Bell and McCaffrey (2002, *Survey Methodology* 28:169) do, under a working model in
    which a document changes the score by a normal variable of standard deviation proportional to its gold answers ``g``, as where
    answers change together: Satterthwaite's is then ``(sum g^2)^2 / sum g^4``.
    """
    squares = (documents[:, 0, :, 0] + documents[:, 0, :, 2]).sum(axis=1) ** 2
    most = float(len(documents) - 1)
    return min(most, float(squares.sum()) ** 2 / float((squares**2).sum())) if squares.any() else most


def _skewness(contributions: Floats, documents: int) -> float:
    """Skewness of the sum of so many documents' contributions, -1 to 1; those not given contribute nothing."""
    apart = np.concatenate([contributions, np.zeros(documents - len(contributions))])
    apart -= apart.mean()
    spread = float((apart**2).sum())
    return float((apart**3).sum()) / spread**1.5 if spread else 0.0


def _reaches(confidence: float, degrees: int, skewness: float) -> tuple[float, float]:
    """How far below and above an interval reaches, as quantiles of the normal distribution by which resamples are cut off.

    Both ends reach as far as Student's t instead of the normal quantile z. Of a skewed sum the percentile on the side of the longer tail
    is too near by ``|skewness| (z^2 + 2) / 6``: Efron's (1987, "Better bootstrap confidence intervals", JASA 82:171) correction
    of bias and of acceleration, both a sixth of the skewness, to first order. The other end would move nearer by as much;
    it stays, since skewness is the least certain of what few changed documents tell.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    stretched = stretched_reach(confidence, degrees)
    further = stretched * (1 + abs(skewness) * (z + 2 / z) / 6)
    return (further, stretched) if skewness < 0 else (stretched, further)
