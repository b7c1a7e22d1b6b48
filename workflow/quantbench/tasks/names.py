"""Finding the labels of an inventory in text: other case, other spacing, missing prefix, small slips, a label's definition."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from .denials import denies
from .remarks import value_at

# Similarity (0 to 100) from which a list item counts as a misspelt label or definition, and the length below which it never
# does: short labels and labels with digits differ from one another by less than a slip.
SPELLING = 90.0
SHORTEST_MISSPELT = 8
_SHORTEST_DEFINITION = 3  # words
_LONGEST_FILLER = 3  # letters; such words (a, an, the, or) tell no definition from another
_KNOWN_ITEMS = 2048  # outputs repeat their items, so what one stands for is looked up once

# From a label to its value, in lines, JSON and tables.
_TO_VALUE = re.compile(
    r"[\"'\s\])]*(?:[:=|]|->|=>|(?<=\s)-(?=\s)|\((?=\s*(?:(?:yes|no|true|false)\b|[01]?\.\d|\d{1,3}\s?%|score\b|"
    r"confidence\b|probability\b)))[\"'(\[\s]*",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[\s\"'(\[,]*")
_REMARK = re.compile(r"\([^()]*\)")
_ACTIVE = {"described": "describes", "given": "gives", "stated": "states"}
_PASSIVE = re.compile(rf"(?P<what>.+) is (?P<verb>{'|'.join(_ACTIVE)})\b(?P<more>.*)")


@dataclass(frozen=True, slots=True)
class Mention:
    """One label named in a text. ``short`` names lack the inventory's common prefix and may be ordinary words."""

    label: str
    start: int
    end: int
    short: bool


@dataclass(frozen=True, slots=True)
class _Name:
    """One way to write a label, and the characters it may begin with."""

    label: str
    pattern: str
    short: bool
    first: str


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a label means, the words that only other labels' definitions have, and whether it says ``not`` itself."""

    label: str
    key: str
    foreign: frozenset[str]
    negated: bool


class Inventory:
    """The label names of one dataset, ready to be looked for.

    Args:
        labels: the inventory, in order; a mapping gives each label's definition, which then stands for it as a list item.
        short_names: whether a label also goes by its name without the prefix that labels share (``effect`` for ``DDI-effect``).
    """

    def __init__(self, labels: Sequence[str] | Mapping[str, str], short_names: bool) -> None:
        self.labels = tuple(labels)
        prefix = _common_prefix(self.labels) if short_names else None
        # Longest patterns first: an alternation takes the first that fits.
        self._names = sorted(_names(self.labels, prefix, short_names), key=lambda name: -len(name.pattern))
        body = "|".join(f"(?P<g{index}>{name.pattern})" for index, name in enumerate(self._names))
        first = "".join(sorted({re.escape(char) for name in self._names for char in name.first}))
        self._any = re.compile(rf"(?<![a-z0-9.])(?<!-)(?=[{first}])(?:{body})(?![a-z0-9]|-[a-z0-9])", re.IGNORECASE)
        self._outside = (
            re.compile(rf"(?<![a-z0-9]){prefix}\s?[:_-]?\s?(?:\d+|(?<=[:_-])[a-z]+)\b", re.I) if prefix else None
        )
        self._keys = {label: _key(label) for label in self.labels}
        self._definitions = _definitions(labels) if isinstance(labels, Mapping) else []
        written = [*self._keys.values(), *(definition.key for definition in self._definitions)]
        self._longest = max(map(len, written), default=0) * 2 + SHORTEST_MISSPELT
        self._item = lru_cache(_KNOWN_ITEMS)(self._look_up)

    def mentions(self, text: str) -> list[Mention]:
        """Return every label named in ``text``, in order, without overlaps."""
        return [self._mention(match) for match in self._any.finditer(text)]

    def names_any(self, text: str) -> bool:
        """Tell whether a label is named in ``text``."""
        return self._any.search(text) is not None

    def at(self, text: str, position: int) -> Mention | None:
        """Return the label named exactly at a position, or None."""
        match = self._any.match(text, position)
        return self._mention(match) if match else None

    def _mention(self, match: re.Match[str]) -> Mention:
        name = self._names[int(str(match.lastgroup)[1:])]
        return Mention(name.label, match.start(), match.end(), name.short)

    def outsiders(self, text: str) -> bool:
        """Tell whether the text names something with the inventory's prefix that is not in it (``CPR:7``)."""
        alike = [] if self._outside is None else list(self._outside.finditer(text))
        inside = self.mentions(text) if alike else []
        starts = [mention.start for mention in inside]
        for match in alike:
            before = bisect_right(starts, match.start()) - 1
            if before < 0 or match.start() >= inside[before].end:
                return True
        return False

    def values(self, text: str) -> dict[str, bool]:
        """Return label -> yes or no for every ``label: value`` in the text (lines, JSON, tables); the first one counts."""
        text = _through_first_object(text)
        found: dict[str, bool] = {}
        for mention in self.mentions(text):
            if mention.label not in found and (said := self._value_behind(text, mention)) is not None:
                found[mention.label] = said
        return found

    def _value_behind(self, text: str, mention: Mention) -> bool | None:
        leading = _TO_VALUE.match(text, mention.end)
        if leading is None:
            return None
        value = value_at(text, leading.end(), or_before=self.follows)
        return None if value is None else value.yes

    def follows(self, text: str, position: int) -> bool:
        """Tell whether a label is the next thing that stands behind a position."""
        blanks = _BLANKS.match(text, position)
        return self.at(text, blanks.end() if blanks else position) is not None

    def continues(self, label: str) -> bool:
        """Tell whether a longer label begins with this one, so that at a break it could still become that."""
        key = self._keys[label]
        return any(other != label and name.startswith(key) for other, name in self._keys.items())

    def begins(self, text: str) -> bool:
        """Tell whether a text is the beginning of a label and no label itself."""
        key = _key(text) if len(text) <= self._longest else ""
        return any(name.startswith(key) and name != key for name in self._keys.values())

    def item(self, text: str, cut_off: bool = False) -> str | None:
        """Return the label a list item stands for: its name, the name without its first or last words, a misspelling, or its
        definition.

        Args:
            text: one item, without bullet or quotes.
            cut_off: the item touches the end of the output, so that a mere beginning of a label is not a mention.
        """
        return self._item(text, cut_off) if len(text) <= self._longest else None

    def _look_up(self, text: str, cut_off: bool) -> str | None:
        match = self._any.fullmatch(text)
        if match:
            return self._mention(match).label
        key = _key(text)
        shortened = [label for label, name in self._keys.items() if len(key) > 3 and name.endswith(f" {key}")]
        if not shortened and not cut_off and " " in key:
            shortened = [label for label, name in self._keys.items() if name.startswith(f"{key} ")]
        if len(shortened) == 1:
            return shortened[0]
        begun = cut_off and any(name.startswith(key) for name in self._keys.values())
        if len(key) < SHORTEST_MISSPELT or begun:
            return None
        return self._misspelt(key) or self._defined(key, cut_off)

    def _misspelt(self, key: str) -> str | None:
        if any(char.isdigit() for char in key):
            return None
        close = [label for label, name in self._keys.items() if fuzz.ratio(key, name, score_cutoff=SPELLING)]
        return close[0] if len(close) == 1 else None

    def _defined(self, key: str, cut_off: bool) -> str | None:
        """Return the label whose definition a text is, verbatim or nearly, and more nearly so than any other's."""
        words = frozenset(key.split())
        negated = denies(key)
        scores: dict[str, float] = {}
        for definition in self._definitions:
            if words & definition.foreign or negated != definition.negated:
                continue
            if cut_off and definition.key != key and definition.key.startswith(key):
                continue
            score = fuzz.ratio(key, definition.key, score_cutoff=SPELLING)
            scores[definition.label] = max(score, scores.get(definition.label, 0.0))
        best = max(scores.values(), default=0.0)
        winners = [label for label, score in scores.items() if score == best and best > 0]
        return winners[0] if len(winners) == 1 else None


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
            yield _Name(label, _pattern(words), short_names and prefix is None, _first(words))
        rest = words[1:] if prefixed else words
        if prefix and rest:
            yield _Name(label, _pattern(rest), True, _first(rest))


def _first(words: Sequence[str]) -> str:
    return "a&" if words[0] == "and" else words[0][0]


def _definitions(labels: Mapping[str, str]) -> list[_Definition]:
    """Return the definitions, those with a remark in brackets also without it, those in the passive voice also in the active."""
    keys = {label: _key(meaning) for label, meaning in labels.items() if meaning}
    words = {label: frozenset(key.split()) for label, key in keys.items()}
    return [
        _Definition(
            label,
            written,
            frozenset(word for name in keys for word in words[name] - words[label] if len(word) > _LONGEST_FILLER),
            denies(written),
        )
        for label, key in keys.items()
        for written in dict.fromkeys((key, _key(_REMARK.sub("", labels[label])), _key(_in_active_voice(labels[label]))))
        if len(written.split()) >= _SHORTEST_DEFINITION
    ]


def _in_active_voice(meaning: str) -> str:
    """Write "a mechanism is described" as "sentence describes a mechanism"."""
    passive = _PASSIVE.fullmatch(meaning)
    return f"sentence {_ACTIVE[passive['verb']]} {passive['what']}{passive['more']}" if passive else meaning


def _common_prefix(labels: Sequence[str]) -> str | None:
    first = [_words(label)[0] for label in labels if len(_words(label)) > 1]
    best = max(set(first), key=first.count, default=None)
    return best if best and first.count(best) > 1 else None


def _key(text: str) -> str:
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    text = text.casefold().replace("&", " and ").replace("tumour", "tumor").replace("signalling", "signaling")
    return re.findall(r"[^\W_]+", text) or [text]


def _pattern(words: Sequence[str]) -> str:
    """Return a pattern for a name: any separators, usual other spellings, and for the last word a plural."""
    variants = {"and": "(?:and|&)", "advise": "advi[sc]e", "tumor": "tumou?r", "signaling": "signall?ing"}
    parts = [variants.get(word, re.escape(word)) for word in words]
    plural = "s?" if words[-1].isalpha() and not words[-1].endswith("s") and words[-1] not in ("false",) else ""
    return r"[\s:_-]*".join(parts) + plural
