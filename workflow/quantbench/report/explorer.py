"""The samples a report shows: inputs and gold answers beside the outputs at each precision, changed answers first.

A page cannot hold a million answers. Of each dataset at most :data:`MOST_SAMPLES` samples are taken, the same for all its
models: in turn from each model's own order, in which answers that quantization turned wrong come first, then those it put
right, those it changed otherwise, those no answer could be read from, and the rest. Should the page still be too large,
fewer are taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config import Catalogue
from ..contracts.records import Sample, read_records
from ..study.grid import Cell
from ..tables.efficiency import REFERENCE
from .encoding import encode
from .prompt_parts import prompt_parts

MOST_SAMPLES = 600
MOST_BYTES = 17 * 2**20  # of encoded samples and answers, so that the page stays below 25 MB
_UNREADABLE = b'"parsed_ok": false'
_WRONG = b'"correct": false'


@dataclass(frozen=True)
class Block:
    """A part of the page's data, encoded: loaded only when it is looked at."""

    name: str
    encoded: str


@dataclass(frozen=True)
class Explorer:
    """``index`` is what the page needs to offer choices; ``blocks`` hold samples and answers."""

    index: dict[str, Any]
    blocks: list[Block]


def explorer(catalogue: Catalogue, results: Path, cells: Sequence[Cell]) -> Explorer:
    """Take samples from finished cells, few enough for one page.

    Raises:
        DataError: a cell's file is malformed.
    """
    most = MOST_SAMPLES
    while True:
        made = _take(catalogue, results, cells, most)
        size = sum(len(block.encoded) for block in made.blocks)
        if size <= MOST_BYTES or most == 1:
            return made
        most = max(1, int(most * 0.9 * MOST_BYTES / size))


def _take(catalogue: Catalogue, results: Path, cells: Sequence[Cell], most: int) -> Explorer:
    blocks: list[Block] = []
    datasets = {}
    for name in dict.fromkeys(cell.dataset for cell in cells):
        own = [cell for cell in cells if cell.dataset == name]
        found, made = _dataset(catalogue, results, name, own, most)
        datasets[name] = found
        blocks += made
    titles = {
        "models": {cell.model: catalogue.models[cell.model].title for cell in cells},
        "precisions": {cell.precision: catalogue.precisions[cell.precision].title for cell in cells},
    }
    return Explorer({"datasets": datasets, **titles, "reference": REFERENCE}, blocks)


def _dataset(
    catalogue: Catalogue, results: Path, name: str, cells: Sequence[Cell], most: int
) -> tuple[dict[str, Any], list[Block]]:
    """What one dataset offers, and its blocks: ``samples/<dataset>`` and one a setting and model."""
    samples = read_records(results / "datasets" / name / "samples.jsonl", Sample)
    groups = _groups(cells)
    scored = {cell: _lines(results / "cells" / cell.folder / "scored.jsonl") for cell in cells}
    orders = [flips_first([scored[cell] for cell in group], _reference(group)) for group in groups.values()]
    chosen = sorted(_in_turn(orders, min(most, len(samples))))
    picked = [samples[place] for place in chosen]
    settings = list(dict.fromkeys(setting for setting, _ in groups))
    examples = {setting: next(group[0] for key, group in groups.items() if key[0] == setting) for setting in settings}
    content = {
        "ids": [sample.sample_id for sample in picked],
        "gold": [sample.gold for sample in picked],
        "prompts": {setting: prompt_parts(catalogue, results, cell, picked) for setting, cell in examples.items()},
    }
    blocks = [Block(f"samples/{name}", encode(content))]
    offered: dict[str, dict[str, list[str]]] = {setting: {} for setting in settings}
    for (setting, model), group in groups.items():
        answers = {cell.precision: _answers(results, cell, scored[cell], chosen) for cell in group}
        blocks.append(Block(f"answers/{name}/{setting}/{model}", encode(answers)))
        offered[setting][model] = [cell.precision for cell in group]
    title = catalogue.datasets[name].title
    return {"title": title, "total": len(samples), "shown": len(chosen), "settings": offered}, blocks


def flips_first(scored: Sequence[Sequence[bytes]], reference: int | None) -> list[int]:
    """Places of samples, in the order they deserve to be looked at.

    Args:
        scored: for each precision the lines of its ``scored.jsonl``, samples in the same order.
        reference: which of them is full precision; None: not there.

    Two lines differ exactly where the answers do, so most need not be parsed.
    """
    return sorted(range(len(scored[0])), key=lambda place: _rank([lines[place] for lines in scored], reference))


def _rank(lines: Sequence[bytes], reference: int | None) -> int:
    if reference is not None:
        right = _WRONG not in lines[reference]
        changed = [line for line in lines if line != lines[reference]]
        if any(right and _WRONG in line for line in changed):
            return 0
        if any(not right and _WRONG not in line for line in changed):
            return 1
        if changed:
            return 2
    return 3 if any(_UNREADABLE in line for line in lines) else 4


def _in_turn(orders: Sequence[Sequence[int]], count: int) -> Iterable[int]:
    """The first ``count`` distinct places, taken from each order in turn."""
    taken: dict[int, None] = {}
    for places in zip(*orders, strict=True):
        for place in places:
            if len(taken) == count:
                return taken
            taken[place] = None
    return taken


def _groups(cells: Sequence[Cell]) -> dict[tuple[str, str], list[Cell]]:
    """(setting, model) -> its cells at each precision; a setting is named like ``instruction-0``."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((f"{cell.prompting}-{cell.shots}", cell.model), []).append(cell)
    return groups


def _reference(group: Sequence[Cell]) -> int | None:
    full = replace(group[0], precision=REFERENCE)
    return group.index(full) if full in group else None


def _answers(results: Path, cell: Cell, scored: Sequence[bytes], chosen: Sequence[int]) -> dict[str, Any]:
    judged = [json.loads(scored[place]) for place in chosen]
    predictions = results / "cells" / cell.folder / "predictions.jsonl"
    raw = _lines(predictions) if predictions.exists() else None
    return {
        "parsed": [answer["parsed"] for answer in judged],
        "ok": [answer["parsed_ok"] for answer in judged],
        "correct": [answer["correct"] for answer in judged],
        "outputs": None if raw is None else list(_outputs(raw, chosen)),
    }


def _outputs(raw: Sequence[bytes], chosen: Sequence[int]) -> Iterator[list[str]]:
    for place in chosen:
        yield json.loads(raw[place])["outputs"]


def _lines(path: Path) -> list[bytes]:
    # By line feeds only: an output may hold other characters that end lines elsewhere.
    return path.read_bytes().removesuffix(b"\n").split(b"\n")
