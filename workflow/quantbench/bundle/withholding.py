"""What a bundle leaves out: texts that may not be passed on, and outputs that repeat them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import DatasetEntry
from ..contracts.records import Answer, Mention, Record, Sample, ScoredAnswer, json_line, read_records
from ..tasks import samples_of


@dataclass(frozen=True)
class Withheld:
    """Datasets whose texts a bundle leaves out, and those of them whose raw outputs it leaves out too."""

    texts: frozenset[str]
    outputs: frozenset[str]


def withheld(choice: str, datasets: Mapping[str, DatasetEntry]) -> Withheld:
    """What a bundle of these datasets leaves out.

    Outputs go in but where they repeat the input, and never with the choice ``none``.

    Args:
        choice: the run's ``data.texts_in_bundles``: ``by_licence``, ``all`` or ``none``.
        datasets: the bundle's datasets by name.
    """
    texts = {
        name
        for name, entry in datasets.items()
        if choice == "none" or (choice == "by_licence" and not entry.redistributable)
    }
    outputs = {name for name in texts if choice == "none" or samples_of(datasets[name]).echoes_input}
    return Withheld(frozenset(texts), frozenset(outputs))


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


def _without_words(answer: Answer) -> Answer:
    if not isinstance(answer, list):
        return answer
    mentions = [Mention(start=item["start"], end=item["end"], text="") for item in answer if isinstance(item, dict)]
    return mentions or answer
