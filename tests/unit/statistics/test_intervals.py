from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as student

from quantbench.errors import DataError
from quantbench.statistics import Bootstrap, interval_of_counts, student_quantile, wilson_interval
from quantbench.tasks.metrics import METRICS


def accuracy_counts(right: int, wrong: int) -> np.ndarray:
    return np.array([[[1, 0, 0]]] * right + [[[0, 0, 1]]] * wrong)


def apart(n: int) -> list[str]:
    return [str(row) for row in range(n)]


# Newcombe 1998, "Two-sided confidence intervals for the single proportion", Table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n, 0.95) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("successes", [0, 1, 37, 499, 500])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson_agrees_with_scipy(successes: int, confidence: float) -> None:
    expected = binomtest(successes, 500).proportion_ci(confidence_level=confidence, method="wilson")
    assert wilson_interval(successes, 500, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="are no proportion"):
        wilson_interval(successes, n, 0.95)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 201])
@pytest.mark.parametrize("probability", [0.0005, 0.3, 0.5, 0.9, 0.975, 0.9999])
def test_quantiles_of_t_agree_with_scipy(probability: float, degrees: int) -> None:
    expected = student.ppf(probability, degrees)
    assert student_quantile(probability, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_where_there_is_no_quantile_of_t_none_is_made_up(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="no quantile of t"):
        student_quantile(probability, degrees)


def test_accuracy_has_wilsons_interval() -> None:
    assert interval_of_counts(
        accuracy_counts(81, 182), apart(263), METRICS["accuracy"], Bootstrap(10, 0, 0.95)
    ) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_an_entirely_right_f1_is_not_certain() -> None:
    """Clopper and Pearson's bound of 20 right out of 20 is 0.8316."""
    counts = np.array([[[2, 0, 0]]] * 20)
    assert interval_of_counts(counts, apart(20), METRICS["entity_f1"], Bootstrap(200, 0, 0.95)) == pytest.approx(
        (0.8316, 1), abs=5e-5
    )


def test_an_entirely_wrong_f1_is_not_certain() -> None:
    counts = np.array([[[0, 1, 1]]] * 20)
    assert interval_of_counts(counts, apart(20), METRICS["entity_f1"], Bootstrap(200, 0, 0.95)) == pytest.approx(
        (0, 0.1684), abs=5e-5
    )


def test_one_document_says_nothing_of_others() -> None:
    assert interval_of_counts(
        np.array([[[1, 1, 0]]] * 9), ["d"] * 9, METRICS["entity_f1"], Bootstrap(200, 0, 0.95)
    ) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "groups", "words"),
    [
        (np.zeros((0, 1, 3)), [], "no samples"),
        (np.zeros((2, 1, 3)), ["a"], "2 samples have counts, but 1"),
        (np.zeros((2, 3)), ["a", "b"], r"shape \(2, 3\)"),
    ],
)
def test_unusable_counts_are_refused(counts: np.ndarray, groups: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        interval_of_counts(counts, groups, METRICS["entity_f1"], Bootstrap(100, 0, 0.95))


def test_bootstrap_intervals_cover_the_truth_as_often_as_they_claim() -> None:
    """300 simulated test sets of 60 documents with 3 sentences each; the F1 of a whole population is known."""
    random = np.random.default_rng(11)
    population = np.stack([_document(random) for _ in range(20000)])
    sums = population.sum(axis=(0, 1))[0]
    truth = 2 * sums[0] / (2 * sums[0] + sums[1] + sums[2])
    covered = 0
    for trial in range(300):
        chosen = population[random.integers(0, len(population), 60)].reshape(180, 1, 3)
        low, high = interval_of_counts(
            chosen, [str(row // 3) for row in range(180)], METRICS["entity_f1"], Bootstrap(400, trial, 0.95)
        )
        covered += low <= truth <= high
    assert 0.91 <= covered / 300 <= 0.985


def _document(random: np.random.Generator) -> np.ndarray:
    """Counts of three sentences, shape (3, 1, 3), whose difficulty is the document's own."""
    skill = random.beta(4, 2)
    entities = random.integers(0, 4, 3)
    hits = random.binomial(entities, skill)
    return np.stack([hits, random.binomial(2, 1 - skill, 3), entities - hits], axis=1)[:, None, :]
