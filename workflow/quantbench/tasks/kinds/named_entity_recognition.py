"""Named entities: highlighted stretches of the sentence.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- An entity is the text inside a closed highlight tag: ``span`` with or without attributes, ``b``, ``mark``, ``strong``, ``em``, in any
  case, also written ``&lt;span&gt;``. Other tags and markdown bold are no highlight. Unclosed: none. Nested: the outermost. A closing tag
  closes the latest open tag of its name.
- Spans are carried over to the sentence whatever the whitespace, letter case, typographic quotes and HTML escapes, and where words
  elsewhere were changed, left out or added. A marked stretch is kept if its own words are recognisable (similarity of 80 out of 100).
- The first line (or the whole output) with tags that passes for a copy of the sentence is the answer; a copy without tags
  counts where no tagged one follows, or where it opens the output without the word ``Sentence:`` before it.
- Tags without the sentence around them (a list with markup) are looked for in the sentence, whole tokens only, longer names first;
  a list without markup names nothing.
- A type name at the start of the tag's text (``chemical: aspirin``) is dropped unless the sentence has it there.
- Readable are: tagged text that was placed, a copy of the sentence, and ``none`` (``no diseases``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from pydantic import JsonValue
from rapidfuzz import fuzz

from ...config import DatasetEntry
from ...contracts.records import Mention, Sample
from ...errors import shorten
from .. import text as reading
from ..alignment import Span, carry_over, find_listed, fold
from ..markup import Marked, has_tags, read_marked, unescape
from ..metrics import Counts
from ..origin import Origin
from ..samples import Inputs, SamplesOf
from ..task import Answer, TaskOf

_NONE = (
    r"\W*(?:none|n/a|nil|\[\s*\]|(?:there (?:are|is) |i (?:found|see) |(?:the|this) (?:sentence|text) \w+ )?"
    r"no (?:\w+ ){{0,3}}?(?:entit(?:y|ies)|mentions?|names?|{type}s?)\b)"
)
_CUE = re.compile(
    r"(?:^|(?<=\s))(?:(?:marked|highlighted|annotated|tagged|output|answer|result)(?:[ \t]+(?:sentence|text|version|output))?):(?=\s|$|<)",
    re.IGNORECASE,
)
_INPUT_CUE = re.compile(
    r"[ \t>#*-]*(?:(?:original|input|given|the)[ \t]+)?(?:sentence|text|input)[ \t]*[*_]*:", re.IGNORECASE
)
# Prompts ask for marks "between <span> and </span>"; an echo of that marks nothing.
_INSTRUCTION = re.compile(r"between\s+<(\w+)>\s+and\s+</\1>", re.IGNORECASE)
_STRICT_TAG = re.compile(r"</?span>")


class Samples(SamplesOf[list[Mention]]):
    """A text and the entities in it; a sample counts as one with entities or without."""

    inputs = ("text",)
    echoes_input = True
    seldom = "without entities"

    def read_gold(self, stated: JsonValue, inputs: Inputs) -> list[Mention]:
        """Take entities whose places count characters of the text as it stands; returned ones leave whitespace out."""
        text = str(inputs["text"])
        if not isinstance(stated, list):
            raise ValueError(f"expected a list of entities, found {shorten(stated)}")
        ordered = sorted((_stated_entity(item, text) for item in stated), key=lambda entity: entity["start"])
        for first, second in pairwise(ordered):
            if second["start"] < first["end"]:
                raise ValueError(f"entities {first['text']!r} and {second['text']!r} overlap; keep the longer one")
        return [
            {"start": _dense(text, entity["start"]), "end": _dense(text, entity["end"]), "text": entity["text"]}
            for entity in ordered
        ]

    def strata(self, gold: list[Mention]) -> list[str]:
        """Whether there are entities."""
        return ["with entities" if gold else "without entities"]


class Task(TaskOf[list[Mention]]):
    """Entities of one type; exact-span F1, micro over all sentences, those without gold entities included."""

    empty: list[Mention] = []

    def __init__(self, entry: DatasetEntry) -> None:
        kind = entry.entity_type or "entity"
        super().__init__(entry, [kind])
        self._none = re.compile(_NONE.format(type=re.escape(kind)), re.IGNORECASE)
        names = "".join(kind.split())
        self._type_name = re.compile(rf"(?:{re.escape(fold(names))})s?(?:name|entity|mention)?s?[:=-]*")

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[list[Mention]]:
        """Read the highlighted stretches of an output; see the module's conventions."""
        written = str(sample.inputs.get("text", ""))
        sentence = _Sentence(written)
        shown = _INSTRUCTION.sub(
            "", reading.same_length_plain(reading.without_invisible(reading.visible(raw, origin.reasoning)))
        )
        for statement in reading.final_statements(shown):
            spans = self._read(statement, sentence)
            if spans is not None:
                return Answer(sentence.entities(spans), True)
        spans = self._read(shown, sentence)
        return self.no_answer() if spans is None else Answer(sentence.entities(spans), True)

    def constants(self, golds: Sequence[list[Mention]]) -> list[list[Mention]]:
        """No mention at all: mentions are places in one sentence, and no place fits all of them."""
        return [[]]

    def read_strict(self, raw: str, sample: Sample) -> Answer[list[Mention]]:
        """Accept the sentence, character by character, with entities between ``<span>`` and ``</span>``, never nested."""
        line, written = reading.exact_line(raw), str(sample.inputs.get("text", ""))
        tags = _STRICT_TAG.findall(line)
        if _STRICT_TAG.sub("", line) != written.strip() or tags != ["<span>", "</span>"] * (len(tags) // 2):
            return self.no_answer()
        spans, end = [], 0
        pieces = ["".join(piece.split()) for piece in _STRICT_TAG.split(line)]
        for number, piece in enumerate(pieces):
            start, end = end, end + len(piece)
            if number % 2 and piece:
                spans.append((start, end))
        return Answer(_Sentence(written).entities(spans), True)

    def completes(self, text: str, sample: Sample, origin: Origin) -> bool:
        """Accept the exact copy, and where tags stand a careful reading: words about the sentence are no answer yet."""
        return self.read_strict(text, sample).ok or (has_tags(text) and self.read(text, sample, origin).ok)

    def render(self, gold: list[Mention], sample: Sample) -> str:
        """Return the sentence with each entity between ``<span>`` and ``</span>``, otherwise unchanged."""
        written = str(sample.inputs["text"])
        places = _Sentence(written).places
        rendered, position = [], 0
        for entity in sorted(gold, key=lambda entity: int(entity["start"])):
            start, end = places[entity["start"]], places[entity["end"] - 1] + 1
            rendered += [written[position:start], "<span>", written[start:end], "</span>"]
            position = end
        return "".join([*rendered, written[position:]])

    def counts(self, answers: Sequence[list[Mention]], golds: Sequence[list[Mention]]) -> Counts:
        """One row: exact spans found, spans told that are not gold, gold spans missed."""
        counts = np.zeros((len(golds), 1, 3), dtype=np.int64)
        for row, (answer, gold) in enumerate(zip(answers, golds, strict=True)):
            told, true = _span_set(answer), _span_set(gold)
            hits = len(told & true)
            counts[row, 0] = hits, len(told) - hits, len(true) - hits
        return counts

    def correct(self, answer: list[Mention], gold: list[Mention]) -> bool:
        """Judge one sentence: all entities and no other."""
        return _span_set(answer) == _span_set(gold)

    def check_gold(self, sample: Sample) -> str | None:
        """Gold entities must be spans inside the sentence."""
        if not isinstance(sample.inputs.get("text"), str) or not isinstance(sample.gold, list):
            return "expected inputs with 'text' and a list of entities as gold"
        length = len("".join(sample.inputs["text"].split()))
        for entity in sample.gold:
            if not isinstance(entity, dict) or not {"start", "end"} <= entity.keys():
                return f"gold entity {entity!r} has no 'start' and 'end'"
            start, end = entity["start"], entity["end"]
            if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length):
                return f"gold entity {entity!r} lies outside the sentence of {length} characters without whitespace"
        return None

    def _read(self, shown: str, sentence: _Sentence) -> list[Span] | None:
        """Return the spans an output marks in the sentence, None where it is unreadable."""
        lines = [line for line in _CUE.sub("\n\\g<0>", shown).split("\n") if line.strip()]
        copied = opened = False
        for number, line in enumerate(lines):
            marked = self._marked(_CUE.sub("", line), sentence)
            marked = self._joined(marked, lines[number + 1 :], sentence)
            spans = carry_over(marked.bare, sentence.bare, marked.spans) if marked.bare else None
            if spans is None and copied and _INPUT_CUE.match(line):
                break  # another example begins
            opened = opened or marked.opened
            if spans is None:
                continue
            if marked.spans:
                return spans
            copied = copied or not marked.opened
            if not (marked.opened or _INPUT_CUE.match(line) or self._goes_on(lines[number + 1 :])):
                return spans
        if copied and not opened:
            return []
        if has_tags(shown):
            return self._read_whole(reading.before_next_example(shown), sentence) or None
        return [] if self._none.match(_CUE.sub("", reading.normalise(shown))) else None

    def _goes_on(self, lines: Sequence[str]) -> bool:
        """Tell whether the lines after a copy without tags announce the marked one, before they begin another example."""
        for line in lines:
            if _INPUT_CUE.match(line):
                return False
            if _CUE.match(line):
                return True
        return False

    def _joined(self, marked: Marked, lines: Sequence[str], sentence: _Sentence) -> Marked:
        """Add the lines that go on with a sentence broken over lines: those that bring the copy nearer to it."""
        nearness = fuzz.ratio(marked.bare, sentence.bare)
        for line in lines:
            if len(marked.bare) > 0.95 * len(sentence.bare) or nearness == 100:
                break
            added = self._marked(line, sentence)
            bare = marked.bare + added.bare
            if (nearer := fuzz.ratio(bare, sentence.bare)) <= nearness or len(bare) > 1.2 * len(sentence.bare):
                break
            shift, nearness = len(marked.bare), nearer
            spans = (*marked.spans, *((a + shift, b + shift) for a, b in added.spans))
            marked = Marked(bare, spans, marked.opened or added.opened)
        return marked

    def _read_whole(self, shown: str, sentence: _Sentence) -> list[Span] | None:
        """Read tags whose sentence was broken over lines, else tags without a sentence around them."""
        marked = self._marked(shown, sentence)
        spans = carry_over(marked.bare, sentence.bare, marked.spans)
        if spans:
            return spans
        return find_listed([marked.bare[a:b] for a, b in marked.spans], sentence.bare, sentence.boundaries)

    def _marked(self, text: str, sentence: _Sentence) -> Marked:
        """Take tags off, fold case, and drop type names the sentence does not have."""
        marked = read_marked(text, sentence.escaped)
        bare, spans, shift = fold(marked.bare), [], 0
        for a, b in marked.spans:
            a, b = a - shift, b - shift
            name = self._type_name.match(bare, a, b)
            if name and name.end() < b and bare[a:b] not in sentence.bare:
                bare = bare[:a] + bare[name.end() :]
                shift += name.end() - a
                b -= name.end() - a
            spans.append((a, b))
        return Marked(bare, tuple(spans), marked.opened)


class _Sentence:
    """The sentence spans refer to: folded without whitespace, and where each character stands in the written one."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.bare = fold("".join(reading.same_length_plain(written).split()))
        self.places = [place for place, char in enumerate(written) if not char.isspace()]
        self.escaped = unescape(written) != written

    @property
    def boundaries(self) -> set[int]:
        """Offsets without whitespace where a token begins or ends."""
        offsets, length = {0}, 0
        for token in self.written.split():
            length += len(token)
            offsets.add(length)
        return offsets

    def entities(self, spans: Sequence[Span]) -> list[Mention]:
        """Return spans as ``{"start", "end", "text"}`` with the text as the sentence writes it, in order, each once."""
        return [
            {"start": start, "end": end, "text": self.written[self.places[start] : self.places[end - 1] + 1]}
            for start, end in sorted(set(spans))
        ]


def _span_set(entities: Sequence[Mention]) -> set[tuple[int, int]]:
    return {(entity["start"], entity["end"]) for entity in entities}


def _stated_entity(item: JsonValue, text: str) -> Mention:
    """One entity as stated, its places counting characters of the text as it stands."""
    if not isinstance(item, dict) or item.keys() != {"start", "end", "text"}:
        raise ValueError(f'expected {{"start": 0, "end": 7, "text": "aspirin"}}, found {shorten(item)}')
    start, end, named = item["start"], item["end"], item["text"]
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise ValueError(f"{shorten(item)} does not name its place in inputs.text")
    if not isinstance(named, str) or text[start:end] != named:
        raise ValueError(
            f"{shorten(item)} does not name its place in inputs.text; the text has {text[start:end]!r} there"
        )
    if named != named.strip():
        raise ValueError(f"entity {named!r} begins or ends with a blank; leave it out")
    return {"start": start, "end": end, "text": named}


def _dense(text: str, position: int) -> int:
    """How many characters other than whitespace stand before a position."""
    return len("".join(text[:position].split()))
