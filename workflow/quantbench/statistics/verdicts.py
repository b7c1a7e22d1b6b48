"""What an interval of a difference says of full precision's score (docs/protocol.md#verdicts)."""

from __future__ import annotations

from ..contracts.run_tables import Verdict
from ..tasks.metrics import Metric

# Verdicts that say nothing of a precision and belong to no count of verdicts.
UNCOUNTED: tuple[Verdict, ...] = ("at chance", "too few")
# Fewer documents than this are too few for any verdict but "too few" (docs/protocol.md#verdicts gives the reason).
FEWEST_UNITS = 20


def verdict(low: float, high: float, margin: float, *, few: bool = False, chance: bool = False) -> Verdict:
    """Judge the interval of a score's difference, quantized minus full precision, against the largest loss that is negligible.

    A test that is not significant never makes a score preserved.

    Args:
        low: end of the interval.
        high: end of the interval.
        margin: largest loss of score that is still called preserved, above 0.
        few: there are too few documents to tell, whatever the interval (:func:`too_few`).
        chance: full precision has nothing to lose (:func:`at_chance`).
    """
    if few:
        return "too few"
    if chance:
        return "at chance"
    if high < -margin:
        return "degraded"
    if low > 0:
        return "improved"
    if low > -margin:
        return "preserved"
    return "worse, extent open" if high < 0 else "inconclusive"


def too_few(units: int) -> bool:
    """Whether so many documents are too few for a verdict."""
    return units < FEWEST_UNITS


def at_chance(full_low: float, constant: float, metric: Metric) -> bool:
    """Whether full precision is not shown to know more than an answer that is the same for every sample: it has nothing to lose.

    Args:
        full_low: lower end of the interval of full precision's score.
        constant: the score of the best constant answer.
        metric: which has a floor where no constant answer can score.
    """
    return full_low <= max(constant, metric.floor)
