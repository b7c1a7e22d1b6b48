"""Marks in text: which stretches of the bare text tags and markdown emphasis enclose, and what kind of mark each is.

- Any tag marks (``<span>``, ``<chemical>``, ``<entity type="chemical">``, ``<b>``), also written ``&lt;b&gt;``, ``[b]x[/b]`` or
  ``[x](chemical)``, or behind its word (``x {chemical}``), except those that lay out a text (``<p>``, ``<answer>``) or name another kind of entity.
- Markdown and brackets mark: ``**x**``, ``__x__``, ``*x*``, ``_x_``, backticks, ``==x==``, ``[x]``, ``{x}``, ``<<x>>`` of any number, ``«x»``,
  ``【x】``, ``|x|``, ``@@x##`` and ``\\textbf{x}``, opened and closed on one line; and ``<x>`` where x is no tag but stands in the sentence.
- What stands in the sentence itself is no markup: ``< b >`` where it compares numbers, ``*`` or ``[`` where the sentence has them.
- A closing tag closes the latest open tag of its name. An unclosed one marks nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache

from .entity_types import EntityKind
from .folding import Folded, fold

# The first character of an opening bracket, and of what closes it.
_PAIRS = {"[": "]", "{": "}", "<": ">", "«": "»", "【": "】", "@": "#"}
_RUN = r"\*+|_+|`+|==+|\[+|\]+|(?:\\[a-z]{2,12})?\{+|\}+|(?<!<)<<++(?=[^<>/\n][^<>\n]{0,80}>>)|>>+|«+|»+|【+|】+|\|+|@@+(?=\S)|(?<=\S)##+"
# No emphasis within: between numbers that are compared it may stand.
_ATTRIBUTES = r"[\s:=|/](?:[^<>*`\[\]_=]|_(?!_)|=(?!=))*+"
_TOKEN = re.compile(
    rf"(?P<run>{_RUN})|<\s{{0,3}}+(?P<close>\\?/)?\s{{0,3}}+(?P<name>[a-z][\w-]*+)(?P<attributes>{_ATTRIBUTES})?>",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"</([a-z][\w-]*+)>", re.IGNORECASE)
_APART = re.compile(r"<\\?/?\s")
_STYLING = re.compile(r"style\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_OPENERS = {close: opening for opening, close in _PAIRS.items()}


class Style(Enum):
    """What a mark says: the kind asked for (or that it is an entity), nothing of kinds, another kind, or mere emphasis."""

    SPAN = auto()  # the form asked for
    NAMED = auto()
    MARKING = auto()
    UNKNOWN = auto()
    OTHER_KIND = auto()
    EMPHASIS = auto()
    MARKDOWN = auto()
    WORD = auto()  # what stands between the brackets is marked by them
    LAYOUT = auto()


# Of these an unclosed one says that an entity was meant.
_TELLING = (Style.SPAN, Style.NAMED, Style.MARKING, Style.EMPHASIS)
# What tags say that name no kind of entity.
_SAID = {
    Style.SPAN: "span",
    Style.MARKING: "mark marked entity ent term mention highlight highlighted hl tag tagged annotated keyword font",
    Style.EMPHASIS: "b strong i em u code tt kbd",
    Style.LAYOUT: (
        "html body head div p br hr pre section article center blockquote q ul ol li table tr td th h1 h2 h3 h4 h5 h6 title a img sub "
        "sup small big s del answer output result response final text sentence sent document doc passage input"
    ),
}
_STYLES = {name: style for style, names in _SAID.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class Mark:
    """One closed mark: where the marked stretch begins and ends in the bare text."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without marks and folded (:mod:`quantbench.tasks.folding`).

    Attributes:
        bare: the text.
        marks: in order, the outer before the inner.
        unclosed: where tags begin that were never closed, in order; layout and names nobody knows left out.
        lines: where each line begins, and the end.
    """

    bare: str
    marks: tuple[Mark, ...]
    unclosed: tuple[int, ...]
    lines: tuple[int, ...]

    def within(self, start: int, end: int) -> list[Mark]:
        """Return the marks that lie within a stretch of the bare text."""
        first = bisect_left(self.marks, start, key=lambda mark: mark.start)
        last = bisect_left(self.marks, end, lo=first, key=lambda mark: mark.start)
        return [mark for mark in self.marks[first:last] if mark.end <= end]

    def breaks_off(self, start: int, end: int) -> bool:
        """Tell whether a tag within a stretch is never closed."""
        place = bisect_left(self.unclosed, start)
        return place < len(self.unclosed) and self.unclosed[place] <= end


def read_marked(lines: Sequence[str], kind: EntityKind, sentence: Folded) -> Marked:
    """Take the marks off lines of text and remember what they enclosed; a tag's may go on over lines.

    Args:
        lines: any text, by lines.
        kind: the kind of entities that is asked for.
        sentence: what the text may be a copy of; what stands in it is no markup. A type name at the start of a marked stretch
            (``chemical: aspirin``) is dropped unless the sentence has it there.
    """
    scanner = _Scanner(kind, sentence, lines)
    for line in lines:
        scanner.take(line)
    return scanner.marked()


def outermost(marks: Iterable[Mark]) -> list[Mark]:
    """Return the marks that lie in no other, in order; of overlapping ones the first. Empty ones mark nothing."""
    kept: list[Mark] = []
    for mark in marks:
        if mark.end > mark.start and (not kept or mark.start >= kept[-1].end):
            kept.append(mark)
    return kept


@dataclass(frozen=True, slots=True)
class _Opened:
    """A mark that is open: its name, where it began, what it will be."""

    name: str
    start: int
    style: Style


class _Stack:
    """Open marks. Closing one drops those opened after it, each in constant time."""

    def __init__(self) -> None:
        self.items: list[_Opened] = []
        self.dropped: list[_Opened] = []
        self._depths: dict[str, list[int]] = {}

    def open(self, opened: _Opened) -> None:
        self._depths.setdefault(opened.name, []).append(len(self.items))
        self.items.append(opened)

    def close(self, name: str) -> _Opened | None:
        depths = self._depths.get(name)
        if not depths:
            return None
        depth = depths.pop()
        while len(self.items) > depth + 1:
            inner = self.items.pop()
            self._depths[inner.name].pop()
            self.dropped.append(inner)
        return self.items.pop()


class _Scanner:
    """Reads line by line; see :func:`read_marked`."""

    def __init__(self, kind: EntityKind, sentence: Folded, text: Sequence[str]) -> None:
        self._kind, self._sentence, self._text = kind, sentence, text
        self._styles: dict[str, Style | None] = {}
        self._stack = _Stack()
        self._pieces: list[str] = []
        self._length = 0
        self._lines = [0]
        self._marks: list[Mark] = []

    def take(self, line: str) -> None:
        """Read the next line."""
        found = [(match, style) for match in _TOKEN.finditer(line) if (style := self._style(match)) is not None]
        nexts = [match.start() for match, _ in found[1:]] + [len(line)] * bool(found)
        position = 0
        for (match, style), after in zip(found, nexts, strict=True):
            self._add(line[position : match.start()])
            position = match.end()
            if style is Style.WORD:
                self._mark_word(match.group()[1:-1])
                continue
            opens = self._tag(match, style) if style is not Style.MARKDOWN else self._run(match, line)
            if opens and line[position:after].strip():
                position += self._label_length(line[position:after])
        self._add(line[position:])
        self._lines.append(self._length)

    def marked(self) -> Marked:
        """Return what was read so far."""
        left = [*self._stack.items, *self._stack.dropped]
        unclosed = (each.start for each in left if each.style in _TELLING)
        marks = sorted(self._marks, key=lambda mark: (mark.start, -mark.end))
        return Marked("".join(self._pieces), tuple(marks), tuple(sorted(unclosed)), tuple(self._lines))

    def _add(self, piece: str) -> None:
        if piece:
            bare = fold(piece)
            self._pieces.append(bare)
            self._length += len(bare)

    def _mark_word(self, word: str) -> None:
        start = self._length
        self._add(word)
        self._marks.append(Mark(start, self._length, Style.MARKDOWN))

    def _tag(self, match: re.Match[str], style: Style) -> bool:
        """Open or close a tag; tell whether it opens one."""
        if style is Style.LAYOUT or (match["attributes"] or "").endswith("/"):
            return False
        name = match["name"].lower()
        if match["close"]:
            self._close(name)
            return False
        self._stack.open(_Opened(name, self._length, style))
        return True

    def _run(self, match: re.Match[str], line: str) -> bool:
        """Open or close emphasis; tell whether it opens it."""
        run = match["run"]
        before, after = line[match.start() - 1 : match.start()].strip(), line[match.end() : match.end() + 1].strip()
        sign = run[-1]
        if sign in _PAIRS or sign in _OPENERS:
            opens, closes = sign in _PAIRS, sign in _OPENERS
        else:
            # Blanks on both sides: a bullet, unless it is doubled.
            lone = not before and not after and len(run) > 1
            opens, closes = bool(after) or lone, bool(before) or lone
        # Emphasis ends with its line.
        name = f"{len(self._lines)}{_OPENERS.get(sign, sign)}{run.count(sign)}"
        if closes and self._close(name):
            return False
        if opens:
            self._stack.open(_Opened(name, self._length, Style.MARKDOWN))
        return opens

    def _close(self, name: str) -> bool:
        opened = self._stack.close(name)
        if opened is not None:
            self._marks.append(Mark(opened.start, self._length, opened.style))
        return opened is not None

    def _style(self, match: re.Match[str]) -> Style | None:
        """Return what a mark says; None where it is none, but stands in the sentence."""
        text = match.group()
        if text[0] == "_" and self._joins(match):
            return None
        if text not in self._styles:
            self._styles[text] = self._new_style(match)
        return self._styles[text]

    def _joins(self, match: re.Match[str]) -> bool:
        """Tell whether underscores stand inside a word."""
        around = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
        return all(char.isalnum() for char in around)

    def _new_style(self, match: re.Match[str]) -> Style | None:
        if match["run"]:
            return None if match["run"] in self._sentence.bare else Style.MARKDOWN
        name = match["name"].lower()
        if name != "span" and name not in self._closed and fold(match.group()) in self._sentence.bare:
            return None
        style = _tag_style(self._kind, name, match["attributes"] or "")
        if style is Style.UNKNOWN and name not in self._closed and fold(match.group()[1:-1]) in self._sentence.bare:
            return Style.WORD
        # Apart from its bracket a name compares numbers, in a sentence that was changed, unless it is one that tags have.
        apart = _APART.match(match.group()) is not None
        return None if apart and (style is Style.UNKNOWN or len(name) < 3) else style

    @cached_property
    def _closed(self) -> set[str]:
        """Names of tags that are closed in a way the sentence does not have, so that they are tags all the same."""
        closing = (match for line in self._text for match in _CLOSING.finditer(line))
        return {match[1].lower() for match in closing if fold(match.group()) not in self._sentence.bare}

    def _label_length(self, content: str) -> int:
        """Return the length of a type name that a marked stretch begins with, 0 where there is none."""
        label = self._kind.label.match(content)
        if label is None or not content[label.end() :].strip() or fold(content) in self._sentence.bare:
            return 0
        return label.end()


@lru_cache(maxsize=1024)
def _tag_style(kind: EntityKind, name: str, attributes: str) -> Style:
    named = kind.named(f"{name} {_STYLING.sub('', attributes)}")
    if named is not None:
        return Style.NAMED if named else Style.OTHER_KIND
    return _STYLES.get(name, Style.UNKNOWN)
