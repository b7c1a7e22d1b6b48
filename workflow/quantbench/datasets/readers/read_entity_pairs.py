"""Sentences with one marked pair of mentions and its relation: ChemProt and DDI2013, in the layout of BLUE.

Columns ``index``, ``sentence``, ``label``. The index is ``document.first.second`` and is not unique in ChemProt.
"""

from __future__ import annotations

from pathlib import Path

from ...config import DatasetEntry
from ...contracts.records import Sample
from . import SplitSamples
from .delimited import Row, read_table


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split. Gold: one label. Group: the document, ``10064839`` of the index ``10064839.T49.T56``.

    In DDI2013 the document is ``DDI-MedLine.d51`` of ``DDI-MedLine.d51.s8.p0`` (sentence 8, pair 0).
    """
    inventory = list(entry.labels)
    rows = read_table(path, ["index", "sentence", "label"])
    samples = [_sample(number, row, inventory) for number, row in enumerate(rows)]
    return SplitSamples(samples, documents_known=True)


def _sample(number: int, row: Row, inventory: list[str]) -> Sample:
    return Sample(
        sample_id=str(number),
        inputs={"sentence": row.text("sentence")},
        gold=row.label("label", inventory),
        group=_document(row),
    )


def _document(row: Row) -> str:
    # Both corpora end the index with two parts that name the pair: two mentions, or a sentence and a pair.
    parts = row.text("index").split(".")
    if len(parts) < 3 or not all(parts):
        raise row.error("index", f"expected document.first.second, found {row.values['index']!r}")
    return ".".join(parts[:-2])
