"""What a finished cell left behind, and which cells are finished."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..contracts.files import read_json
from ..errors import DataError
from ..study.grid import Cell

NEEDED = ("scores.json", "scored.jsonl", "measurements.json")


def cell_folder(results: Path, cell: Cell) -> Path:
    """Where a cell's files stand below ``results/<run>``."""
    return results / "cells" / cell.folder


def existing_cells(results: Path, cells: Iterable[Cell]) -> list[Cell]:
    """The cells whose scores and measurements are complete, in the order given."""
    return [cell for cell in cells if all((cell_folder(results, cell) / name).exists() for name in NEEDED)]


def weights_of(measured: Document) -> str:
    """``published``, or ``random`` where the model of this ``measurements.json`` was a stand-in.

    It is read from what the cell left, not from the configuration, which may have changed since.
    """
    value: str = measured.get("weights") if measured.has("weights") else "published"  # files of version 0.1.0 lack it
    return value


class Document:
    """One JSON object of a cell; a missing field is an error naming the file and the field."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._value = read_json(path)

    def has(self, key: str) -> bool:
        """Whether the object has a field."""
        return key in self._value

    def get(self, *keys: str) -> Any:
        """The value at a path of keys.

        Raises:
            DataError: a key on the way is missing.
        """
        value: Any = self._value
        for depth, key in enumerate(keys):
            if not isinstance(value, dict) or key not in value:
                field = ".".join(keys[: depth + 1])
                raise DataError(f"{self.path}: field {field!r} is missing; delete the file to have it made again")
            value = value[key]
        return value
