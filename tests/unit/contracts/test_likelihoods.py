"""likelihoods.npz comes back as it was written, and a damaged one is named."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

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
    with pytest.raises(DataError, match="written holds 3 values, which are not those of 1 samples"):
        Likelihoods.read(path)
