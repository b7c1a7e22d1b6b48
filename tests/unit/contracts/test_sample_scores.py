"""Likelihoods of an unfinished cell: what was written comes back, anything else is taken for a torn line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.contracts.sample_scores import SampleScores, TokenScores

WRITTEN = TokenScores(
    tokens=np.array([5, 7], np.int32),
    log_probabilities=np.array([-0.5, -1.5], np.float32),
    top_tokens=np.array([[5, 6], [7, 8]], np.int32),
    top_log_probabilities=np.array([[-0.5, -2], [-1.5, -2]], np.float32),
    other_log_probabilities=np.array([-3, -4], np.float32),
)
LINE = SampleScores("a", WRITTEN, options=np.array([-1, -2], np.float32)).json_line()


def changed(**written: object) -> bytes:
    value = json.loads(LINE)
    value["written"] |= written
    return (json.dumps(value) + "\n").encode()


def test_what_was_written_comes_back() -> None:
    found = SampleScores.read(LINE.encode())
    assert found is not None and found.json_line() == LINE


@pytest.mark.parametrize(
    "line",
    [
        changed(top_tokens=["<i4", [2], "BQAAAAcAAAA="]),
        changed(tokens=["<i4", [1, 2], "BQAAAAcAAAA="]),
        changed(tokens=["<i4", [1], "BQAAAA=="]),
        changed(tokens=["|O", [1], "BQAAAAcAAAA="]),
        changed(tokens=["<U1", [2], "BQAAAAcAAAA="]),
        changed(tokens=["<i4", [-1], "*"]),
        changed(tokens=None),
        LINE.encode()[:-1],
        b"[" * 100000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_arrays_that_no_cell_writes_are_a_torn_line(line: bytes) -> None:
    assert SampleScores.read(line) is None


@given(st.integers(0, len(LINE) - 2), st.binary(min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_garbled_line_is_never_an_error(place: int, garbled: bytes) -> None:
    line = LINE.encode()
    SampleScores.read(line[:place] + garbled + line[place + len(garbled) :])
