"""The records between stages, one a line: samples, predictions, scored answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from ..errors import DataError
from .files import iterate_lines, write_text


class Mention(TypedDict):
    """One entity; start and end count the characters of the sentence with all whitespace removed."""

    start: int
    end: int
    text: str


# By task: list of labels in inventory order; list of mentions; one label; one letter; yes, no or maybe. None: no answer.
Answer = str | list[str] | list[Mention] | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One example of a dataset, a line of ``samples.jsonl`` and ``shots.jsonl``.

    ``inputs`` by task: multi-label ``{"text"}``; entities ``{"text"}`` (tokens joined by one blank); relations
    ``{"sentence"}``; multiple choice ``{"question", "options": {letter: text}}``; yes/no/maybe ``{"question", "context"}``.
    ``group`` names the source document, the resampling unit of the bootstrap.
    """

    sample_id: str
    inputs: dict[str, Any]
    gold: Answer
    group: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """The raw outputs for one sample, a line of ``predictions.jsonl``: one text, or k texts for self-consistency.

    ``finish_reason`` of each output is ``stop`` (by an end token, or where the answer is complete) or ``length``.
    """

    sample_id: str
    outputs: list[str]
    prompt_tokens: int
    new_tokens: list[int]
    finish_reason: list[str]


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One prediction, parsed and judged, a line of ``scored.jsonl``."""

    sample_id: str
    parsed: Answer
    parsed_ok: bool
    gold: Answer
    correct: bool


Record = TypeVar("Record", Sample, Prediction, ScoredAnswer)
_CHECKS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Sample, Prediction, ScoredAnswer)}


def json_line(record: Record) -> str:
    """Return one record as one line of JSON, newline included."""
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line, atomically."""
    write_text(path, "".join(json_line(record) for record in records))


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Read a JSON-lines file of one kind of record.

    Raises:
        DataError: missing or malformed file, fields missing, unknown or of the wrong kind, repeated ids; names the line.
    """
    wanted = {field.name for field in fields(kind)}
    records: list[Record] = []
    seen: set[str] = set()
    for number, value in iterate_lines(path):
        if value.keys() != wanted:
            odd = ", ".join(sorted(value.keys() ^ wanted))
            raise DataError(f"{path}, line {number}: fields missing or unknown for {kind.__name__}: {odd}")
        try:
            record: Record = _CHECKS[kind].validate_python(value)
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(str(part) for part in wrong["loc"])
            raise DataError(
                f"{path}, line {number}: field {where!r} has the value {wrong['input']!r}: {wrong['msg']}"
            ) from None
        if record.sample_id in seen:
            raise DataError(f"{path}, line {number}: sample_id {record.sample_id!r} occurs twice")
        seen.add(record.sample_id)
        records.append(record)
    return records
