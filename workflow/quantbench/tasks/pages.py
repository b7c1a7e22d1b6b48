"""An output as a reader of marked sentences sees it: its lines, its marks, and where copies of the sentence stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz

from .alignment import Copy, find_copy, find_listed
from .entity_types import EntityKind
from .folding import Folded, Span
from .markup import Mark, Style, outermost, read_marked

_CUE = re.compile(
    r"(?:^|(?<=\s))[*_]{0,3}(?:marked|highlighted|annotated|tagged|output|answer|result)"
    r"(?:[ \t]+(?:sentence|text|version|output))?[*_]{0,3}:[*_]{0,3}(?=\s|$|<)",
    re.IGNORECASE | re.MULTILINE,
)
_INPUT_CUE = re.compile(
    r"[ \t>#*_-]*(?:(?:original|input|given|the)[ \t]+)?(?:sentence|text|input)[ \t]*[*_]*:", re.IGNORECASE
)
# Folded words that present a copy as the answer, right before it: "Here is the sentence:", "The marked text is:".
_HEADING = r"(?:marked|highlighted|annotated|tagged)(?:sentence|text|version|output)?|output|answer|result"
_PRESENTS = re.compile(
    rf"(?:(?:{_HEADING})(?:is)?|here(?:is|'s)[^:]{{0,80}}|below|asfollows|following|unchanged|asis|thesame)[*_\"]*:\W*$"
    rf"|^\W*(?:{_HEADING})\W*$"
)
_NEARLY = 0.95  # of the sentence's length: a copy that long is whole
_MOST_WORDS = 0.7  # of the sentence's words: with fewer of them unchanged a text is another sentence
_BEGINNING = 5  # characters of the sentence that the first line of a copy broken over lines must have


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it says behind a cue, whether ``Marked:`` or the like stood there, whether ``Sentence:`` does."""

    body: str
    cue: bool
    echo: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A copy of the sentence in an output.

    Attributes:
        line: number of the line it begins on.
        after: number of the line behind it.
        copy: the copy itself, in the text of these lines.
        marks: those in it that count, in order.
        breaks_off: whether a tag in it is never closed.
    """

    line: int
    after: int
    copy: Copy
    marks: tuple[Mark, ...]
    breaks_off: bool

    @property
    def spans(self) -> list[Span]:
        """What the marks enclose, as places in the folded sentence; those whose words are not recognisable are left out."""
        carried = (self.copy.carry_over((mark.start, mark.end)) for mark in self.marks)
        return [span for span in carried if span is not None]


class Page:
    """One output, or the part of it that states the answer.

    Args:
        text: plain text.
        sentence: the sentence that was to be marked.
        kind: what was to be marked in it.
    """

    def __init__(self, text: str, sentence: Folded, kind: EntityKind) -> None:
        self._sentence = sentence
        self.lines = _lines(text, sentence)
        self._marked = read_marked([line.body for line in self.lines], kind, sentence)

    def copies(self) -> Iterator[Found]:
        """Yield the copies of the sentence, line by line, up to another example; a sentence may be broken over lines."""
        seen: set[str] = set()
        number, copied = 0, False
        while number < len(self.lines):
            line = self.lines[number]
            found = self._found(number) if line.body not in seen and self._promises(number) else None
            if found is not None:
                copied, number = True, found.after
                yield found
            elif copied and line.echo:
                return
            else:
                seen.add(line.body)  # said again it is no copy either
                number += 1

    @property
    def tagged(self) -> bool:
        """Whether any tag was closed."""
        return any(mark.style is not Style.MARKDOWN for mark in self._marked.marks)

    def listed(self) -> list[Span]:
        """Return the places of what tags enclose, wherever they stand; emphasis in markdown makes no entity there."""
        tags = _counting([mark for mark in self._marked.marks if mark.style is not Style.MARKDOWN])
        texts = [self._marked.bare[mark.start : mark.end] for mark in tags]
        return find_listed(texts, self._sentence.bare, self._sentence.word_borders()) if texts else []

    def repeats(self, found: Found) -> bool:
        """Tell whether a copy has most of the sentence's words, rather than being another sentence of the same form."""
        return found.copy.keeps(self._sentence.words) >= _MOST_WORDS

    def presented(self, found: Found) -> bool:
        """Tell whether a copy stands where an answer does: it opens the output, words announce it, or it is all that is left."""
        if self.announced(found):
            return True
        first = found.line == self._worded[0]
        return _begins_line(found) and (first or self.alone(found))

    def announced(self, found: Found) -> bool:
        """Tell whether a copy stands behind ``Marked:``, ``Here is the sentence:`` or the like, or on the line below."""
        if not _begins_line(found):
            return bool(_PRESENTS.search(found.copy.text[: found.copy.start]))
        if self.lines[found.line].cue:
            return True
        said = self._text(found.line - 1, found.line) if found.line else ""
        return bool(_PRESENTS.search(said)) or (found.line > 0 and self.lines[found.line - 1].cue and not said)

    def alone(self, found: Found) -> bool:
        """Tell whether nothing with a word in it stands behind a copy."""
        return found.after > self._worded[-1] and not _has_words(found.copy.text[found.copy.end :])

    @cached_property
    def _worded(self) -> list[int]:
        """The lines that have a word in them."""
        return [number for number in range(len(self.lines)) if _has_words(self._text(number, number + 1))] or [0]

    def _text(self, line: int, after: int) -> str:
        return self._marked.bare[self._marked.lines[line] : self._marked.lines[after]]

    def _promises(self, number: int) -> bool:
        """Tell at little cost whether a copy may begin on a line: it is long enough, begins like the sentence, or has marks."""
        start, end = self._marked.lines[number], self._marked.lines[number + 1]
        if 2 * (end - start) >= len(self._sentence.bare) or self._begins(start, end):
            return end > start
        return bool(self._marked.within(start, end))

    def _begins(self, start: int, end: int) -> bool:
        return self._marked.bare.find(self._sentence.bare[:_BEGINNING], start, end) >= 0

    def _found(self, number: int) -> Found | None:
        after = self._after(number)
        start, end = self._marked.lines[number], self._marked.lines[after]
        marks = [Mark(mark.start - start, mark.end - start, mark.style) for mark in self._marked.within(start, end)]
        spans = [(mark.start, mark.end) for mark in marks]
        copy = find_copy(self._marked.bare[start:end], self._sentence.bare, spans)
        if copy is None:
            return None
        inside = [mark for mark in marks if copy.start <= mark.start and mark.end <= copy.end]
        counting = _counting(_without_wrappers(inside, copy))
        breaks_off = self._marked.breaks_off(start + copy.start, start + copy.end)
        return Found(number, after, copy, tuple(counting), breaks_off)

    def _after(self, number: int) -> int:
        """Return the line behind a sentence broken over lines: those that bring the copy nearer to it belong to it."""
        lines, wanted, after = self._marked.lines, self._sentence.bare, number + 1
        start = lines[number]
        if not self._begins(start, lines[after]):
            return after
        nearness = fuzz.ratio(self._text(number, after), wanted)
        while after < len(self.lines) and nearness < 100 and lines[after] - start <= _NEARLY * len(wanted):
            line, longer = self.lines[after], self._text(number, after + 1)
            nearer = fuzz.ratio(longer, wanted)
            if line.cue or line.echo or nearer <= nearness or len(longer) > 1.2 * len(wanted):
                break
            after, nearness = after + 1, nearer
        return after


def without_cues(text: str) -> str:
    """Take off ``Marked:``, ``Answer:`` and the like."""
    return _CUE.sub("", text)


def _lines(text: str, sentence: Folded) -> list[Line]:
    """Break a text into lines, also before a cue; blank ones are left out. A cue of the sentence itself is none."""
    cued = ":" in text and not _CUE.search(sentence.written)
    echoed = not _INPUT_CUE.match(sentence.written)
    lines = []
    for line in (_CUE.sub(lambda cue: "\n" + cue.group(), text) if cued else text).split("\n"):
        if not line.strip():
            continue
        colon = ":" in line
        cue = _CUE.match(line) if colon and cued else None
        echo = colon and echoed and _INPUT_CUE.match(line) is not None
        lines.append(Line(line[cue.end() :] if cue else line, cue is not None, echo))
    return lines


def _counting(marks: Sequence[Mark]) -> list[Mark]:
    """Return the marks that say what an entity is: tags before mere emphasis, which is none where tags mark anything."""
    styles = {mark.style for mark in marks if mark.end > mark.start}
    named = Style.NAMED in styles
    strong = {Style.SPAN, Style.NAMED, Style.MARKING} | (set() if named else {Style.UNKNOWN})
    counted = strong if styles & strong else {Style.EMPHASIS, Style.MARKDOWN}
    return outermost(mark for mark in marks if mark.style in counted)


def _without_wrappers(marks: Sequence[Mark], copy: Copy) -> list[Mark]:
    """Leave out what encloses all of a copy: it marks no part of it, unless it alone does and in the form asked for."""
    inner = [mark for mark in marks if mark.start > copy.start or mark.end < copy.end]
    asked = [mark for mark in marks if mark.style in (Style.SPAN, Style.NAMED)]
    return inner or asked


def _begins_line(found: Found) -> bool:
    return not _has_words(found.copy.text[: found.copy.start])


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)
