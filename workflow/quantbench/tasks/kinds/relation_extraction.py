"""Relation extraction: exactly one class of the inventory.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- A class counts in any case and spacing (``cpr 4``, ``ddi_effect``), without its prefix (``effect``, ``4``) where it stands as
  an answer (alone, first, quoted, after ``is`` or a colon), since such words also occur in prose, and with a slip of spelling
  (``DDI-advice``) as a whole answer. A paraphrase (``no interaction``, ``inhibitor``) or a word outside (``none``) is no answer.
- Order of precedence: ``Final answer: ...``; ``class: yes/no`` values (exactly one yes); a class that opens the answer;
  ``The class is ...``; ``Therefore ...`` (the last); the one class named and not denied anywhere.
- Two classes offered together (``A or B``, a list of several) are no answer, unless a statement of a higher place decides.
- A class named in an explanation after the answer, or denied (``not CPR:3``, ``CPR:3 is incorrect``), is not offered.
- No answer is wrong for its gold class and a prediction of none; it is never mapped to the negative class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from .. import text as reading
from ..metrics import Counts, single_label_counts
from ..names import Inventory, Mention, is_negated
from ..origin import Origin
from ..samples import Inputs, SamplesOf, known_label
from ..task import Answer, TaskOf

_STATED = re.compile(
    r"\b(?:class|relation(?:ship)?|label|category|type|classification|answer|prediction|output|result|response)s?\b[\"']?"
    r"(?:[ \t]+(?:type|class|label|category|here|between [^.\n]{0,80}?))?"
    r"[ \t]*(?:is|are|would be|should be|must be|[:=])(?:[ \t]+(?:best described as|therefore|thus|clearly|most likely))?"
    r"|\b(?:classif(?:y|ied)|categori[sz]ed?|label(?:l?ed)?|described|annotated?)\b[^.\n]{0,40}?\bas\b"
    r"|\b(?:belongs to|falls (?:into|under)|corresponds to|i (?:would )?(?:choose|select|pick|go with))\b",
    re.IGNORECASE,
)
# What may stand between the start of an answer and the class it names.
_OPENING = re.compile(
    r"[\s\"'(\[{<:=>*•.,-]*(?:\d{1,2}[.)]\s+)?(?:(?:the|an?|class|label|answer|category|relation(?:ship)?|type|is|are|as|"
    r"probably|likely|most likely|clearly|should be|would be|must be|output|sure|okay|ok)\b[\s\"'(\[:=,*-]*)*",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"[\"')\]]*\s*(?:,|/|;|&|\+|\||\.(?=\s)|\bor\b|\band\b|\band/or\b|\n)*\s*(?:\bor\b|\band\b)?\s*(?:(?:possibly|perhaps|maybe|also|even|likely)\b)?\s*(?:[-*•]|\d{1,2}[.)])?"
    r"\s*[\"'(\[]*",
    re.IGNORECASE,
)
_AFTER_SHORT = re.compile(
    r"[\"')\]}]*\s*(?:$|[.,;:!\n]|\(|- |\bbecause\b|\bsince\b|\bas\b|\bfor\b|\bor\b|\band\b|/|\b(?:class|type|label|category|relation)\b)",
    re.I,
)
# "CPR:3 means activation": the class is weighed or explained, not given.
_WEIGHED = re.compile(
    r"[\"')\]]*\s+(?:means?|would|requires?|refers|stands for|is for|describes|could|might|may|can|seems|is possible)\b",
    re.I,
)
_BEFORE_SHORT = re.compile(
    r"(?:[:=\"'(\[]|->|→|i\.e\.,?|\b(?:is|as|be|to|class|label|answer|choose|select|category))[\s\"'(\[]*$", re.I
)


class Samples(SamplesOf[str | None]):
    """A sentence with the pair marked in it; one class of the inventory."""

    inputs = ("sentence",)
    needs_labels = True

    def read_gold(self, stated: JsonValue, inputs: Inputs) -> str:
        """Take one class."""
        return known_label(stated, self.labels)


class Task(TaskOf[str | None]):
    """One class per sample; macro F1 over the whole inventory, the negative class included."""

    empty: str | None = None

    def __init__(self, entry: DatasetEntry) -> None:
        super().__init__(entry, list(entry.labels))
        self._inventory = Inventory(self.labels, short_names=True)

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[str | None]:
        """Read the one class an output names; see the module's conventions."""
        text = reading.normalise(reading.visible(raw, origin.reasoning))
        text = reading.without_echo(text, str(sample.inputs.get("sentence", "")), self.entry.labels)
        text = reading.before_next_example(text)
        for statement in reading.final_statements(text):
            answer = self._read_opening(statement) or self._read_sentence(statement)
            if answer is not None:
                return answer
        return self._read_values(text) or self._read_body(text) or self.no_answer()

    def read_strict(self, raw: str, sample: Sample) -> Answer[str | None]:
        """Accept the class exactly as the inventory writes it, alone on its line."""
        line = reading.exact_line(raw)
        return Answer(line, True) if line in self.labels else self.no_answer()

    def render(self, gold: str | None, sample: Sample) -> str:
        """Return the class."""
        return str(gold)

    def counts(self, answers: Sequence[str | None], golds: Sequence[str | None]) -> Counts:
        """One row a class; no answer is a false negative of its gold class only."""
        return single_label_counts(answers, golds, self.labels)

    def check_gold(self, sample: Sample) -> str | None:
        """The gold class must be in the inventory."""
        if isinstance(sample.gold, str) and sample.gold in self.labels:
            return None
        return f"gold {sample.gold!r} is none of {', '.join(self.labels)}"

    def _read_values(self, text: str) -> Answer[str | None] | None:
        values = self._inventory.values(text)
        if not values:
            return None
        chosen = [label for label, value in values.items() if value]
        return Answer(chosen[0], True) if len(chosen) == 1 else self.no_answer()

    def _read_body(self, text: str) -> Answer[str | None] | None:
        """Read an output without final statement or values, by the order of precedence."""
        for line_start in _line_starts(text):
            answer = self._read_opening(text[line_start:])
            if answer is not None and answer.ok:
                return answer
            if answer is not None or self._inventory.mentions(text[line_start:].split("\n", 1)[0]):
                break
        statements = [text[match.end() :] for match in _STATED.finditer(text) if not _denied(text, match.end())]
        for statement in statements:
            answer = self._read_opening(statement)
            if answer is not None and answer.ok:
                return answer
        for statement in reading.therefore_statements(text):
            answer = self._read_opening(statement) or self._read_sentence(statement)
            if answer is not None and answer.ok:
                return answer
        return self._read_sentence(reading.before_explanation(text))

    def _read_opening(self, text: str) -> Answer[str | None] | None:
        """Read a class that stands first in ``text``; None where none does, no answer where a second is offered with it."""
        opening = _OPENING.match(text)
        start = opening.end() if opening else 0
        mention = self._inventory.at(text, start)
        if mention is None:
            # Alone on its line, a slip of spelling is still that class.
            label = self._inventory.item(text[start:].strip().split("\n", 1)[0].strip(" \t\"'.()[]{}<>"))
            if label is None:
                return self.no_answer() if self._inventory.outsiders(text[start : start + 20]) else None
            return Answer(label, True)
        if _WEIGHED.match(text, mention.end) or (mention.short and not _AFTER_SHORT.match(text, mention.end)):
            return None
        if is_negated(text, mention) or self._offers_another(text, mention):
            return self.no_answer()
        return Answer(mention.label, True)

    def _offers_another(self, text: str, first: Mention) -> bool:
        """Tell whether another class stands right beside the first, or opens the next line."""
        separator = _SEPARATOR.match(text, first.end)
        if separator is None or separator.end() == first.end:
            return self._lists_another(text, first)
        second = self._inventory.at(text, separator.end())
        joint = separator.group()
        if second is None or second.label == first.label:
            outside = self._inventory.outsiders(text[separator.end() : separator.end() + 8])
            return outside or self._lists_another(text, first)
        if "\n\n" in joint and not re.search(r"[-*•]\s*$|\d[.)]\s*$", joint):
            return False  # a new paragraph is no longer the first answer
        alone = re.match(r"[\"')\]]*\s*(?:$|[.,;/|\n]|\bor\b|\band\b)", text[second.end :], re.IGNORECASE)
        if "." in joint.replace("\n", "") or second.short:
            return bool(alone)
        return True

    def _lists_another(self, text: str, first: Mention) -> bool:
        """Tell whether the line opens a list in which each item weighs another class (``CPR:3: no sign of it``)."""
        rest = text[first.end :].split("\n\n", 1)[0].split("\n")[1:]
        for line in rest:
            opening = re.match(r"\s*(?:[-*•]|\d{1,2}[.)])?\s*[\"'(\[]*", line)
            mention = self._inventory.at(line, opening.end() if opening else 0)
            if (
                mention
                and not mention.short
                and mention.label != first.label
                and line[mention.end :].lstrip()[:1] in ("", ":", "-", "(")
            ):
                return True
        return False

    def _read_sentence(self, text: str) -> Answer[str | None] | None:
        """Read the one class that is named in prose and not denied."""
        named = [mention for mention in self._inventory.mentions(text) if self._stands_as_name(text, mention)]
        offered = {mention.label for mention in named if not is_negated(text, mention)}
        if len(offered) == 1 and not self._inventory.outsiders(text):
            return Answer(offered.pop(), True)
        return self.no_answer() if offered else None

    def _stands_as_name(self, text: str, mention: Mention) -> bool:
        if not mention.short:
            return True
        if mention.label.isdigit() or text[mention.start : mention.end].isdigit():
            return False
        return bool(_BEFORE_SHORT.search(text[: mention.start]) and _AFTER_SHORT.match(text, mention.end))


def _line_starts(text: str) -> list[int]:
    """Return where each line that is not blank starts."""
    return [match.start() for match in re.finditer(r"^[ \t]*\S", text, re.MULTILINE)]


def _denied(text: str, position: int) -> bool:
    return bool(re.match(r"\s*(?:not|neither|n't)\b", text[position:], re.IGNORECASE))
