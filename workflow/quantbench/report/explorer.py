"""The samples a report shows: inputs and gold answers beside the outputs at each precision, changed answers first.

A page cannot hold a million answers. Of each dataset at most :data:`MOST_SAMPLES` samples are taken, the same for all its
models: in turn from each model's own order, in which answers that quantization turned wrong come first, then those it put
right, those it changed otherwise, those no answer could be read from, and the rest. Should the page still be too large,
fewer are taken.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.records import Answer, Prediction, Record, Sample, ScoredAnswer, read_record, read_records
from ..errors import DataError
from ..privacy.anonymous import Pseudonyms, answer_without_texts, sample_without_texts
from ..reading.text_files import read_bytes
from .prompt_parts import PromptParts, PromptSource

MOST_SAMPLES = 600
MOST_BYTES = 17 * 2**20  # of encoded samples and answers, so that the page stays below 25 MB
_UNREADABLE = b'"parsed_ok": false'
_WRONG = b'"correct": false'
_NOTE = b', "note": "'  # the last field; inside a text the quotes would be escaped


@dataclass(frozen=True)
class Block:
    """A part of the page's data, encoded: loaded only when it is looked at."""

    name: str
    encoded: str


@dataclass(frozen=True)
class Samples:
    """The samples shown of one dataset; ``prompts`` of each setting, None where texts are not here."""

    ids: list[str]
    gold: list[Answer]
    prompts: dict[str, PromptParts | None]


@dataclass(frozen=True)
class Answers:
    """One cell's answers to the samples shown; ``outputs`` are None where they are left out, a note where all was read."""

    parsed: list[Answer]
    ok: list[bool]
    correct: list[bool]
    outputs: list[list[str]] | None
    notes: list[str | None]


@dataclass(frozen=True)
class Offered:
    """What the page offers of one dataset; ``settings``: setting -> model -> precisions."""

    title: str
    total: int
    shown: int
    settings: dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Index:
    """What the page needs to offer choices, titles by name."""

    datasets: dict[str, Offered]
    models: dict[str, str]
    precisions: dict[str, str]
    reference: str


@dataclass(frozen=True)
class Explorer:
    """The index, and blocks that hold samples and answers."""

    index: Index
    blocks: list[Block]


def explorer(vocabulary: Vocabulary, prompts: PromptSource, cells: Sequence[Cell]) -> Explorer:
    """Take samples from finished cells, few enough for one page.

    Args:
        vocabulary: titles, and which precision is the reference.
        prompts: makes prompts of the run's samples anew.
        cells: finished cells.

    Raises:
        DataError: a cell's file is malformed.
    """
    most = MOST_SAMPLES
    while True:
        made = _Selection(vocabulary, prompts, cells, most).taken()
        size = sum(len(block.encoded) for block in made.blocks)
        if size <= MOST_BYTES or most == 1:
            return made
        most = max(1, int(most * 0.9 * MOST_BYTES / size))


def encode(content: Samples | dict[str, Answers]) -> str:
    """JSON, gzip, base64: the browser inflates a block when it is looked at. The same content gives the same text."""
    value = {name: asdict(one) for name, one in content.items()} if isinstance(content, dict) else asdict(content)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(text, compresslevel=9, mtime=0)).decode()


@dataclass(frozen=True)
class _Selection:
    """At most ``most`` samples of each dataset."""

    vocabulary: Vocabulary
    prompts: PromptSource
    cells: Sequence[Cell]
    most: int

    def taken(self) -> Explorer:
        datasets: dict[str, Offered] = {}
        blocks: list[Block] = []
        for name in dict.fromkeys(cell.dataset for cell in self.cells):
            datasets[name], made = self._dataset(name)
            blocks += made
        title = self.vocabulary.title
        index = Index(
            datasets,
            {cell.model: title("model", cell.model) for cell in self.cells},
            {cell.precision: title("precision", cell.precision) for cell in self.cells},
            self.vocabulary.reference,
        )
        return Explorer(index, blocks)

    def _dataset(self, name: str) -> tuple[Offered, list[Block]]:
        """What one dataset offers, and its blocks: ``samples/<dataset>`` and one a setting and model."""
        results = self.prompts.results
        samples = read_records(results / "datasets" / name / "samples.jsonl", Sample)
        groups = _groups([cell for cell in self.cells if cell.dataset == name])
        scored = {
            cell: _lines(results / "cells" / cell.folder / "scored.jsonl", len(samples))
            for group in groups.values()
            for cell in group
        }
        orders = [flips_first([scored[cell] for cell in group], self._reference(group)) for group in groups.values()]
        chosen = sorted(_in_turn(orders, min(self.most, len(samples))))
        picked = [samples[place] for place in chosen]
        hidden = name in self.prompts.hidden
        shown = [sample_without_texts(one) for one in map(Pseudonyms.of(samples).renamed, picked)] if hidden else picked
        examples: dict[str, Cell] = {}
        for (setting, _), group in groups.items():
            examples.setdefault(setting, group[0])
        content = Samples(
            [sample.sample_id for sample in shown],
            [sample.gold for sample in shown],
            {setting: self.prompts.parts(cell, picked) for setting, cell in examples.items()},
        )
        blocks = [Block(f"samples/{name}", encode(content))]
        offered: dict[str, dict[str, list[str]]] = {setting: {} for setting in examples}
        for (setting, model), group in groups.items():
            answers = {cell.precision: _answers(results, cell, scored[cell], chosen, hidden) for cell in group}
            blocks.append(Block(f"answers/{name}/{setting}/{model}", encode(answers)))
            offered[setting][model] = [cell.precision for cell in group]
        return Offered(self.vocabulary.title("dataset", name), len(samples), len(chosen), offered), blocks

    def _reference(self, group: Sequence[Cell]) -> int | None:
        full = replace(group[0], precision=self.vocabulary.reference)
        return group.index(full) if full in group else None


def flips_first(scored: Sequence[Sequence[bytes]], reference: int | None) -> list[int]:
    """Places of samples, in the order they deserve to be looked at.

    Args:
        scored: for each precision the lines of its ``scored.jsonl``, samples in the same order.
        reference: which of them is full precision; None: not there.

    Two lines differ exactly where the answers do, notes aside, so most need not be parsed.
    """

    def rank(place: int) -> int:
        return _rank([lines[place].partition(_NOTE)[0] for lines in scored], reference)

    return sorted(range(len(scored[0])), key=rank)


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


def _answers(results: Path, cell: Cell, scored: Sequence[bytes], chosen: Sequence[int], hidden: bool) -> Answers:
    folder = results / "cells" / cell.folder
    judged = _records(folder / "scored.jsonl", scored, chosen, ScoredAnswer)
    if hidden:
        judged = [answer_without_texts(answer) for answer in judged]
    predictions = folder / "predictions.jsonl"
    outputs = None
    if predictions.exists() and not hidden:
        answered = _records(predictions, _lines(predictions, len(scored)), chosen, Prediction)
        outputs = [prediction.outputs for prediction in answered]
    return Answers(
        [answer.parsed for answer in judged],
        [answer.parsed_ok for answer in judged],
        [answer.correct for answer in judged],
        outputs,
        [answer.note for answer in judged],
    )


def _records(path: Path, lines: Sequence[bytes], chosen: Sequence[int], kind: type[Record]) -> list[Record]:
    """The records on some of a file's lines."""
    return [read_record(lines[place], f"{path}, line {place + 1}", kind) for place in chosen]


def _lines(path: Path, count: int) -> list[bytes]:
    """The lines of a file that has one for each of ``count`` samples.

    Raises:
        DataError: no such file, or another number of lines.
    """
    content = read_bytes(path, missing="no such file; run snakemake to have it made")
    # By line feeds only: an output may hold other characters that end lines elsewhere.
    lines = content.removesuffix(b"\n").split(b"\n")
    if len(lines) != count:
        raise DataError(f"{path}: {len(lines)} lines for {count} samples; delete it and run snakemake again")
    return lines
