"""The interval of a difference to the published score: what it holds of chance, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quantbench.contracts.run_tables import CellRow
from quantbench.reproduce.differences import ROUNDING, AnswerNoise, Scored, difference_interval, pooled_noise
from quantbench.statistics import wilson_interval

N = 400
TRIALS = 1500


def chances(generator: np.random.Generator, items: int) -> NDArray[np.float64]:
    """How likely each item is answered right: most are certain, as they are for a model at temperature 0.7."""
    return generator.beta(0.3, 0.3, size=items)


def scored(right: NDArray[np.bool_], sampled: bool) -> Scored:
    n = len(right)
    return Scored(float(right.mean()), *wilson_interval(int(right.sum()), n, 0.95), items=n, sampled=sampled)


def coverage(limit: int | None, repeats: int, greedy: bool) -> float:
    """In how many simulated pairs of equal runs the interval holds 0; ours answers ``limit`` items, ``repeats`` times."""
    generator = np.random.default_rng(2509)
    held = 0
    for _ in range(TRIALS):
        likely = chances(generator, N)
        published = float((generator.random(N) < likely).mean())
        chosen = generator.permutation(N)[:limit]
        if greedy:  # the likelier answer, always
            runs = np.array([likely[chosen] >= 0.5])
        else:
            runs = generator.random((repeats, len(chosen))) < likely[chosen]
        noise = None
        if repeats > 1:
            noise = AnswerNoise(float(runs.mean(axis=1).std(ddof=1)), repeats - 1)
        low, high = difference_interval(scored(runs[0], not greedy), published, N, noise, 0.95)
        held += low <= 0 <= high
    return held / TRIALS


def test_repeats_measure_the_noise_of_two_runs_over_one_test_set() -> None:
    assert 0.93 <= coverage(limit=None, repeats=3, greedy=False) <= 0.975


def test_without_repeats_the_bound_is_never_too_narrow() -> None:
    assert coverage(limit=None, repeats=1, greedy=False) >= 0.95


def test_a_part_of_the_test_set_adds_the_noise_of_its_items() -> None:
    assert coverage(limit=100, repeats=1, greedy=False) >= 0.95


def test_the_published_run_may_have_been_sampled_where_ours_is_greedy() -> None:
    """Greedy answers are another procedure, whose expected score is another: here by chance about the same."""
    assert coverage(limit=None, repeats=1, greedy=True) >= 0.9


OURS = Scored(0.50, 0.46, 0.55, items=N)


def test_of_the_whole_test_set_no_item_noise_is_left() -> None:
    low, high = difference_interval(OURS, 0.50, N, AnswerNoise(0.0, 2), 0.95)
    assert (low, high) == (pytest.approx(-ROUNDING), pytest.approx(ROUNDING))


def test_of_a_quarter_three_quarters_of_the_variance_are_left() -> None:
    low, high = difference_interval(OURS, 0.40, 4 * N, AnswerNoise(0.0, 2), 0.95)
    assert low == pytest.approx(0.10 - np.sqrt(0.75) * 0.045 - ROUNDING), "half the width where that is more"
    assert high == pytest.approx(0.10 + np.sqrt(0.75) * 0.05 + ROUNDING)


def test_an_unknown_test_set_shares_nothing() -> None:
    known = difference_interval(OURS, 0.50, N * 10**6, AnswerNoise(0.0, 2), 0.95)
    assert difference_interval(OURS, 0.50, None, AnswerNoise(0.0, 2), 0.95) == pytest.approx(known, abs=1e-6)


def test_only_sampled_answers_have_noise_of_their_own() -> None:
    greedy = difference_interval(OURS, 0.50, N, None, 0.95)
    drawn = difference_interval(Scored(0.50, 0.46, 0.55, N, sampled=True), 0.50, N, None, 0.95)
    assert greedy == (pytest.approx(-0.05 - ROUNDING), pytest.approx(0.045 + ROUNDING))
    assert drawn[0] < greedy[0] and drawn[1] > greedy[1]


def test_few_repeats_are_trusted_less() -> None:
    def width(degrees: int) -> float:
        ours = Scored(0.50, 0.46, 0.55, N, sampled=True)
        low, high = difference_interval(ours, 0.50, N, AnswerNoise(0.01, degrees), 0.95)
        return high - low

    assert width(2) == pytest.approx(2 * (np.sqrt(2) * 4.302652730 * 0.01 + ROUNDING))
    assert width(2) > width(6) > width(1000)


def repeated(repeats: int, sd: float | None) -> CellRow:
    return CellRow.model_construct(repeats=repeats, score_as_published_sd=sd)


def test_spreads_are_pooled_by_their_degrees_of_freedom() -> None:
    noise = pooled_noise([repeated(3, 0.01), repeated(5, 0.02), repeated(1, None)])
    assert noise == AnswerNoise(pytest.approx(np.sqrt((2 * 0.01**2 + 4 * 0.02**2) / 6)), 6)


def test_without_repeats_there_is_nothing_to_pool() -> None:
    assert pooled_noise([repeated(1, None), repeated(1, None)]) is None
