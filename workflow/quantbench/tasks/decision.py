"""How yes, no or maybe is written as an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .lexicon import CONFLICT, Found, Lexicon, most_worth, valued

# The answers in other languages' words, which count where they stand as the answer.
WORDS = {
    "yes": ("yes", "ja", "oui", "sí", "sim", "是", "是的", "はい", "예", "네"),
    "no": ("no", "nein", "nee", "non", "não", "否", "不是", "いいえ", "아니오", "아니요"),
    "maybe": ("maybe", "vielleicht", "peut-être", "quizás", "tal vez", "talvez", "misschien", "可能", "也许", "아마도"),
}
_VALUES = {word: value for value, words in WORDS.items() for word in words}
_WORD = rf"(?P<word>{'|'.join(sorted(map(re.escape, _VALUES), key=len, reverse=True))})(?![A-Za-z0-9_])(?!-\w)"
_ENGLISH = r"(?P<word>yes|no|maybe)"
_FILLER = (
    r"[\s\"'(\[{<:=>•.,-]*(?:(?:the|my|a|correct|answer|response|decision|conclusion|is|would be|that|sure|likely|probably|well|therefore|thus|clearly)\b"
    r"[\s\"'(\[{:=,-]*){0,12}"
)
# What an answer may rest on, said before it: "Based on the context, no."
_GROUNDS = (
    r"(?:\s*(?:based on|according to|given|from|considering|judging by|in light of|as per|in)\b[^,.:;\n]{1,80},[ \t]*)?"
)
# "Yes/No: no" repeats what was asked for.
_CHOICES = r"(?:\s*\(?yes[/|,] ?no(?:[/|,] ?(?:or )?maybe)?\)?[ \t]*[:=])?"
_OPENING = re.compile(rf"{_CHOICES}{_GROUNDS}{_FILLER}{_WORD}", re.IGNORECASE)
_SECOND = re.compile(
    rf"[\"')\]}}]*(?:\s*(?:,|/|\||\bor\b|\band\b)|[ \t]*\n|[ \t])\s*(?:\bor\b|\band\b)?[ \t]*[\"'(\[]*{_ENGLISH}"
    r"[\"')\]}]*[ \t]*(?:$|[.,;:!?/|\n]|\bor\b|\band\b)",
    re.IGNORECASE,
)
# "No difference was found" is prose; "No, ...", "No. ..." and "No the drug ..." answer.
_AFTER_NO = re.compile(
    r"[\"')\]}>]*(?:$|[^\x00-\x7f]|\s*\n|\s*[.,;:!?(/|}]|\s+-|\s+(?:because|since|as|for|the|there|it|this|these|that|they|we|in|or|and)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"[\"')\]}]*[ \t]*,?[ \t]+(?:if|unless|only if|depending|not)\b", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?P<open>[\"'(\[]|(?:\bis|\bbe|:|->|=|→)[ \t]*){_ENGLISH}\b(?=[\"')\]]|[ \t]*(?:[.!,;]|$))",
    re.IGNORECASE | re.MULTILINE,
)
_ADVERB = re.compile(r"[ \t]+(?!because\b|since\b|as\b)[a-z]")
_DENIED_BEFORE = re.compile(r"(?:\b(?:not|cannot|never)|n't)\b[^.;:\n]{0,60}$", re.IGNORECASE)
_ANY = re.compile(rf"(?<![\w-]){_ENGLISH}(?![\w-])", re.IGNORECASE)


class Decision(Lexicon):
    """Yes, no and maybe."""

    nouns = "answer|conclusion|decision|response|verdict|prediction|label|output|result"

    def opening(self, text: str, start: int) -> Found | None:
        """See :class:`Lexicon`."""
        match = _OPENING.match(text, start)
        if match is None:
            return None
        value, end = _VALUES[match["word"].lower()], match.end()
        if match["word"].lower() == "no" and not _AFTER_NO.match(text, end):
            return None
        if _CONDITION.match(text, end):
            return None
        second = _SECOND.match(text, end)
        return Found(CONFLICT if second and second["word"].lower() != value else value, end)

    def named(self, text: str) -> str | None:
        """See :class:`Lexicon`; in quotes, in brackets, after "is" or a colon, else the one word of the kind that stands there."""
        words = _given(_NAMED.finditer(text), text)
        if not words:
            words = _given(_ANY.finditer(text), text)
            # "no" also stands in prose ("no difference"), the other two only as answers.
            if words == {"no"}:
                return None
        return None if not words else words.pop() if len(words) == 1 else CONFLICT

    def values(self, text: str) -> str | None:
        """See :class:`Lexicon`; a mapping from the three words to verdicts or scores."""
        return most_worth([(word.lower(), worth) for word, worth in valued(text, r"(?P<name>yes|no|maybe)")])

    def ending(self, text: str) -> str | None:
        """See :class:`Lexicon`; only a word in quotes is one that could be correct."""
        match = re.search(rf"\"{_ENGLISH}\"$", text[-10:], re.IGNORECASE)
        return match["word"].lower() if match else None

    def item_starts(self, text: str) -> Iterator[tuple[str, int, int]]:
        """See :class:`Lexicon`; nobody goes through these three one by one."""
        return iter(())

    def may_go_on(self, text: str, found: Found, announced: bool) -> bool:
        """See :class:`Lexicon`; "no" may be the beginning of a word or of prose."""
        return found.value == "no" and not announced


def _given(matches: Iterator[re.Match[str]], text: str) -> set[str]:
    """The words that are neither denied nor an adverb ("maybe it helps")."""
    return {
        match["word"].lower()
        for match in matches
        if not _DENIED_BEFORE.search(text[max(0, match.start() - 80) : match.start()])
        and not (match["word"].lower() == "maybe" and _ADVERB.match(text, match.end()))
    }
