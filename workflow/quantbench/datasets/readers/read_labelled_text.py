"""Texts with one or more labels: HoC and LitCovid.

Columns ``pmid``, ``text``, ``labels``; labels are joined by ``;`` without blanks around it.
"""

from __future__ import annotations

from pathlib import Path

from ...config import DatasetEntry
from ...contracts.records import Sample
from . import SplitSamples
from .delimited import Row, read_table


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split. Gold: the row's labels in inventory order. Group: the pmid."""
    inventory = list(entry.labels)
    rows = read_table(path, ["pmid", "text", "labels"])
    samples = [_sample(number, row, inventory) for number, row in enumerate(rows)]
    return SplitSamples(samples, documents_known=True)


def _sample(number: int, row: Row, inventory: list[str]) -> Sample:
    labels = [row.known("labels", label, inventory) for label in row.text("labels").split(";")]
    if len(set(labels)) < len(labels):
        raise row.error("labels", f"a label is repeated in {row.values['labels']!r}")
    return Sample(
        sample_id=str(number),
        inputs={"text": row.text("text")},
        gold=[label for label in inventory if label in labels],
        # One published example has no pmid; it is a document of its own.
        group=row.values["pmid"].strip() or f"row {number}",
    )
