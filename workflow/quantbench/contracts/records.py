"""The JSON contracts between stages: samples, predictions, scored answers; reading, writing, checking.

A file under its final name is complete: everything is written beside it, flushed to disk, and renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from ..errors import DataError


@dataclass(frozen=True, slots=True)
class Sample:
    """One example of a dataset.

    ``inputs`` by task: multi-label ``{"text"}``; entities ``{"text"}`` (tokens joined by one blank); relations
    ``{"sentence"}``; multiple choice ``{"question", "options": {letter: text}}``; yes/no/maybe ``{"question", "context"}``.
    ``gold`` by task: list of labels in inventory order; list of ``{"start", "end", "text"}`` where start and end count
    the characters of the sentence with all whitespace removed; one label; one letter; yes, no or maybe.
    ``group`` names the source document, the resampling unit of the bootstrap.
    """

    sample_id: str
    inputs: dict[str, Any]
    gold: Any
    group: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """The raw outputs for one sample: one text, or k texts for self-consistency."""

    sample_id: str
    outputs: list[str]
    prompt_tokens: int
    new_tokens: list[int]
    finish_reason: list[str]


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """One prediction, parsed and judged."""

    sample_id: str
    parsed: Any
    parsed_ok: bool
    gold: Any
    correct: bool


Record = TypeVar("Record", Sample, Prediction, ScoredAnswer)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 under ``path`` atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` under ``path`` atomically; see :func:`write_stream`."""

    def write(handle: BinaryIO) -> None:
        handle.write(content)

    write_stream(path, write)


def write_stream(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill ``path`` atomically: the name appears only once every byte is on disk.

    Raises:
        DataError: the disk is full or refuses; what stood under the name before still stands.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as handle:
            write(handle)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as error:
        raise DataError(f"{path}: not written ({error.strerror}); make room and run again") from error
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one JSON object, indented for people to read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object; a :class:`DataError` names the file and what is wrong with it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); delete it to have it made again") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def json_line(record: Record) -> str:
    """Return one record as one line of JSON, newline included."""
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line, atomically."""
    write_text(path, "".join(json_line(record) for record in records))


def iterate_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line number, object) of a JSON-lines file.

    Raises:
        DataError: missing file, or a line that is not a JSON object, named by its number.
    """
    try:
        handle = path.open(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    with handle:
        for number, line in enumerate(handle, start=1):
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}, line {number}: malformed JSON ({error.msg}): {line[:80]!r}") from None
            if not isinstance(value, dict):
                raise DataError(f"{path}, line {number}: expected a JSON object, found {line[:80]!r}")
            yield number, value


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Read a JSON-lines file of one kind of record; unknown or missing fields and repeated ids are errors."""
    wanted = {field.name for field in fields(kind)}
    records: list[Record] = []
    seen: set[str] = set()
    for number, value in iterate_lines(path):
        if value.keys() != wanted:
            odd = ", ".join(sorted(value.keys() ^ wanted))
            raise DataError(f"{path}, line {number}: fields missing or unknown for {kind.__name__}: {odd}")
        record = kind(**value)
        if record.sample_id in seen:
            raise DataError(f"{path}, line {number}: sample_id {record.sample_id!r} occurs twice")
        seen.add(record.sample_id)
        records.append(record)
    return records
