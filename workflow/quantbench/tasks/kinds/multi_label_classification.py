"""Multi-label classification: any labels of the inventory.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- Label lists (any separator, bullets, Python or JSON lists), ``label: value`` lines, check boxes, tables and JSON objects count.
  As a value 1, 1.0, true, yes (and a tick) mean yes, everything else no. Labels not mentioned are no; unknown keys are ignored.
- Order of precedence: ``Final answer: ...``; values; the first list; ``The labels are ...``; ``Therefore ...`` (the last);
  labels named in prose and not denied. Of prose with quoted or bold labels, only these count.
- A list ends at a blank line unless it has bullets, at an explanation, and at a line such as ``Not applicable:``. Of an item such
  as ``Treatment: because ...`` only the label before the colon counts.
- List items count with a missing first word (``invasion and metastasis``), without their last words, and with slips of spelling
  (similarity of 90 out of 100, British spelling, plurals). A beginning of a label at which the output breaks off does not count.
- ``None``, ``[]``, and values that are all no are the empty answer, and readable; an output that names no label is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from ...errors import shorten
from .. import text as reading
from ..label_lists import NONE, TRIM, read_list
from ..metrics import Counts
from ..names import Inventory, is_negated
from ..origin import Origin
from ..samples import Inputs, SamplesOf, known_label
from ..task import Answer, TaskOf

_STATED = re.compile(
    r"\b(?:labels?|hallmarks?(?: of cancer)?|topics?|categor(?:y|ies)|answers?|class(?:es)?|output|result)\b[\"']?"
    r"(?:[ \t]+(?:that|which)[^:.\n]{0,40}?)?[ \t]*(?:is|are|would be|should be|apply|applies|include[sd]?|covered|[:=])[ \t]*[:=]?"
    r"|\b(?:labell?ed|classified|categori[sz]ed)\b[^.\n]{0,30}?\bas\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(\*\*|__|`|\"|')(?P<inside>[^*_`\"'\n]{3,80}?)\1")

WITHOUT_LABELS = "without labels"


class Samples(SamplesOf[list[str]]):
    """A text; any labels of the inventory, in its order."""

    inputs = ("text",)
    needs_labels = True

    def read_gold(self, stated: JsonValue, inputs: Inputs) -> list[str]:
        """Take a list of labels, each once."""
        if not isinstance(stated, list):
            raise ValueError(f"expected a list of labels, found {shorten(stated)}")
        named = [known_label(label, self.labels) for label in stated]
        if len(set(named)) < len(named):
            raise ValueError(f"a label is repeated in {shorten(stated)}")
        return [label for label in self.labels if label in named]

    def strata(self, gold: list[str]) -> list[str]:
        """Each label, or that there is none."""
        return list(gold) or [WITHOUT_LABELS]


class Task(TaskOf[list[str]]):
    """Any number of labels per sample; mean over the inventory of each label's binary F1."""

    empty: list[str] = []

    def __init__(self, entry: DatasetEntry) -> None:
        super().__init__(entry, list(entry.labels))
        self._inventory = Inventory(self.labels, short_names=False)

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[list[str]]:
        """Read the labels an output names; see the module's conventions."""
        shown = reading.visible(raw, origin.reasoning)
        text = reading.without_echo(reading.normalise(shown), str(sample.inputs.get("text", "")), self.entry.labels)
        text = reading.before_next_example(text)
        marked = self._marked(reading.before_next_example(shown))
        for statement in reading.final_statements(text):
            answer = self._read_values(statement) or self._read_list(statement)
            answer = answer or self._read_prose(_paragraph(statement), marked)
            if answer is not None:
                return answer
        return self._read_values(text) or self._read_list(text) or self._read_body(text, marked) or self.no_answer()

    def constants(self, golds: Sequence[list[str]]) -> list[list[str]]:
        """Every label: naming one more never lowers the mean of the labels' F1."""
        return [list(self.labels)]

    def read_strict(self, raw: str, sample: Sample) -> Answer[list[str]]:
        """Accept label names as the inventory writes them, joined by ``;``, or the word ``none``, alone on the line."""
        line = reading.exact_line(raw)
        if line == "none":
            return Answer([], True)
        names = [name.strip() for name in line.split(";")]
        if len(set(names)) < len(names) or not set(names) <= set(self.labels):
            return self.no_answer()
        return self._answer(names)

    def render(self, gold: list[str], sample: Sample) -> str:
        """Return the labels joined by ``; ``, or ``none``."""
        return "; ".join(gold) or "none"

    def counts(self, answers: Sequence[list[str]], golds: Sequence[list[str]]) -> Counts:
        """One row a label, each judged as a yes-or-no question."""
        told, true = self._indicators(answers), self._indicators(golds)
        return np.stack([told & true, told & ~true, ~told & true], axis=-1).astype(np.int64)

    def check_gold(self, sample: Sample) -> str | None:
        """Gold labels must be in the inventory, each once."""
        gold = sample.gold
        if isinstance(gold, list) and len(set(map(str, gold))) == len(gold) and set(map(str, gold)) <= set(self.labels):
            return None
        return f"gold {gold!r} is not a list of labels among {', '.join(self.labels)}"

    def _indicators(self, values: Sequence[list[str]]) -> NDArray[np.bool_]:
        rows = [[label in value for label in self.labels] for value in values]
        return np.array(rows, dtype=bool).reshape(-1, len(self.labels))

    def _answer(self, labels: Iterable[str]) -> Answer[list[str]]:
        chosen = set(labels)
        return Answer([label for label in self.labels if label in chosen], True)

    def _read_values(self, text: str) -> Answer[list[str]] | None:
        values = self._inventory.values(text)
        return self._answer(label for label, value in values.items() if value) if values else None

    def _read_list(self, text: str) -> Answer[list[str]] | None:
        labels = read_list(reading.before_explanation(text), self._inventory)
        return None if labels is None else self._answer(labels)

    def _read_body(self, text: str, marked: set[str]) -> Answer[list[str]] | None:
        """Read an output in prose: what it states, what it concludes, what it names."""
        statements = [_paragraph(text[match.end() :]) for match in _STATED.finditer(text)]
        for statement in (*statements, *reading.therefore_statements(text)):
            answer = None if re.match(r"\s*not\b", statement) else self._read_prose(statement, marked)
            if answer is not None:
                return answer
        return self._read_prose(reading.before_explanation(text), marked)

    def _read_prose(self, text: str, marked: set[str]) -> Answer[list[str]] | None:
        named = [mention.label for mention in self._inventory.mentions(text) if not is_negated(text, mention)]
        if named:
            return self._answer([label for label in named if label in marked] or named)
        return self._answer([]) if NONE.match(text) else None

    def _marked(self, shown: str) -> set[str]:
        """Return the labels that stand in quotes, bold or code in an output."""
        inside = [self._inventory.item(match["inside"].strip(TRIM)) for match in _QUOTED.finditer(shown)]
        return {label for label in inside if label}


def _paragraph(text: str) -> str:
    return re.split(r"\n\s*\n", text.lstrip(), maxsplit=1)[0]
