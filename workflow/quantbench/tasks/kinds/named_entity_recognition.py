"""Named entities: marked stretches of the sentence.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- An entity is what a closed mark encloses in a copy of the sentence. Any tag and markdown emphasis marks, see
  :mod:`quantbench.tasks.markup`; the strict score shows the form that was lost. Of nested marks the outermost counts.
- No entity: what a tag encloses that names another kind (``<disease>`` where chemicals are asked; the closed list is in
  :mod:`quantbench.tasks.entity_types`) or no known kind beside tags that name the one asked for; emphasis beside tags that mark
  something; a mark around the whole sentence, unless it is a ``span`` or names the kind and encloses no other.
- Spans are carried over to the sentence whatever the whitespace, letter case, accents, ligatures, typographic quotes and HTML
  escapes, with Greek letters equal to their names, and where words elsewhere were changed, left out or added. A marked stretch
  is kept if its own words are recognisable (similarity of 80 out of 100).
- Where gold answers are tags of tokens, spans begin and end with tokens: a token of which at least half is marked counts whole
  (``<span>opioid</span>s``), of which less is marked not at all.
- The first line (or the whole output) with marks that passes for a copy of the sentence is the answer, in a chain of thought the
  last one. A copy without marks says that there are none where it holds most of the sentence, with its words, and opens the output or stands
  under its cue (``Marked:``), and no marked one follows; one amid prose or behind ``Sentence:`` only repeats the sentence.
- An output cut at its token limit is read only if it holds most of the sentence; what was closed by then counts.
- Tags without the sentence around them (a list with tags) are looked for in the sentence, whole tokens only, longer names first;
  a list without tags names nothing, bold or not.
- A type name at the start of the marked text (``chemical: aspirin``) is dropped unless the sentence has it there.
- Readable are: marked text that was placed, a copy of the sentence, and ``none`` (``no diseases``).
- Of a text far longer than any answer the beginning and the end are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Mention, Sample
from ...errors import shorten
from .. import text as reading
from ..entity_types import EntityKind
from ..extent import both_ends
from ..folding import Folded, Span
from ..metrics import Counts
from ..origin import Origin
from ..pages import Found, Page, without_cues
from ..samples import Inputs, SamplesOf
from ..statements import Evidence, announced
from ..tag_forms import tags_only
from ..task import Answer, TaskOf

# Of a sentence, from which on a copy that breaks off tells what was found in it: entities of the rest are lost, but most are there.
MOST = 0.5
# An output may state its final answer hundreds of times; if the first few cannot be read, it has none.
_STATEMENTS_LOOKED_AT = 8
# Characters read at either end of an output, or this many times the sentence where that is more; and of a final answer.
_READ, _READ_SENTENCES = 4_000, 4
_READ_STATED = 2_000

_NONE = (
    r"\W*(?:(?:{type}s?(?: \w+)?\s*:\s*)?(?:none|n/a|nil|\[\s*\])(?!\w)|nothing (?:to|is|was)\b"
    r"|(?:there (?:(?:are|is) )?|i (?:\w+ )?|(?:the|this) (?:given )?(?:sentence|text) (?:\w+ ){{0,3}})?"
    r"(?:no|(?:not|\w+n't) (?:\w+ )?any) (?:\w+ ){{0,3}}?(?:entit(?:y|ies)|mentions?|names?|{type}s?)\b)"
)
# Prompts ask for marks "between <span> and </span>"; an echo of that marks nothing.
_INSTRUCTION = re.compile(r"<(\w++)[^<>]*+>\s*+(?:(?:and|or)\s*+)?</\1>", re.IGNORECASE)
_STRICT_TAG = re.compile(r"</?span>")


_NOUNS = "answer|output|sentence"


class Samples(SamplesOf[list[Mention]]):
    """A text and the entities in it; a sample counts as one with entities or without."""

    inputs = ("text",)
    echoes_input = True
    seldom = "without entities"
    unit = "sentence"

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
    exact_suffices = False  # a careful reader takes whole tokens

    def __init__(self, entry: DatasetEntry) -> None:
        kind = entry.entity_type or "entity"
        super().__init__(entry, [kind])
        self._kind = EntityKind(kind)
        names = "|".join(map(re.escape, [kind, *self._kind.words]))
        self._none = re.compile(_NONE.format(type=f"(?:{names})"), re.IGNORECASE)
        self._by_tokens = entry.reader == "token_tags"

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[list[Mention]]:
        """Read the marked stretches of an output; see the module's conventions."""
        sentence = Folded(str(sample.inputs.get("text", "")))
        shown = self._shown(raw, sentence, origin)
        for statement in _statements(shown, sentence):
            spans = self._read(statement, sentence, replace(origin, reasoned=False))
            if spans is not None:
                return Answer(self._entities(sentence, spans), True)
        spans = self._read(shown, sentence, origin)
        return self.no_answer() if spans is None else Answer(self._entities(sentence, spans), True)

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
        return Answer(_mentions(Folded(written), spans), True)

    def completes(self, text: str, sample: Sample, origin: Origin) -> bool:
        """Accept the exact copy, and a careful reading that found entities: words about the sentence are no answer yet."""
        if self.read_strict(text, sample).ok:
            return True
        answer = self.read(text, sample, origin)
        return answer.ok and bool(answer.value)

    def render(self, gold: list[Mention], sample: Sample) -> str:
        """Return the sentence with each entity between ``<span>`` and ``</span>``, otherwise unchanged."""
        written = str(sample.inputs["text"])
        places = Folded(written).places
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

    def longest_end(self, sample: Sample) -> int:
        """A copy of the sentence takes more room the longer it is."""
        return _longest_end(str(sample.inputs.get("text", "")))

    def check_gold(self, sample: Sample) -> str | None:
        """Gold entities must be spans inside the sentence."""
        if not isinstance(sample.inputs.get("text"), str) or not isinstance(sample.gold, list):
            return "expected inputs with 'text' and a list of entities as gold"
        bare = "".join(sample.inputs["text"].split())
        for entity in sample.gold:
            if not isinstance(entity, dict) or not {"start", "end"} <= entity.keys():
                return f"gold entity {entity!r} has no 'start' and 'end'"
            start, end = entity["start"], entity["end"]
            if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(bare)):
                return f"gold entity {entity!r} lies outside the sentence of {len(bare)} characters without whitespace"
            named = "".join(str(entity.get("text", "")).split())
            if named and bare[start:end] != named:
                return f"gold entity {entity!r}: its places count characters without whitespace, and {bare[start:end]!r} stands there"
        return None

    def _shown(self, raw: str, sentence: Folded, origin: Origin) -> str:
        """Return the part of an output meant as answer, in plain characters and tags."""
        text = reading.visible(raw, origin.reasoning)
        longest = _longest_end(sentence.written)
        text = both_ends(text, longest, joint="\n")
        if not text.isascii():
            text = unicodedata.normalize("NFKC", reading.same_length_plain(reading.without_invisible(text)))
            text = both_ends(text, longest, joint="\n")
        return _INSTRUCTION.sub("", tags_only(text, self._kind, sentence))

    def _read(self, shown: str, sentence: Folded, origin: Origin) -> list[Span] | None:
        """Return the spans an output marks in the sentence, None where it is unreadable."""
        page = Page(shown, sentence, self._kind)
        marked: Found | None = None
        none = broken = False
        for found in page.copies():
            if not found.marks:
                none = none or _says_none(found, page, origin)
            elif origin.cut and found.copy.share < MOST:
                broken = True
            elif marked is None or origin.reasoned:
                marked = found
        if marked is not None:
            return marked.spans or None
        if broken or none:
            return None if broken else []
        return self._without_copy(shown, page, sentence, origin)

    def _without_copy(self, shown: str, page: Page, sentence: Folded, origin: Origin) -> list[Span] | None:
        """Read tags without a sentence around them, else words that say there is nothing to mark."""
        # Of a list that was cut nobody knows how much is missing.
        if page.tagged and (not origin.cut or "\n\n" in shown[shown.rfind(">") :]):
            before, _ = reading.split_examples(shown, origin)
            listed = (page if before == shown else Page(before, sentence, self._kind)).listed()
            if listed:
                return listed
        opening = reading.normalise(shown[:_READ_STATED])
        return [] if self._none.match(without_cues(opening)) else None

    def _entities(self, sentence: Folded, spans: Sequence[Span]) -> list[Mention]:
        places = [sentence.unfolded(span) for span in spans]
        if self._by_tokens:
            places = [whole for place in places for whole in [sentence.whole_tokens(place)] if whole is not None]
        return _mentions(sentence, places)


def _statements(shown: str, sentence: Folded) -> list[str]:
    """Return what follows each ``Final answer:``; where the sentence itself speaks of one, nothing tells them apart."""
    stated = announced(shown, _NOUNS, Evidence.FINAL)[:_STATEMENTS_LOOKED_AT]
    if not stated or announced(sentence.written, _NOUNS, Evidence.FINAL):
        return []
    length = max(_READ_STATED, _READ_SENTENCES * len(sentence.written))
    return [statement[:length] for statement in stated]


def _longest_end(sentence: str) -> int:
    return max(_READ, _READ_SENTENCES * len(sentence))


def _says_none(found: Found, page: Page, origin: Origin) -> bool:
    """Tell whether a copy without marks is the answer that there are none, rather than a mere repetition of the sentence."""
    if found.breaks_off or found.copy.share < MOST or not page.repeats(found):
        return False
    if origin.cut and any(line.cue for line in page.lines[found.after :]):
        return False  # the answer proper had only begun
    if page.lines[found.line].echo:
        return not origin.cut and page.alone(found)
    if page.announced(found):
        return True
    # In a chain of thought the answer comes last, and of a cut one nobody knows what was to follow.
    last = page.alone(found)
    return page.presented(found) and not (last and origin.cut and found.line) and (last or not origin.reasoned)


def _mentions(sentence: Folded, spans: Sequence[Span]) -> list[Mention]:
    """Return spans as ``{"start", "end", "text"}`` with the text as the sentence writes it, in order, each once."""
    if not spans:
        return []
    written, places = sentence.written, sentence.places
    return [
        {"start": start, "end": end, "text": written[places[start] : places[end - 1] + 1]}
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
