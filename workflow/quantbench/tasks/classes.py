"""How one class of an inventory is written as an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .denials import is_negated
from .lexicon import CONFLICT, Found, Lexicon
from .names import Inventory, Mention
from .reservations import is_given_up

# What may stand between the start of an answer and the class it names.
_FILLER = re.compile(
    r"[\s\"'(\[{<:=>*•.,-]*(?:\d{1,2}[.)]\s+)?(?:(?:the|an?|class|label|answer|category|relation(?:ship)?|type|is|are|as|of|that|"
    r"probably|likely|most likely|clearly|should be|would be|must be|output|sure|okay|ok)\b[\s\"'(\[:=,*-]*){0,12}",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"[\"')\]]*[ \t]*(?:,|/|;|&|\+|\||\.(?=\s)|\bor\b|\band\b|\band/or\b)*[ \t]*(?:\bor\b|\band\b)?[ \t]*(?:(?:possibly|perhaps|maybe|also|even|likely)\b)?"
    r"[ \t]*[\"'(\[]*",
    re.IGNORECASE,
)
_ALONE = re.compile(r"[\"')\]]*\s*(?:$|[.,;/|\n]|\bor\b|\band\b)", re.IGNORECASE)
_AFTER_SHORT = re.compile(
    r"[\"')\]}]*\s*(?:$|[.,;:!\n]|\(|- |\bbecause\b|\bsince\b|\bas\b|\bfor\b|\bor\b|\band\b|/|\b(?:class|type|label|category|relation)\b)",
    re.IGNORECASE,
)
_BEFORE_SHORT = re.compile(
    r"(?:[:=\"'(\[]|->|→|i\.e\.,?|\b(?:as|to|class|label|answer|choose|select|category))[\s\"'(\[]*$",
    re.IGNORECASE,
)
# "CPR:3 means activation": the class is weighed or explained, not given.
_WEIGHED = re.compile(
    r"[\"')\]]*\s+(?:means?|would|requires?|refers|stands for|is for|describes|could|might|may|can|seems|is possible)\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\b(?:could|might|may|whether|if|possibly|perhaps|consider\w*)\b[^.;:\n]{0,60}$"
    r"|\b(?:all|any\w*|every\w*)\b[^.;:\n]{0,40}\b(?:but|except|other than|save)\b[^.;:\n]{0,20}$",
    re.IGNORECASE,
)
_ALSO = re.compile(r"[\"')\]]*,?[ \t]+(?:and|or|nor)[ \t]+(?:(?:the|an?)[ \t]+)?[\"'(\[]*$", re.IGNORECASE)
_ITEM = re.compile(r"^[ \t]*(?:[-•|]|\d{1,2}[.)])?[ \t|\"'(\[]*", re.MULTILINE)
_AFTER_ITEM = re.compile(r"[\"')\]]*[ \t]*(?:$|[:(|\n✓✔✅☑✗✘❌☒]|[-=][ \t])")
_WORD_END = re.compile(r"\s|\Z")
_FIRST_CLAUSE = re.compile(r"[.;\n(]|,\s+(?=(?:specifically|namely|such as|that is|i\.e\.|because|since|as)\b)")


class Classes(Lexicon):
    """The classes of one inventory."""

    nouns = "answer|class|relation|relationship|label|category|type|classification|prediction|output|result|response"

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.first = inventory.labels[0]

    def opening(self, text: str, start: int) -> Found | None:
        """See :class:`Lexicon`; a slip of spelling and the class's definition count where nothing stands beside them."""
        filler = _FILLER.match(text, start)
        place = filler.end() if filler else start
        mention = self._inventory.at(text, place)
        if mention is None:
            return self._alone(text, place)
        if _WEIGHED.match(text, mention.end) or (mention.short and not _AFTER_SHORT.match(text, mention.end)):
            return None
        if is_negated(text, mention.start, mention.end, start):
            return None
        return Found(CONFLICT if self._offers_another(text, mention) else mention.label, mention.end)

    def _alone(self, text: str, place: int) -> Found | None:
        line = text[place:].split("\n", 1)[0]
        for words in dict.fromkeys((line, _FIRST_CLAUSE.split(line, maxsplit=1)[0])):
            label = self._inventory.item(words.strip(" \t\"'.()[]{}<>"))
            if label is not None:
                return Found(label, place + len(words))
        return Found(CONFLICT, place) if self._names_outsider(text, place, 20) else None

    def _offers_another(self, text: str, first: Mention) -> bool:
        """Tell whether another class stands right beside the first, or opens the next line."""
        separator = _SEPARATOR.match(text, first.end)
        if separator is None or separator.end() == first.end:
            return False
        second = self._inventory.at(text, separator.end())
        joint = separator.group()
        if second is None or second.label == first.label:
            return self._names_outsider(text, separator.end(), 8)
        if "." in joint or second.short:
            return bool(_ALONE.match(text, second.end))
        return True

    def _names_outsider(self, text: str, start: int, length: int) -> bool:
        """Tell whether something with the classes' prefix that is none stands in a stretch, its last word taken whole."""
        end = _WORD_END.search(text, start + length)
        return self._inventory.outsiders(text[start : end.start() if end else len(text)])

    def named(self, text: str) -> str | None:
        """See :class:`Lexicon`; short names, which also occur in prose, count where they stand as names."""
        named = [mention for mention in self._inventory.mentions(text) if self._stands_as_name(text, mention)]
        offered = {
            mention.label
            for mention in named
            if not is_negated(text, mention.start, mention.end) and not self._is_weighed(text, mention)
        }
        if not offered:
            return None
        return offered.pop() if len(offered) == 1 and not self._inventory.outsiders(text) else CONFLICT

    def _is_weighed(self, text: str, mention: Mention) -> bool:
        before = text[max(0, mention.start - 100) : mention.start]
        return bool(
            _WEIGHED.match(text, mention.end)
            or _HEDGED.search(before)
            or self._is_one_of_others(before)
            or is_given_up(text, mention.end)
        )

    def _is_one_of_others(self, before: str) -> bool:
        """Tell whether a class follows on something else than a class: "the drugs and DDI-effect"."""
        joint = _ALSO.search(before)
        return joint is not None and self.ending(before[: joint.start()]) is None

    def _stands_as_name(self, text: str, mention: Mention) -> bool:
        if not mention.short:
            return True
        if mention.label.isdigit() or text[mention.start : mention.end].isdigit():
            return False
        return bool(
            _BEFORE_SHORT.search(text[max(0, mention.start - 40) : mention.start])
            and _AFTER_SHORT.match(text, mention.end)
        )

    def ending(self, text: str) -> str | None:
        """See :class:`Lexicon`."""
        tail = text[-60:].rstrip("\"')]")
        last = next(iter(self._inventory.mentions(tail)[-1:]), None)
        return last.label if last and last.end == len(tail) and not last.short else None

    def values(self, text: str) -> str | None:
        """See :class:`Lexicon`; ``class: yes``."""
        values = self._inventory.values(text)
        chosen = [label for label, value in values.items() if value]
        return None if not chosen else chosen[0] if len(chosen) == 1 else CONFLICT

    def item_starts(self, text: str) -> Iterator[tuple[str, int, int]]:
        """See :class:`Lexicon`; a line that begins with a class and says something of it."""
        for match in _ITEM.finditer(text):
            mention = self._inventory.at(text, match.end())
            if mention and _AFTER_ITEM.match(text, mention.end):
                yield mention.label, match.start(), mention.end

    def may_go_on(self, text: str, found: Found, announced: bool) -> bool:
        """See :class:`Lexicon`; a short name may be the beginning of a longer word."""
        last = next(iter(self._inventory.mentions(text)[-1:]), None)
        if last is None or last.end != len(text.rstrip()):
            return False
        return last.short and text[last.start : last.end] != last.label
