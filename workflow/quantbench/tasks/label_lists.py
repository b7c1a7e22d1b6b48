"""Reading lists of labels, one item a line or several, each with a value, a reason, or nothing.

One walk over the lines, each classified once (:func:`quantbench.tasks.label_lines.read_line`). A reason may stand behind its
label or in the lines below it. Several labels on one line end at a blank line; a list of one item a line goes on over blank
lines and reasons. Either ends at an explanation; under a header such as ``Not applicable:`` items are no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .label_items import Item, judged
from .label_lines import Kind, Line, read_line
from .names import Inventory
from .remarks import Verdict

NONE = re.compile(
    r"[\s\"'({:-]*(?:none\b|n/a\b|nil\b|not applicable\b|no (?:relevant |applicable |matching |specific |of the )*"
    r"(?:labels?|hallmarks?|topics?|categor(?:y|ies)|classes)\b)(?![^.\n]{0,80}\b(?:except|others?|apart from|besides)\b)"
    r"|[\s\"':-]*(?:\[\s*\]|\{\s*\})",
    re.IGNORECASE,
)
# "Possible labels:", "Choose from:" head what can be answered, not what is.
_OFFER = re.compile(
    r"^[ \t>-]*(?:(?:the|all|here are the|these are the)[ \t]+)?(?:(?:possible|available|candidate|allowed|valid|permitted|potential|given|provided|predefined)[ \t]+"
    r"(?:\w+[ \t]+){0,2}?(?:labels?|hallmarks?|topics?|categories|classes|options|choices|answers)|(?:labels?|hallmarks?|topics?|categories|classes)[ \t]+"
    r"(?:to choose from|set|inventory|list|options|choices)|label[ \t]?set|options|choices|choose from|select from|inventory)\b[^:\n]{0,40}?(?::|\bare\b|\binclude\b)",
    re.IGNORECASE | re.MULTILINE,
)
_OFFER_ENDS = (re.compile(r"\.(?=\s)|$", re.MULTILINE), re.compile(r"\n[ \t]*(?=\n)|\Z"))
# "Labels (choose from A, B, C): A", "A (chosen from A, B, C)"
_OFFER_IN_BRACKETS = re.compile(
    r"[(\[](?P<offered>[^()\[\]]{10,800})[)\]](?=[ \t]*[:=])"
    r"|\((?P<chosen>(?:cho(?:ose|sen)|select(?:ed)?|pick(?:ed)?|any|some|one|out|possible|available|allowed|options?)\b[^()]{10,800})\)",
    re.IGNORECASE,
)
_ALMOST_ALL = 0.8
# Up to this many labels an answer may well be all of them.
_FEW = 3


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says.

    Attributes:
        items: in order; a label may occur twice.
        start: where its first line starts in the text.
        end: where its last line ends.
        closed: something stands behind it that does not belong to it, so that an output cut off later holds all of it.
    """

    items: tuple[Item, ...]
    start: int
    end: int
    closed: bool

    @property
    def reasoned(self) -> bool:
        """Whether reasons are given for labels."""
        return any(item.reasoned for item in self.items)


def read_list(text: str, inventory: Inventory, cut: bool = False) -> Listed | None:
    """Return the first list in ``text``; without items where it says none, None where there is no list.

    Args:
        text: normalised text.
        inventory: the labels.
        cut: the output was cut off at its end.
    """
    walk = _Walk(inventory)
    position = 0
    for line in text.split("\n"):
        end = position + len(line)
        read = read_line(line, inventory, cut and end == len(text))
        if not walk.items and read.kind is not Kind.ITEMS and NONE.match(line) and not line.rstrip().endswith(":"):
            return Listed((), position, end, True)
        if not walk.take(read, position, end):
            break
        position = end + 1
    return walk.listed()


def without_offer(text: str, inventory: Inventory) -> str:
    """Take off the list of (nearly) all labels that stands under a header such as ``Possible labels:``, in its sentence or below it, or in brackets."""
    text = _OFFER_IN_BRACKETS.sub(
        lambda match: "" if _offers_all(match["offered"] or match["chosen"], inventory) else match.group(), text
    )
    if (header := _OFFER.search(text)) is None:
        return text
    for pattern in _OFFER_ENDS:
        end = pattern.search(text, header.end())
        offered = text[header.end() : end.start()] if end else ""
        if _offers_all(offered, inventory):
            return f"{text[: header.start()]}\n{text[header.end() + len(offered) :]}"
    return text


def _offers_all(text: str, inventory: Inventory) -> bool:
    named = {mention.label for mention in inventory.mentions(text)}
    return len(named) > max(_FEW, _ALMOST_ALL * len(inventory.labels) - 1)


def settle(items: Iterable[Item], inventory: Inventory) -> list[str] | None:
    """Return the labels that items say apply; None where they go through the inventory and judge nothing.

    What is first said of a label counts. Who goes through (nearly) all labels with reasons names each of them, so there only
    those count that are judged to apply, or, where only denials are spelled out, that are not denied.
    """
    said: dict[str, Item] = {}
    for item in items:
        if item.label not in said or said[item.label].verdict is Verdict.OPEN is not item.verdict:
            said[item.label] = item
    verdicts = {item.verdict for item in said.values()}
    through = len(said) >= len(inventory.labels) - 1 and len(inventory.labels) > _FEW
    if through and Verdict.OPEN in verdicts and any(item.reasoned for item in said.values()):
        if verdicts == {Verdict.OPEN}:
            return None
        if Verdict.YES in verdicts:
            return [label for label, item in said.items() if item.verdict is Verdict.YES]
    return [label for label, item in said.items() if item.verdict is not Verdict.NO]


@dataclass(slots=True)
class _Walk:
    """The state of a walk over lines."""

    inventory: Inventory
    items: list[Item] = field(default_factory=list)
    apart: list[tuple[int, Verdict]] = field(default_factory=list)
    headings: int = 0
    start: int = 0
    end: int = 0
    refused: bool = False
    bullets: bool = False
    inline: bool = False
    blank: bool = True
    closed: bool = False

    def take(self, line: Line, start: int, end: int) -> bool:
        """Take the next line; False where it ends the list."""
        blank, self.blank = self.blank, line.kind is Kind.BLANK
        if line.kind is Kind.BLANK:
            return self._go_on(not (self.items and self.inline))
        if line.kind is Kind.ITEMS:
            self._take_items(line, start, end)
            return True
        if not self.items:
            self.refused = line.kind is Kind.REFUSAL and line.announces
            return True
        if line.kind is Kind.EXPLANATION and (blank or self.inline or not line.text):
            return self._go_on(False)
        heads = line.kind is Kind.HEADER or (line.kind is Kind.REFUSAL and (blank or line.announces))
        if heads:
            self.refused = line.kind is Kind.REFUSAL
            return True
        if self.inline:
            return self._go_on(False)
        if not self.refused:
            self._take_reason(line.text, blank, end)
        return True

    def listed(self) -> Listed | None:
        """Return what was found."""
        if not self.items:
            return None
        # Reasons below blank lines belong to labels that are headings, so there are several of them.
        if self.headings > 1:
            for place, verdict in self.apart:
                self._reason(place, verdict)
        return Listed(tuple(self.items), self.start, self.end, self.closed)

    def _go_on(self, on: bool) -> bool:
        self.closed = self.closed or not on
        return on

    def _take_items(self, line: Line, start: int, end: int) -> None:
        if self.bullets and not line.bullet and not self.refused:
            return
        self.start = self.start if self.items else start
        self.end, self.closed = end, False
        self.inline = self.inline or line.inline
        self.bullets = self.bullets or line.bullet
        self.items += [replace(item, verdict=Verdict.NO) for item in line.items] if self.refused else line.items

    def _take_reason(self, text: str, blank: bool, end: int) -> None:
        """Take a line of prose below an item: its reason, or the end of the list."""
        place = len(self.items) - 1
        verdict = judged(text, self.items[place].label, self.inventory)
        if not blank:
            # Below mere labels a first explanation is one of them all, unless they are marked as items.
            self.closed = not self.bullets and not any(item.reasoned for item in self.items)
            self._reason(place, verdict)
            self.end = end
            return
        self.headings += not self.apart or self.apart[-1][0] != place
        self.apart.append((place, verdict))
        self.closed = self.headings < 2 and (place > 0 or self.items[place].reasoned or not self.bullets)

    def _reason(self, place: int, verdict: Verdict) -> None:
        item = self.items[place]
        told = verdict if item.verdict is Verdict.OPEN else item.verdict
        self.items[place] = Item(item.label, told, True)
