"""likelihoods.npz comes back as it was written, and a damaged one is named."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from quantbench.contracts.array_files import read_arrays, write_arrays
from quantbench.contracts.likelihoods import TOP, Likelihoods, OptionScores, ReferenceTokens, WrittenTokens
from quantbench.errors import DataError

STARTS = np.array([0, 2, 3])
WRITTEN = WrittenTokens(
    starts=STARTS,
    tokens=np.array([7, 8, 2], dtype=np.int32),
    log_probabilities=np.array([-0.5, -1.25, 0], dtype=np.float16),
    top_tokens=np.arange(3 * TOP, dtype=np.int32).reshape(3, TOP),
    top_log_probabilities=np.zeros((3, TOP), dtype=np.float16),
    other_log_probabilities=np.full(3, -np.inf, dtype=np.float16),
)
OPTIONS = OptionScores(
    names=("A", "B"),
    starts=np.array([0, 2, 4]),
    options=np.array([0, 1, 0, 1], dtype=np.int16),
    log_probabilities=np.array([-0.1, -3, -2, -0.2], dtype=np.float16),
)
REFERENCE = ReferenceTokens(
    predictions_sha256="ab" * 32,
    starts=STARTS,
    log_probabilities=np.zeros(3, dtype=np.float16),
    divergences=np.zeros(3, dtype=np.float16),
    agrees=np.array([True, False, True]),
)
WHOLE = Likelihoods(("x", "y"), WRITTEN, OPTIONS, REFERENCE)


@pytest.mark.parametrize("kept", [WHOLE, replace(WHOLE, options=None), replace(WHOLE, options=None, reference=None)])
def test_it_comes_back(kept: Likelihoods, tmp_path: Path) -> None:
    kept.write(tmp_path / "likelihoods.npz")
    read = Likelihoods.read(tmp_path / "likelihoods.npz")
    assert read.sample_ids == kept.sample_ids
    for part in ("written", "options", "reference"):
        before, after = getattr(kept, part), getattr(read, part)
        assert (before is None) == (after is None)
        for field in fields(before) if before else ():
            np.testing.assert_array_equal(getattr(after, field.name), getattr(before, field.name))


def test_a_missing_torn_or_mixed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "likelihoods.npz"
    with pytest.raises(DataError, match=r"likelihoods\.npz: no such file"):
        Likelihoods.read(path)
    WHOLE.write(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"likelihoods\.npz: not readable"):
        Likelihoods.read(path)
    replace(WHOLE, sample_ids=("x",)).write(path)
    with pytest.raises(DataError, match=r"written\.starts does not divide its values among 1 samples"):
        Likelihoods.read(path)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("sample_ids", np.array(3), "no list of texts"),
        ("options.names", np.array([["A", "B"]]), "no list of texts"),
        ("written.starts", np.array(3), r"starts does not divide"),
        ("written.starts", np.array([0, 9, 3]), r"starts does not divide"),
        ("written.tokens", np.array(["a", "b", "c"]), r"tokens is of another type"),
        (
            "written.log_probabilities",
            np.array([-0.5, np.nan, 0]),
            r"log_probabilities holds values that no model writes",
        ),
        (
            "written.log_probabilities",
            np.array([-0.5, np.inf, 0]),
            r"log_probabilities holds values that no model writes",
        ),
        ("written.top_tokens", np.zeros((2, TOP), dtype=np.int32), r"top_tokens has the shape \(2, 5\), not \(3, 5\)"),
        ("options.options", np.array([0, 1, 0, 2], dtype=np.int16), "beyond its 2 names"),
        ("options.options", np.array([0, 1, 0, -1], dtype=np.int16), "beyond its 2 names"),
        ("reference.divergences", np.full(3, np.nan), r"divergences holds values that no model writes"),
        ("reference.log_probabilities", np.zeros(2), r"log_probabilities has the shape \(2,\), not \(3,\)"),
    ],
)
def test_arrays_that_no_cell_writes_are_named(name: str, values: np.ndarray, said: str, tmp_path: Path) -> None:
    """Else they end in a traceback, or in a table of nan."""
    path = tmp_path / "likelihoods.npz"
    WHOLE.write(path)
    write_arrays(path, read_arrays(path, "") | {name: values})
    with pytest.raises(DataError, match=rf"likelihoods\.npz: .*{said}.*; delete it to leave it out"):
        Likelihoods.read(path)


def test_an_impossible_token_is_no_damage(tmp_path: Path) -> None:
    least = np.array([-0.5, -np.inf, 0], dtype=np.float16)
    far = replace(REFERENCE, log_probabilities=least, divergences=np.array([0, np.inf, 0], dtype=np.float16))
    replace(WHOLE, reference=far).write(tmp_path / "likelihoods.npz")
    assert Likelihoods.read(tmp_path / "likelihoods.npz").reference is not None
