"""Words that take back what was said before: "Wait, ...", "Correction: ...", "..., no, it is"."""

from __future__ import annotations

import re

from .lexicon import Lexicon

_RECONSIDERS = re.compile(
    r"\b(?:wait|actually|hold on|oops|on second thought|let me re-?\w+|let's re-?\w+|i (?:was|made an?) (?:wrong|mistaken|mistake|error)|i meant|correction|edit:|"
    r"revised|hmm|sorry)\b|[.,][ \t]+no,[ \t]+(?!(?:or|and|yes|no|maybe)\b)",
    re.IGNORECASE,
)
# What stands behind takes the place of what stands before.
_TAKEN_BACK = re.compile(
    r"(?:\A|(?<=[.!?,\n(])|(?<=\.\.\.))[ \t]*(?:no[ ,]+wait|wait|actually(?:[ ,]+no)?|hold on|oops|sorry|on second thought|correction|edit|revised(?: answer)?|final)\b"
    r"[ \t]*[,:.!]+|(?:[.,…!][ \t]+|\n[ \t]*)no,(?=[ \t]+(?!(?:or|and|yes|no|maybe)\b))|\bi meant\b"
    r"|\bi(?:'d|'ll| would| will) (?:rather |now )?(?:go (?:for|with)|choose|pick|select|say)\b(?=[^.\n]{1,60}\binstead\b)",
    re.IGNORECASE,
)

_DENIED_BELOW = re.compile(r"[^\n]{1,80}\n\s*(?P<no>no,[ \t])", re.IGNORECASE)
_FIRST_WORDS = 240  # characters


def behind_correction(text: str) -> str | None:
    """Return what stands behind the last words that take back what was said before ("Wait, ...", "Correction: ...")."""
    end = max((match.end() for match in _TAKEN_BACK.finditer(text)), default=None)
    return None if end is None else text[end:].lstrip(" ,.:\n")


def is_corrected(text: str, start: int, end: int) -> bool:
    """Tell whether words between two positions reconsider what was said before them."""
    return _RECONSIDERS.search(text, start, end) is not None


def names_another(correction: str, answer: str, lexicon: Lexicon) -> bool:
    """Tell whether the first words of a correction name an answer other than the one given."""
    words = re.finditer(r"\w(?!\w)", correction[:_FIRST_WORDS])
    return any(lexicon.ending(correction[: word.end()]) not in (None, answer) for word in words)


def is_denied_below(text: str, answer: str, lexicon: Lexicon) -> bool:
    """Tell whether the line below an output's short first line begins with "No, ...", which gives not the same answer itself."""
    below = _DENIED_BELOW.match(text)
    if below is None:
        return False
    said = lexicon.opening(text, below.start("no"))
    return said is None or said.value != answer
