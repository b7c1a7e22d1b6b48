"""A user's own dataset: one JSON object a line with ``sample_id``, ``inputs``, ``gold`` and, where known, ``group``.

The form of ``inputs`` and ``gold`` follows from the entry's task; docs/own-datasets.md shows one of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import RESERVED_INPUTS, Sample
from ...errors import DataError, nearest, shorten
from ...reading.json_text import iterate_objects
from ...tasks import Samples, samples_of
from . import SplitSamples

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


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split.

    Entities in ``gold`` count characters of ``inputs.text`` as it stands; samples count them without whitespace, like
    every other reader. Group: the stated one (a document several samples come from), else the sample itself; documents are known
    where any line states one.

    Raises:
        DataError: malformed line, repeated id, label outside the inventory; with file, line, field and value.
    """
    kind = samples_of(entry)
    lines = [Line(path, number, values) for number, values in iterate_objects(path)]
    samples = [_sample(line, entry.task, kind) for line in lines]
    if not samples:
        raise DataError(f"{path}: holds no samples; write one JSON object a line")
    seen: dict[str, int] = {}
    for number, sample in enumerate(samples, start=1):
        if sample.sample_id in seen:
            raise DataError(
                f"{path}, line {number}: sample_id {sample.sample_id!r} is that of line {seen[sample.sample_id]}"
            )
        seen[sample.sample_id] = number
    return SplitSamples(samples, documents_known=any(line.values.get("group") for line in lines))


def _sample(line: Line, task: str, kind: Samples) -> Sample:
    for field in line.values:
        if field not in _FIELDS:
            raise line.error(field, f"unknown{nearest(field, _FIELDS)}")
    for field in ("sample_id", "inputs", "gold"):
        if field not in line.values:
            raise line.error(field, "is missing")
    sample_id = line.values["sample_id"]
    if not isinstance(sample_id, str) or not sample_id.strip():
        raise line.error("sample_id", f'expected a text such as "1", found {shorten(sample_id)}')
    inputs = _inputs(line, task, kind)
    group = line.values.get("group")
    if group is not None and not isinstance(group, str):
        raise line.error("group", f"expected the name of a document, found {shorten(group)}")
    try:
        gold = kind.read_gold(line.values["gold"], inputs)
    except ValueError as error:
        raise line.error("gold", str(error)) from None
    # The split's name keeps sample 1 of train from being taken for the document of sample 1 of test.
    return Sample(sample_id, inputs, gold, group or f"{line.path.stem} {sample_id}")


def _inputs(line: Line, task: str, kind: Samples) -> dict[str, str | dict[str, str]]:
    stated = line.values["inputs"]
    if not isinstance(stated, dict):
        raise line.error("inputs", f"expected an object of texts, found {shorten(stated)}")
    for name in sorted(RESERVED_INPUTS & stated.keys()):
        raise line.error(f"inputs.{name}", "means something else in a prompt template; give the input another name")
    for name in kind.inputs:
        if name not in stated:
            raise line.error(f"inputs.{name}", f"is missing; {task} needs {', '.join(kind.inputs)}")
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
