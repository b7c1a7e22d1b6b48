"""Question answering: one option letter, or yes, no, maybe.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- What counts as an answer, and which statement of several, is the same in all tasks (:mod:`quantbench.tasks.statements`).
- Multiple choice: the letter with anything that marks it as one (``C``, ``c``, ``C.``, ``(C)``, ``C. text``, ``text (C)``). Where letter and text disagree the
  letter counts. A letter outside the options, or several offered (``A or C``, several option lines), is no answer.
- Yes, no, maybe: the word itself; ``possibly`` or ``unclear`` is no answer. ``No significant difference ...`` opens a sentence
  of prose, not an answer; ``No, ...`` and ``No. ...`` are answers. ``Yes and no`` is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from .. import text as reading
from ..choice import Choice, without_listing
from ..decision import Decision
from ..evidence import decide
from ..extent import both_ends
from ..metrics import Counts, single_label_counts
from ..origin import Origin
from ..samples import Inputs, SamplesOf, known_label
from ..task import Answer, TaskOf

DECISIONS = ("yes", "no", "maybe")


def is_lettered(entry: DatasetEntry) -> bool:
    """Tell whether questions offer lettered options, rather than yes, no and maybe."""
    return entry.reader != "yes_no_maybe" and entry.labels.keys().isdisjoint(DECISIONS)


class Samples(SamplesOf[str | None]):
    """A question with options, whose answer is a letter, or one answered by yes, no or maybe."""

    unit = "question"

    def __init__(self, entry: DatasetEntry) -> None:
        super().__init__(entry)
        self.inputs = ("question", "options") if is_lettered(entry) else ("question",)

    def label_problem(self, entry: DatasetEntry) -> str | None:
        """Labels of a user's own records say that questions have no options."""
        if entry.reader != "records" or entry.labels.keys() <= set(DECISIONS):
            return None
        return f"labels of {entry.task} are some of yes, no, maybe; leave them out for lettered options"

    def read_gold(self, stated: JsonValue, inputs: Inputs) -> str:
        """Take the letter of an option, or one of the labels."""
        return known_label(stated, inputs["options"] if "options" in self.inputs else self.labels)


class Task(TaskOf[str | None]):
    """One answer per question; accuracy."""

    empty: str | None = None

    def __init__(self, entry: DatasetEntry) -> None:
        super().__init__(entry, ["correct"])
        self._lettered = is_lettered(entry)

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[str | None]:
        """Read the one answer an output gives; see the module's conventions."""
        text = reading.normalise(reading.ticked_only(both_ends(reading.visible(raw, origin.reasoning))))
        text = reading.without_echo(text, str(sample.inputs.get("question", "")), {})
        options = _options(sample)
        head, invented = reading.split_examples(without_listing(text, options) if self._lettered else text, origin)
        lexicon = Choice(options) if self._lettered else Decision()
        # Where the limit is that short, the whole output is the word.
        breaks_word = origin.breaks_word(raw) and not self.read_strict(raw, sample).ok
        value = decide(head, lexicon, origin, breaks_word, invented)
        return self.no_answer() if value is None else Answer(value, True)

    def read_strict(self, raw: str, sample: Sample) -> Answer[str | None]:
        """Accept one letter of the options in upper case, or yes, no or maybe in lower case, alone on the line."""
        line = reading.exact_line(raw)
        known = _options(sample).keys() if self._lettered else DECISIONS
        return Answer(line, True) if line in known else self.no_answer()

    def render(self, gold: str | None, sample: Sample) -> str:
        """Return the letter or the word."""
        return str(gold)

    def options(self, sample: Sample) -> tuple[str, ...]:
        """The letters of the question, or yes, no and maybe."""
        return tuple(_options(sample)) if self._lettered else DECISIONS

    def counts(self, answers: Sequence[str | None], golds: Sequence[str | None]) -> Counts:
        """One row: a right answer is a true positive, any other a false negative; accuracy has no false positives."""
        right = np.array([answer == gold for answer, gold in zip(answers, golds, strict=True)], dtype=np.int64)
        return np.stack([right, np.zeros_like(right), 1 - right], axis=-1).reshape(-1, 1, 3)

    @property
    def classes(self) -> tuple[str, ...]:
        """Yes, no and maybe; a letter stands for another option in each question."""
        return () if self._lettered else DECISIONS

    def class_counts(self, answers: Sequence[str | None], golds: Sequence[str | None]) -> Counts:
        """Counts of yes, no and maybe."""
        return single_label_counts(answers, golds, DECISIONS)

    def label_counts(self, answers: Sequence[str | None], golds: Sequence[str | None]) -> dict[str, Counts]:
        """One entry for each letter that occurs in the gold answers, or for yes, no and maybe."""
        labels = sorted({str(gold) for gold in golds}) if self._lettered else list(DECISIONS)
        total = single_label_counts(answers, golds, labels).sum(axis=0)
        return dict(zip(labels, total, strict=True))

    def check_gold(self, sample: Sample) -> str | None:
        """The gold answer must be among the options."""
        if self._lettered and not _options(sample):
            return "inputs hold no 'options' (letter -> text)"
        known = list(_options(sample)) if self._lettered else list(DECISIONS)
        return None if sample.gold in known else f"gold {sample.gold!r} is none of {', '.join(known)}"


def _options(sample: Sample) -> dict[str, str]:
    options = sample.inputs.get("options")
    return {str(letter): str(text) for letter, text in options.items()} if isinstance(options, dict) else {}
