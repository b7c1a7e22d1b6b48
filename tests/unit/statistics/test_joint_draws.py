"""Differences from the same draws: what one pair alone gives, what means over cells give, and how few documents widen them."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from quantbench.statistics import Bootstrap, DocumentSums, compare, permutation_test
from quantbench.statistics.joint_draws import resampled_together, swapped_together
from quantbench.statistics.student import expanded_interval
from quantbench.tasks.metrics import METRICS

BOOTSTRAP = Bootstrap(4000, 1)
ACCURACY = METRICS["accuracy"]


def pair(generator, n: int, change: float):
    """Counts of one label at two precisions, right or wrong, of which a share is drawn again."""
    right = generator.random(n) < 0.7
    other = np.where(generator.random(n) < change, generator.random(n) < 0.5, right)
    return [np.stack([side, np.zeros(n), ~side], axis=-1).astype(np.int64)[:, None] for side in (right, other)]


def difference(sums):
    return ACCURACY.values(sums.reshape(-1, 2, 1, 3)[:, 1]) - ACCURACY.values(sums.reshape(-1, 2, 1, 3)[:, 0])


def test_draws_vary_as_those_of_one_comparison() -> None:
    generator = np.random.default_rng(3)
    full, other = pair(generator, 400, 0.3)
    rows = np.stack([full, other], axis=1).reshape(400, -1).astype(float)
    draws = resampled_together(rows, difference, BOOTSTRAP)
    assert draws.shape == (4000,)
    found = compare(full, other, [str(k) for k in range(400)], ACCURACY, BOOTSTRAP)
    assert draws.mean() == pytest.approx(found.difference, abs=0.003)
    assert np.quantile(draws, 0.025) == pytest.approx(found.low, abs=0.006)
    assert np.quantile(draws, 0.975) == pytest.approx(found.high, abs=0.006)


def test_the_same_documents_are_drawn_for_all_columns() -> None:
    rows = np.random.default_rng(0).integers(0, 9, size=(30, 1)).astype(float)
    draws = resampled_together(np.hstack([rows, 2 * rows, -rows]), lambda sums: sums, BOOTSTRAP)
    assert np.array_equal(draws[:, 1], 2 * draws[:, 0])
    assert np.array_equal(draws[:, 2], -draws[:, 0])


def test_few_documents_at_a_time_give_what_all_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(40.0).reshape(20, 2)
    monkeypatch.setattr("quantbench.statistics.drawn_documents.CHUNK_BYTES", 8 * 20 * 7)
    draws = resampled_together(rows, lambda sums: sums, Bootstrap(25, 1))
    assert draws.shape == (25, 2)
    assert np.all(draws[:, 1] - draws[:, 0] == 20)  # twenty documents each time


@pytest.mark.parametrize("change", [0.02, 0.2])
def test_swaps_find_the_p_of_the_test_of_one_pair(change: float) -> None:
    full, other = pair(np.random.default_rng(5), 300, change)
    total, changes = (full + other).sum(axis=0) / 2, (other - full).reshape(300, -1).astype(float)

    def score(sums):
        half = sums.reshape(-1, 1, 3) / 2
        return ACCURACY.values(total + half) - ACCURACY.values(total - half)

    exact = permutation_test(full, other, [str(k) for k in range(300)], ACCURACY, BOOTSTRAP)
    assert swapped_together(changes, score, BOOTSTRAP) == pytest.approx(exact, abs=0.03)


def test_the_interval_of_few_documents_is_students() -> None:
    """Of a mean the percentiles of its resamples, widened, are about Student's interval: 12 draws of a normal distribution."""
    values = np.random.default_rng(2).normal(size=(12, 1))
    draws = resampled_together(values, lambda sums: sums[:, 0] / 12, Bootstrap(40000, 1))
    expected = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values)[0])
    assert expanded_interval(draws, 11, 0.95) == pytest.approx(expected, abs=0.08)
    plain = np.quantile(draws, [0.025, 0.975])
    assert plain[1] - plain[0] < 0.9 * (expected[1] - expected[0])


def test_many_documents_are_not_widened() -> None:
    draws = np.random.default_rng(2).normal(size=5000)
    assert expanded_interval(draws, 4999, 0.95) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.01)


def test_a_mean_of_independent_samples_has_students_interval() -> None:
    values = np.random.default_rng(4).normal(3, 2, size=25)
    found = DocumentSums.of(values, np.ones(len(values)), [str(k) for k in range(25)]).interval(0.9)
    expected = stats.t.interval(0.9, 24, loc=values.mean(), scale=stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), *expected), abs=1e-12)


def test_a_mean_over_documents_has_the_error_of_a_cluster_robust_regression() -> None:
    """As statsmodels has it for a regression on a constant, its correction being documents / (documents - 1)."""
    generator = np.random.default_rng(6)
    members = generator.integers(15, size=90)
    values = generator.normal(size=15)[members] + generator.normal(size=90)
    fitted = sm.OLS(values, np.ones(90)).fit(cov_type="cluster", cov_kwds={"groups": members})
    found = DocumentSums.of(values, np.ones(len(values)), [str(member) for member in members]).interval(0.95)
    assert found.high is not None
    reach = stats.t.ppf(0.975, 14) * fitted.bse[0]
    assert found.high - found.value == pytest.approx(reach, rel=1e-9)


def test_one_document_says_nothing_about_others() -> None:
    found = DocumentSums.of(np.array([1.0, 2.0]), np.ones(2), ["a", "a"]).interval(0.95)
    assert (found.value, found.low, found.high) == (1.5, None, None)
