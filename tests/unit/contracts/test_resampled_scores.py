"""resampled_scores.npz comes back as it was written, and another file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantbench.contracts.array_files import read_arrays, write_arrays
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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cells": np.array(3)}, "does not hold one row of scores a cell"),
        ({"scores": np.zeros((2, 0))}, "does not hold one row of scores a cell"),
        ({"scores": np.array([["0.5", "0.5"]] * 2)}, "does not hold one row of scores a cell"),
        ({"scores": np.array([[0.5, np.nan]] * 2)}, "not between 0 and 1"),
        ({"scores": np.array([[50.0, 60.0]] * 2)}, "not between 0 and 1"),
        ({"cells": np.array(["a", "b"])}, "no cells'"),
        ({"cells": np.array([CELLS[0].folder] * 2)}, "a cell twice"),
    ],
)
def test_what_would_rank_wrongly_is_named(changed: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    path = tmp_path / "resampled_scores.npz"
    ResampledScores(CELLS, np.array([[0.5, 0.25], [0.75, 1]], dtype=np.float32)).write(path)
    write_arrays(path, read_arrays(path, "") | changed)
    with pytest.raises(DataError, match=rf"{said}; delete it to have the tables made again"):
        ResampledScores.read(path)


def test_no_cells_have_no_draws(tmp_path: Path) -> None:
    ResampledScores((), np.zeros((0, 0), dtype=np.float32)).write(tmp_path / "resampled_scores.npz")
    assert ResampledScores.read(tmp_path / "resampled_scores.npz").cells == ()
