"""The records between stages, one a line: samples, predictions, scored answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from ..errors import DataError
from ..reading.json_text import iterate_objects, parse_object
from .files import write_text


class Mention(TypedDict):
    """One entity; start and end count the characters of the sentence with all whitespace removed."""

    start: Annotated[int, Field(description="offset of its first character")]
    end: Annotated[int, Field(description="offset behind its last character")]
    text: Annotated[str, Field(description="as the sentence writes it")]


# What is taken as independent of its like when intervals are computed.
Unit = Literal["document", "text", "sentence", "pair", "question", "sample"]

# By task: list of labels in inventory order; list of mentions; one label; one letter; yes, no or maybe. None: no answer.
Answer = str | list[str] | list[Mention] | None

# What a prompt template is told beside a sample's inputs, or of a worked example's (``answer``), and Jinja2's own name for it.
RESERVED_INPUTS = frozenset({"labels", "entity_type", "examples", "answer", "slips", "self"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One example of a dataset, a line; ``shots.jsonl`` holds the worked examples, in the order in which prompts show them."""

    path: ClassVar[str] = "datasets/<dataset>/{samples,shots}.jsonl"

    sample_id: str = Field(description="unique in its file")
    inputs: dict[str, Any] = Field(
        description='by task: multi-label `{"text"}`; entities `{"text"}` (tokens joined by one blank); relations '
        '`{"sentence"}`; multiple choice `{"question", "options": {letter: text}}`; yes/no/maybe `{"question", "context"}`'
    )
    gold: Answer = Field(
        description="by task: list of labels in inventory order; list of entities; one label; one letter; yes, no or maybe"
    )
    group: str = Field(
        description="the source document, or a name of the sample's own where it is not known (`unit` in `dataset.json`): samples of one "
        "group are never taken as independent"
    )


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model wrote for one sample, a line, in dataset order."""

    path: ClassVar[str] = "cells/<cell>/{predictions,repeat_<number>}.jsonl"

    sample_id: str = Field(description="of the sample that was asked about")
    outputs: list[str] = Field(
        description="raw text; several of them for self-consistency, one a chain. Where the prompt opened a thought, its opening "
        "marker stands before what the model wrote"
    )
    prompt_tokens: int = Field(description="length of the prompt as the model read it")
    new_tokens: list[int] = Field(description="length of each output")
    finish_reason: list[str] = Field(
        description="of each output: `stop` (by an end token, or where the answer is complete) or `length` (the token limit; in "
        "predictions made elsewhere also `max_tokens` and the like)"
    )
    latency_s: float | None = Field(
        default=None,
        description="seconds of `generate`, of the last output where there are several; left out where latency is measured apart",
    )


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One prediction, parsed and judged, a line, in dataset order."""

    path: ClassVar[str] = "cells/<cell>/scored.jsonl"

    sample_id: str = Field(description="of the sample that was asked about")
    parsed: Answer = Field(
        description="the answer as it was read, in the form of `gold`; `null`, for labels and entities `[]`: see `parsed_ok`"
    )
    parsed_ok: bool = Field(description="whether an answer could be read; `false` counts as unparseable")
    gold: Answer = Field(description="as in `samples.jsonl`")
    correct: bool = Field(description="whether the whole answer is right: for lists, every item and no other")
    note: str | None = Field(
        default=None,
        description="what of the outputs was not read: repetitions, or the middle of a text far longer than any answer; left out where "
        "all was read",
    )


Record = TypeVar("Record", Sample, Prediction, ScoredAnswer)
_KINDS = (Sample, Prediction, ScoredAnswer)
_CHECKS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in _KINDS}
_NAMES: dict[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS}
# Left out where there is nothing to say.
_OPTIONAL = frozenset({"latency_s", "note"})
_ENCODER = json.JSONEncoder(ensure_ascii=False)


# As repeat_names has them: a copy that was set aside by hand is none.
_REPEAT = re.compile(r"repeat_([2-9]|[1-9][0-9]+)\.jsonl")


def repeat_names(repeats: int) -> list[str]:
    """The files in a cell's folder that hold its second to last answers, where samples are answered ``repeats`` times."""
    return [f"repeat_{number}.jsonl" for number in range(2, repeats + 1)]


def repeat_files(folder: Path) -> list[Path]:
    """Those that stand in a cell's folder, in order; a cell whose model decodes greedily leaves them empty."""
    numbered = ((_REPEAT.fullmatch(path.name), path) for path in folder.glob("repeat_*.jsonl"))
    return [path for _, path in sorted((int(named[1]), path) for named, path in numbered if named)]


def json_line(record: Record) -> str:
    """Return one record as one line of JSON, newline included."""
    values = {name: getattr(record, name) for name in _NAMES[type(record)]}
    said = {name: value for name, value in values.items() if value is not None or name not in _OPTIONAL}
    return _ENCODER.encode(said) + "\n"


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line, atomically."""
    write_text(path, "".join(json_line(record) for record in records))


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Read a JSON-lines file of one kind of record.

    Raises:
        DataError: missing or malformed file, fields missing, unknown or of the wrong kind, repeated ids; names the line.
    """
    records: list[Record] = []
    seen: set[str] = set()
    for number, value in iterate_objects(path):
        record = _checked(value, f"{path}, line {number}", kind)
        if record.sample_id in seen:
            raise DataError(f"{path}, line {number}: sample_id {record.sample_id!r} occurs twice")
        seen.add(record.sample_id)
        records.append(record)
    return records


def read_record(raw: bytes, where: str, kind: type[Record]) -> Record:
    """Read one line of a JSON-lines file of records, which errors name as ``where``.

    Raises:
        DataError: as :func:`read_records`.
    """
    return _checked(parse_object(raw, where), where, kind)


def _checked(value: dict[str, Any], where: str, kind: type[Record]) -> Record:
    odd = (value.keys() ^ _NAMES[kind]) - (_OPTIONAL & set(_NAMES[kind]))
    if odd:
        raise DataError(f"{where}: fields missing or unknown for {kind.__name__}: {', '.join(sorted(odd))}")
    try:
        record: Record = _CHECKS[kind].validate_python(value)
    except ValidationError as error:
        wrong = error.errors()[0]
        named = ".".join(str(part) for part in wrong["loc"])
        raise DataError(f"{where}: field {named!r} has the value {wrong['input']!r}: {wrong['msg']}") from None
    return record
