"""Samples and answers without their texts, words and names: names of the user's own data may be persons' or record numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ..contracts.records import Answer, Mention, Sample, ScoredAnswer

_NAMING = ("sample_id", "halved_batches")


def sample_without_texts(sample: Sample) -> Sample:
    """A sample with empty ``inputs``: its id, gold answer and source document remain."""
    return replace(sample, inputs={}, gold=without_words(sample.gold))


def answer_without_texts(answer: ScoredAnswer) -> ScoredAnswer:
    """A scored answer whose entities keep their places and lose their words; all else is labels."""
    return replace(answer, parsed=without_words(answer.parsed), gold=without_words(answer.gold))


def without_words(answer: Answer) -> Answer:
    """An answer whose entities have places alone."""
    if not isinstance(answer, list):
        return answer
    mentions = [Mention(start=item["start"], end=item["end"], text="") for item in answer if isinstance(item, dict)]
    return mentions or answer


@dataclass(frozen=True)
class Pseudonyms:
    """Sample or document -> the number that stands for it.

    Numbers have the order of the names, and all the same length, so that whatever sorts or groups by them finds what it found before.
    """

    samples: Mapping[str, str]
    groups: Mapping[str, str]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Pseudonyms:
        """Those of a dataset."""
        taken = list(samples)
        return cls(_numbered({one.sample_id for one in taken}), _numbered({one.group for one in taken}))

    def renamed(self, sample: Sample) -> Sample:
        """A sample under its number, its document too."""
        return replace(sample, sample_id=self.samples[sample.sample_id], group=self.groups[sample.group])

    def within(self, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """A measurement or a manifest in which the keys that name samples have numbers instead, those of other samples the next ones."""
        strangers = sorted(_names(value, named=False) - self.samples.keys())
        numbers = {
            **self.samples,
            **{name: f"{len(self.samples) + place}" for place, name in enumerate(strangers, start=1)},
        }
        return {key: _renamed(item, numbers, key in _NAMING) for key, item in value.items()}


def _names(value: JsonValue, named: bool) -> set[str]:
    """The names of samples that stand in a value; ``named``: its key says that they do."""
    if isinstance(value, str):
        return {value} if named else set()
    if isinstance(value, list):
        return {name for item in value for name in _names(item, named)}
    items = value.items() if isinstance(value, dict) else []
    return {name for key, item in items for name in _names(item, key in _NAMING)}


def _renamed(value: JsonValue, numbers: Mapping[str, str], named: bool) -> JsonValue:
    if isinstance(value, str):
        return numbers[value] if named else value
    if isinstance(value, list):
        return [_renamed(item, numbers, named) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, numbers, key in _NAMING) for key, item in value.items()}
    return value


def _numbered(names: Iterable[str]) -> dict[str, str]:
    ordered = sorted(names)
    width = len(str(len(ordered)))
    return {name: f"{number:0{width}}" for number, name in enumerate(ordered, start=1)}
