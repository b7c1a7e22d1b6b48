"""Finding the labels of an inventory in text: other case, other spacing, missing prefix, small slips of spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

# Similarity (0 to 100) from which a list item counts as a misspelt label, and the length below which it never does:
# short labels and labels with digits differ from one another by less than a slip.
SPELLING = 90.0
SHORTEST_MISSPELT = 8

_YES = r"1(?:\.0+)?|true|yes|y|✓|✔|✅|☑"
_NO = r"0(?:\.0+)?|false|no|n|null|none|n/a|absent|✗|✘|❌|☐|\d+(?:\.\d+)?"
_NEGATION = re.compile(
    r"\b(?:not|no|nor|neither|never|without|cannot|incorrect|wrong|excluded?|excluding|exclude[ds]?|irrelevant|unlikely|"
    r"absent|unlike|instead of|rather than|rules? out|ruled out|inapplicable|unrelated|lacks?|lacking)\b|n't\b",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"[\"')\]]*\s*[(:-]?\s*(?:\w+\s+)?(?:is|are|was|were|does|do|did|has|have|would|can|could|should|must)?\s*(?:be\s+)?"
    r"(?:not|n't|isn't|aren't|doesn't|incorrect|wrong|absent|excluded|out|irrelevant|unlikely|ruled out)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[.;!?](?=\s|$)|\n|,?\s*\b(?:but|however|although|though|while|whereas|yet)\b|,\s+(?=(?:it|this|the)\b)"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One label named in a text. ``short`` names lack the inventory's common prefix and may be ordinary words."""

    label: str
    start: int
    end: int
    short: bool


@dataclass(frozen=True, slots=True)
class _Name:
    """One way to write a label."""

    label: str
    pattern: str
    short: bool


class Inventory:
    """The label names of one dataset, ready to be looked for.

    Args:
        labels: the inventory, in order.
        short_names: whether a label also goes by its name without the prefix that labels share (``effect`` for ``DDI-effect``).
    """

    def __init__(self, labels: Sequence[str], short_names: bool) -> None:
        self.labels = tuple(labels)
        prefix = _common_prefix(labels) if short_names else None
        # Longest patterns first: an alternation takes the first that fits.
        self._names = sorted(_names(labels, prefix, short_names), key=lambda name: -len(name.pattern))
        body = "|".join(f"(?P<g{index}>{name.pattern})" for index, name in enumerate(self._names))
        self._any = re.compile(rf"(?<![a-z0-9.])(?<!-)(?:{body})(?![a-z0-9]|-[a-z0-9])", re.IGNORECASE)
        self._outside = (
            re.compile(rf"(?<![a-z0-9]){prefix}\s?[:_-]?\s?(?:\d+|(?<=[:_-])[a-z]+)\b", re.I) if prefix else None
        )
        self._value = re.compile(_value_pattern(self._names), re.IGNORECASE)
        self._box = re.compile(rf"\[\s*(?P<mark>[x✓✔ ]?)\s*\]\s*(?:{body})", re.IGNORECASE)

    def mentions(self, text: str) -> list[Mention]:
        """Return every label named in ``text``, in order, without overlaps."""
        return [self._mention(match) for match in self._any.finditer(text)]

    def at(self, text: str, position: int) -> Mention | None:
        """Return the label named exactly at a position, or None."""
        match = self._any.match(text, position)
        return self._mention(match) if match else None

    def _mention(self, match: re.Match[str]) -> Mention:
        name = self._names[int(str(match.lastgroup)[1:])]
        return Mention(name.label, match.start(), match.end(), name.short)

    def outsiders(self, text: str) -> bool:
        """Tell whether the text names something with the inventory's prefix that is not in it (``CPR:7``)."""
        if self._outside is None:
            return False
        inside = {(mention.start, mention.end) for mention in self.mentions(text)}
        return any(not any(a <= match.start() < b for a, b in inside) for match in self._outside.finditer(text))

    def values(self, text: str) -> dict[str, bool]:
        """Return label -> yes or no for every ``label: value`` in the text (lines, JSON, tables); the first one counts."""
        text = _through_first_object(text)
        found: dict[str, bool] = {}
        for match in self._value.finditer(text):
            found.setdefault(self._label(match), match["yes"] is not None)
        if not found:
            for match in self._box.finditer(text):
                found.setdefault(self._label(match), bool(match["mark"].strip()))
        return found

    def _label(self, match: re.Match[str]) -> str:
        """Return the label of the group ``g<index>`` that took part in a match."""
        return next(name.label for index, name in enumerate(self._names) if match[f"g{index}"] is not None)

    def item(self, text: str, cut_off: bool = False) -> str | None:
        """Return the label a list item stands for: its name, the name without its first words, or a misspelling.

        Args:
            text: one item, without bullet or quotes.
            cut_off: the item touches the end of the output, so that a mere beginning of a label is not a mention.
        """
        match = self._any.fullmatch(text)
        if match:
            return self._mention(match).label
        key = " ".join(_words(text))
        names = {label: " ".join(_words(label)) for label in self.labels}
        shortened = [label for label, name in names.items() if len(key) > 3 and name.endswith(f" {key}")]
        begun = [label for label, name in names.items() if name.startswith(key)]
        if not shortened and not cut_off and " " in key:
            shortened = begun
        if len(shortened) == 1:
            return shortened[0]
        if len(key) < SHORTEST_MISSPELT or re.search(r"\d", key) or (cut_off and begun):
            return None
        close = [label for label, name in names.items() if fuzz.ratio(key, name) >= SPELLING]
        return close[0] if len(close) == 1 else None


def is_negated(text: str, mention: Mention) -> bool:
    """Tell whether the clause a mention stands in denies it (``not X``, ``X is incorrect``, ``rather than X``)."""
    before = _CLAUSE.split(text[: mention.start])[-1]
    after = _CLAUSE.split(text[mention.end :])[0]
    before = re.sub(r"\bnot (?:only|just|merely)\b|\bno doubt\b", "", before, flags=re.IGNORECASE)
    if _NEGATION.search(before):
        return True
    # After the mention only a verb of its own denies it: "X is not covered", not "X, which no one expected".
    return bool(_DENIED_AFTER.match(after))


def _through_first_object(text: str) -> str:
    """Cut a text behind its first complete ``{...}``: a second object is another answer."""
    depth = 0
    for match in re.finditer(r"[{}]", text):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return text[: match.end()]
    return text


def _names(labels: Sequence[str], prefix: str | None, short_names: bool) -> Iterator[_Name]:
    """Yield each label's full name, and its short one. Where labels share no prefix, full names count as short."""
    for label in labels:
        words = _words(label)
        prefixed = prefix is None or words[0] == prefix
        if prefixed:
            yield _Name(label, _pattern(words), short_names and prefix is None)
        rest = words[1:] if prefixed else words
        if prefix and rest:
            yield _Name(label, _pattern(rest), True)


def _value_pattern(names: Sequence[_Name]) -> str:
    """Return a pattern for ``label: value``; the value stands alone or before a reason ("no interaction" is a remark)."""
    named = "|".join(f"(?P<g{index}>{name.pattern})" for index, name in enumerate(names))
    next_name = "|".join(name.pattern for name in names)
    between = r"[\"'\s]*[\])]?[\"']?\s*(?:[:=|]|->|=>|(?<=\s)-(?=\s)|\((?=\s*(?:yes|no)\b))\s*[\"'(\[]*\s*"
    after = rf"(?=\s*(?:$|\n|[\"'\])}}.,;|(]|-\s|because\b|since\b|as\b|\d|[\"'(\[]*(?:{next_name})(?![a-z0-9])))"
    return rf"(?<![a-z0-9])(?:{named}){between}(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?![\w/.]*\w){after}"


def _common_prefix(labels: Sequence[str]) -> str | None:
    first = [_words(label)[0] for label in labels if len(_words(label)) > 1]
    best = max(set(first), key=first.count, default=None)
    return best if best and first.count(best) > 1 else None


def _words(text: str) -> list[str]:
    text = text.casefold().replace("&", " and ").replace("tumour", "tumor").replace("signalling", "signaling")
    return re.findall(r"[^\W_]+", text) or [text]


def _pattern(words: Sequence[str]) -> str:
    """Return a pattern for a name: any separators, usual other spellings, and for the last word a plural."""
    variants = {"and": "(?:and|&)", "advise": "advi[sc]e", "tumor": "tumou?r", "signaling": "signall?ing"}
    parts = [variants.get(word, re.escape(word)) for word in words]
    plural = "s?" if words[-1].isalpha() and not words[-1].endswith("s") and words[-1] not in ("false",) else ""
    return r"[\s:_-]*".join(parts) + plural
