from __future__ import annotations

import pytest
from scipy.stats import t as student

from quantbench.statistics import student_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 201, 1.01, 1.5, 2.5, 7.7, 50.5, 3000.7])
@pytest.mark.parametrize("probability", [0.0005, 0.3, 0.5, 0.9, 0.975, 0.9999])
def test_quantiles_of_t_agree_with_scipy(probability: float, degrees: float) -> None:
    expected = student.ppf(probability, degrees)
    assert student_quantile(probability, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (0.5, 0), (0.9, 0.5)])
def test_where_there_is_no_quantile_of_t_none_is_made_up(probability: float, degrees: float) -> None:
    with pytest.raises(ValueError, match="no quantile of t"):
        student_quantile(probability, degrees)
