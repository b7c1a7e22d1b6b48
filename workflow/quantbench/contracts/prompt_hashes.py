"""Whether two cells answered the same prompts, as far as their manifests say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from ..errors import DataError
from .cell_name import Cell
from .files import read_json
from .manifest import Manifest

# What a manifest may say, what of the prompts it speaks of, the best first: earlier versions hashed less.
_KINDS = {"prompts_sha256": "texts or token ids", "prompts": "texts", "first_prompt_sha256": "the first prompt's text"}


@dataclass(frozen=True, slots=True)
class PromptHashes:
    """Of one cell's prompts: hashes by kind, where the manifest stands, and when the cell ended (ISO 8601, empty: unknown)."""

    cell: Cell
    folder: Path
    by_kind: dict[str, str]
    end: str

    @classmethod
    def read(cls, results: Path, cell: Cell) -> PromptHashes:
        """Read those of a finished cell of the run in ``results``.

        Only what is needed here is looked at, so that manifests of any version do.

        Raises:
            DataError: the cell has no manifest, or it is not JSON.
        """
        folder = results / "cells" / cell.folder
        value = read_json(folder / Path(Manifest.path).name)
        identity = value.get("identity")
        said = (identity if isinstance(identity, dict) else {}) | value
        return cls(cell, folder, {kind: text for kind in _KINDS if (text := _text(said, kind))}, _text(said, "end"))

    def difference(self, other: PromptHashes) -> str | None:
        """What differs between the prompts of two cells, in words; None: nothing, as far as both say."""
        for kind, words in _KINDS.items():
            if kind in self.by_kind and kind in other.by_kind:
                return None if self.by_kind[kind] == other.by_kind[kind] else words
        return None


def refuse_other_prompts(pairs: list[tuple[PromptHashes, PromptHashes]]) -> None:
    """Refuse to compare cells that answered other prompts than the cells beside them.

    Raises:
        DataError: one line a pair: the two cells, what differs, and which of them to delete.
    """
    lines = [
        f"{cell.cell.label}: not the prompts of {reference.cell.label} ({words} differ), so their answers are not compared; "
        f"delete {min(cell, reference, key=lambda one: one.end).folder}, the older one, and run again"
        for cell, reference in pairs
        if (words := cell.difference(reference))
    ]
    if lines:
        raise DataError("\n".join(lines))


def _text(value: dict[str, JsonValue], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
