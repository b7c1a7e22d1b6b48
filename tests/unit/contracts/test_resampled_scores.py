"""resampled_scores.npz comes back as it was written, and another file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantbench.contracts.array_files import write_arrays
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.resampled_scores import ResampledScores
from quantbench.errors import DataError

CELLS = (Cell("phi-4", "full", "medqa", "instruction", 0), Cell("qwen2.5-3b", "w4a16", "medqa", "instruction", 0))


def test_it_comes_back_and_serves_some_of_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "resampled_scores.npz"
    assert ResampledScores.found(path) is None
    ResampledScores(CELLS, np.array([[0.5, 0.25], [0.75, 1]], dtype=np.float32)).write(path)
    read = ResampledScores.found(path)
    assert read is not None and read.cells == CELLS
    drawn = read.of([CELLS[1]])
    assert drawn is not None and drawn.tolist() == [[0.75, 1]]
    assert read.of([CELLS[0], Cell("phi-4", "full", "hoc", "instruction", 0)]) is None


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "resampled_scores.npz"
    path.write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(
        DataError, match=r"resampled_scores\.npz: not readable .*; delete it to have the tables made again"
    ):
        ResampledScores.read(path)
    np.save(tmp_path / "alone.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"alone\.npy: not readable"):
        ResampledScores.read(tmp_path / "alone.npy")
    write_arrays(path, {"cells": np.array(["a/b"]), "scores": np.zeros((2, 3))})
    with pytest.raises(DataError, match="does not hold one row of scores a cell"):
        ResampledScores.read(path)
