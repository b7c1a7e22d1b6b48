"""The phrases of texts: every six words in a row, say, as sorted hashes, and which of them stand in other words.

Time is linear in the words of the texts and of what is searched, memory 12 bytes a word of the texts beside their vocabulary.
Hashes have 64 bits: beside 10^6 phrases, one place in about 2 * 10^13 matches by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from .compared_words import views


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many words in a row are a phrase, and how many a whole text must have to be searched for if it has fewer."""

    phrase: int
    shortest: int


# docs/privacy.md has the measurements that these rest on: of private texts nothing may be told; of published ones whose licence does not
# let them be passed on, an answer may quote a few words.
PRIVATE, QUOTED = Lengths(6, 4), Lengths(13, 13)
# Of a phrase's words, how many must have a letter, and how many must differ: rows of numbers stand in every table.
_LETTERS, _DISTINCT = 3, 3
_BASE = np.uint64(0x9E3779B97F4A7C15)

_Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Text:
    """One text that may not leave; ``name`` says whose and which it is, and nothing of what it says."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that was found: the text it is of, its number of words, and the word of the searched ones it begins at."""

    text: str
    words: int
    position: int


class Phrases:
    """The phrases of some texts, to be found in other words.

    Attributes:
        texts: how many texts there are.
        too_short: how many of them have too few words to be told from any other text, and are not searched for.
    """

    def __init__(self, texts: Iterable[Text], public: Iterable[str] = (), lengths: Lengths = PRIVATE) -> None:
        """Take the phrases of ``texts``, but those that stand in any ``public`` one, such as the prompts everybody has."""
        self._lengths = lengths
        self._numbers: dict[str, int] = {}
        self._lettered: list[bool] = [False]
        self._names: list[str] = []
        self.too_short = 0
        found: dict[int, list[tuple[_Hashes, int]]] = {}
        for text in texts:
            number = len(self._names)
            self._names.append(text.name)
            own = [made for view in views(text.content) if (made := self._phrases(view)) is not None]
            self.too_short += not own
            for length, hashes in own:
                found.setdefault(length, []).append((hashes, number))
        self._tables = {length: _table(found[length]) for length in sorted(found, reverse=True)}
        self._leave_out(public)

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return len(self._names)

    def find(self, searched: Sequence[str]) -> Match | None:
        """The first phrase that stands in ``searched``, the words of some other text; None: there is none."""
        ids = self._known(searched)
        unknown = np.concatenate([[0], np.cumsum(ids == 0)])
        first: Match | None = None
        for length, (table, origins) in self._tables.items():
            if len(ids) < length or not len(table):
                continue
            # Only where each word is one of the texts' own can a phrase be theirs.
            places = np.flatnonzero(unknown[length:] == unknown[:-length])
            hashes = _hashed(ids, length)[places]
            at = np.minimum(np.searchsorted(table, hashes), len(table) - 1)
            hits = np.flatnonzero(table[at] == hashes)
            if len(hits) and (first is None or places[hits[0]] < first.position):
                first = Match(self._names[int(origins[at[hits[0]]])], length, int(places[hits[0]]))
        return first

    def _known(self, searched: Sequence[str]) -> NDArray[np.uint64]:
        """The number of each word; 0: no text has it."""
        numbers = self._numbers
        return np.fromiter(map(numbers.get, searched, repeat(0)), dtype=np.uint64, count=len(searched))

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self._lettered))
        if number == len(self._lettered):
            self._lettered.append(not word.isdigit())
        return number

    def _phrases(self, view: Sequence[str]) -> tuple[int, _Hashes] | None:
        """How many words a text's phrases have, and those that say something; None: it has too few words."""
        length = min(self._lengths.phrase, len(view))
        if length < self._lengths.shortest:
            return None
        ids = np.array([self._number(word) for word in view], dtype=np.uint64)
        windows = np.lib.stride_tricks.sliding_window_view(ids, length)
        lettered = np.array(self._lettered)[windows.astype(np.intp)].sum(axis=1)
        distinct = 1 + (np.diff(np.sort(windows, axis=1), axis=1) != 0).sum(axis=1)
        return length, _hashed(ids, length)[(lettered >= _LETTERS) & (distinct >= _DISTINCT)]

    def _leave_out(self, public: Iterable[str]) -> None:
        common: dict[int, list[_Hashes]] = {length: [] for length in self._tables}
        for text in public:
            for view in views(text):
                ids = self._known(view)
                for length, found in common.items():
                    if len(ids) >= length:
                        found.append(_hashed(ids, length))
        for length, found in common.items():
            if found:
                table, origins = self._tables[length]
                kept = ~np.isin(table, np.unique(np.concatenate(found)))
                self._tables[length] = table[kept], origins[kept]


def _table(found: Sequence[tuple[_Hashes, int]]) -> tuple[_Hashes, NDArray[np.uint32]]:
    """Hashes in ascending order, each once, and the number of the first text that has it."""
    numbers = np.concatenate([np.full(len(hashes), number, dtype=np.uint32) for hashes, number in found])
    table, first = np.unique(np.concatenate([hashes for hashes, _ in found]), return_index=True)
    return table, numbers[first]


def _hashed(ids: NDArray[np.uint64], length: int) -> _Hashes:
    """A polynomial over each ``length`` scrambled numbers in a row (Karp and Rabin 1987), modulo 2^64."""
    mixed = _scrambled(ids)
    count = len(ids) - length + 1
    total = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        total = total * _BASE + mixed[place : place + count]
    return _scrambled(total)


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
