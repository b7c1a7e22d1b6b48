from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.meta_analysis import combine_effects

from quantbench.statistics import random_effects


@dataclass(frozen=True)
class Crossed:
    """Differences of models on datasets, laid out as rows."""

    values: np.ndarray
    models: list[int]
    datasets: list[int]

    @classmethod
    def of(cls, table: np.ndarray) -> Crossed:
        """``table`` has a row a model and a column a dataset."""
        places = list(product(range(table.shape[0]), range(table.shape[1])))
        return cls(table.ravel(), [model for model, _ in places], [dataset for _, dataset in places])


def found(table: np.ndarray) -> tuple[float, float, float]:
    rows = Crossed.of(table)
    effect = random_effects(rows.values.tolist(), rows.models, rows.datasets, 0.95)
    assert effect is not None
    return effect.low, effect.high, effect.degrees


# It speaks of the intervals of single effects, which are not looked at.
@pytest.mark.filterwarnings("ignore:`use_t=True`")
def test_where_models_agree_it_is_hartung_and_knapp_over_datasets() -> None:
    effects = np.array([-0.031, 0.004, -0.012, -0.02, 0.011])
    low, high, degrees = found(np.tile(effects, (4, 1)))
    combined = combine_effects(effects, np.full(5, 0.0001), method_re="dl", use_t=True)
    frame = combined.summary_frame(alpha=0.05)
    row = frame.loc["random effect wls"]
    assert (low, high) == pytest.approx((row["ci_low"], row["ci_upp"]), abs=1e-9)
    assert degrees == pytest.approx(4)


def test_the_variance_is_that_of_the_mean_squares() -> None:
    table = np.random.default_rng(3).normal(size=(6, 5)) + np.random.default_rng(4).normal(size=(6, 1)) * 2
    rows = Crossed.of(table)
    frame = pd.DataFrame({"y": rows.values, "model": rows.models, "dataset": rows.datasets})
    squares = anova_lm(ols("y ~ C(model) + C(dataset)", frame).fit())["mean_sq"]
    parts = [squares[name] / 30 for name in ("C(dataset)", "C(model)", "Residual")]
    assert parts[1] > parts[2]  # else the models' part would be left out
    variance = parts[0] + parts[1] - parts[2]
    degrees = variance**2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 5 + parts[2] ** 2 / 20)
    low, high, stated = found(table)
    assert stated == pytest.approx(degrees, rel=1e-9)
    assert (high - low) / 2 == pytest.approx(student.ppf(0.975, degrees) * np.sqrt(variance), rel=1e-9)
    assert (high + low) / 2 == pytest.approx(rows.values.mean(), abs=1e-12)


def test_a_dataset_with_most_of_the_comparisons_leaves_fewer_degrees_of_freedom() -> None:
    models, datasets = [*range(12), 0, 1], [0] * 12 + [1, 2]
    values = np.random.default_rng(1).normal(size=14) + np.array([0.0, 30.0, 60.0])[datasets]
    effect = random_effects(values.tolist(), models, datasets, 0.95)
    assert effect is not None and effect.degrees < 1.5


@pytest.mark.parametrize(("models", "datasets"), [(2, 8), (8, 1), (1, 1)])
def test_of_too_few_nothing_is_said_about_others(models: int, datasets: int) -> None:
    rows = Crossed.of(np.random.default_rng(0).normal(size=(models, datasets)))
    assert random_effects(rows.values.tolist(), rows.models, rows.datasets, 0.95) is None


def test_equal_differences_have_an_interval_of_width_zero() -> None:
    low, high, _ = found(np.full((4, 3), -0.25))
    assert (low, high) == pytest.approx((-0.25, -0.25))


@pytest.mark.parametrize(
    ("models", "datasets", "spread"),
    [
        (12, 8, (0.0, 0.0, 0.0)),
        (12, 8, (1.0, 1.0, 1.0)),
        (12, 8, (0.0, 1.0, 0.0)),
        (12, 3, (1.0, 1.0, 0.0)),
        (4, 8, (1.0, 0.0, 0.0)),
        (12, 2, (0.0, 1.0, 0.0)),
    ],
)
def test_intervals_cover_the_mean_of_all_models_and_datasets(
    models: int, datasets: int, spread: tuple[float, float, float]
) -> None:
    """Spread of models, of datasets, and of the two together, beside sampling error that models of a dataset share in part."""
    chance = np.random.default_rng(20)
    error = np.exp(0.8 * np.linspace(-1, 1, datasets))
    covered, of = 0, 400
    for _ in range(of):
        table = sum(
            size * chance.normal(size=shape)
            for size, shape in zip(spread, ((models, 1), (1, datasets), (models, datasets)), strict=True)
        )
        table = (
            table
            + error * 0.55 * chance.normal(size=(1, datasets))
            + error * 0.84 * chance.normal(size=(models, datasets))
        )
        low, high, _ = found(table)
        covered += low <= 0 <= high
    assert 0.92 <= covered / of <= 0.995
