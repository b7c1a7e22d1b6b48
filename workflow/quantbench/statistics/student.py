"""Quantiles of Student's t distribution, for degrees of freedom that need not be whole, and the tails of resamples they widen."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np

from ..tasks.metrics import Floats

# Points at which the density is added up where it has no closed integral; enough for 1e-10.
_NODES = 400


@cache
def student_quantile(probability: float, degrees: float) -> float:
    """The quantile of Student's t distribution, by bisection to 1e-12 of its value.

    The distribution function is its closed form for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4), and else the
    integral behind it, of a power of the cosine, by Gauss and Legendre's rule.

    Raises:
        ValueError: ``probability`` lies outside 0 to 1 or at an end, or ``degrees`` is less than 1.
    """
    if not 0 < probability < 1 or degrees < 1:
        raise ValueError(f"no quantile of t at {probability} with {degrees} degrees of freedom")
    share_within = _closed_share if float(degrees).is_integer() else _integrated_share
    inside = abs(2 * probability - 1)  # the share between the two quantiles that lie as far from 0
    low, high = 0.0, 1.0
    while share_within(high, degrees) < inside:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if share_within(middle, degrees) < inside else (low, middle)
    return math.copysign(high, probability - 0.5) if inside else 0.0


def stretched_reach(confidence: float, degrees: float) -> float:
    """How far an interval of resamples reaches, as the quantile of the normal distribution by which they are cut off; see :func:`expanded_interval`."""
    return math.sqrt((degrees + 1) / degrees) * student_quantile((1 + confidence) / 2, degrees)


def expanded_interval(resampled: Floats, degrees: int, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of resampled numbers, widened for few documents.

    Percentiles are too narrow where little was drawn from: the spread of resamples lacks the factor ``sqrt(n / (n - 1))``, and
    the normal quantile stands where Student's should. The expanded percentile interval takes both into its tails
    (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", Am Stat 69:371, section 4.2).

    Args:
        resampled: shape ``(resamples,)``.
        degrees: of freedom, 1 or more: of n documents at most ``n - 1``.
        confidence: of the interval.
    """
    tail = NormalDist().cdf(-stretched_reach(confidence, degrees))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


def _closed_share(t: float, degrees: float) -> float:
    """How much of the t distribution lies between -t and t, for whole degrees."""
    angle = math.atan(t / math.sqrt(degrees))
    odd = int(degrees) % 2
    term = math.cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(2 + odd, int(degrees) - 1, 2):
        term *= (step - 1) / step * math.cos(angle) ** 2
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def _integrated_share(t: float, degrees: float) -> float:
    """The same for any degrees: the integral of ``cos(angle) ** (degrees - 1)`` up to ``atan(t / sqrt(degrees))``."""
    nodes, weights = _rule()
    angle = math.atan(t / math.sqrt(degrees))
    points = angle / 2 * (nodes + 1)
    integral = angle / 2 * float(weights @ np.cos(points) ** (degrees - 1))
    log_half_beta = math.lgamma(0.5) + math.lgamma(degrees / 2) - math.lgamma((degrees + 1) / 2) - math.log(2)
    return integral / math.exp(log_half_beta)


@cache
def _rule() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
