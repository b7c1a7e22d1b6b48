"""Losses, Brier's score and calibration error against scikit-learn, scipy and plain sums."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import brier_score_loss, log_loss

from quantbench.statistics import Bootstrap, Confidences, OptionShares, equal_mass, equal_width

EXACT = {"abs": 1e-9}
FEW = Bootstrap(300, seed=4)


def shares_of(options: int, n: int = 300) -> OptionShares:
    generator = np.random.default_rng(options)
    logs = generator.normal(-3, 2, (n, options))
    return OptionShares.of(logs, generator.integers(0, options, n))


def confidences(n: int = 1000, temperature: float = 1.0, documents: int | None = None) -> Confidences:
    """How sure a model is that is right as often as another of this temperature would claim."""
    generator = np.random.default_rng(11)
    odds = np.abs(generator.normal(0, 1.5, n))
    right = generator.random(n) < 1 / (1 + np.exp(-odds / temperature))
    return Confidences(1 / (1 + np.exp(-odds)), right, [str(k % (documents or n)) for k in range(n)])


def plain_error(found: Confidences, edges: list[float]) -> float:
    """ECE bin by bin, each holding its upper edge."""
    error = 0.0
    for low, high in pairwise(edges):
        inside = [k for k, sure in enumerate(found.confidence) if low < sure <= high]
        if inside:
            accuracy = sum(found.holds[k] for k in inside) / len(inside)
            error += (
                len(inside)
                / len(found.confidence)
                * abs(accuracy - sum(found.confidence[k] for k in inside) / len(inside))
            )
    return error


def test_options_are_shares_of_one_another() -> None:
    logs = np.array([[-1.0, -3.0, -np.inf], [-700.0, -701.0, -702.0]])
    found = OptionShares.of(logs, np.array([0, 2]))
    assert found.logarithms == pytest.approx(log_softmax(logs, axis=1), **EXACT)


@pytest.mark.parametrize("options", [2, 5])
def test_losses_are_those_of_scikit_learn(options: int) -> None:
    found = shares_of(options)
    shares, places = np.exp(found.logarithms), list(range(options))
    assert found.gold_losses.mean() == pytest.approx(log_loss(found.gold, shares, labels=places), **EXACT)
    brier = brier_score_loss(found.gold, shares, labels=places, scale_by_half=False)
    assert found.brier_scores.mean() == pytest.approx(brier, **EXACT)


def test_of_two_options_brier_is_twice_the_squared_error() -> None:
    found = shares_of(2)
    of_second = np.exp(found.logarithms[:, 1])
    assert found.brier_scores.mean() == pytest.approx(2 * brier_score_loss(found.gold, of_second), **EXACT)


def test_an_option_that_is_not_offered_changes_nothing() -> None:
    three = shares_of(3)
    padded = OptionShares.of(np.pad(three.logarithms, ((0, 0), (0, 2)), constant_values=-np.inf), three.gold)
    for name in ("gold_losses", "brier_scores", "confidences", "margins"):
        assert getattr(padded, name) == pytest.approx(getattr(three, name), **EXACT)


def test_a_margin_is_log_odds() -> None:
    found = OptionShares.of(np.log([[0.6, 0.3, 0.1]]), np.array([1]))
    assert found.margins == pytest.approx([np.log(2)], **EXACT)
    assert (found.favourites[0], found.confidences[0]) == (0, pytest.approx(0.6))


def test_bins_of_equal_width_hold_their_upper_end() -> None:
    assert equal_width(np.array([0.0, 0.05, 0.1, 0.1001, 0.55, 1.0])).tolist() == [0, 0, 0, 1, 5, 9]


def test_bins_of_equal_mass_hold_as_many_and_keep_ties_together() -> None:
    assert np.bincount(equal_mass(np.random.default_rng(0).random(1000))).tolist() == [100] * 10
    assert len(set(equal_mass(np.array([0.5] * 90 + [0.9] * 10))[:90])) == 1


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_error_is_that_of_a_plain_sum(temperature: float) -> None:
    found = confidences(temperature=temperature)
    width = found.calibration_error(equal_width(found.confidence), FEW)
    assert width.error.value == pytest.approx(plain_error(found, [k / 10 for k in range(11)]), **EXACT)
    cuts = [0.0, *np.quantile(found.confidence, np.arange(1, 10) / 10).tolist(), 1.0]
    mass = found.calibration_error(equal_mass(found.confidence), FEW)
    assert mass.error.value == pytest.approx(plain_error(found, cuts), **EXACT)


def test_a_calibrated_model_is_not_called_off() -> None:
    found = confidences(200)
    error = found.calibration_error(equal_width(found.confidence), FEW)
    # The bias is there, is said, and the interval is without it.
    assert error.error.value == pytest.approx(error.if_calibrated, abs=0.03) and error.error.value > 0.01
    assert error.error.low == 0


def test_an_overconfident_model_is() -> None:
    found = confidences(2000, temperature=3)
    error = found.calibration_error(equal_width(found.confidence), FEW).error
    assert error.low is not None and error.high is not None
    assert 0.1 < error.low < error.value < error.high


def test_one_document_has_no_interval() -> None:
    found = confidences(50, documents=1)
    error = found.calibration_error(equal_width(found.confidence), FEW).error
    assert error.value > 0 and (error.low, error.high) == (None, None)
