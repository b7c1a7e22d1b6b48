from __future__ import annotations

import numpy as np
import pytest

from quantbench.statistics import percentile, samples_needed


@pytest.mark.parametrize(("percent", "n"), [(50, 11), (90, 64), (95, 130), (99, 662)])
def test_samples_a_percentile_needs(percent: float, n: int) -> None:
    assert samples_needed(percent) == n


def test_with_that_many_samples_two_lie_above_the_percentile_in_99_of_100_draws() -> None:
    draws = np.random.default_rng(0).random((20000, samples_needed(90)))
    assert ((draws > 0.9).sum(axis=1) >= 2).mean() >= 0.985


def test_a_percentile_is_printed_only_where_supported() -> None:
    values = list(range(64))
    assert percentile(values, 90) == pytest.approx(56.7)
    assert percentile(values[:-1], 90) is None


@pytest.mark.parametrize("percent", [0, 100, -3])
def test_percentiles_outside_0_to_100_are_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        samples_needed(percent)
