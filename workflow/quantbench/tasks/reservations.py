"""What stands around an answer and takes it back: a condition, an objection to a view, words that only speak of it.

What denies or weighs an answer before it is named is in :mod:`quantbench.tasks.statements`.
"""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_LONGEST_SENTENCE = 240
# "not X but" of "not X but Y".
_REPLACED = re.compile(
    r"[\s:]*(?:n't|not|nicht|niet|n'est pas|no es|不是)(?![a-z])[^.;\n]{1,80}?(?:\b(?:but(?: rather)?|rather|sondern|maar|mais|sino)\b|而是)",
    re.IGNORECASE,
)
# "The answer is C if ...": not without the condition; "... is C, but": something follows that changes it.
_IF = r"\b(?:if|unless|provided|were (?:she|he|it|they|the)|in (?:non-?\w+|other))\b"
_CONDITION = re.compile(rf"[^.;:\n]{{0,40}}?{_IF}", re.IGNORECASE)
_CONDITION_ANYWHERE = re.compile(_IF, re.IGNORECASE)
# "The guidelines say X. But ...", "Usually it is X. Here, however, ...": a view, which what follows overrules.
_VIEW = re.compile(
    r"\b(?:guidelines?|textbooks?|literature|experts|sources|teaching|according to|tradition\w*|historical\w*|classic\w*|(?:in )?general(?:ly)?|"
    r"normal(?:ly)?|usual(?:ly)?|typical(?:ly)?|ordinar\w+|often|commonly|most (?:\w+ )?(?:patients|people|cases|adults|men|women|situations)|"
    r"some|many|older|previously|formerly|in the past|in theory|on paper|otherwise)\b",
    re.IGNORECASE,
)
_OVERRULED = re.compile(
    r"[^.;\n]{0,120}[.;,]\s*(?:but|however|yet|still|nevertheless|nonetheless|that said|here|in (?:this|our|his|her)|for (?:this|our|him|her))\b",
    re.IGNORECASE,
)
# "Therefore, X is ineffective" speaks of X.
_SPOKEN_OF = re.compile(
    r"[\"')\]%]*[ \t]+(?!(?:is|was|would be|seems|remains)[ \t]+(?:(?:the|therefore|clearly|most|a|by far)[ \t]+)*(?:correct|best|right|answer|safest|preferred|"
    r"recommended|indicated|appropriate|suitable|treatment of choice|drug of choice)\b|fits?\b|because\b|since\b|as\b|and\b|or\b|not\b|rather\b|for\b|in\b|with\b)[a-z]"
    r"|[\"')\]]*:[ \t]*(?=\w)|[ \t]+[+*/\u00d7=][ \t]",
)
_BAD = re.compile(
    r"[\"')\]]*[ \t]*[:(-][ \t]*(?:\w+[ \t]+){0,2}?(?:contraindicated|not|no|incorrect|wrong|avoid\w*|would|resist\w*|teratogen\w*|unlikely|inappropriate|"
    r"ineffective|less|harm\w*|only)\b",
    re.IGNORECASE,
)
_QUALIFIED = re.compile(r"[^.;:\n]{0,60}?\b(?:but|however|although|or)\b", re.IGNORECASE)
_OPEN_ENDED = re.compile(r"[^.;:!?\n]*\Z")

# What announces that an answer will be given, and gives none.
_INTENDS = re.compile(
    r"\s*(?:let(?:'s| us| me)|to (?:determine|find|decide|identify|choose|select|answer|see|evaluate)|(?:we|i) (?:need|must|have to|will|should|'ll)|"
    r"i'll|okay|first)\b|.*\b(?:whether|least|worst|avoid|contraindicated|dangerous|next best|an option|option to|distractor)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[\s\"')\]]*\?")
# Nobody writes a sentence that long; a text without full stops repeats itself.
_LONGEST_ONE_SENTENCE = 2_000
_NEXT_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z])")

# "First, the option is A. ... Next, the option is B. ...": a walk through the options in prose.
_STEP = re.compile(
    r"(?:\A|[.!?:\n])[\s>*-]*(?:first|second|third|fourth|fifth|next|then|now|also|after that|moving on)(?:ly)?\b[ \t,]*(?:to )?(?:(?:the|our|we have|another)[ \t]+)*\Z",
    re.IGNORECASE,
)
_STEP_TO = re.compile(r"(?:option|choice|class|label|letter)\b", re.IGNORECASE)
_MORE = re.compile(r"(?:[.!?]\s+|\n\s*)\w")
_SAYS_MORE = re.compile(r"\b(?:while|whereas|and)\b", re.IGNORECASE)
_TURNS = re.compile(r"\b(?:but|so|yet|however|therefore|thus|hence)\b|[.!?](?=\s|$)|\n", re.IGNORECASE)
# "X, but it is not possible to tell": named, and then given up.
_GIVEN_UP = re.compile(
    r"[^.;\n]{0,120}?\b(?:but|however|(?:al)?though)\b[^.;\n]{0,60}?(?:\b(?:not|never|no)\b|n't\b|\bcannot\b)[^.;\n]{0,20}?"
    r"\b(?:possible|clear|certain|sure|known?|fits?|match|enough|sufficient|tell|say|determine|decide|class|answer)\b"
    r"|[^.;\n]{0,120}?\b(?:but|however|(?:al)?though)\b[^.;\n]{0,60}?\b(?:unclear|uncertain|impossible|unknown)\b",
    re.IGNORECASE,
)


def behind_denial(text: str, start: int) -> int:
    """Skip the "not X but" of "not X but Y"."""
    replaced = _REPLACED.match(text, start)
    return replaced.end() if replaced else start


def is_conditional(text: str, end: int) -> bool:
    """Tell whether an answer that ends at a position holds only under a condition that follows."""
    return _CONDITION.match(text, end) is not None


def holds_condition(sentence: str) -> bool:
    """Tell whether a condition stands anywhere in a sentence."""
    return _CONDITION_ANYWHERE.search(sentence) is not None


def is_overruled(text: str, start: int, end: int) -> bool:
    """Tell whether a statement at a stretch of text gives a view that some or most hold, and the next sentence objects."""
    if not _OVERRULED.match(text, end):
        return False
    *_, before = _SENTENCE_END.split(text[max(0, start - _LONGEST_SENTENCE) : start])
    return _VIEW.search(f"{before}{text[start:end]}") is not None


def is_spoken_of(text: str, end: int) -> bool:
    """Tell whether what ends at a position is what a sentence speaks of, rather than its conclusion."""
    return _SPOKEN_OF.match(text, end) is not None


def is_ruled_out(text: str, end: int) -> bool:
    """Tell whether the remark behind an answer says that it is a bad one."""
    return _BAD.match(text, end) is not None


def is_unfinished(text: str, end: int, loosely: bool) -> bool:
    """Tell whether a sentence of a cut output may go on to change the answer it names; ``loosely``: hardly words of an answer."""
    return (_OPEN_ENDED if loosely else _QUALIFIED).match(text, end) is not None


def is_asked(text: str, end: int) -> bool:
    """Tell whether a question ends behind an answer."""
    return _ASKED.match(text, end) is not None


def is_step(text: str, start: int, cut: bool) -> bool:
    """Tell whether words at a position take the next option in turn, and more follows or would have: the last may conclude."""
    if not _STEP_TO.match(text, start) or not _STEP.search(text[max(0, start - 40) : start]):
        return False
    return cut or _MORE.search(text, start) is not None


def joins(between: str) -> bool:
    """Tell whether the words between two statements set one beside the other within a sentence, rather than against it."""
    return _SAYS_MORE.search(between) is not None and _TURNS.search(between) is None


def is_given_up(text: str, end: int) -> bool:
    """Tell whether the sentence that names an answer goes on to say that there is no telling."""
    return _GIVEN_UP.match(text, end) is not None


def is_one_sentence(text: str) -> bool:
    """Tell whether a text is one sentence that asks nothing and does not merely announce an answer ("Let's see whether ...")."""
    text = text.strip()
    if len(text) > _LONGEST_ONE_SENTENCE or "\n" in text or "?" in text:
        return False
    return not (_INTENDS.match(text) or _NEXT_SENTENCE.search(text))
