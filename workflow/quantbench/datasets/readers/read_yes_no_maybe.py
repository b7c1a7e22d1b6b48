"""Questions on an abstract answered by yes, no or maybe: PubMedQA.

The test set is a table (``QUESTION``, ``CONTEXTS`` as a Python list of strings, ``final_decision``, ``pmid``); the
few-shot pool is upstream's JSON with the same fields, keyed by pmid. ``LONG_ANSWER`` gives the answer away: it is not
read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from ...errors import DataError, shorten
from ...reading import json_text
from ...reading.text_files import read_text
from . import SplitSamples
from .delimited import Row, read_table

ANSWERS = ["yes", "no", "maybe"]


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split, JSON or table by the file's suffix.

    Inputs: question, and the contexts joined by one blank. Gold: yes, no or maybe. Group: the question itself, since no two are
    about one abstract.
    """
    answers = list(entry.labels) or ANSWERS
    rows = _json_rows(path) if path.suffix == ".json" else read_table(path, ["QUESTION", "CONTEXTS", "final_decision"])
    samples = [_sample(number, row, answers) for number, row in enumerate(rows)]
    return SplitSamples(samples, documents_known=False)


def read_pmids(path: Path) -> set[str]:
    """The pmids of a table, to be kept out of the few-shot pool."""
    return {row.text("pmid") for row in read_table(path, ["pmid"])}


def read_pool(path: Path) -> dict[str, dict[str, JsonValue]]:
    """Read upstream's JSON: one object of fields a pmid.

    Raises:
        DataError: not JSON, not an object of objects, no records.
    """
    value: Any = json_text.read(path, remedy="retrieve it again")
    if not isinstance(value, dict) or not all(isinstance(record, dict) for record in value.values()):
        raise DataError(f"{path}: expected one JSON object of fields for each pmid, found {shorten(value)}")
    if not value:
        raise DataError(f"{path}: holds no records; retrieve it again")
    pool: dict[str, dict[str, JsonValue]] = value
    return pool


def _sample(number: int, row: Row, answers: list[str]) -> Sample:
    contexts = row.literal("CONTEXTS")
    if not isinstance(contexts, list) or not contexts or not all(isinstance(part, str) for part in contexts):
        raise row.error("CONTEXTS", f"expected a list of strings, found {shorten(contexts)}")
    return Sample(
        sample_id=str(number),
        inputs={"question": row.text("QUESTION"), "context": " ".join(contexts)},
        gold=row.label("final_decision", answers),
        group=str(number),
    )


def _json_rows(path: Path) -> list[Row]:
    """The pool's records in the form of the table's, so that both are checked alike."""
    lines = {line.strip().rstrip("{").rstrip(): number for number, line in _numbered_lines(path)}
    rows = []
    for pmid, record in read_pool(path).items():
        line = lines.get(f"{json.dumps(pmid)}:", 1)
        values: dict[str, str] = {}
        for column in ("QUESTION", "CONTEXTS", "final_decision"):
            if column not in record:
                raise DataError(f"{path}, line {line}: record {pmid!r} has no field {column!r}")
            field = record[column]
            values[column] = field if isinstance(field, str) else repr(field)
        rows.append(Row(path, line, values))
    return rows


def _numbered_lines(path: Path) -> list[tuple[int, str]]:
    return list(enumerate(read_text(path).split("\n"), start=1))
