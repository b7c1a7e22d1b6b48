"""Means over documents against textbook values, scipy, and the null."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from quantbench.errors import DataError
from quantbench.statistics import Bootstrap, DocumentSums


def test_of_one_sample_a_document_it_is_students() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 40)
    found = DocumentSums.of(values, np.ones(40), [str(k) for k in range(40)]).interval(0.95)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.value == pytest.approx(values.mean(), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_token_counts_once_whatever_its_document() -> None:
    sums = DocumentSums.of(np.array([6.0, 1.0, 3.0]), np.array([3, 1, 2]), ["a", "b", "a"])
    assert sums.mean == pytest.approx(10 / 6)
    # By Cochran's formula, written out: documents with sums 9 of 5 and 1 of 1.
    residuals = [9 - 5 * 10 / 6, 1 - 10 / 6]
    assert sums.standard_error == pytest.approx((2 * sum(r * r for r in residuals)) ** 0.5 / 6)


def test_samples_without_tokens_are_of_no_document() -> None:
    sums = DocumentSums.of(np.array([2.0, 0.0, 4.0]), np.array([1, 0, 1]), ["a", "b", "c"])
    assert len(sums.sums) == 2 and sums.mean == 3
    with pytest.raises(DataError, match="no samples"):
        DocumentSums.of(np.zeros(2), np.zeros(2), ["a", "b"])


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="3 sums, 2 sizes and 3 groups"):
        DocumentSums.of(np.zeros(3), np.ones(2), ["a", "b", "c"])


def test_one_document_has_no_interval() -> None:
    sums = DocumentSums.of(np.array([2.0, 3.0]), np.ones(2), ["a", "a"])
    assert (sums.interval(0.95).low, sums.positive_interval(0.95).high) == (None, None)


def test_documents_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0, 1, 30), 10)
    alone = DocumentSums.of(values, np.ones(300), [str(k) for k in range(300)]).interval(0.95)
    together = DocumentSums.of(values, np.ones(300), [str(k // 10) for k in range(300)]).interval(0.95)
    assert alone.high is not None and together.high is not None
    assert together.high - together.value == pytest.approx(10**0.5 * (alone.high - alone.value), rel=0.1)


def test_divergences_keep_above_zero_and_cover_their_mean() -> None:
    generator, held, reached = np.random.default_rng(3), 0, 400
    for _ in range(reached):
        sizes = generator.integers(5, 30, 100)
        sums = DocumentSums(sizes * np.exp(generator.normal(0, 1, 100)), sizes.astype(float))
        found = sums.positive_interval(0.95)
        assert found.low is not None and found.high is not None and 0 < found.low < found.value < found.high
        held += found.low <= np.exp(0.5) <= found.high
    assert 0.88 <= held / reached <= 0.98


def test_swaps_of_few_documents_are_all_looked_at() -> None:
    sums = np.array([3.0, -1.0, 2.5, 0.0, 4.0, -0.5])
    every = [abs(np.dot(signs, sums)) for signs in product((1, -1), repeat=6)]
    expected = np.mean([one >= abs(sums.sum()) - 1e-9 for one in every])
    assert DocumentSums(sums, np.ones(6)).sign_flip_p(Bootstrap()) == pytest.approx(expected, abs=1e-9)


def test_without_a_difference_p_is_one() -> None:
    assert DocumentSums(np.zeros(40), np.ones(40)).sign_flip_p(Bootstrap(200)) == 1


def test_drawn_swaps_come_near_the_t_test_and_repeat_themselves() -> None:
    values = np.random.default_rng(5).normal(0.25, 1, 80)
    sums = DocumentSums(values, np.ones(80))
    p = sums.sign_flip_p(Bootstrap(4000, seed=1))
    assert p == sums.sign_flip_p(Bootstrap(4000, seed=1))
    assert p == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.015)
