"""Thoughts in an output: where they stand, and what is left without them.

A thought is never an answer, closed or not. The markers of known families (:data:`quantbench.config.reasoning.FAMILIES`)
count in every output; a model's entry may name others. What stands inside a thought is no marker of another one.

- A thought may have been opened by the prompt, unless its marker is a heading: the output then closes what it never opened.
- A heading such as ``## Thinking`` is ordinary Markdown. In the output of a model whose entry does not name it, a stated
  final answer ends what the heading opened if its closing heading never comes.
- The markers of gpt-oss are special tokens, which most programs leave out of the text: ``analysis`` then opens the output,
  glued to its first word, and ``assistantfinal`` closes the thought.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache

from ..config.reasoning import FAMILIES, Reasoning

_FINAL = re.compile(r"^[ \t>#*_-]*+final[ \t]+(?:answer|response)\b", re.IGNORECASE | re.MULTILINE)
# Further from its end no prompt is looked at: the longest marker, with what a heading may have around it.
_LONGEST = 200
# An output is looked at several times, to see where its answer ends and to read it.
_KNOWN_TEXTS = 16


@dataclass(frozen=True, slots=True)
class _Form:
    """How a marker is written: a pattern, and texts of which one stands in whatever it finds, ``at_start`` if that begins so."""

    pattern: str
    signs: tuple[str, ...]
    at_start: bool = False


_DECODED = {
    FAMILIES["gpt-oss"]: (
        _Form(r"\Aanalysis(?=[A-Z])", ("analysis",)),
        _Form(r"assistantfinal|\Afinal(?=[A-Z])", ("final",)),
    )
}


@dataclass(frozen=True, slots=True)
class _Marker:
    """Where thoughts begin and end.

    Attributes:
        open, close: what to look for.
        by_prompt: whether a prompt may have opened what the output closes.
        otherwise: what ends a thought that is never closed; None: nothing does.
    """

    open: tuple[_Form, ...]
    close: tuple[_Form, ...]
    by_prompt: bool
    otherwise: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Group:
    """One form as a group of a pattern: ``o<index>_<number>`` opens, ``c<index>_<number>`` closes the marker of that index."""

    name: str
    form: _Form

    @property
    def pattern(self) -> str:
        """The named group."""
        return f"(?P<{self.name}>{self.form.pattern})"


@dataclass(frozen=True, slots=True)
class _Search:
    """A pattern whose groups (:class:`_Group`) find markers, worth trying where one of ``signs`` stands: most texts have none."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Markers:
    """Several markers, and how to find them."""

    markers: tuple[_Marker, ...]
    searches: tuple[_Search, ...]

    def find(self, text: str, start: int = 0) -> list[re.Match[str]]:
        """Return what opens or closes a thought, in order."""
        found = [
            match
            for search in self.searches
            if any(map(text.__contains__, search.signs))
            for match in search.pattern.finditer(text, start)
        ]
        return sorted(found, key=lambda match: match.start())


@dataclass(frozen=True, slots=True)
class Thoughts:
    """Where in a text its thoughts stand.

    Attributes:
        outside: (start, end) of each part that belongs to no thought, in order.
        start: where a thought that the prompt opened has ended; 0: it opened none.
        ends_inside: whether the text ends before its last thought does.
    """

    outside: tuple[tuple[int, int], ...]
    start: int
    ends_inside: bool

    def hold(self, position: int) -> bool:
        """Tell whether a position lies inside a thought."""
        before = bisect_right(self.outside, (position, sys.maxsize)) - 1
        return before < 0 or position > self.outside[before][1]


def without_thoughts(output: str, named: Reasoning | None = None) -> str:
    """Return an output without its thoughts; of one that is never closed nothing is left.

    Args:
        output: raw text.
        named: markers of the model's own, besides those of the known families.
    """
    return "".join(output[start:end] for start, end in find_thoughts(output, named).outside)


def in_thought(text: str, named: Reasoning | None = None) -> bool:
    """Tell whether a text (a prompt, or an output so far) ends inside a thought."""
    return find_thoughts(text, named).ends_inside


def opened_by(prompt: str, named: Reasoning | None = None) -> str:
    """Return the marker that ends a prompt, so that its output begins inside a thought, as the prompt has it; or nothing.

    Many chat templates of reasoning models end with ``<think>`` and a line break.
    """
    start = max(0, len(prompt.rstrip()) - _LONGEST)
    for match in _markers(named).find(prompt, start):
        if str(match.lastgroup).startswith("o") and not prompt[match.end() :].strip():
            return prompt[match.start() :]
    return ""


@lru_cache(_KNOWN_TEXTS)
def find_thoughts(text: str, named: Reasoning | None = None) -> Thoughts:
    """Find the thoughts of a text in one pass.

    Args:
        text: a prompt or an output.
        named: markers of the model's own, besides those of the known families.
    """
    known = _markers(named)
    outside: list[tuple[int, int]] = []
    start = position = 0
    inside: _Marker | None = None
    seen = set[_Marker]()
    for match in known.find(text):
        group = str(match.lastgroup)
        marker, opens = known.markers[int(group[1:].split("_")[0])], group.startswith("o")
        if inside is not None:
            # What stands inside a thought is no marker of another one.
            if marker is inside and not opens:
                inside, position = None, match.end()
        elif opens:
            outside.append((position, match.start()))
            inside, position = marker, match.end()
            seen.add(marker)
        elif marker.by_prompt and marker not in seen:
            # A prompt opens the first thought: where the output has opened one, it has opened all of that kind.
            outside, start, position = [], match.end(), match.end()
    if inside is None:
        return Thoughts((*outside, (position, len(text))), start, ends_inside=False)
    final = inside.otherwise.search(text, position) if inside.otherwise else None
    ending = [(final.start(), len(text))] if final else []
    return Thoughts((*outside, *ending), start, ends_inside=True)


@cache
def _markers(named: Reasoning | None) -> _Markers:
    """Those of the families, and the model's own, which takes the place of a family's that opens alike."""
    others = [family for family in FAMILIES.values() if named is None or _word(family.open) != _word(named.open)]
    own = () if named is None else (_marker(named, is_named=True),)
    markers = (*own, *(_marker(family, is_named=False) for family in others))
    groups = [
        _Group(f"{side}{index}_{number}", form)
        for index, marker in enumerate(markers)
        for side, forms in (("o", marker.open), ("c", marker.close))
        for number, form in enumerate(forms)
    ]
    return _Markers(markers, tuple(_search(groups, at_start) for at_start in (False, True)))


def _search(groups: list[_Group], at_start: bool) -> _Search:
    own = [group for group in groups if group.form.at_start is at_start]
    signs = sorted({sign for group in own for sign in group.form.signs})
    # Most places of a text are ruled out by their first character.
    first = f"(?=[{''.join(map(re.escape, signs))}])" if at_start else ""
    return _Search(tuple(signs), re.compile(f"{first}(?:{'|'.join(group.pattern for group in own)})"))


def _word(marker: str) -> str:
    return marker.strip("# \t").casefold()


def _marker(stated: Reasoning, is_named: bool) -> _Marker:
    is_heading = stated.open.startswith("#")
    opened, closed = _DECODED.get(stated, (None, None))
    return _Marker(
        _forms(stated.open, opened),
        _forms(stated.close, closed),
        by_prompt=not is_heading,
        otherwise=_FINAL if is_heading and not is_named else None,
    )


def _forms(marker: str, decoded: _Form | None) -> tuple[_Form, ...]:
    """A marker in any case, a heading with any number of ``#`` on a line of its own; and its ``decoded`` form."""
    if marker.startswith("#"):
        words = r"[ \t]+".join(map(re.escape, marker.lstrip("# \t").split()))
        return (_Form(rf"(?im:^[ \t]*#{{1,6}}[ \t]*[*_]*{words}[*_]*+[ \t]*+:?+[ \t]*+$)", ("#",)),)
    exact = _Form(f"(?i:{re.escape(marker)})", (marker[0].lower(), marker[0].upper()), at_start=True)
    return (exact,) if decoded is None else (exact, decoded)
