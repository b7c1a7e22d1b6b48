"""Questions with lettered options: MedQA.

Columns ``question``, ``answer_idx`` (a letter), ``answer`` (its text) and ``options``: a Python list of dicts with
``key`` and ``value``. Questions hold line breaks and quotes.
"""

from __future__ import annotations

from pathlib import Path
from string import ascii_uppercase

from ...config import DatasetEntry
from ...contracts.records import Sample
from ...errors import shorten
from . import SplitSamples
from .delimited import Row, read_table


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split. Inputs: question and ``{letter: text}``. Gold: a letter. Group: the question itself."""
    rows = read_table(path, ["question", "answer_idx", "answer", "options"])
    samples = [_sample(number, row, list(entry.labels)) for number, row in enumerate(rows)]
    return SplitSamples(samples, documents_known=False)


def _sample(number: int, row: Row, inventory: list[str]) -> Sample:
    options = _options(row)
    # Where the entry lists letters, every question must offer exactly these; else what the row offers counts.
    if inventory and list(options) != inventory:
        raise row.error("options", f"expected the options {', '.join(inventory)}, found {', '.join(options)}")
    letter = row.label("answer_idx", list(options))
    if row.text("answer") != options[letter]:
        raise row.error(
            "answer", f"{shorten(row.values['answer'])} is not the text of option {letter}, {shorten(options[letter])}"
        )
    return Sample(
        sample_id=str(number),
        inputs={"question": row.text("question"), "options": options},
        gold=letter,
        group=str(number),
    )


def _options(row: Row) -> dict[str, str]:
    listed = row.literal("options")
    if not isinstance(listed, list) or len(listed) < 2:
        raise row.error("options", f"expected a list of two options or more, found {shorten(listed)}")
    for option in listed:
        if not isinstance(option, dict) or option.keys() != {"key", "value"}:
            raise row.error("options", f"expected a dict with key and value, found {shorten(option)}")
        if not isinstance(option["value"], str) or not option["value"].strip():
            raise row.error("options", f"option {option['key']!r} has no text")
    letters = [option["key"] for option in listed]
    if letters != list(ascii_uppercase[: len(listed)]):
        raise row.error("options", f"expected the keys A, B, C and so on, found {shorten(letters)}")
    return {option["key"]: option["value"] for option in listed}
