"""Whether two cells may be compared: both ran under one protocol and answered the same prompts, as far as their manifests say."""

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
    """Of one cell's prompts: hashes by kind, where the manifest stands, and when the cell ended (ISO 8601, empty: unknown).

    ``protocol`` is what its identity says of the protocol it ran under: the switches that follow the paper's authors with those
    beside them, or None for the sound one.
    """

    cell: Cell
    folder: Path
    by_kind: dict[str, str]
    end: str
    protocol: JsonValue = None

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
        known = identity if isinstance(identity, dict) else {}
        said = known | value
        by_kind = {kind: text for kind in _KINDS if (text := _text(said, kind))}
        return cls(cell, folder, by_kind, _text(said, "end"), known.get("protocol"))

    def difference(self, other: PromptHashes) -> str | None:
        """What differs between the prompts of two cells, in words; None: nothing, as far as both say."""
        for kind, words in _KINDS.items():
            if kind in self.by_kind and kind in other.by_kind:
                return None if self.by_kind[kind] == other.by_kind[kind] else words
        return None


def refuse_other_prompts(pairs: list[tuple[PromptHashes, PromptHashes]]) -> None:
    """Refuse to compare cells that answered other prompts than the cells beside them, or ran under another protocol.

    Raises:
        DataError: one line a pair: the two cells, what differs, and which of them to delete.
    """
    lines = [
        f"{cell.cell.label}: not under the protocol of {reference.cell.label} (`protocol` of the configuration: "
        f"{_switches(cell.protocol, reference.protocol)}), so their answers are never compared; give each protocol a run of its own, "
        f"or delete {min(cell, reference, key=lambda one: one.end).folder}, the older one, and run again"
        for cell, reference in pairs
        if cell.protocol != reference.protocol
    ]
    lines += [
        f"{cell.cell.label}: not the prompts of {reference.cell.label} ({words} differ), so their answers are not compared; "
        f"delete {min(cell, reference, key=lambda one: one.end).folder}, the older one, and run again"
        for cell, reference in pairs
        if cell.protocol == reference.protocol and (words := cell.difference(reference))
    ]
    if lines:
        raise DataError("\n".join(lines))


def _switches(own: JsonValue, other: JsonValue) -> str:
    """The switches by which two protocols differ, as their manifests state them."""
    first, second = (_leaves(stated) for stated in (own, other))
    if not first or not second:
        return f"as published in {'the first' if first else 'the second'} alone"
    return ", ".join(
        f"{key} {first.get(key)!r} and {second.get(key)!r}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    )


def _leaves(stated: JsonValue, key: str = "") -> dict[str, JsonValue]:
    """Each switch of a protocol by its dotted key; of the sound one, which manifests do not state, none."""
    if not isinstance(stated, dict):
        return {key: stated} if key else {}
    found: dict[str, JsonValue] = {}
    for name, value in stated.items():
        found |= _leaves(value, f"{key}.{name}" if key else name)
    return found


def _text(value: dict[str, JsonValue], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
