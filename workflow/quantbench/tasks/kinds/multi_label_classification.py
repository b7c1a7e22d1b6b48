"""Multi-label classification: any labels of the inventory.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- Label lists (any separator, bullets, headings, tables, one a paragraph), ``label: value`` lines, check boxes, and JSON however
  nested count. As a value 1, 1.0, true, yes, present, a tick, a score from 0.5 to 1 and 50% to 100% mean yes, everything else no.
  Labels not mentioned are no; unknown items and keys are ignored.
- Order of precedence: ``Final answer: ...``; JSON; the first list; ``The labels are ...``; ``Therefore ...`` (the last); labels
  named in prose and neither denied, weighed (``could be``) nor asked for. Of prose with quoted or bold labels, only these count.
  A statement of the labels before or behind a list that gives reasons beats the list; in a chain of thought a conclusion does too.
- Of an item such as ``Treatment: because ...`` the label before the colon counts, unless the reason denies it (``not mentioned``,
  ``There is no evidence of it``), there or in the lines below. A negation about something else (``the drug did not kill``) does not.
- Several labels on one line end at a blank line. One a line go on over blank lines and reasons. Both end at an explanation; under a
  header such as ``Not applicable:`` or ``Other labels considered:`` labels are no.
- Who goes through (nearly) all labels with reasons names them all: only those judged to apply count, or where only denials are
  spelled out, those not denied. Without any judgement it is no answer.
- List items count with a missing first word (``invasion and metastasis``), without their last words, with slips of spelling
  (similarity of 90 out of 100, British spelling, plurals), and by their definition.
- Cut at the token limit, lists of mere labels or values keep what was complete. A label's whole name at the very end is complete
  unless another label begins with it; half a name is nothing. Prose and lists with reasons are then no answer, unless something
  stands behind the list, or a final answer before the cut.
- ``None``, ``[]``, and values that are all no are the empty answer, and readable; an output that names no label is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from ...errors import shorten
from .. import text as reading
from ..corrections import behind_correction
from ..extent import both_ends
from ..label_items import TRIM
from ..label_lists import NONE, Listed, read_list, settle, without_offer
from ..label_objects import Described, read_objects
from ..label_prose import named_in, says_nothing_applies
from ..metrics import Counts
from ..names import Inventory
from ..origin import Origin
from ..samples import Inputs, SamplesOf, known_label
from ..statements import Evidence, announced
from ..task import Answer, TaskOf

# What the task calls its answers.
_NOUNS = "label|hallmark|hallmarks? of cancer|topic|category|categorie|answer|class|classe|output|result"
# What marks a line as an item of its own in Markdown: a heading, an asterisk, bold alone on the line.
_MARKED_LINE = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|[*][ \t]+|(?=(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__)[ \t]*$))(?![^\n]{0,200}:[*_ \t]*$)",
    re.MULTILINE,
)
# A title is the text's own, copied or invented; its words are not labels that somebody gave.
_TITLE = re.compile(r"^[ \t>#*]*+title[*_]*[ \t]*:[^\n]*$", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(r"(\*\*|__|`|\"|')(?P<inside>[^*_`\"'\n]{3,80}?)\1")

# A text may hold thousands of such statements; if the first few do not name labels in their first words, it answers otherwise.
_STATEMENTS_LOOKED_AT = 16
_LONGEST_STATEMENT = 4000

WITHOUT_LABELS = "without labels"


class Samples(SamplesOf[list[str]]):
    """A text; any labels of the inventory, in its order."""

    inputs = ("text",)
    needs_labels = True
    unit = "text"

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
        self._inventory = Inventory(entry.labels, short_names=False)

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[list[str]]:
        """Read the labels an output names; see the module's conventions."""
        shown = both_ends(reading.visible(raw, origin.reasoning))
        text = reading.normalise(_MARKED_LINE.sub("- ", _TITLE.sub("", shown)))
        text = reading.without_echo(text, str(sample.inputs.get("text", "")), self.entry.labels)
        head, invented = reading.split_examples(without_offer(text, self._inventory), origin)
        output = _Output(self._inventory, shown, origin)
        corrected = behind_correction(head)
        labels = output.listed(corrected) if corrected else None
        if labels is None:
            labels = output.final(head)
        if labels is None:
            labels = output.labels(head)
        if labels is None:
            labels = output.final(invented)
        return self.no_answer() if labels is None else self._answer(labels)

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


class _Output:
    """One output on its way to an answer. Labels None: it gives none."""

    def __init__(self, inventory: Inventory, shown: str, origin: Origin) -> None:
        self._inventory = inventory
        self._shown = shown
        self._origin = origin

    def final(self, text: str) -> list[str] | None:
        """Read what is said to be final: the first that can be read, in a chain of thought the last."""
        finals = list(_final_statements(text))
        ordered = reversed(finals) if self._origin.reasoned else finals
        return next((labels for statement in ordered if (labels := self.stated(statement)) is not None), None)

    def listed(self, text: str) -> list[str] | None:
        """Read the list that a text begins with."""
        listed = read_list(text, self._inventory, self._origin.cut)
        return self._settled(listed) if listed and not text[: listed.start].strip() else None

    def labels(self, text: str) -> list[str] | None:
        """Read an output without final statement, by the order of precedence."""
        described = read_objects(text, self._inventory)
        if described and described.items:
            return self._settled(described)
        listed = read_list(text, self._inventory, self._origin.cut)
        if listed:
            return self._listed(text, listed)
        if described:
            return []
        return None if self._origin.cut else self._in_prose(text)

    def stated(self, statement: str) -> list[str] | None:
        """Read what a statement such as ``Final answer:`` is followed by."""
        described = read_objects(statement, self._inventory)
        if described and described.items:
            return self._settled(described)
        listed = read_list(statement, self._inventory, self._origin.cut)
        if listed:
            # A sentence that names labels comes before a list of what it explains.
            said = self._named(_paragraph(statement[: listed.start]))
            return self._settled(listed) if said is None else said
        if described:
            return []
        paragraph = _paragraph(statement)
        cut = self._origin.cut and statement.rstrip().endswith(paragraph.rstrip())
        return None if cut else self._named(paragraph)

    def _listed(self, text: str, listed: Listed) -> list[str] | None:
        """Return what a list says, unless the text beside it says more: the labels, where the list has reasons or denies all."""
        labels = self._settled(listed)
        if self._origin.cut or not listed.items:
            return labels
        before, behind = text[: listed.start], text[listed.end :]
        if listed.reasoned:
            concluded = _conclusions(behind) if self._origin.reasoned else ()
            said = self._first_named(chain(_statements(before), _statements(behind), concluded))
            if said is not None:
                return said
        return labels or self._in_prose(before) or self._in_prose(behind) or labels

    def _settled(self, said: Listed | Described) -> list[str] | None:
        if self._origin.cut and said.reasoned and not said.closed:
            return None
        return settle(said.items, self._inventory)

    def _in_prose(self, text: str) -> list[str] | None:
        """Read what prose states, what it concludes, what it names."""
        said = self._first_named(chain(_statements(text), _conclusions(text)))
        return self._named(reading.before_explanation(text)) if said is None else said

    def _first_named(self, statements: Iterable[str]) -> list[str] | None:
        """Return what the first statement that can be read says."""
        return next((labels for statement in statements if (labels := self._named(statement)) is not None), None)

    def _named(self, text: str) -> list[str] | None:
        named = named_in(text, self._inventory)
        if named:
            marked = self._marked() if len(named) > 1 else set()
            return [label for label in named if label in marked] or named
        return [] if NONE.match(text) or says_nothing_applies(text) else None

    def _marked(self) -> set[str]:
        """Return the labels that stand in quotes, bold or code in the output."""
        shown, _ = reading.split_examples(self._shown, self._origin)
        inside = [self._inventory.item(match["inside"].strip(TRIM)) for match in _QUOTED.finditer(shown)]
        return {label for label in inside if label}


def _final_statements(text: str) -> Iterator[str]:
    """Yield what follows each ``Final answer:``, up to the next one."""
    following = announced(text, _NOUNS, Evidence.FINAL)
    for statement, after in pairwise([*following, ""]):
        yield statement[: len(statement) - len(after)][:_LONGEST_STATEMENT]


def _statements(text: str) -> Iterator[str]:
    """Yield what follows each ``The labels are ...``, up to the end of its paragraph."""
    for following in announced(text, _NOUNS, Evidence.STATED):
        statement = _paragraph(following[:_LONGEST_STATEMENT])
        if not re.match(r"\s*not\b", statement):
            yield statement


def _conclusions(text: str) -> Iterator[str]:
    """Yield what follows each ``Therefore``, the last one first, up to the end of its paragraph."""
    for following in reversed(announced(text, _NOUNS, Evidence.IMPLIED)):
        yield _paragraph(following[:_LONGEST_STATEMENT])


def _paragraph(text: str) -> str:
    return re.split(r"\n\s*\n", text.lstrip(), maxsplit=1)[0]
