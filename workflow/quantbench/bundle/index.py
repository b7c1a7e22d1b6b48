"""What every bundle holds, and the checks of an index that came with a file from elsewhere.

A bundle is a tar archive compressed by zstd. Besides the index it holds, of one run, ``cells/``, ``datasets/``, the part of
``config/`` the run names, and the paper's Table 1.
"""

from __future__ import annotations

import json
from typing import get_args

from pydantic import JsonValue

from ..config import Prompting
from ..contracts.bundle_index import Index
from ..contracts.cell_name import Cell, parse_folder
from ..errors import DataError, shorten
from ..reading import json_text
from .index_limits import refuse_crowded, refuse_large, refuse_odd_sizes
from .member_paths import LONGEST_PATH, NAME, check_figures, check_paths

FORMAT = 1
INDEX = "bundle.json"
# Always there; of a withheld dataset the scored answers stand in for outputs or texts.
CELL_FILES = ("measurements.json", "manifest.json")
LARGEST_ENTRY, LARGEST_ENTRIES = 128 << 10, 1 << 20  # bytes; those that come with the package have 2 KB at most
_ALWAYS = ("config/studies.yaml",)


def parse_index(content: bytes, source: str) -> Index:
    """Read and check the text of ``bundle.json``.

    Raises:
        DataError: as :func:`read_index`; larger than any index, or not JSON.
    """
    where = f"{source}: {INDEX}"
    refuse_large(len(content), where)
    refuse_crowded(content, where)
    return read_index(json_text.parse_object(content, where, remedy=Index.remedy), source)


def read_index(value: dict[str, JsonValue], source: str, step: str = Index.remedy) -> Index:
    """Check what stands in ``bundle.json``; arguments as of :func:`check_index`.

    Raises:
        DataError: another format version, missing or odd fields, and as :func:`check_index`.
    """
    if "format" not in value:
        raise DataError(f"{source}: {INDEX} does not describe a bundle; is this file made by `quantbench bundle`?")
    stated = value["format"]
    if type(stated) is not int or stated != FORMAT:
        raise DataError(
            f"{source}: bundle format {shorten(stated)}, made by quantbench {shorten(value.get('quantbench'))}; this version "
            f"reads format {FORMAT} only, so open it with that version"
        )
    refuse_odd_sizes(value, f"{source}: {INDEX}")
    index = Index.checked(value, f"{source}: {INDEX}")
    check_index(index, source, step)
    return index


def check_index(index: Index, source: str, step: str = Index.remedy) -> None:
    """Hold the parts of an index against each other.

    Args:
        index: its fields are of the right kinds.
        source: the bundle, as errors name it.
        step: what to do about paths that no bundle may have.

    Raises:
        DataError: a path that leads elsewhere or gets in the way of another, what is no cell or no figure, a cell without its
            files, files of cells or datasets that the index does not list, texts left out of datasets that it does not have, entries
            of the configuration larger than anybody writes.
    """
    check_paths(index.files, source, step)
    check_figures(index.figures, source, step)
    cells = [_cell(folder, source) for folder in index.cells]
    if len(set(cells)) < len(cells):
        raise DataError(f"{source}: {INDEX} lists a cell more than once; get the file again")
    datasets = {cell.dataset for cell in cells}
    for field, names, known in (
        ("without_texts", index.without_texts, datasets),
        ("without_outputs", index.without_outputs, set(index.without_texts)),
    ):
        odd = next((name for name in names if name not in known), None)
        if odd is not None:
            raise DataError(f"{source}: {INDEX}: key {field!r} names {shorten(odd)}, of which there is no cell or text")
    for cell in cells:
        missing = [path for path in _needed_files(index, cell) if path not in index.files]
        if missing:
            raise DataError(
                f"{source}: the cell {cell.folder} is not complete, {missing[0]} is missing; get the file again"
            )
    missing = [path for path in _ALWAYS if path not in index.files]
    if missing:
        raise DataError(f"{source}: {missing[0]} is missing from {INDEX}; get the file again")
    _check_owners(index, datasets, source)
    _check_entries(index, source)


def index_text(index: Index) -> str:
    """The content of ``bundle.json``; the hashes of one run's files go in in one order, so that its bytes are the same."""
    return json.dumps(index.as_json(), ensure_ascii=False, indent=1) + "\n"


def _cell(folder: str, source: str) -> Cell:
    try:
        cell = parse_folder(folder)
    except ValueError:
        cell = None
    is_named = len(folder) <= LONGEST_PATH and all(NAME.fullmatch(part) for part in folder.split("/"))
    if cell is None or not is_named or cell.folder != folder or cell.prompting not in get_args(Prompting):
        raise DataError(
            f"{source}: {INDEX} lists the cell {shorten(folder)}, which is no cell's folder; get the file again"
        )
    return cell


def _check_owners(index: Index, datasets: set[str], source: str) -> None:
    """Every file of a cell or dataset is of one that the index lists."""
    cells = set(index.cells)
    for path in index.files:
        top, _, rest = path.partition("/")
        owner = rest.rpartition("/")[0]
        if (top == "cells" and owner not in cells) or (top == "datasets" and owner not in datasets):
            raise DataError(f"{source}: {path} is of no cell that {INDEX} lists; get the file again")


def _check_entries(index: Index, source: str) -> None:
    """Entries are parsed when a bundle is opened, and YAML takes a thousand times its bytes."""
    sizes = {path: member.bytes for path, member in index.files.items() if path.endswith(".yaml")}
    largest = max(sizes, key=sizes.__getitem__)
    if sizes[largest] > LARGEST_ENTRY or sum(sizes.values()) > LARGEST_ENTRIES:
        raise DataError(
            f"{source}: {largest} of {sizes[largest]:,} bytes, or all entries of config/ together, are larger than anybody writes "
            f"({LARGEST_ENTRY:,} and {LARGEST_ENTRIES:,} bytes); get the file again"
        )


def _needed_files(index: Index, cell: Cell) -> list[str]:
    """The files a cell cannot do without, relative to the bundle."""
    names = list(CELL_FILES)
    if cell.dataset in index.without_texts:
        names += ["scores.json", "scored.jsonl"]
    if cell.dataset not in index.without_outputs:
        names.append("predictions.jsonl")
    return [*(f"cells/{cell.folder}/{name}" for name in names), f"datasets/{cell.dataset}/samples.jsonl"]
