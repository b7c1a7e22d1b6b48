"""Options or classes that an output goes through one by one, each with what it says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .lexicon import Lexicon

BLANK_LINE = re.compile(r"\n[ \t]*\n")
_VERDICT = re.compile(
    r"[\s\"'|:)(,-]*(?:(?:this|it|that|which)(?: option| choice| answer| class| label)?[ \t]+)?(?:(?:is|are|would be|seems|was)[ \t]+)?"
    r"(?P<not>not[ \t]+|in(?=correct|appropriate))?(?:(?:the|a|an|most|best)[ \t]+)*"
    r"(?:(?P<right>correct|right|true|yes|best|✓|✔|✅|☑)|(?P<wrong>wrong|false|no|unlikely|excluded|ruled out|✗|✘|❌|☒)|(?P<plain>appropriate))"
    r"(?:[ \t]+(?P<noun>answer|option|choice|class))?(?=[\s\"')|]*(?:$|[.,;:!|\n/]|(?:because|since|as|-)\s))",
    re.IGNORECASE,
)
# Where in an item its verdict may stand, and how far in.
_BEFORE_VERDICT = re.compile(r":|\s-\s|[(|]|\b(?=is\b)")
_LATEST_VERDICT = 160
# "Contraindicated?", "Safe in pregnancy:"
_ELSE = re.compile(
    r"\b(?:contraindicated|safe|avoid\w*|risk\w*|harmful|incorrect|wrong|excluded?)\b[^.\n]{0,40}[?:|]", re.IGNORECASE
)
_FEWEST_WORDS = 3
_LAST_VERDICT = re.compile(r"(?:^|[-:,(.][ \t]*|\.{3}[ \t]*)(?P<in>in)?correct[\s.)|]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """One option or class of several that a text goes through: where it begins, where what is said of it begins and ends."""

    value: str
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is said of an item: whether it is right, and whether in so many words ("is the best choice")."""

    right: bool
    outright: bool


class Walk:
    """The items of a text, in order.

    Attributes:
        several: whether they are of two or more answers; one item alone is no walk.
    """

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._first = lexicon.first
        self._items = list(_items(text, lexicon))
        self.several = len({item.value for item in self._items}) > 1

    def holds(self, position: int) -> bool:
        """Tell whether a position lies inside an item."""
        return self.several and any(item.start <= position < item.end for item in self._items)

    def ends_in(self, start: int, value: str) -> bool:
        """Tell whether an answer in the last lines is just the last of those gone through."""
        earlier = {item.value for item in self._items if item.end <= start}
        return value not in earlier and any(item.start <= start < item.end for item in self._items)

    def opens(self, cut: bool) -> bool:
        """Tell whether the text opens with the first of several answers gone through; cut, it may be that already."""
        if not self._items or re.search(r"\w", self._text[: self._items[0].start]):
            return False
        first = self._items[0]
        described = bool(re.search(r"\w", self._text[first.body : first.end]))
        # A paragraph of prose behind the item is no next item.
        breaks_off = cut and first.value == self._first and len(self._text[first.end :].split()) < _FEWEST_WORDS
        return self.lists(0) or (described and (self.several or breaks_off))

    def lists(self, position: int) -> bool:
        """Tell whether a list of two or more answers begins at a position."""
        begun = [item for item in self._items if item.start >= position][:2]
        if len(begun) < 2 or re.search(r"\w", self._text[position : begun[0].start]):
            return False
        return begun[0].value != begun[1].value and begun[0].end >= begun[1].start

    def judged(self) -> str | None:
        """Return the one item judged right where others are judged wrong, or that is said to be the right answer."""
        if self._judges_else():
            return None
        verdicts: dict[str, _Verdict] = {}
        for item in self._items:
            if verdict := self._verdict(item):
                verdicts.setdefault(item.value, verdict)
        right = [value for value, verdict in verdicts.items() if verdict.right]
        if len(right) != 1:
            return None
        return right[0] if len(verdicts) > 1 or verdicts[right[0]].outright else None

    @property
    def last_start(self) -> int:
        """Where the last item begins."""
        return self._items[-1].start

    def _judges_else(self) -> bool:
        """Tell whether what stands above the items, or in a table's head, asks for something else than which is right."""
        head = self._text[: self._items[0].start]
        return _ELSE.search(head.rstrip().rsplit("\n\n", 1)[-1]) is not None

    def _verdict(self, item: Item) -> _Verdict | None:
        body = self._text[item.body : item.end]
        for start in (0, *(match.end() for match in _BEFORE_VERDICT.finditer(body, 0, _LATEST_VERDICT))):
            if match := _VERDICT.match(body, start):
                return _Verdict((match["wrong"] is None) != (match["not"] is not None), match["noun"] is not None)
        last = _LAST_VERDICT.search(body.rstrip(" /|;\n"))
        return None if last is None else _Verdict(last["in"] is None, outright=False)


def _items(text: str, lexicon: Lexicon) -> Iterator[Item]:
    """Yield the items of a list, each up to the next one or a blank line."""
    starts = list(lexicon.item_starts(text))
    ends = [*(start for _, start, _ in starts[1:]), len(text)]
    for (value, start, body), end in zip(starts, ends, strict=False):
        blank = BLANK_LINE.search(text, body, end)
        yield Item(value, start, body, blank.start() if blank else end)
