"""Every formula that scipy, statsmodels or scikit-learn has too gives what they give, to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm
from scipy.stats import permutation_test as scipy_permutation_test
from scipy.stats import t as student
from sklearn.metrics import accuracy_score, f1_score
from statsmodels.api import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from quantbench.statistics import (
    Bootstrap,
    clustered_wilson_interval,
    design_effect,
    holm,
    interval_of_counts,
    mcnemar_exact,
    permutation_test,
    samples_needed,
    student_quantile,
    wilson_interval,
)
from quantbench.tasks.metrics import METRICS, Counts, single_label_counts

EXACT = 1e-9


def apart(n: int) -> list[str]:
    return [str(row) for row in range(n)]


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (1, 7), (81, 263), (499, 500), (500, 500), (12_000, 16_943)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson(successes: int, n: int, confidence: float) -> None:
    expected = proportion_confint(successes, n, 1 - confidence, method="wilson")
    assert wilson_interval(successes, n, confidence) == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("n", [2, 20, 315])
def test_all_right_and_all_wrong_have_clopper_and_pearsons_interval(n: int, confidence: float) -> None:
    for place, counts in ((n, [1, 0, 0]), (0, [0, 1, 1])):
        expected = proportion_confint(place, n, 1 - confidence, method="beta")
        found = interval_of_counts(
            np.array([[counts]] * n), apart(n), METRICS["entity_f1"], Bootstrap(50, 0, confidence)
        )
        assert found == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("degrees", [1, 2, 5, 19, 99, 727, 2499])
@pytest.mark.parametrize("probability", [0.001, 0.05, 0.8, 0.975, 0.9995])
def test_quantiles_of_student(probability: float, degrees: int) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(student.ppf(probability, degrees), rel=EXACT)


def clustered(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Right answers, and documents of unequal sizes in which they go together."""
    random = np.random.default_rng(seed)
    document = np.repeat(np.arange(40), random.integers(1, 30, 40))
    return (random.random(len(document)) < random.beta(2, 1, 40)[document]).astype(int), document


@pytest.mark.parametrize("seed", range(3))
def test_the_design_effect_is_that_of_the_cluster_robust_variance(seed: int) -> None:
    right, document = clustered(seed)
    fitted = OLS(right.astype(float), np.ones(len(right))).fit(cov_type="cluster", cov_kwds={"groups": document})
    share = right.mean()
    expected = fitted.cov_params()[0, 0] / (share * (1 - share) / len(right))
    assert expected > 1.5
    assert design_effect(np.bincount(document, right), np.bincount(document)) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("seed", range(3))
def test_the_clustered_interval_is_wilsons_of_the_effective_sample(seed: int) -> None:
    right, document = clustered(seed)
    sizes, hits = np.bincount(document), np.bincount(document, right)
    shrunk = (norm.ppf(0.975) / student.ppf(0.975, len(sizes) - 1)) ** 2
    effective = len(right) / design_effect(hits, sizes) * shrunk
    expected = proportion_confint(right.mean() * effective, effective, 0.05, method="wilson")
    assert clustered_wilson_interval(hits, sizes, 0.95) == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize(("lost", "gained"), [(0, 1), (3, 3), (1, 9), (40, 61), (300, 220), (4100, 4283)])
def test_mcnemar(lost: int, gained: int) -> None:
    p = mcnemar_exact(lost, gained)
    assert p == pytest.approx(binomtest(lost, lost + gained, 0.5).pvalue, rel=EXACT)
    assert p == pytest.approx(min(1.0, mcnemar([[50, lost], [gained, 20]], exact=True).pvalue), rel=EXACT)


@pytest.mark.parametrize("seed", range(3))
def test_holm(seed: int) -> None:
    p_values = [*np.random.default_rng(seed).random(192) ** 4, 0.2, 0.2, 0.0, 1.0]
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]), abs=EXACT)


@pytest.mark.parametrize("name", ["macro_f1", "entity_f1", "accuracy"])
@pytest.mark.parametrize("seed", range(2))
def test_the_permutation_of_documents(name: str, seed: int) -> None:
    """scipy swaps the numbers of documents; what it compares is the metric of the sums of their counts."""
    random = np.random.default_rng(seed)
    arms = random.integers(0, 5, (2, 9, 4, 3))
    if name == "accuracy":
        sizes = random.integers(1, 9, 9)
        right = random.integers(0, sizes + 1, (2, 9))
        arms = np.stack([right, np.zeros_like(right), sizes - right], axis=-1)[:, :, None, :]
    both, metric = np.concatenate(arms), METRICS[name]

    def difference(reference: np.ndarray, other: np.ndarray) -> float:
        return metric.value(both[other].sum(axis=0)) - metric.value(both[reference].sum(axis=0))

    places = (np.arange(9), np.arange(9, 18))
    expected = scipy_permutation_test(
        places, difference, permutation_type="samples", vectorized=False, n_resamples=np.inf
    )
    found = permutation_test(arms[0], arms[1], apart(9), metric, Bootstrap(10))
    assert found == pytest.approx(expected.pvalue, abs=EXACT)


def sets(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Gold and answered labels as matrices of 0 and 1."""
    return (counts[..., 0] | counts[..., 2]), (counts[..., 0] | counts[..., 1])


@pytest.mark.parametrize(("name", "average"), [("macro_f1", "macro"), ("entity_f1", "micro")])
def test_f1_of_one_label_and_of_several(name: str, average: str) -> None:
    random = np.random.default_rng(7)
    golds, answers = random.integers(0, 6, (2, 400))
    one = single_label_counts(answers.tolist(), golds.tolist(), range(6))
    expected = f1_score(golds, answers, average=average)
    assert METRICS[name].value(one.sum(axis=0)) == pytest.approx(expected, abs=EXACT)
    several = np.stack(
        [
            (gold := random.random((300, 7)) < 0.3) & (answer := random.random((300, 7)) < 0.4),
            ~gold & answer,
            gold & ~answer,
        ],
        axis=-1,
    ).astype(np.int64)
    true, said = sets(several)
    expected = f1_score(true, said, average=average, zero_division=0)
    assert METRICS[name].value(several.sum(axis=0)) == pytest.approx(expected, abs=EXACT)


def test_accuracy() -> None:
    golds, answers = np.random.default_rng(8).integers(0, 5, (2, 1273))
    right = golds == answers
    counts = np.stack([right, np.zeros_like(right), ~right], axis=-1)[:, None, :].astype(np.int64)
    assert METRICS["accuracy"].value(counts.sum(axis=0)) == pytest.approx(accuracy_score(golds, answers), abs=EXACT)


@pytest.mark.parametrize("percent", [50, 75, 90, 95, 99])
def test_measurements_that_a_percentile_needs(percent: int) -> None:
    """The fewest of which one or none lies above the percentile with a probability of at most 1%."""

    def few(n: int) -> float:
        return float(binom.cdf(1, n, 1 - percent / 100))

    needed = samples_needed(percent)
    assert few(needed) <= 0.01 < few(needed - 1)
