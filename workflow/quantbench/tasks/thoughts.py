"""Thoughts in an output: where they stand, and what is left without them.

A thought is never an answer, closed or not. The markers of known families (:data:`quantbench.config.reasoning.FAMILIES`)
count in every output; a model's entry may name others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ..config.reasoning import FAMILIES, Reasoning

_SPECIAL_TOKEN = re.compile(r"<\|[^|<>]*\|>")


@dataclass(frozen=True, slots=True)
class _Marker:
    """Where thoughts begin and end. A closed one may have been opened by the prompt, unless its marker is a heading."""

    open: re.Pattern[str]
    close: re.Pattern[str]
    opened_by_prompt: bool


def without_thoughts(output: str, named: Reasoning | None = None) -> str:
    """Return an output without its thoughts; of one that is never closed nothing is left.

    Args:
        output: raw text.
        named: markers of the model's own, besides those of the known families.
    """
    for marker in _markers(named):
        output = _without(output, marker)
    return output


def in_thought(text: str, named: Reasoning | None = None) -> bool:
    """Tell whether a text (a prompt, or an output so far) ends inside a thought."""
    for marker in _markers(named):
        opened = _last_end(marker.open, text)
        if opened > _last_end(marker.close, text):
            return True
    return False


def closes_thought(text: str, named: Reasoning | None = None) -> bool:
    """Tell whether a text closes a thought, whoever opened it."""
    return any(marker.close.search(text) for marker in _markers(named))


def after_prompted_thought(output: str, named: Reasoning | None = None) -> int:
    """Return where an answer may begin in an output whose thought its prompt opened: behind the first closing marker."""
    for marker in _markers(named):
        close = marker.close.search(output)
        if close and marker.opened_by_prompt and not marker.open.search(output, 0, close.start()):
            return close.end()
    return 0


def _without(output: str, marker: _Marker) -> str:
    close = marker.close.search(output)
    opened = marker.open.search(output)
    if close and marker.opened_by_prompt and (opened is None or close.start() < opened.start()):
        output = output[close.end() :]
    kept, position = [], 0
    while opened := marker.open.search(output, position):
        kept.append(output[position : opened.start()])
        close = marker.close.search(output, opened.end())
        if close is None:
            return "".join(kept)
        position = close.end()
    return "".join([*kept, output[position:]])


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


@cache
def _markers(named: Reasoning | None) -> tuple[_Marker, ...]:
    stated: Iterable[Reasoning] = FAMILIES.values() if named is None else (*FAMILIES.values(), named)
    return tuple(_marker(each) for each in dict.fromkeys(stated))


def _marker(stated: Reasoning) -> _Marker:
    heading = stated.open.startswith("#")
    return _Marker(
        _pattern(stated.open, at_start=r"\A"),
        _pattern(stated.close, at_start="assistant"),
        opened_by_prompt=not heading and not _SPECIAL_TOKEN.search(stated.open),
    )


def _pattern(marker: str, at_start: str) -> re.Pattern[str]:
    """A marker in any case, a heading with any number of ``#`` on a line of its own.

    Where it is made of special tokens, decoding may have left them out: "analysis" then opens the output, and
    "assistantfinal" closes the thought.
    """
    if marker.startswith("#"):
        words = r"[ \t]+".join(map(re.escape, marker.lstrip("# \t").split()))
        return re.compile(rf"^[ \t]*#{{1,6}}[ \t]*[*_]*{words}[*_]*[ \t]*:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
    if _SPECIAL_TOKEN.search(marker):
        bare = re.escape(_SPECIAL_TOKEN.sub("", marker))
        return re.compile(rf"{re.escape(marker)}|{at_start}{bare}(?=[A-Z])")
    return re.compile(re.escape(marker), re.IGNORECASE)
