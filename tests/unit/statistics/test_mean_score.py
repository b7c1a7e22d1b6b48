"""Answers scored by a number between 0 and 1 are compared as right and wrong ones are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test as scipy_permutation_test
from scipy.stats import ttest_rel

from quantbench.statistics import Bootstrap, compare, interval_of_counts, permutation_test
from quantbench.statistics.bootstrap import sum_by_group
from quantbench.tasks.metrics import MEAN_SCORE, METRICS, Floats

BOOTSTRAP = Bootstrap(resamples=4000)


def parts(scores: Floats) -> Floats:
    return np.stack([scores, np.zeros_like(scores), 1 - scores], axis=-1)[:, None, :]


def answers(n: int, loss: float, seed: int = 3) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    before = generator.beta(2, 2, n)
    return before, np.clip(before - loss + generator.normal(0, 0.1, n), 0, 1)


def test_parts_add_up_by_document() -> None:
    scores = np.array([0.25, 0.5, 0.75])
    assert sum_by_group(parts(scores), ["a", "b", "a"])[:, 0].tolist() == [[1.0, 0.0, 1.0], [0.5, 0.0, 0.5]]


def test_the_difference_is_that_of_the_means() -> None:
    before, after = answers(200, 0.03)
    found = compare(parts(before), parts(after), [str(row) for row in range(200)], MEAN_SCORE, BOOTSTRAP)
    assert found.difference == pytest.approx(after.mean() - before.mean(), abs=1e-12)


def test_the_interval_is_near_students_where_samples_are_many() -> None:
    """The two samples that join the pool, one lost and one gained, widen it by less than the given share."""
    n = 20_000
    before, after = answers(n, 0.03)
    found = compare(parts(before), parts(after), [str(row) for row in range(n)], MEAN_SCORE, BOOTSTRAP)
    student = ttest_rel(after, before).confidence_interval()
    assert (found.low, found.high) == pytest.approx(
        (student.low, student.high), abs=0.05 * (student.high - student.low)
    )


def test_documents_are_the_unit() -> None:
    """Each answer three times over tells no more than once."""
    n = 4000
    before, after = answers(n, 0.03)
    once = compare(parts(before), parts(after), [str(row) for row in range(n)], MEAN_SCORE, BOOTSTRAP)
    groups = [str(row // 3) for row in range(3 * n)]
    often = compare(parts(before.repeat(3)), parts(after.repeat(3)), groups, MEAN_SCORE, BOOTSTRAP)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)


def test_few_samples_are_swapped_in_every_way() -> None:
    before, after = answers(9, 0.04)
    p = permutation_test(parts(before), parts(after), [str(row) for row in range(9)], MEAN_SCORE, BOOTSTRAP)
    expected = scipy_permutation_test(
        (before, after),
        lambda one, two, axis: (two - one).mean(axis=axis),
        permutation_type="samples",
        n_resamples=10_000,
        vectorized=True,
    )
    assert p == pytest.approx(expected.pvalue, abs=1e-9)


def test_of_right_and_wrong_answers_it_is_accuracy() -> None:
    before, after = (np.random.default_rng(seed).integers(0, 2, 80).astype(float) for seed in (1, 2))
    groups = [str(row) for row in range(80)]
    for comparing in (compare, permutation_test):
        one = comparing(parts(before), parts(after), groups, MEAN_SCORE, BOOTSTRAP)
        two = comparing(
            parts(before).astype(np.int64), parts(after).astype(np.int64), groups, METRICS["accuracy"], BOOTSTRAP
        )
        assert one == two


def test_an_interval_of_one_run() -> None:
    before, _ = answers(500, 0)
    low, high = interval_of_counts(parts(before), [str(row) for row in range(500)], MEAN_SCORE, BOOTSTRAP)
    assert low < before.mean() < high < low + 0.05
