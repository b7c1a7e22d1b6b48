"""Shares of a simulation with their Monte Carlo errors, and which of them lie outside their limits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted.

    Attributes:
        what: in words, a key of :data:`LIMITS`.
        dataset: its name, or what stands for all.
        flips: the share of answers that differ.
        way: ``before`` or ``after``.
    """

    what: str
    dataset: str
    flips: float
    way: str


@dataclass(frozen=True, slots=True)
class Found:
    """One answer to a question; those of one study are not independent."""

    asked: Asked
    study: int
    hit: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a share should lie; None: any will do, and is told for its own sake.

    A coverage above its limits is of intervals wider than they need be, as of few changes they are; it misleads nobody.
    """

    low: float | None = None
    high: float | None = None

    def broken(self, share: float, error: float) -> bool:
        """Whether a share claims too much: it lies outside by more than three of its errors."""
        if self.low is not None:
            return share < self.low - 3 * error
        return self.high is not None and share > self.high + 3 * error

    def wide(self, share: float, error: float) -> bool:
        """Whether intervals are wider than they need be, by the same rule."""
        return self.low is not None and self.high is not None and share > self.high + 3 * error


_COVERAGE, _ALARMS, _MISSED, _ANY = Limits(0.93, 0.97), Limits(high=0.06), Limits(high=0.05), Limits()
LIMITS = {
    "interval of a score covers it": _COVERAGE,
    "no loss: interval covers 0": _COVERAGE,
    "no loss: test has p < .05": _ALARMS,
    "no loss: called degraded, worse or improved": _ALARMS,
    "no loss: called preserved": _ANY,
    "no loss: any test of the study after Holm": _ALARMS,
    "no loss: interval of the largest loss excludes 0": _ALARMS,
    "no loss: pooled interval (these) covers 0": _COVERAGE,
    "no loss: pooled interval (like these) covers 0": _COVERAGE,
    "no loss: pooled effect (these) called preserved": _ANY,
    "no loss: pooled effect (like these) called preserved": _ANY,
    "no loss: interval of the recovery covers 100%": _COVERAGE,
    "loss of the margin: interval covers it": _COVERAGE,
    "loss of the margin: called preserved": _MISSED,
    "loss of the margin: pooled interval (these) covers it": _COVERAGE,
    "loss of the margin: pooled interval (like these) covers it": _COVERAGE,
    "loss of the margin: pooled effect (these) called preserved": _MISSED,
    "loss of the margin: pooled effect (like these) called preserved": _MISSED,
}


@dataclass(slots=True)
class Share:
    """How often, study by study."""

    hits: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    trials: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, found: Found) -> None:
        """Count one answer."""
        self.hits[found.study] += found.hit
        self.trials[found.study] += 1

    @property
    def value(self) -> float:
        """The share of all."""
        return sum(self.hits.values()) / sum(self.trials.values())

    @property
    def error(self) -> float:
        """Its standard error, studies being independent; at least that of one hit more and one miss more."""
        n, studies = sum(self.trials.values()), len(self.trials)
        share, smoothed = self.value, (sum(self.hits.values()) + 1) / (n + 2)
        least = math.sqrt(smoothed * (1 - smoothed) / n)
        if studies == 1:
            return least
        squares = sum((self.hits[study] - share * self.trials[study]) ** 2 for study in self.trials)
        return max(least, math.sqrt(studies / (studies - 1) * squares) / n)


def tallied(answers: Iterable[Found]) -> dict[Asked, Share]:
    """All answers by question."""
    shares: dict[Asked, Share] = defaultdict(Share)
    for found in answers:
        shares[found.asked].add(found)
    return dict(shares)
