"""Reading labels that stand beside one another, and what is said of each: ``A; B``, ``A and B``, ``A (yes), B: not mentioned``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .names import Inventory, Mention
from .remarks import NO_MARKS, YES_MARKS, Verdict, judge, value_at

TRIM = " \t\"'`.,;:!?()[]{}<>*-"
LONGEST_NAME = 80  # characters
_LONGEST_UNKNOWN = 4  # words; a longer piece beside labels is prose, not a label of the model's invention
_MOST_UNKNOWN = 20  # a line with more such pieces is no list of labels
_SHORT_REASON = 6  # words

_BEFORE_LABEL = re.compile(r"[\s\"'\[({<.:>-]*(?:(?:and|both|also|the)\b\s*|&\s*){0,2}[\"'\[(]*", re.IGNORECASE)
_STRONG = re.compile(r"[;,•]|\.(?=\s|\Z)|\s\(?\d{1,2}[.)](?=\s)")
_WEAK = re.compile(r"\band\b|&|/|\+")
# Separators in brackets separate nothing, but a bracket that opens a piece is no remark, and (2) may be a number.
_BRACKET = re.compile(r"(?<=[\w\"'\])])(\s?\()(?!\d{1,2}\))([^()\n]{0,200})(?=\))")
_JOINT = re.compile(r"[\"'\])\s]*(?:\band\b|&|/|\+|(?<=[\])]\s)(?=\[)|(?<=\])(?=\[))[\"'\[(\s]*", re.IGNORECASE)
_CLOSED = re.compile(r"[\s\"'\])}>*.!?]*\Z")
_OPENER = re.compile(
    rf"[\"'\])}}\s]*(?:[:=?]|->|=>|→|(?<=[\s\"')])-{{1,2}}(?=[\s>])|[(\[]|(?=[{YES_MARKS}{NO_MARKS}]))[\s\"'>]*",
    re.IGNORECASE,
)
_BECAUSE = re.compile(r"[\s\"')]*(?:because|since|due to)\b\s*", re.IGNORECASE)
_REASON = re.compile(r"\s*(?:because|since|as|which|where|due|given|with|through|by)\b", re.IGNORECASE)
_VERB = re.compile(
    r"[\s\"')]*(?:is|are|was|were|does|do|did|has|seems?|appears?|applies|may|might|could|can)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Item:
    """A label as an item: what is said of it, and whether that is a reason rather than a mere value."""

    label: str
    verdict: Verdict
    reasoned: bool


@dataclass(slots=True)
class _Part:
    """A piece of a line: a label, with what is remarked on it piece by piece (None: nothing), or (label None) other words."""

    label: str | None
    remark: list[str] | None
    text: str

    @property
    def explained(self) -> bool:
        """Whether the remark is more than a value, so that what follows may go on with it."""
        if self.remark is None:
            return False
        return len(self.remark) > 1 or not (self.remark[0].strip(TRIM) == "" or _is_value(self.remark[0]))


@dataclass(slots=True)
class _Parts:
    """The labels of a line as they are found.

    ``unknown`` counts pieces beside them that are none, ``ended`` tells that a sentence followed them.
    """

    led: bool
    labels: list[_Part] = field(default_factory=list)
    unknown: int = 0
    ended: bool = False


def read_items(body: str, inventory: Inventory, cut_off: bool = False, led: bool = False) -> list[Item] | None:
    """Return the labels of a text made of items only; short unknown items are ignored, prose gives None.

    Args:
        body: one line without bullet and header, or one string.
        inventory: the labels.
        cut_off: the output was cut right behind it.
        led: a bullet or a header stands before it, so that a sentence behind its first label is a remark.
    """
    found = _Parts(led)
    strong = False
    for number, (separator, piece, last) in enumerate(_pieces(body)):
        if number > _MOST_UNKNOWN and not found.labels:
            return None
        strong = strong or bool(separator)
        for part in _parts(piece, inventory, cut_off and last, led):
            if not _take(part, separator, found, inventory):
                return None
    if cut_off and found.labels and found.labels[-1].remark is not None and not found.labels[-1].remark[-1].strip(TRIM):
        found.labels.pop()  # a label whose value was cut off
    if not found.labels or (found.unknown and not strong):
        return None
    return [_item(part, inventory) for part in found.labels]


def judged(remark: str, label: str, inventory: Inventory) -> Verdict:
    """Judge what is remarked on a label; sentences that name other labels alone say nothing of it."""

    def about_another(sentence: str) -> bool:
        named = {mention.label for mention in inventory.mentions(sentence)}
        return bool(named) and label not in named

    return judge(remark, about_another)


def _pieces(body: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what stands between strong separators: the separator before it, the piece, whether it is the last."""
    masked = _BRACKET.sub(lambda match: match[1] + "_" * len(match[2]), body)
    separator, position = "", 0
    for match in _STRONG.finditer(masked):
        yield separator, body[position : match.start()], False
        separator, position = match.group().strip(), match.end()
    yield separator, body[position:], True


def _parts(piece: str, inventory: Inventory, cut_off: bool, led: bool) -> Iterator[_Part]:
    """Yield the labels a piece names, one after the other, and what is left."""
    start = _BEFORE_LABEL.match(piece)
    mention = inventory.at(piece, start.end() if start else 0)
    if mention is None:
        yield from _misspelt(piece, inventory, cut_off)
        return
    while mention is not None:
        joint = _JOINT.match(piece, mention.end)
        following = inventory.at(piece, joint.end()) if joint else None
        part = _Part(mention.label, None, piece)
        if following is None and not _CLOSED.match(piece, mention.end):
            part, following = _with_remark(piece, mention, inventory, led)
            if part.label is None and joint:
                yield _Part(mention.label, None, piece)
                part = _Part(None, None, piece[joint.end() :])
        elif following is None and cut_off and mention.end == len(piece) and inventory.continues(mention.label):
            part = _Part(None, None, "")
        yield part
        mention = following


def _with_remark(piece: str, mention: Mention, inventory: Inventory, led: bool) -> tuple[_Part, Mention | None]:
    """Return a label with what is remarked on it, and the label that stands right behind its value, if one does."""
    opener = _OPENER.match(piece, mention.end) or _BECAUSE.match(piece, mention.end)
    if opener is None:
        verb = _VERB.match(piece, mention.end) if led else None
        return (_Part(mention.label, [piece[mention.end :]], piece) if verb else _Part(None, None, piece)), None
    value = value_at(piece, opener.end(), or_before=inventory.follows)
    if value is not None and inventory.follows(piece, value.end):
        start = _BEFORE_LABEL.match(piece, value.end)
        following = inventory.at(piece, start.end() if start else 0)
        return _Part(mention.label, [piece[opener.end() : value.end]], piece), following
    return _Part(mention.label, [piece[opener.end() :]], piece), None


def _misspelt(piece: str, inventory: Inventory, cut_off: bool) -> Iterator[_Part]:
    """Yield the labels of a piece that does not begin with a label's name as the inventory has it."""
    opener = _OPENER.search(piece, 0, LONGEST_NAME + 2)
    name = piece[: opener.start()] if opener else piece
    if len(name) > LONGEST_NAME or len(name.strip(TRIM)) <= 3:
        yield _Part(None, None, piece)
        return
    ends = cut_off and opener is None
    if label := inventory.item(name.strip(TRIM), ends):
        yield _Part(label, [piece[opener.end() :]] if opener else None, piece)
        return
    words = _WEAK.split(name)
    labels = [inventory.item(word.strip(TRIM), ends and word is words[-1]) for word in words if len(words) > 1]
    if not labels or any(label is None for label in labels):
        yield _Part(None, None, piece)
        return
    for label in labels:
        yield _Part(label, None, piece)


def _take(part: _Part, separator: str, found: _Parts, inventory: Inventory) -> bool:
    """Add a part to what was found on its line; False where the line is prose."""
    last = found.labels[-1] if found.labels else None
    if found.ended:
        pass
    elif part.label is not None and (last is None or part.remark is not None or separator == ";" or not last.explained):
        found.labels.append(part)
    elif last is not None and last.remark is not None:
        last.remark.append(f"{separator} {part.text}")
    elif not part.text.strip(TRIM):
        pass
    elif last is not None and separator == ".":
        return _take_sentence(part.text, last, found, inventory)
    elif last is not None and _REASON.match(part.text):
        last.remark = [part.text]
    else:
        found.unknown += 1
        few = len(part.text.split(None, _LONGEST_UNKNOWN)) <= _LONGEST_UNKNOWN and found.unknown <= _MOST_UNKNOWN
        return few and not inventory.names_any(part.text)
    return True


def _take_sentence(sentence: str, last: _Part, found: _Parts, inventory: Inventory) -> bool:
    """Take a sentence behind mere labels: a reason of the only one, else their end.

    Without bullet it is prose if it names labels itself, and judges the label only if it is short.
    """
    alone = len(found.labels) == 1
    if alone and not found.led and inventory.names_any(sentence):
        return False
    found.ended = not alone
    if alone:
        last.remark = [sentence if found.led or len(sentence.split()) <= _SHORT_REASON else "..."]
    return True


def _is_value(remark: str) -> bool:
    value = value_at(remark, 0)
    return value is not None and not remark[value.end :].strip(TRIM)


def _item(part: _Part, inventory: Inventory) -> Item:
    label = str(part.label)
    if part.remark is None:
        return Item(label, Verdict.OPEN, False)
    return Item(label, judged("".join(part.remark), label, inventory), part.explained)
