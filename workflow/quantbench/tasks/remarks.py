"""What stands behind a label: a value, a verdict in words, or a reason that denies the label or does not.

``label: 0``, ``label: not mentioned`` and ``label: The abstract does not report on it`` deny the label; a reason that holds a
negation about something else (``the drug did not kill the cells``) does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from .decision import WORDS

# A score from 0 to 1 says yes from here on.
LIKELY = 0.5
_ONWARD = 400  # characters in which a reserved denial ("does not explicitly mention") may be taken back
_SHORT = 6  # words; a later sentence of a reason that is no longer is about the label and nothing else


class Verdict(Enum):
    """What is said of a label: that it applies, that it does not, or neither."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Value:
    """A value that says yes or no, and where it ends in its text."""

    yes: bool
    end: int

    @property
    def verdict(self) -> Verdict:
        """The value as a verdict."""
        return Verdict.YES if self.yes else Verdict.NO


YES_MARKS, NO_MARKS = "✓✔✅☑", "✗✘❌✖☐"


def _spelt(value: str) -> str:
    """The words for yes or no in all languages, as alternatives of a pattern; longer ones first."""
    return "|".join(sorted(WORDS[value], key=len, reverse=True))


# Denials in other languages than English, as words and in scripts without blanks.
NOT_ELSEWHERE = (
    "nicht|keine?|ausgeschlossen|não|nenhum[ao]?|niet|geen|uitgesloten|pas|aucune?|exclue?s?|ning[uú]n[ao]?|descartad[ao]s?|excluid[ao]s?|"
    "excluíd[ao]s?|nessun[ao]?|esclus[aeio]"
)
NOT_UNSPACED = r"不适用|不相关|未提及|没有提|排除|該当(?:なし|しない)|言及なし|해당\s*(?:없|하지)|언급\s*(?:없|되지)"
_VALUE = re.compile(
    r"(?:(?:(?:verdict|answer|status|decision|present|applies|applicable|relevant|included|p)\s{0,4}[:=]"
    r"|(?:score|confidence|probability|likelihood|relevance|value)\s{0,4}[:=]?)\s{0,4})?"
    r"(?:(?P<number>\d{1,6}(?:\.\d{1,12})?)(?:\s?(?P<percent>%)|\s?/\s?(?P<whole>\d{1,3}))?"
    rf"|(?P<yes>true|y|positive|present|applies|applicable|relevant|{_spelt('yes')}|[{YES_MARKS}])"
    rf"|(?P<no>false|n|null|none|nil|n/a|negative|absent|{_spelt('no')}|[{NO_MARKS}]))"
    r"\ufe0f?(?!['./]?\w)",
    re.IGNORECASE,
)
# A value stands alone or before a reason; "no interaction" and "2 patients" are remarks.
_BEHIND_VALUE = re.compile(r"[ \t]*(?:[\"'\])}.,;:!|(]|-+[ \t>]|(?:because|since|as|due)\b|\d|\n|\Z)", re.IGNORECASE)

_SOURCE = (
    r"(?:(?:(?:the|this|that|these|given|provided|present|current)\s+){0,2}(?:abstract|article|text|study|paper|passage|author|"
    r"work|hallmark|label|topic|category|class|research|document|sentence|publication|content)s?(?:\s+(?:itself|here))?"
    r"|it|this|that|there|they)"
)
_NOT = r"(?:(?:does|do|did|is|are|was|were|has|have|can|could)(?:\s+not|n't|nt)|cannot|never)"
_ABOUT = (
    r"(?:mention|report|discuss|address|cover|describ|appl|relevan|evidence|evident|indicat|present|support|involv|relat|focus|"
    r"refer|includ|explor|stud|investigat|examin|touch|deal|concern|suggest|impl|provid|contain|information|data\b|sign|detail|"
    r"connect|link|clear|explicit|direct|specific|match|fit\b|belong|pertain|state|identif|highlight|consider|determin|infer|about\b|topic|case\b|part\b)"
)
_EVIDENCE = (
    r"(?:mention|evidence|information|indication|data|reference|sign|discussion|link|connection|detail|support|description|focus|"
    r"relevance|relation|report)s?\b"
)
# "no data were needed" tells of the study; "no data were given" denies.
_DONE_WITH = r"\s+(?:is|are|was|were|(?:has|have|had)\s+been)\s+(?:\w+ly\s+)?(?:need|requir|necess|lost|miss|us|exclud|remov|impos|chang|collect|tak|withh|lack)\w*"
# What may stand between a negation and the word that tells whom it is about.
_WORDS = (
    r"(?:\s+(?:[a-z]{1,20}ly|any|an?|the|to|be|been|being|appear|seem|really|also|itself|main|primary|central|in|provide|contain|"
    r"have|show|give|make|offer|enough|sufficient|strong|concrete|explicit|direct|specific|clear)){0,5}?\s+"
)
_DENIED = re.compile(
    rf"(?:{_SOURCE}\s+)?{_NOT}(?:{_WORDS}{_ABOUT}|(?=\W*\Z))"
    r"|i\s+(?:do\s+not|don't|cannot|can't)\s+(?:see|find)\b"
    rf"|(?:{_SOURCE}\s+)?(?:not{_WORDS}(?:{_ABOUT}|observed|found|seen|shown)|isn't|doesn't)"
    rf"|there(?:\s+(?:is|are|was|were)|'s)\s+(?:no|little|insufficient){_WORDS}{_EVIDENCE}"
    rf"|(?:{_SOURCE}\s+(?:[a-z]{{1,20}}\s+)?(?:shows?|provides?|contains?|gives?|makes?|has|have|offers?|includes?|presents?)\s+)?"
    rf"(?:no|little|insufficient|weak|limited)(?:\s+[a-z-]{{1,20}}){{0,2}}?\s+{_EVIDENCE}(?!{_DONE_WITH})"
    rf"|(?:{_SOURCE}\s+)?(?:lacks?\b|lacking\b|fails?\s+to\b|says?\s+nothing\b|nothing\b)"
    rf"|(?:{_SOURCE}\s+)?(?:is\s+|are\s+|seems\s+)?(?:[a-z]{{1,20}}ly\s+)?"
    r"(?:absent|unlikely|irrelevant|unrelated|inapplicable|excluded|rejected|missing|ruled\s+out)\b(?!\s+(?:data|values?|patients|cases|people|studies)\b)"
    r"|(?:no\s+se|nicht|non|não|niet|n'est\s+pas|pas|no)\s+(?:\w{1,20}\s+){0,2}?(?:mencion|menzion|mentionn|erwähn|genoemd|vermeld|aplica|applicab|"
    rf"zutreffend|relevant|pertinent|behandel|aborda|trata)|{NOT_UNSPACED}"
    r"|without\s+(?:any\s+|direct\s+|explicit\s+)?(?:mention|evidence|reference)|neither\b"
    r"|(?:not?|none|nil|n/a)(?=\s*[,.;:!)(]|\s+-|\s*\Z)|none\b|not\s+(?:really|the\s+case|at\s+all|sure)\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"(?:maybe|possibly|perhaps|unclear|unknown|uncertain|questionable|potentially\s+(?:relevant|applicable|present)|"
    r"(?:might|may|could)\s+(?:be|apply)|low(?=\W*\Z|\s+(?:relevance|confidence|evidence|likelihood|probability)))\b",
    re.IGNORECASE,
)
_AFFIRMED = re.compile(
    r"(?:yes|true|present|applies|applicable|relevant|reported|mentioned|discussed|covered|included|supported|addressed|evident|"
    r"confirmed|positive|(?:highly|directly|clearly|explicitly|strongly)\s+(?:relevant|present|supported|mentioned|applicable|evident))\b"
    r"|(?:(?:this|the)\s+(?:label|hallmark|topic|category|class)|this|it)\s+(?:(?!not\b)[a-z]{1,20}\s+){0,3}?"
    r"(?:applies|(?:is|are)\s+(?:(?!not\b)[a-z]{1,20}\s+){0,2}?(?:present|relevant|applicable|covered|reported|mentioned|supported|"
    r"discussed|included|evident|addressed))\b",
    re.IGNORECASE,
)
# Behind another sentence a denial must speak of the label: "this is not discussed", "The abstract does not mention it".
_LABEL_DENIED = re.compile(
    r"\b(?:this|that|the)\s+(?:hallmark|label|topic|category|class)\b"
    r"|\b(?:this|it|that)\s+(?:is|was|does)(?:\s+not|n't)(?:\s+[a-z]{1,20}){0,3}?\s+(?:appl|relevan|mentioned|discussed|reported|"
    r"addressed|covered|present|described|included|supported|evident|explored|indicated)"
    rf"|{_ABOUT}[a-z]{{0,12}}\s+(?:(?:on|to|with|for|of|in|by)\s+)?(?:this|it|that|such|these|here)\b",
    re.IGNORECASE,
)
# A sentence that says what a label means, so that only what comes behind it judges.
_MEANING = re.compile(
    r"(?:(?:this|the)\s+(?:hallmark|label|topic|category|class)\s+|this\s+|it\s+)?(?:(?:refers?|relates?|pertains?)\s+to|involves?|"
    r"means?|is\s+(?:about|the|defined)|describes?|concerns?|covers?|would\s+(?:involve|require|mean)|requires?|looks?\s+(?:for|at))\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"\b(?:others?|additional|further|else|remaining)\b", re.IGNORECASE)
_RESERVED = re.compile(r"\b(?:explicit|direct|specific)", re.IGNORECASE)
_BUT = re.compile(
    r"\b(?:but|however|although|though|yet|still|nevertheless|nonetheless|impl(?:y|ies|ied))\b|,\s+(?:it|the)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?<=[.;!?])\s+|\n|,\s+(?=(?:so|thus|therefore|hence|making)\b)|(?<=\s)-{1,2}(?=\s)", re.IGNORECASE
)
_CONNECTIVE = re.compile(
    r"[\s\"'(\[*,:-]*(?:(?:so|thus|therefore|hence|however|but|since|because|as|and|in\s+this\s+(?:abstract|article|text)|"
    r"based\s+on\s+(?:the|this)\s+(?:abstract|article|text))\b[\s,]*)?",
    re.IGNORECASE,
)
_BEFORE_VALUE = re.compile(r"[\s\"'(\[{*:-]*")


def value_at(text: str, position: int, or_before: Callable[[str, int], bool] | None = None) -> Value | None:
    """Return the yes or no that a value at a position says; None where none stands there, or where a sentence goes on behind it.

    1, true, yes and a tick are yes, as is a number from 0.5 to 1 or a percentage from 50; other numbers are no.

    Args:
        text: any text.
        position: where the value would begin.
        or_before: tells of a position whether a value may end there nevertheless, because a label follows.
    """
    match = _VALUE.match(text, position)
    if match is None:
        return None
    ends = _BEHIND_VALUE.match(text, match.end()) is not None or (
        or_before is not None and or_before(text, match.end())
    )
    return Value(_says_yes(match), match.end()) if ends else None


def _says_yes(match: re.Match[str]) -> bool:
    if match["number"] is None:
        return match["yes"] is not None
    number = float(match["number"])
    if match["percent"]:
        number /= 100
    elif match["whole"]:
        number /= float(match["whole"]) or 1.0
    return LIKELY <= number <= 1


def judge(remark: str, about_another: Callable[[str], bool]) -> Verdict:
    """Judge what is remarked on a label.

    The first sentence may deny it in any words that speak of the text (``There is no mention of vessels.``); a later one must
    be short or speak of the label (``Not present.``, ``so this hallmark does not apply``). The last sentence that judges counts.

    Args:
        remark: what stands behind the label and its colon, dash or bracket.
        about_another: tells of a sentence whether it speaks of another label and not of this one.
    """
    if value := value_at(remark, _start(_BEFORE_VALUE, remark)):
        return value.verdict
    verdict, meaning, position = Verdict.OPEN, True, 0
    for match in [*_SENTENCE_END.finditer(remark), None]:
        sentence = remark[position : match.start() if match else len(remark)]
        begin = _start(_CONNECTIVE, sentence)
        if begin < len(sentence):
            told = _told(sentence, begin, meaning, remark[position : position + _ONWARD], about_another)
            verdict = told if told is not Verdict.OPEN else verdict
            meaning = meaning and _MEANING.match(sentence, begin) is not None
        position = match.end() if match else position
    return verdict


def _told(sentence: str, begin: int, first: bool, onward: str, about_another: Callable[[str], bool]) -> Verdict:
    """Judge one sentence of a remark from where its statement begins; ``first``: it needs not speak of the label by name."""
    if _DENIED.match(sentence, begin) or (first and _UNSURE.match(sentence, begin)):
        of_label = first or len(sentence.split()) <= _SHORT or _LABEL_DENIED.search(sentence)
        reserved = _RESERVED.search(sentence) and _BUT.search(onward)
        elsewhere = not of_label or reserved or _OTHERS.search(sentence) or about_another(sentence)
        return Verdict.OPEN if elsewhere else Verdict.NO
    return Verdict.YES if _AFFIRMED.match(sentence, begin) else Verdict.OPEN


def _start(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
