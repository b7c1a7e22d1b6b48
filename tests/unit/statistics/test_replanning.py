"""Flips of quantization against flips of other batch plans: the exact test."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from quantbench.statistics import replanning_test

documents = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_p_is_the_share_of_all_ways_to_call_one_cell_of_a_document_quantized(rows) -> None:
    cells = np.array(rows)
    ways = [
        sum(row[place] for row, place in zip(rows, chosen, strict=True))
        for chosen in product(range(3), repeat=len(rows))
    ]
    expected = np.mean([total >= cells[:, 0].sum() for total in ways])
    assert replanning_test(cells[:, 0], cells[:, 1:]) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 50))
def test_one_replan_of_documents_of_one_sample_is_the_sign_test(only_quantized, only_replan, both) -> None:
    quantized = np.repeat([1, 0, 1, 0], [only_quantized, only_replan, both, 30])
    replan = np.repeat([0, 1, 1, 0], [only_quantized, only_replan, both, 30])
    differ = only_quantized + only_replan
    expected = binomtest(only_quantized, differ, alternative="greater").pvalue if differ else 1.0
    assert replanning_test(quantized, replan[:, None]) == pytest.approx(expected, rel=1e-9)


def test_another_replan_called_quantized_is_found_different_no_more_often_than_the_level() -> None:
    """Documents whose answers flip together, under every plan alike: 5% of p below 0.05, within three standard errors of 600."""
    generator = np.random.default_rng(1)
    found = 0
    for _ in range(600):
        fragile = generator.beta(0.3, 4, size=60)
        flips = generator.binomial(8, fragile[:, None], size=(60, 3))
        found += replanning_test(flips[:, 0], flips[:, 1:]) < 0.05
    assert found / 600 < 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5


def test_more_flips_than_two_replans_have_are_found() -> None:
    generator = np.random.default_rng(2)
    assert replanning_test(generator.binomial(4, 0.2, 100), generator.binomial(4, 0.05, (100, 2))) < 1e-4


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="do not match"):
        replanning_test(np.zeros(3, dtype=int), np.zeros((3, 0), dtype=int))
    with pytest.raises(ValueError, match="do not match"):
        replanning_test(np.zeros(3, dtype=int), np.zeros((2, 1), dtype=int))
