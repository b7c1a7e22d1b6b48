"""What a bundle leaves out: texts that may not be passed on, and outputs that repeat them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import Catalogue
from ..contracts.records import Record, Sample, ScoredAnswer, json_line, read_records

_ECHOING = "named_entity_recognition"  # its answers are the input with marks in it


def keeps_texts(catalogue: Catalogue, dataset: str) -> bool:
    """Whether a dataset's inputs go into the run's bundle."""
    choice = catalogue.run.data.texts_in_bundles
    return choice == "all" or (choice == "by_licence" and catalogue.datasets[dataset].redistributable)


def keeps_outputs(catalogue: Catalogue, dataset: str) -> bool:
    """Whether raw outputs go in: not where they repeat the input, and never with ``texts_in_bundles: none``."""
    if keeps_texts(catalogue, dataset):
        return True
    return catalogue.run.data.texts_in_bundles != "none" and catalogue.datasets[dataset].task != _ECHOING


def samples_without_texts(path: Path) -> bytes:
    """A ``samples.jsonl`` with empty ``inputs``: ids, gold answers and source documents remain."""
    samples = read_records(path, Sample)
    return _lines(replace(sample, inputs={}, gold=_without_words(sample.gold)) for sample in samples)


def answers_without_texts(path: Path) -> bytes:
    """A ``scored.jsonl`` whose entities keep their places and lose their words; all else is labels."""
    answers = read_records(path, ScoredAnswer)
    return _lines(
        replace(answer, parsed=_without_words(answer.parsed), gold=_without_words(answer.gold)) for answer in answers
    )


def _lines(records: Iterable[Record]) -> bytes:
    return "".join(json_line(record) for record in records).encode()


def _without_words(value: Any) -> Any:
    if isinstance(value, list):
        return [item | {"text": ""} if isinstance(item, dict) and "text" in item else item for item in value]
    return value
