"""Reading yes, no or maybe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import text as reading

CONFLICT = ""  # several offered: an answer was given, and it stands for none

_OPENING = re.compile(
    r"[\s\"'(\[{<:=>•.,-]*(?:(?:the|my|correct|answer|response|decision|conclusion|is|would be|that|sure|likely|probably|well)\b"
    r"[\s\"'(\[{:=,-]*)*(?P<word>yes|no|maybe)(?![\w])(?!-\w)",
    re.IGNORECASE,
)
_SECOND = re.compile(
    r"[\"')\]}]*(?:\s*(?:,|/|\||\bor\b|\band\b)|[ \t]*\n|[ \t])\s*(?:\bor\b|\band\b)?[ \t]*[\"'(\[]*(?P<word>yes|no|maybe)"
    r"[\"')\]}]*[ \t]*(?:$|[.,;:!?/|\n]|\bor\b|\band\b)",
    re.IGNORECASE,
)
# "No difference was found" is prose; "No, ...", "No. ..." and "No the drug ..." answer.
_AFTER_NO = re.compile(
    r"[\"')\]}>]*(?:$|\s*\n|\s*[.,;:!?(/|}]|\s+-|\s+(?:because|since|as|for|the|there|it|this|these|that|they|we|in|or|and)\b)",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:answer|conclusion|decision|response|verdict|prediction|label|output|result)s?\b[\"']?"
    r"(?:[ \t]+(?:to|for|of|here)\b[^.:\n]{0,150}?)?[ \t]*(?:(?:is|would be|should be|must be)\b|[:=])[ \t]*[:=]?"
    r"|\b(?:i(?: would|'d)? (?:say|answer|choose|conclude|go with))\b(?: that)?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?P<open>[\"'(\[]|(?:\bis|\bbe|:|->|=|→)[ \t]*)(?P<word>yes|no|maybe)\b(?=[\"')\]]|[ \t]*(?:[.!,;]|$))",
    re.I | re.M,
)


def read(text: str) -> str | None:
    """Return yes, no or maybe, or None; see :mod:`quantbench.tasks.kinds.question_answering`.

    Args:
        text: normalised text, echo and invented examples taken off.
    """
    for statement in reading.final_statements(text):
        found = _opening(statement)
        found = _named(_paragraph(statement)) if found is None else found
        if found is not None:
            return found or None
    return next((found for found in _in_order(text) if found), None)


def _in_order(text: str) -> Iterator[str | None]:
    """Yield readings of an output without final statement, the strongest first."""
    opening = _opening(text)
    yield opening
    for match in _STATED.finditer(text):
        yield _opening(text[match.end() :])
    for statement in reading.therefore_statements(text):
        yield _opening(statement) or _named(statement)
    if opening is None:
        yield _opening(text.rstrip().rsplit("\n", 1)[-1])
        yield _named(text)
        words = {word.lower() for word in re.findall(r"(?<![\w-])(?:yes|no|maybe)(?![\w-])", text, re.IGNORECASE)}
        # "no" also stands in prose ("no difference"), the other two only as answers.
        yield words.pop() if len(words) == 1 and words != {"no"} else None


def _opening(text: str) -> str | None:
    """Return the word that stands first, CONFLICT where another stands beside it."""
    match = _OPENING.match(text)
    if match is None:
        return None
    word, rest = match["word"].lower(), text[match.end() :]
    if word == "no" and not _AFTER_NO.match(rest):
        return None
    second = _SECOND.match(rest)
    return CONFLICT if second and second["word"].lower() != word else word


def _named(text: str) -> str | None:
    """Return the one word that stands as a name: in quotes, in brackets, after "is" or a colon."""
    words = {match["word"].lower() for match in _NAMED.finditer(text)}
    return words.pop() if len(words) == 1 else None


def _paragraph(text: str) -> str:
    return re.split(r"\n\s*\n", text.lstrip(), maxsplit=1)[0]
