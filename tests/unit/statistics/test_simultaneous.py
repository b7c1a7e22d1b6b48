from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from quantbench.statistics.simultaneous import simultaneous


@pytest.mark.parametrize("comparisons", [1, 5, 60])
def test_of_independent_comparisons_the_quantile_is_the_normal_one_for_all_of_them(comparisons: int) -> None:
    resampled = np.random.default_rng(1).normal(size=(40_000, comparisons)) * np.linspace(0.01, 0.2, comparisons)
    found = simultaneous(resampled, 0.95)
    assert found.quantile == pytest.approx(norm.ppf((1 + 0.95 ** (1 / comparisons)) / 2), abs=0.03)
    assert found.errors == pytest.approx(np.linspace(0.01, 0.2, comparisons), rel=0.03)


def test_comparisons_that_go_together_count_as_one() -> None:
    resampled = np.random.default_rng(1).normal(size=(40_000, 1)) * np.array([[1.0, 0.5, 2.0]]) + 7
    assert simultaneous(resampled, 0.95).quantile == pytest.approx(norm.ppf(0.975), abs=0.03)


def test_the_worst_of_many_rarely_excludes_zero_where_nothing_is_lost() -> None:
    """Its own interval does in half of the studies."""
    chance, comparisons, studies = np.random.default_rng(5), 30, 300
    drawn = chance.normal(size=(4000, comparisons))
    reach = simultaneous(drawn, 0.95).quantile
    lowest = chance.normal(size=(studies, comparisons)).min(axis=1)
    assert (lowest + reach < 0).mean() <= 0.06
    assert (lowest + norm.ppf(0.975) < 0).mean() > 0.4
