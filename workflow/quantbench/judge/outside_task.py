"""Answers that another program asked for and judged: one task of one run, whatever file it was read from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, DataError, nearest, shorten

# Where a source document is looked for, when the field that names it does not stand at the top of a sample.
_NESTED = ("doc", "metadata")
# No score is larger; a whole number beyond what a real number can be is no number to compute with.
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class OutsideSample:
    """One judged answer.

    Attributes:
        key: what two runs of a task know the sample by; unique in its task.
        group: the source document, or what else is taken as independent.
        answer: as it was judged, as text.
        gold: as text.
        label: the gold answer as an answer that is the same for every sample would have to give it (the number of an option).
        score: between 0 and 1, 1 being best.
        prints: what two runs must have alike (name of the field -> its hash or value).
        where: file and line, for messages.
    """

    key: str
    group: str
    answer: str
    gold: str
    label: str
    score: float
    prints: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class OutsideTask:
    """The judged answers of one task.

    Attributes:
        name: of the task; None where the file does not say.
        source: the file.
        metric: the name of the score that was read.
        filter: how answers were taken out of outputs, where the file names it (lm-evaluation-harness).
        settings: what else two runs must have alike, by name.
        samples: in the order of the file.
        unit: what ``group`` is: ``sample``, or the name of the field that holds it.
        also: scores and filters that were there to choose from, in words; empty: none.
    """

    name: str | None
    source: Path
    metric: str
    filter: str | None
    settings: Mapping[str, str]
    samples: tuple[OutsideSample, ...]
    unit: str
    also: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a file is to be read; None: what is usual.

    Attributes:
        metric: name of a score.
        filter: of lm-evaluation-harness.
        group: field that holds a sample's source document.
        identity: field that holds a sample's id (JSONL of no known program).
        answer: field that holds the answer (the same).
        gold: field that holds the gold answer (the same).
        scale: the best possible score, which counts as 1.
    """

    metric: str | None = None
    filter: str | None = None
    group: str | None = None
    identity: str | None = None
    answer: str | None = None
    gold: str | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ConfigError(f"--scale has the value {self.scale:g}; give the best possible score, such as 1 or 100")

    def score(self, value: object, name: str, where: str) -> float:
        """A score as a share of the best possible one.

        Raises:
            DataError: not a number between 0 and ``scale``.
        """
        if not isinstance(value, int | float) or abs(value) > _LARGEST or math.isnan(value):
            raise DataError(
                f"{where}: {name!r} has the value {shorten(value)}, which is no score of one answer; name another with --metric"
            )
        if not 0 <= value <= self.scale:
            raise DataError(
                f"{where}: {name!r} has the value {value:g}, outside 0 to {self.scale:g}; name the best possible score with "
                "--scale, or another score with --metric"
            )
        return value / self.scale

    def group_of(self, record: Mapping[str, object], otherwise: str, where: str) -> str:
        """The source document of a sample; ``otherwise`` where no field was named.

        Raises:
            DataError: the named field is not there, or holds no name.
        """
        if self.group is None:
            return otherwise
        levels = [record, *(inner for name in _NESTED if isinstance(inner := record.get(name), dict))]
        found = next((level for level in levels if self.group in level), None)
        if found is None:
            known = [name for level in levels for name in level]
            raise DataError(f"{where}: no field {self.group!r} to group by{nearest(self.group, known)}")
        value = found[self.group]
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise DataError(
                f"{where}: {self.group!r} has the value {shorten(value)}, which names no document; name another field with --group-field"
            )
        return str(value)


def as_text(value: object) -> str:
    """An answer as text: strings as they are without surrounding blanks, other values as JSON."""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def print_of(value: object) -> str:
    """A hash of a JSON value that is the same wherever the value is."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def refuse_repeated(samples: list[OutsideSample]) -> None:
    """Refuse samples of which two have one key.

    Raises:
        DataError: names both places.
    """
    seen: dict[str, str] = {}
    for sample in samples:
        if sample.key in seen:
            raise DataError(
                f"{sample.where}: the id {sample.key!r} was there before ({seen[sample.key]}); a sample must have one answer: "
                "leave out repeats, or files put together"
            )
        seen[sample.key] = sample.where
