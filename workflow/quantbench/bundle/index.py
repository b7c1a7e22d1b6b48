"""What every bundle holds, and the checks of an index that came with a file from elsewhere.

A bundle is a tar archive compressed by zstd. Besides the index it holds, of one run, ``cells/``, ``datasets/``, the part of
``config/`` the run names, and the paper's Table 1.
"""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from ..contracts.bundle_index import Index
from ..contracts.cell_name import parse_folder
from ..errors import DataError

FORMAT = 1
INDEX = "bundle.json"
# Always there; of a withheld dataset the scored answers stand in for outputs or texts.
CELL_FILES = ("measurements.json", "manifest.json")
_FOLDERS = ("cells", "datasets", "config", "packed", "resources")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


def read_index(value: dict[str, JsonValue], source: str) -> Index:
    """Check what stands in ``bundle.json``.

    Raises:
        DataError: another format version, missing or odd fields, a path that leads elsewhere, a cell without its files.
    """
    if "format" not in value:
        raise DataError(f"{source}: {INDEX} does not describe a bundle; is this file made by `quantbench bundle`?")
    if value["format"] != FORMAT:
        raise DataError(
            f"{source}: bundle format {value['format']!r}, made by quantbench {value.get('quantbench')}; this version reads "
            f"format {FORMAT} only, so open it with that version"
        )
    index = Index.checked(value, f"{source}: {INDEX}")
    for path in index.files:
        check_path(path, source)
    for cell in index.cells:
        try:
            parse_folder(cell)
        except ValueError:
            raise DataError(f"{source}: {INDEX} lists the cell {cell!r}, which is no cell's folder") from None
        missing = [path for path in _needed_files(index, cell) if path not in index.files]
        if missing:
            raise DataError(f"{source}: the cell {cell} is not complete, {missing[0]} is missing; get the file again")
    return index


def check_path(path: str, source: str) -> None:
    """Refuse a member name that could lead out of the folder it is unpacked into, or that no bundle has.

    Raises:
        DataError: naming it.
    """
    parts = path.split("/")
    if parts[0] not in _FOLDERS or len(parts) < 2 or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise DataError(f"{source}: the archive names {path!r}, which no bundle has; nothing was unpacked")


def index_text(index: Index) -> str:
    """The content of ``bundle.json``; the hashes of one run's files go in in one order, so that its bytes are the same."""
    return json.dumps(index.as_json(), ensure_ascii=False, indent=1) + "\n"


def _needed_files(index: Index, cell: str) -> list[str]:
    """The files a cell cannot do without, relative to the bundle."""
    dataset = cell.split("/")[2]
    names = list(CELL_FILES)
    if dataset in index.without_texts:
        names += ["scores.json", "scored.jsonl"]
    if dataset not in index.without_outputs:
        names.append("predictions.jsonl")
    return [*(f"cells/{cell}/{name}" for name in names), f"datasets/{dataset}/samples.jsonl"]
