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
_JOINT = r"[\"')\]}]*(?:\s*(?:,|/|\||\bor\b|\band\b)|[ \t]*\n|[ \t])\s*(?:\bor\b|\band\b)?[ \t]*[\"'(\[]*"
_SECOND = re.compile(
    rf"{_JOINT}{_ENGLISH}(?=[\"')\]}}]*[ \t]*(?:$|[.,;:!?/|\n]|\b(?:or|and|yes|no|maybe)\b))", re.IGNORECASE
)
# "Yes/No: no" and "Yes, no or maybe? No." repeat what was asked for.
_CHOICES = rf"(?:\s*\(?(?:yes|no|maybe)(?:{_JOINT}(?:yes|no|maybe)\b){{1,3}}[\"')]*[ \t]*[:=?])?"
_OPENING = re.compile(rf"{_CHOICES}{_GROUNDS}{_FILLER}{_WORD}", re.IGNORECASE)
# "Yes in part" is what prompts say that maybe means: whoever says so of a yes, or under what condition it holds, has not decided.
_IN_PART = re.compile(
    r"[\"')\]}]*(?:[^.!?\n]{0,80}?\b(?:in part(?=[\s\"')]*(?:[:,.;]|$))|under (?:some|certain) (?:conditions|circumstances)\b|for some of what\b)"
    r"|[^.!?\n]{0,80}?\bbut[ \t](?:[^.!?\n]{0,40}?[ \t])?not (?:necessarily|always|entirely)\b"
    r"|[ \t]*[,.(-]*[ \t]*(?:but[ \t]+)?(?:only[ \t]+)?(?:partly|partially|to some extent|under (?:some|certain) conditions)\b"
    r"|[ \t]*,?[ \t]+(?:if|unless|only if|depending|not)\b)",
    re.IGNORECASE,
)
# "No difference was found" is prose; "No, ...", "No. ..." and "No the drug ..." answer.
_AFTER_NO = re.compile(
    r"[\"')\]}>]*(?:$|[^\x00-\x7f]|\s*\n|\s*[.,;:!?(/|}]|\s+-|\s+(?:because|since|as|for|the|there|it|this|these|that|they|we|in|or|and)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?P<open>[\"'(\[]|(?:\bis|\bbe|:|->|=|→)[ \t]*){_ENGLISH}\b(?=[\"')\]]|[ \t]*(?:[.!,;]|$))",
    re.IGNORECASE | re.MULTILINE,
)
_ADVERB = re.compile(r"[ \t]+(?!because\b|since\b|as\b)[a-z]")
_DENIED_BEFORE = re.compile(r"(?:\b(?:not|cannot|never)|n't)\b[^.;:\n]{0,60}$", re.IGNORECASE)
_ANY = re.compile(rf"(?<![\w-]){_ENGLISH}(?![\w-])", re.IGNORECASE)

_MOST_REPEATED = 8  # a text that says a word more often than that in a row offers nothing


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
        return Found(CONFLICT if _is_undecided(text, value, end) else value, end)

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


def _is_undecided(text: str, value: str, end: int) -> bool:
    """Tell whether another of the words is offered with one that ends at a position, or it holds only in part."""
    return (value != "maybe" and _IN_PART.match(text, end) is not None) or _next_word(text, value, end) != value


def _next_word(text: str, value: str, end: int) -> str:
    """Return the first other word that is offered with one, on its line behind repetitions of it, else the word itself."""
    for _ in range(_MOST_REPEATED):
        second = _SECOND.match(text, end)
        if second is None or second["word"].lower() != value or "\n" in second.group():
            return second["word"].lower() if second else value
        end = second.end()
    return value


def _given(matches: Iterator[re.Match[str]], text: str) -> set[str]:
    """The words that are neither denied nor an adverb ("maybe it helps"); CONFLICT for one that is offered with others."""
    return {
        CONFLICT if _is_undecided(text, match["word"].lower(), match.end("word")) else match["word"].lower()
        for match in matches
        if not _DENIED_BEFORE.search(text[max(0, match.start() - 80) : match.start()])
        and not (match["word"].lower() == "maybe" and _ADVERB.match(text, match.end()))
    }
