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
from dataclasses import dataclass
from functools import cache

from ..config.reasoning import FAMILIES, Reasoning

_FINAL = re.compile(r"^[ \t>#*_-]*final[ \t]+(?:answer|response)\b", re.IGNORECASE | re.MULTILINE)
_DECODED = {FAMILIES["gpt-oss"]: (r"\Aanalysis(?=[A-Z])", r"assistantfinal|\Afinal(?=[A-Z])")}
# Further from its end no prompt is looked at: the longest marker, with what a heading may have around it.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Marker:
    """Where thoughts begin and end.

    Attributes:
        open, close: what to look for.
        by_prompt: whether a prompt may have opened what the output closes.
        otherwise: what ends a thought that is never closed; None: nothing does.
    """

    open: re.Pattern[str]
    close: re.Pattern[str]
    by_prompt: bool
    otherwise: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Parts:
    """A text by its thoughts.

    Attributes:
        outside: what belongs to no thought, in order.
        start: where a thought that the prompt opened has ended; 0: it opened none.
        ends_inside: whether the text ends before its last thought does.
    """

    outside: list[str]
    start: int
    ends_inside: bool


def without_thoughts(output: str, named: Reasoning | None = None) -> str:
    """Return an output without its thoughts; of one that is never closed nothing is left.

    Args:
        output: raw text.
        named: markers of the model's own, besides those of the known families.
    """
    return "".join(_parts(output, named).outside)


def in_thought(text: str, named: Reasoning | None = None) -> bool:
    """Tell whether a text (a prompt, or an output so far) ends inside a thought."""
    return _parts(text, named).ends_inside


def after_prompted_thought(output: str, named: Reasoning | None = None) -> int:
    """Return where an answer may begin in an output whose thought its prompt opened: behind the closing marker; else 0."""
    return _parts(output, named).start


def opened_by(prompt: str, named: Reasoning | None = None) -> str:
    """Return the marker that ends a prompt, so that its output begins inside a thought, as the prompt has it; or nothing.

    Many chat templates of reasoning models end with ``<think>`` and a line break.
    """
    start = max(0, len(prompt.rstrip()) - _LONGEST)
    for marker in _markers(named):
        for match in marker.open.finditer(prompt, start):
            if not prompt[match.end() :].strip():
                return prompt[match.start() :]
    return ""


def _parts(text: str, named: Reasoning | None) -> _Parts:
    markers, seen = _markers(named), set[_Marker]()
    outside: list[str] = []
    start = position = 0
    while found := _next(text, position, markers, seen):
        marker, match, opens = found
        if not opens:
            outside, start, position = [], match.end(), match.end()
            continue
        outside.append(text[position : match.start()])
        seen.add(marker)
        close = marker.close.search(text, match.end())
        if close is None:
            final = marker.otherwise.search(text, match.end()) if marker.otherwise else None
            return _Parts([*outside, text[final.start() :] if final else ""], start, ends_inside=True)
        position = close.end()
    return _Parts([*outside, text[position:]], start, ends_inside=False)


def _next(
    text: str, position: int, markers: tuple[_Marker, ...], seen: set[_Marker]
) -> tuple[_Marker, re.Match[str], bool] | None:
    """The next thought outside of any other: what marks it, where, and whether it opens there or, by the prompt, ends."""
    opened = [(marker, marker.open.search(text, position), True) for marker in markers]
    # A prompt opens the first thought: where the output has opened one, it has opened all of that kind.
    closed = [
        (marker, marker.close.search(text, position), False)
        for marker in markers
        if marker.by_prompt and marker not in seen
    ]
    found = [(marker, match, opens) for marker, match, opens in [*opened, *closed] if match]
    return min(found, key=lambda each: each[1].start(), default=None)


@cache
def _markers(named: Reasoning | None) -> tuple[_Marker, ...]:
    """Those of the families, and the model's own, which takes the place of a family's that opens alike."""
    if named is None:
        return tuple(_marker(family, is_named=False) for family in FAMILIES.values())
    others = [family for family in FAMILIES.values() if _word(family.open) != _word(named.open)]
    return (_marker(named, is_named=True), *(_marker(family, is_named=False) for family in others))


def _word(marker: str) -> str:
    return marker.strip("# \t").casefold()


def _marker(stated: Reasoning, is_named: bool) -> _Marker:
    is_heading = stated.open.startswith("#")
    opened, closed = _DECODED.get(stated, (None, None))
    return _Marker(
        _pattern(stated.open, opened),
        _pattern(stated.close, closed),
        by_prompt=not is_heading,
        otherwise=_FINAL if is_heading and not is_named else None,
    )


def _pattern(marker: str, decoded: str | None) -> re.Pattern[str]:
    """A marker in any case, a heading with any number of ``#`` on a line of its own; or its ``decoded`` form."""
    if marker.startswith("#"):
        words = r"[ \t]+".join(map(re.escape, marker.lstrip("# \t").split()))
        return re.compile(rf"^[ \t]*#{{1,6}}[ \t]*[*_]*{words}[*_]*[ \t]*:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
    exact = f"(?i:{re.escape(marker)})"
    return re.compile(f"{exact}|{decoded}" if decoded else exact)
