"""Margins of tokens: of what was written against the runner-up, and where two answers part."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from quantbench.contracts.likelihoods import TOP, WrittenTokens
from quantbench.statistics.margins import least_probabilities, parting_margins, smallest_margins, token_margins


def written(answers: list[list[int]], margins: list[list[float]]) -> WrittenTokens:
    """Answers whose tokens have a log-probability of -0.5 and these margins over token 99."""
    tokens = np.array([token for answer in answers for token in answer], dtype=np.int32)
    over = np.array([margin for answer in margins for margin in answer])
    top = np.full((len(tokens), TOP), -9.0)
    top_tokens = np.tile(np.arange(100, 100 + TOP, dtype=np.int32), (len(tokens), 1))
    preferred = (over >= 0).astype(int)
    rows = np.arange(len(tokens))
    top[rows, 1 - preferred], top[rows, preferred] = -0.5, -0.5 - over
    top_tokens[rows, 1 - preferred], top_tokens[rows, preferred] = tokens, 99
    arrays: dict[str, Any] = {
        "starts": np.cumsum([0, *map(len, answers)]),
        "tokens": tokens,
        "log_probabilities": np.full(len(tokens), -0.5, dtype=np.float16),
        "top_tokens": top_tokens,
        "top_log_probabilities": top.astype(np.float16),
        "other_log_probabilities": np.full(len(tokens), -9, dtype=np.float16),
    }
    return WrittenTokens(**{field.name: arrays[field.name] for field in fields(WrittenTokens)})


FULL = written([[1, 2, 3], [], [4, 5]], [[2.0, 0.25, 1.0], [], [3.0, -0.5]])


def test_a_margin_is_over_the_likeliest_other_token() -> None:
    assert_allclose(token_margins(FULL), [2.0, 0.25, 1.0, 3.0, -0.5])


def test_the_weakest_token_stands_for_its_answer() -> None:
    assert_allclose(smallest_margins(FULL), [0.25, np.nan, -0.5])
    assert_allclose(least_probabilities(FULL), [np.exp(-0.5), np.nan, np.exp(-0.5)])


@pytest.mark.parametrize(
    ("first", "expected"),
    [([1, 2, 3], np.nan), ([1, 7, 3], 0.25), ([8, 7, 3], 2.0), ([1, 2], np.nan), ([1, 2, 3, 4], np.nan)],
)
def test_answers_part_at_the_first_token_that_differs(first: list[int], expected: float) -> None:
    other = written([first, [6], [4, 5]], [[1.0] * len(first), [1.0], [1.0, 1.0]])
    assert_allclose(parting_margins(FULL, other), [expected, np.nan, np.nan])
