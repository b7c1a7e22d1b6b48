"""Telling what one line of an output is: items, a header, an explanation, prose; bullets, check boxes and tables included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from .label_items import LONGEST_NAME, TRIM, Item, judged, read_items
from .names import Inventory
from .remarks import NO_MARKS, NOT_ELSEWHERE, NOT_UNSPACED, YES_MARKS, Verdict, value_at

_SHORT_HEADER = 6  # words
_SHORT_LINE = 200  # characters
_LINES_REMEMBERED = 4096

_BULLET = re.compile(r"(?:[-•·▪◦‣+>→👉]|\(?\d{1,2}[.):](?!\d)|\(?[a-z][.)](?=\s))\s*", re.IGNORECASE)
_MARK = re.compile(
    rf"(?:\[ ?(?:(?P<box>[x✓✔✅])|(?P<empty>[✗✘]?)) ?\](?=\s*\w)|(?P<yes>[{YES_MARKS}])|(?P<no>[{NO_MARKS}]))\ufe0f?\s*",
    re.IGNORECASE,
)
_LEAD = re.compile(r"[^:\n]{1,160}?(?:(?<=[^\x00-\x7f]):|:(?=\s|\Z))")
_REFUSES = re.compile(
    r"\b(?:not|no|non|never|neither|nor|cannot|excluded?|excluding|rejected|irrelevant|inapplicable|absent|unrelated|discarded|"
    r"dismissed|omitted|unlikely|missing|ruled out|negatives?|false|un(?:match|select|support|mention|report|confirm|relat|assign|list|check|tagg|label|labell)ed|"
    rf"{NOT_ELSEWHERE})\b|n't\b|{NOT_UNSPACED}"
    r"|\b(?:others?|also|alternative|additional)\b.*\b(?:considered|possible|potential|discussed|mentioned)\b"
    r"|^\W*(?:all |the |any )?(?:other|remaining)s?\b(?!.*\b(?:appl\w+|relevant)\b)|\bconsidered but\b",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"[\s>#*(-]*(?:explanations?|explained|rationale|reasoning|reasons?|justifications?|notes?|n\.?b\.?|comments?|evidence|analysis|"
    r"discussion|details|breakdown|why|here(?:'s| is) (?:why|how|the reasoning))\b(?:(?:\s+(?:for|of|behind)\b[^:.\n]{0,80})?:|[.-])"
    r"(?=\s|\Z)",
    re.IGNORECASE,
)
_NAMES_LABELS = re.compile(r"\b(?:labels?|hallmarks?|topics?|categor(?:y|ies)|class(?:es)?)\b", re.IGNORECASE)
_HEADS = re.compile(rf"{_NAMES_LABELS.pattern}|\b(?:others?|considered|applicable)\b", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"\d+\.?\Z")
_RULE = re.compile(r"[\s|:=-]*\Z")


class Kind(Enum):
    """What a line is; a refusal is a header under which labels do not apply."""

    BLANK = "blank"
    ITEMS = "items"
    HEADER = "header"
    REFUSAL = "refusal"
    EXPLANATION = "explanation"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Line:
    """One line read: what it is, its items, whether it has a bullet, and its text, which may be a remark on the item above."""

    kind: Kind
    items: tuple[Item, ...] = ()
    bullet: bool = False
    text: str = ""

    @property
    def inline(self) -> bool:
        """Whether several items stand on the line."""
        return len(self.items) > 1

    @property
    def announces(self) -> bool:
        """Whether it ends in a colon."""
        return self.text.endswith(":")


def read_line(line: str, inventory: Inventory, cut_off: bool = False) -> Line:
    """Tell what one line is, and read its labels. Models repeat themselves, so short lines are read once and remembered.

    Args:
        line: a line of normalised text.
        inventory: the labels.
        cut_off: the output was cut right behind it, so that its last item may be half of something.
    """
    return (_remembered if len(line) <= _SHORT_LINE else _read_line)(line, inventory, cut_off)


def refuses(lead: str) -> bool:
    """Tell whether a header says that what follows does not apply (``Not applicable:``, ``Other labels considered:``)."""
    # Of a sentence only its end announces: "As it does not mention growth, the labels are:".
    return _REFUSES.search(lead.rsplit(",", 1)[-1]) is not None


def _read_line(line: str, inventory: Inventory, cut_off: bool) -> Line:
    body = line.strip()
    if _RULE.match(body):
        return Line(Kind.BLANK)
    body, bullet, mark = _without_bullet(body)
    if "|" in body and (row := _read_row(body, inventory)) is not None:
        return row
    explains = _EXPLAINS.match(body)
    if explains and not inventory.names_any(explains.group()):
        return Line(Kind.EXPLANATION, bullet=bullet, text=body[explains.end() :].strip())
    rest = _without_lead(body, inventory)
    lead = body[: len(body) - len(rest)]
    if lead and not rest.strip(TRIM):
        return Line(Kind.REFUSAL if refuses(lead) else Kind.HEADER, bullet=bullet, text=body)
    if cut_off and _is_half(rest, inventory):
        return Line(Kind.BLANK)
    items = _items(rest, inventory, cut_off, led=bullet or bool(lead))
    refused = bool(lead) and refuses(lead)
    if items is None:
        kind = Kind.REFUSAL if _is_refusal(body, inventory) else Kind.PROSE
        # "Verdict: not present" is said of the label above, "Label 2: none" is not.
        about = rest if lead and not refused and not _NAMES_LABELS.search(lead) else body
        return Line(kind, bullet=bullet, text=about)
    mark = Verdict.NO if refused else mark
    return Line(Kind.ITEMS, tuple(_marked(item, mark) for item in items), bullet, body)


_remembered = lru_cache(_LINES_REMEMBERED)(_read_line)


def _items(rest: str, inventory: Inventory, cut_off: bool, led: bool) -> list[Item] | None:
    """Return the items of a line, or the one label whose definition it is; a question names none."""
    if rest.endswith("?"):
        return None
    items = read_items(rest, inventory, cut_off, led)
    if items is None and not cut_off and (label := inventory.item(rest.strip(TRIM))) is not None:
        return [Item(label, Verdict.OPEN, False)]
    return items


def _is_half(rest: str, inventory: Inventory) -> bool:
    """Tell whether a cut line is the beginning of a label, or a label whose value is missing."""
    name = rest.strip(TRIM)
    return inventory.begins(name) or (rest.rstrip()[-1:] in (":", "=", "-") and inventory.item(name) is not None)


def _marked(item: Item, mark: Verdict) -> Item:
    return item if item.verdict is not Verdict.OPEN else Item(item.label, mark, item.reasoned)


def _is_refusal(body: str, inventory: Inventory) -> bool:
    """Tell whether a short line without colon is a header that refuses, such as a heading ``Labels not covered``."""
    short = len(body) <= _SHORT_LINE and len(body.split(None, _SHORT_HEADER)) <= _SHORT_HEADER
    return short and _HEADS.search(body) is not None and refuses(body) and not inventory.names_any(body)


def _without_bullet(body: str) -> tuple[str, bool, Verdict]:
    """Take bullets, numbers and check boxes off a line; return it, whether it had any, and what a mark said."""
    bullet, verdict = False, Verdict.OPEN
    for _ in range(3):
        if mark := _MARK.match(body):
            verdict = Verdict.YES if mark["box"] or mark["yes"] else Verdict.NO
        elif not (mark := _BULLET.match(body)):
            break
        body, bullet = body[mark.end() :], True
    return body, bullet, verdict


def _without_lead(body: str, inventory: Inventory) -> str:
    """Take off what stands before a colon and names no label (``Labels:``, ``Hallmark 1:``)."""
    for _ in range(2):
        lead = _LEAD.match(body)
        if lead is None or inventory.names_any(lead.group()) or inventory.item(lead.group().strip(TRIM)) is not None:
            break
        body = body[lead.end() :]
    return body


def _read_row(body: str, inventory: Inventory) -> Line | None:
    """Read a row of a table: a label and what the cells behind it say, or labels side by side."""
    cells = [cell.strip() for cell in body.strip("| \t").split("|")]
    labels = [inventory.item(cell.strip(TRIM)) if len(cell) <= LONGEST_NAME else None for cell in cells]
    named = [place for place, label in enumerate(labels) if label is not None]
    if not named:
        return None
    if len(named) > 1:
        beside = tuple(Item(label, Verdict.OPEN, False) for label in labels if label is not None)
        return Line(Kind.ITEMS, beside, text=body)
    label = str(labels[named[0]])
    about = [*cells[named[0] + 1 :], *(cell for cell in cells[: named[0]] if not _WHOLE_NUMBER.match(cell))]
    values = [value for value in (value_at(cell.strip(TRIM), 0) for cell in about) if value is not None]
    remark = ". ".join(cell for cell in about if cell)
    verdict = values[0].verdict if values else judged(remark, label, inventory)
    return Line(Kind.ITEMS, (Item(label, verdict, bool(remark) and not values),), text=body)
