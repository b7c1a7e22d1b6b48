"""``bundle.json``, the first file of a bundle: what is inside, with checksums, and what was left out.

A bundle is a tar archive compressed by zstd. Besides the index it holds, of one run, ``cells/``, ``datasets/``, the part of
``config/`` the run names, and the paper's Table 1.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import DataError
from ..study.grid import parse_folder

FORMAT = 1
INDEX = "bundle.json"
# Always there; of a withheld dataset the scored answers stand in for outputs or texts.
CELL_FILES = ("measurements.json", "manifest.json")
_FOLDERS = ("cells", "datasets", "config", "resources")
_KINDS = {"files": dict, "configuration": dict, "figures": dict, "cells": list}
_KINDS |= {"without_texts": list, "without_outputs": list}
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Member:
    """One file: bytes and SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """The content of ``bundle.json``.

    Attributes:
        format: version of the layout; a program reads only its own.
        quantbench: version of the package that packed it.
        configuration: the run's settings.
        cells: folders of the run's finished cells, relative to ``cells/``.
        without_texts: datasets whose inputs are left out; their scored answers are inside.
        without_outputs: those of them whose raw outputs are left out too.
        files: path -> its member.
        figures: name of each figure of the run -> SHA-256 of it, to compare redrawn ones with.
    """

    format: int
    quantbench: str
    configuration: dict[str, Any]
    cells: list[str]
    without_texts: list[str]
    without_outputs: list[str]
    files: dict[str, Member]
    figures: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Ready for :func:`quantbench.contracts.files.write_json`."""
        return asdict(self)


def read_index(value: Any, source: str) -> Index:
    """Check what stands in ``bundle.json``.

    Raises:
        DataError: another format version, missing or odd fields, a path that leads elsewhere, a cell without its files.
    """
    if not isinstance(value, dict) or "format" not in value:
        raise DataError(f"{source}: {INDEX} does not describe a bundle; is this file made by `quantbench bundle`?")
    if value["format"] != FORMAT:
        raise DataError(
            f"{source}: bundle format {value['format']!r}, made by quantbench {value.get('quantbench')}; this version reads "
            f"format {FORMAT} only, so open it with that version"
        )
    for name, kind in _KINDS.items():
        if not isinstance(value.get(name), kind):
            raise DataError(f"{source}: {INDEX} is malformed ({name!r} is no {kind.__name__}); get the file again")
    try:
        files = {str(path): Member(int(item["bytes"]), str(item["sha256"])) for path, item in value["files"].items()}
        index = Index(**{**value, "files": files})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{source}: {INDEX} is malformed ({error!r}); get the file again") from None
    for path, member in files.items():
        check_path(path, source)
        if member.bytes < 0 or not _SHA256.fullmatch(member.sha256):
            raise DataError(f"{source}: {INDEX} states no proper size and SHA-256 of {path}; get the file again")
    _check_cells(index, source)
    return index


def check_path(path: str, source: str) -> None:
    """Refuse a member name that could lead out of the folder it is unpacked into, or that no bundle has.

    Raises:
        DataError: naming it.
    """
    parts = path.split("/")
    if parts[0] not in _FOLDERS or len(parts) < 2 or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise DataError(f"{source}: the archive names {path!r}, which no bundle has; nothing was unpacked")


def needed_files(index: Index, cell: str) -> list[str]:
    """The files a cell cannot do without, relative to the bundle."""
    dataset = cell.split("/")[2]
    names = list(CELL_FILES)
    if dataset in index.without_texts:
        names += ["scores.json", "scored.jsonl"]
    if dataset not in index.without_outputs:
        names.append("predictions.jsonl")
    return [*(f"cells/{cell}/{name}" for name in names), f"datasets/{dataset}/samples.jsonl"]


def _check_cells(index: Index, source: str) -> None:
    for cell in index.cells:
        try:
            parse_folder(cell)
        except ValueError:
            raise DataError(f"{source}: {INDEX} lists the cell {cell!r}, which is no cell's folder") from None
        missing = [path for path in needed_files(index, cell) if path not in index.files]
        if missing:
            raise DataError(f"{source}: the cell {cell} is not complete, {missing[0]} is missing; get the file again")
    if not index.cells:
        raise DataError(f"{source}: {INDEX} lists no cell")
