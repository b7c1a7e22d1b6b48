"""Paired ratios against scipy, and on values whose ratio is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quantbench.statistics import paired_ratio


@pytest.mark.parametrize("pairs", [2, 3, 8, 16, 64, 501])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_the_interval_is_scipys(pairs: int, confidence: float) -> None:
    chance = np.random.default_rng(pairs)
    ours, theirs = chance.lognormal(0.4, 0.3, pairs), chance.lognormal(0, 0.3, pairs)
    found = paired_ratio(ours.tolist(), theirs.tolist(), confidence)
    logs = np.log(ours / theirs)
    ends = stats.ttest_1samp(logs, 0).confidence_interval(confidence)
    assert found.value == pytest.approx(stats.gmean(ours / theirs), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((np.exp(ends.low), np.exp(ends.high)), rel=1e-9)
    assert found.pairs == pairs


def test_twice_and_half_cancel_out_and_the_other_way_round_is_the_inverse() -> None:
    assert paired_ratio([2, 1], [1, 2], 0.95).value == pytest.approx(1)
    one, other = paired_ratio([3, 5, 9], [2, 5, 4], 0.95), paired_ratio([2, 5, 4], [3, 5, 9], 0.95)
    assert one.low is not None and one.high is not None
    assert (other.value, other.low, other.high) == pytest.approx((1 / one.value, 1 / one.high, 1 / one.low))


def test_one_pair_has_no_interval_and_what_is_no_time_no_ratio() -> None:
    one = paired_ratio([3.0], [2.0], 0.95)
    assert (one.value, one.low, one.high) == (pytest.approx(1.5), None, None)
    for ours, theirs in (([], []), ([1.0], [1.0, 2.0]), ([1.0, 0.0], [1.0, 2.0]), ([1.0], [-1.0])):
        with pytest.raises(ValueError, match="no ratio of"):
            paired_ratio(ours, theirs, 0.95)
