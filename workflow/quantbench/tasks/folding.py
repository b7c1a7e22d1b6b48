"""Texts as they are compared: letters only as far as a reader tells them apart, no whitespace.

Letter case, accents, ligatures, superscripts, full-width letters, typographic quotes and dashes, and HTML escapes do not matter, and
Greek letters equal their names (``β`` and ``beta``). Each character folds by itself, so that places in a folded text lead back.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, pairwise

from .text import same_length_plain

Span = tuple[int, int]

_ESCAPE = re.compile(r"&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega"
_GREEK = {
    **dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", _NAMES.split(), strict=True)),
    "\u2206": "delta",  # the increment sign
    "\u2044": "/",  # the slash of fractions
}


class _Folded(dict[int, str]):
    """Character -> what it folds to, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


def _fold_character(char: str) -> str:
    # Twice: folding case may bring accents back, as it does in "İ".
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", same_length_plain(char)).casefold())
    kept = (part for part in same_length_plain(parts) if not (part.isspace() or unicodedata.combining(part)))
    return "".join(_GREEK.get(part, part) for part in kept)


_TABLE = _Folded()


def fold(text: str) -> str:
    """Return a text as it is compared with others; whitespace goes too."""
    bare = "".join(text.split())
    if "&" in bare:
        bare = "".join(unescape(bare).split())
    return bare.lower() if bare.isascii() else bare.translate(_TABLE)


def unescape(text: str) -> str:
    """Replace HTML escapes that end in a semicolon; ``html.unescape`` alone would also touch ``&lt`` in ``A&ltB``."""
    return _ESCAPE.sub(lambda match: html.unescape(match.group()), text)


class Folded:
    """A sentence that spans refer to: as it is compared, and the way back to its characters.

    Attributes:
        written: the sentence.
        bare: as it is compared.
    """

    def __init__(self, written: str) -> None:
        self.written = written
        self._dense = "".join(written.split())
        # Most sentences are plain: every character folds to one, and places need no table.
        self._units: list[Span] | None = None
        self.bare = fold(self._dense)
        if not self._dense.isascii() or "&" in self._dense:
            pairs = [(fold(self._dense[start:end]), (start, end)) for start, end in _units(self._dense)]
            self.bare = "".join(folded for folded, _ in pairs)
            self._units = [unit for folded, unit in pairs for _ in folded]

    @cached_property
    def places(self) -> list[int]:
        """Where each character that is no whitespace stands in the written sentence."""
        return [place for token in _WORD.finditer(self.written) for place in range(*token.span())]

    @cached_property
    def borders(self) -> list[int]:
        """Where tokens begin and end, counted without whitespace, in order."""
        return [*accumulate(map(len, self.written.split()), initial=0)]

    def word_borders(self) -> set[int]:
        """Where in the folded sentence a token, a word or a punctuation mark begins or ends."""
        bare = self.bare
        inner = {place for place in range(1, len(bare)) if not (bare[place - 1].isalnum() and bare[place].isalnum())}
        if self._units is None:
            return inner | {*self.borders}
        starts = [start for start, _ in self._units]
        return inner | {bisect_left(starts, border) for border in self.borders}

    @cached_property
    def words(self) -> list[Span]:
        """The stretches of the folded sentence that are words or numbers, in order."""
        return [pair for pair in pairwise(sorted(self.word_borders())) if self.bare[pair[0]].isalnum()]

    def unfolded(self, span: Span) -> Span:
        """Return a stretch of the folded sentence as one of the sentence without whitespace; half of a letter's name is the letter."""
        if self._units is None:
            return span
        start, end = self._units[span[0]][0], self._units[span[1] - 1][1]
        while end < len(self._dense) and unicodedata.combining(self._dense[end]):
            end += 1
        return start, end

    def whole_tokens(self, span: Span) -> Span | None:
        """Widen or narrow a stretch, counted without whitespace, to tokens: one counts from half of its characters on.

        None where no token is covered so far.
        """
        start, end = span
        first = bisect_right(self.borders, start) - 1
        last = bisect_left(self.borders, end)
        if not self._covers(span, first):
            first += 1
        if not self._covers(span, last - 1):
            last -= 1
        return (self.borders[first], self.borders[last]) if first < last else None

    def _covers(self, span: Span, token: int) -> bool:
        start, end = self.borders[token], self.borders[token + 1]
        return 2 * (min(span[1], end) - max(span[0], start)) >= end - start


def _units(dense: str) -> Iterator[Span]:
    """Yield the stretches of a text that fold as one: HTML escapes, and single characters."""
    position = 0
    for match in _ESCAPE.finditer(dense):
        yield from ((place, place + 1) for place in range(position, match.start()))
        yield match.span()
        position = match.end()
    yield from ((place, place + 1) for place in range(position, len(dense)))
