"""A user's own dataset: one JSON object a line with ``sample_id``, ``inputs``, ``gold`` and, where known, ``group``.

The form of ``inputs`` and ``gold`` follows from the entry's task; docs/own-datasets.md shows one of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import ascii_uppercase

from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.files import iterate_lines
from ...contracts.records import Answer, Mention, Sample
from ...errors import DataError, nearest
from .delimited import shorten

GROUPS_ARE_DOCUMENTS = True

_INPUTS = {
    "multi_label_classification": ("text",),
    "named_entity_recognition": ("text",),
    "relation_extraction": ("sentence",),
    "question_answering": ("question",),
}
Inputs = dict[str, str | dict[str, str]]
_FIELDS = ("sample_id", "inputs", "gold", "group")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: where it stands, and its fields."""

    path: Path
    number: int
    values: dict[str, JsonValue]

    def error(self, field: str, problem: str) -> DataError:
        """An error that names file, line and field."""
        return DataError(f"{self.path}, line {self.number}, field {field!r}: {problem}")


def read(path: Path, entry: DatasetEntry) -> list[Sample]:
    """Read one split.

    Entities in ``gold`` count characters of ``inputs.text`` as it stands; samples count them without whitespace, like
    every other reader. Group: the stated one (a document several samples come from), else the sample itself.

    Raises:
        DataError: malformed line, repeated id, label outside the inventory; with file, line, field and value.
    """
    samples = [_sample(Line(path, number, values), entry) for number, values in iterate_lines(path)]
    if not samples:
        raise DataError(f"{path}: holds no samples; write one JSON object a line")
    seen: dict[str, int] = {}
    for number, sample in enumerate(samples, start=1):
        if sample.sample_id in seen:
            raise DataError(
                f"{path}, line {number}: sample_id {sample.sample_id!r} is that of line {seen[sample.sample_id]}"
            )
        seen[sample.sample_id] = number
    return samples


def _sample(line: Line, entry: DatasetEntry) -> Sample:
    for field in line.values:
        if field not in _FIELDS:
            raise line.error(field, f"unknown{nearest(field, _FIELDS)}")
    for field in ("sample_id", "inputs", "gold"):
        if field not in line.values:
            raise line.error(field, "is missing")
    sample_id = line.values["sample_id"]
    if not isinstance(sample_id, str) or not sample_id.strip():
        raise line.error("sample_id", f'expected a text such as "1", found {shorten(sample_id)}')
    inputs = _inputs(line, entry)
    group = line.values.get("group")
    if group is not None and not isinstance(group, str):
        raise line.error("group", f"expected the name of a document, found {shorten(group)}")
    # The split's name keeps sample 1 of train from being taken for the document of sample 1 of test.
    return Sample(sample_id, inputs, _GOLD[entry.task](line, entry, inputs), group or f"{line.path.stem} {sample_id}")


def _inputs(line: Line, entry: DatasetEntry) -> Inputs:
    stated = line.values["inputs"]
    if not isinstance(stated, dict):
        raise line.error("inputs", f"expected an object of texts, found {shorten(stated)}")
    wanted = [*_INPUTS[entry.task], *(["options"] if entry.lettered else [])]
    for name in wanted:
        if name not in stated:
            raise line.error(f"inputs.{name}", f"is missing; {entry.task} needs {', '.join(wanted)}")
    return {
        name: _options(line, value) if name == "options" else _text(line, name, value) for name, value in stated.items()
    }


def _text(line: Line, name: str, value: JsonValue) -> str:
    if not isinstance(value, str) or not value.strip():
        raise line.error(f"inputs.{name}", f"expected a text, found {shorten(value)}")
    return value


def _options(line: Line, value: JsonValue) -> dict[str, str]:
    stated = value if isinstance(value, dict) else {}
    options = {letter: text for letter, text in stated.items() if isinstance(text, str) and text.strip()}
    if len(options) < max(2, len(stated)) or list(options) != list(ascii_uppercase[: len(options)]):
        raise line.error(
            "inputs.options", f'expected {{"A": text, "B": text, ...}} in order, two or more, found {shorten(value)}'
        )
    return options


def _known(line: Line, label: JsonValue, inventory: list[str]) -> str:
    if not isinstance(label, str) or label not in inventory:
        raise line.error(
            "gold", f"label {shorten(label)} is outside the labels of dataset.yaml{nearest(str(label), inventory)}"
        )
    return label


def _labels(line: Line, entry: DatasetEntry, inputs: Inputs) -> list[str]:
    gold, inventory = line.values["gold"], list(entry.labels)
    if not isinstance(gold, list):
        raise line.error("gold", f"expected a list of labels, found {shorten(gold)}")
    labels = [_known(line, label, inventory) for label in gold]
    if len(set(labels)) < len(labels):
        raise line.error("gold", f"a label is repeated in {shorten(gold)}")
    return [label for label in inventory if label in labels]


def _relation(line: Line, entry: DatasetEntry, inputs: Inputs) -> str:
    return _known(line, line.values["gold"], list(entry.labels))


def _answer(line: Line, entry: DatasetEntry, inputs: Inputs) -> str:
    return _known(line, line.values["gold"], list(inputs["options"]) if entry.lettered else list(entry.labels))


def _entities(line: Line, entry: DatasetEntry, inputs: Inputs) -> list[Mention]:
    gold, text = line.values["gold"], str(inputs["text"])
    if not isinstance(gold, list):
        raise line.error("gold", f"expected a list of entities, found {shorten(gold)}")
    ordered = sorted((_entity(line, item, text) for item in gold), key=lambda entity: entity["start"])
    for first, second in pairwise(ordered):
        if second["start"] < first["end"]:
            raise line.error("gold", f"entities {first['text']!r} and {second['text']!r} overlap; keep the longer one")
    return [
        {"start": _dense(text, entity["start"]), "end": _dense(text, entity["end"]), "text": entity["text"]}
        for entity in ordered
    ]


def _entity(line: Line, item: JsonValue, text: str) -> Mention:
    """One entity as stated, its places counting characters of the text as it stands."""
    if not isinstance(item, dict) or item.keys() != {"start", "end", "text"}:
        raise line.error("gold", f'expected {{"start": 0, "end": 7, "text": "aspirin"}}, found {shorten(item)}')
    start, end, named = item["start"], item["end"], item["text"]
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise line.error("gold", f"{shorten(item)} does not name its place in inputs.text")
    if not isinstance(named, str) or text[start:end] != named:
        raise line.error(
            "gold", f"{shorten(item)} does not name its place in inputs.text; the text has {text[start:end]!r} there"
        )
    if named != named.strip():
        raise line.error("gold", f"entity {named!r} begins or ends with a blank; leave it out")
    return {"start": start, "end": end, "text": named}


def _dense(text: str, position: int) -> int:
    """How many characters other than whitespace stand before a position."""
    return len("".join(text[:position].split()))


_GOLD: dict[str, Callable[[Line, DatasetEntry, Inputs], Answer]] = {
    "multi_label_classification": _labels,
    "named_entity_recognition": _entities,
    "relation_extraction": _relation,
    "question_answering": _answer,
}
