"""``resampled_scores.npz``: the scores of cells over the same draws of documents, by which candidates are ranked. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .array_files import read_arrays, write_arrays
from .cell_name import Cell, parse_folder

_REMEDY = "delete it to have the tables made again"


@dataclass(frozen=True, slots=True)
class ResampledScores:
    """Scores of the zero-shot cells with each draw of a dataset's documents, the same draws for all cells of the dataset."""

    path: ClassVar[str] = "tables/resampled_scores.npz"

    cells: tuple[Cell, ...]
    scores: NDArray[np.float32]  # (cells, draws), between 0 and 1

    def of(self, cells: Sequence[Cell]) -> NDArray[np.float32] | None:
        """The draws of some cells, shape ``(cells, draws)``; None where one of them has none."""
        places = {cell: place for place, cell in enumerate(self.cells)}
        return self.scores[[places[cell] for cell in cells]] if all(cell in places for cell in cells) else None

    def write(self, path: Path) -> None:
        """Write the file at ``path``, atomically."""
        names = np.array([cell.folder for cell in self.cells], dtype=np.str_)
        write_arrays(path, {"cells": names, "scores": self.scores})

    @classmethod
    def found(cls, path: Path) -> Self | None:
        """Read the file at ``path`` where there is one, which runs of before it lack."""
        return cls.read(path) if path.exists() else None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file at ``path``.

        Raises:
            DataError: no such file, or not one that :meth:`write` wrote.
        """
        arrays = read_arrays(path, _REMEDY)
        if arrays.keys() != {"cells", "scores"} or not _belong(arrays["cells"], arrays["scores"]):
            raise DataError(f"{path}: does not hold one row of scores a cell; {_REMEDY}")
        if not ((arrays["scores"] >= 0) & (arrays["scores"] <= 1)).all():
            raise DataError(f"{path}: holds scores that are not between 0 and 1; {_REMEDY}")
        try:
            cells = tuple(parse_folder(str(name)) for name in arrays["cells"])
        except ValueError:
            raise DataError(f"{path}: holds names that are no cells'; {_REMEDY}") from None
        if len(set(cells)) < len(cells):
            raise DataError(f"{path}: holds a cell twice; {_REMEDY}")
        return cls(cells, arrays["scores"])


def _belong(cells: NDArray[Any], scores: NDArray[Any]) -> bool:
    """Whether these are a list of names and as many rows of numbers; without cells there need be no draws."""
    shaped = cells.ndim == 1 and scores.ndim == 2 and len(cells) == len(scores)
    return shaped and cells.dtype.kind == "U" and scores.dtype.kind == "f" and (not len(cells) or scores.shape[1] > 1)
