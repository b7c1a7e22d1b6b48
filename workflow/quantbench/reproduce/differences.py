"""How far a score may lie from the published one by chance (docs/reproduction.md#the-interval-of-a-difference).

The published value is itself one run, over a test set that is known. So two kinds of chance have to be told apart:

- **Items.** A run over the whole test set has answered the questions that the paper's run had answered. Which questions these
  happen to be shifts both scores alike and is no part of their difference. A run over n of N items knows the score on all N
  only up to the items left out: the variance of a sample without replacement, (1 - n/N) times that of one with replacement, which
  the bootstrap estimates (Cochran 1977, "Sampling Techniques", section 2.6).
- **Answers.** Where answers are sampled, another run over the same questions scores otherwise, and neither run shares its
  draws with the other. The spread of one run is measured where this run repeated its sampled cells. Where it did not, it is
  unknown but bounded: by the law of total variance the part of a score's variance that comes from drawing answers is at most the
  whole, which is what the bootstrap over items and their answers estimates. The bound is generous where the published answers
  were greedy, whose only noise is arithmetic on other hardware.

The parts are independent, so their distances to the ends of the interval add in squares (Newcombe 1998; Zou and Donner 2008,
"Construction of confidence limits about effect measures: a general approach"). The last half unit of the published figure,
which is rounded to three decimals, is added to both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..contracts.run_tables import CellRow
from ..statistics import student_quantile

# Table 1 gives scores with three decimals.
ROUNDING = 0.0005


@dataclass(frozen=True, slots=True)
class AnswerNoise:
    """The standard deviation of one run's score over draws of its answers, as estimated from repeats.

    Attributes:
        sd: in units of the score (0 to 1).
        degrees: degrees of freedom of the estimate, 1 or more.
    """

    sd: float
    degrees: int

    def reach(self, confidence: float) -> float:
        """Half the width of the interval of one run's score, Student's t taking care of how few repeats there are."""
        return student_quantile((1 + confidence) / 2, self.degrees) * self.sd


@dataclass(frozen=True, slots=True)
class Scored:
    """A score as published, of one cell of a run.

    Attributes:
        value: between 0 and 1; where answers were repeated, that of the first time.
        low: end of its bootstrap interval.
        high: the other end.
        items: samples it is of.
        sampled: whether answers are drawn, so that another run would give others.
    """

    value: float
    low: float
    high: float
    items: int
    sampled: bool = False


def pooled_noise(rows: Sequence[CellRow]) -> AnswerNoise | None:
    """What the repeats of some cells say together: variances weighed by degrees of freedom, one less than repeats.

    Meant for one model on one dataset at several precisions: three repeats of one cell tell a spread only roughly, and precision
    changes it little. None: no cell was repeated.
    """
    repeated = [
        (row.repeats - 1, row.score_as_published_sd)
        for row in rows
        if row.repeats > 1 and row.score_as_published_sd is not None
    ]
    degrees = sum(freedom for freedom, _ in repeated)
    if not degrees:
        return None
    return AnswerNoise(math.sqrt(math.fsum(freedom * sd**2 for freedom, sd in repeated) / degrees), degrees)


def difference_interval(
    ours: Scored, published: float, test_items: int | None, noise: AnswerNoise | None, confidence: float
) -> tuple[float, float]:
    """The interval of ``ours`` minus the published score, by the module's reasoning.

    If the run repeats what the paper did, the interval holds 0 in ``confidence`` of all cases, and in more of them where the noise
    of answers is only bounded.

    Args:
        ours: the run's score under the published convention.
        published: the paper's score.
        test_items: items of the paper's test set; None: not known, and then none is taken as shared.
        noise: of one run's answers, estimated from repeats; None: not repeated, and bounded by the bootstrap interval.
        confidence: of the interval, that of ``ours.low`` and ``ours.high`` too.

    Returns:
        low and high end, in units of the score.
    """
    # A percentile interval of a mean over rare strings is not centred on the value: each side is half its width at least.
    half = (ours.high - ours.low) / 2
    below, above = max(half, ours.value - ours.low), max(half, ours.high - ours.value)
    missing = 1.0 if not test_items else max(0.0, 1 - ours.items / test_items)
    items_below, items_above = math.sqrt(missing) * below, math.sqrt(missing) * above
    if noise is None:
        # The published score's reach is mirrored: where it is high by chance, the difference is low. Ours has none of its own where its
        # answers are always the same.
        low = math.hypot(items_below, above, below if ours.sampled else 0.0)
        high = math.hypot(items_above, below, above if ours.sampled else 0.0)
    else:
        of_each = noise.reach(confidence)
        answers = math.hypot(of_each, of_each if ours.sampled else 0.0)
        low, high = math.hypot(items_below, answers), math.hypot(items_above, answers)
    difference = ours.value - published
    return difference - low - ROUNDING, difference + high + ROUNDING
