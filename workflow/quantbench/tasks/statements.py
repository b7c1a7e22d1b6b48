"""Where an output states its answer: one table of the words that announce one, and one walk over the text.

What is evidence of an answer, the strongest first, in every task (docs/protocol.md#answers):

1. ``FINAL``: said to be final (``Final answer: X``, ``## Final Response``, a LaTeX box, ``##X##``, ``<answer>``).
2. ``FIELD``: the value of a JSON key that asks for it (``"answer": "X"``).
3. ``STATED``: said to be the answer (``Answer: X``, ``The correct option is X``, ``X is the best choice``), and an output whose
   first line is the answer and nothing else.
4. ``IMPLIED``: said in words that mostly announce an answer (``The most likely diagnosis is X``, ``I choose X``, ``X is correct``,
   ``Therefore X``), never inside an item of several gone through.
5. ``WHOLE``: the output opens with the answer, ends with it in a paragraph of its own, or is one sentence that names it.

Nothing else is evidence. What an output weighs (``if``, ``whether``, ``could be``), asks, or goes through one by one is not stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from typing import TypeVar


class Evidence(IntEnum):
    """How good a statement is; less is better."""

    FINAL = 1
    FIELD = 2
    STATED = 3
    IMPLIED = 4
    WHOLE = 5


class Reach(Enum):
    """How far behind the announcing words an answer may be named."""

    BEGINNING = "at once"
    SENTENCE = "in the sentence"
    PARAGRAPH = "in the paragraph"


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that announce an answer.

    Attributes:
        language: ISO 639-1 code of the words.
        evidence: how good it is.
        pattern: the words; ``{noun}`` stands for what the task calls its answers.
        reach: how far behind them an answer may be named.
        labelled: they have the form ``Answer: X`` that prompts end with, which invented examples repeat.
    """

    language: str
    evidence: Evidence
    pattern: str
    reach: Reach = Reach.SENTENCE
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """Where an answer is announced: by what words, where these begin, and where what they announce begins."""

    cue: Cue
    start: int
    end: int


_IS = r"\b(?:is|are|was|would be|will be|should be|must be|has to be|remains|reads)"
_SAYS = rf"(?:{_IS}|\b(?:apply|applies|include[sd]?|covered))"
_SURELY = (
    r"(?:[ \t]+(?:therefore|thus|clearly|likely|most likely|probably|indeed|then|hence|generally|usually|normally|typically|"
    r"commonly|often|always|definitely|certainly|obviously|simply))*"
)
_ADJECTIVE = r"(?:correct|right|best|most likely|most appropriate|most suitable|most probable|most accurate|chosen|appropriate|single)"
_OF_IT = (
    r"(?:[ \t]+(?:here|letter|(?:to|for|in|of|between)\b[^.:\n]{1,150}?|that\b[^.:\n]{1,40}?|which\b[^.:\n]{1,40}?))?"
)

# What completes an answer is announced by the same words (:mod:`quantbench.tasks.completion`).
FINAL_WORDS = (
    r"final[ \t]+(?:answer|response|output|decision|label|class|classification|verdict|choice|conclusion|diagnosis)s?\b"
)

_NEVER_ASCII = ("zh", "ja", "ko")
# Order matters only between patterns that begin at the same place.
CUES = (
    Cue(
        "en",
        Evidence.FINAL,
        rf"\b{FINAL_WORDS}"
        rf"(?:[ \t]*[:=])?(?:[ \t]*{_IS}\b)?(?:[ \t]*[:=-])*",
        reach=Reach.PARAGRAPH,
    ),
    Cue(
        "json",
        Evidence.FIELD,
        r"[\"'](?:(?:correct|final|selected|best|my|chosen)[ _]?)?(?:{noun}|answer|decision|prediction|output|result|selected|selection)s?"
        r"(?:[ _]?(?:idx|index|id|letter|key|code|option|choice|label|class))?[\"'][ \t]*:",
        reach=Reach.BEGINNING,
    ),
    Cue(
        "en",
        Evidence.STATED,
        rf"^[ \t>-]*+(?=[^:=\n]*+[:=]|ans\b)(?:(?:the|my|your) )?(?:{_ADJECTIVE} )?(?:(?:{{noun}})(?:[ \t]*\([^()\n]{{1,40}}\))?[ \t]*[:=]+|ans\b[ \t]*[.:=]*)",
        labelled=True,
    ),
    Cue(
        "en",
        Evidence.STATED,
        rf"\b(?:{{noun}})s?\b[\"']?{_OF_IT}[ \t]*{_SAYS}\b(?:[ \t]+(?:as follows|given below|below))?{_SURELY}[ \t]*[:=]?",
    ),
    Cue("en", Evidence.STATED, rf"\b(?:{{noun}})[\"']?{_OF_IT}[ \t]*[:=]+"),
    Cue(
        "en",
        Evidence.IMPLIED,
        r"\b(?:answer(?:s|ed)?|respond(?:s|ed)?|classif(?:y|ied)|categori[sz]ed?|label(?:l?ed)?|annotated?)\b[^.:\n]{0,60}?"
        r"\b(?:with|as|by)\b[ \t]*:?",
        reach=Reach.BEGINNING,
    ),
    Cue(
        "en",
        Evidence.IMPLIED,
        r"\b(?:(?:i|we)(?: would| will|'d|'ll)? (?:choose|select|pick|say|answer|conclude|go with|go for|opt for|think|believe)|(?:choose|select|pick|go with)"
        r"|belongs to|falls (?:into|under)|corresponds to|leaves (?:us with )?|points to)\b(?:[ \t]+that\b)?(?:[ \t]+it(?:'s| is))?",
        reach=Reach.BEGINNING,
    ),
    Cue(
        "en",
        Evidence.IMPLIED,
        r"(?:^|(?<=[.!?;][ \t\n])|(?<=\bi think )|(?<=, ))(?:it|this|that)(?:'s| is| would be| must be)\b",
        Reach.BEGINNING,
    ),
    Cue(
        "en",
        Evidence.IMPLIED,
        r"\b(?:therefore|thus|hence|consequently|accordingly|as a result|in conclusion|to conclude|in summary|overall|i\.e\.)\b[,:]?"
        r"|(?:^|(?<=[.;,!?]))[ \t]*so\b[,:]?",
    ),
    Cue("de", Evidence.STATED, r"\b(?:antwort|lösung)(?:[ \t]+(?:ist|lautet))?[ \t]*:?"),
    Cue(
        "fr",
        Evidence.STATED,
        r"\bréponse(?:[ \t]+(?:correcte|exacte|finale|juste))?(?:[ \t]+est(?:[ \t]+donc)?)?[ \t]*:?(?:[ \t]*(?:la|l'option)\b)?",
    ),
    Cue(
        "es",
        Evidence.STATED,
        r"\b(?:respuesta|opción[ \t]+correcta)(?:[ \t]+(?:correcta|final|es))*[ \t]*:?(?:[ \t]*(?:la|opción)\b)*",
    ),
    Cue("pt", Evidence.STATED, r"\bresposta(?:[ \t]+(?:correta|final|é))*[ \t]*:?(?:[ \t]*(?:a|letra|opção)\b)*"),
    Cue(
        "it",
        Evidence.STATED,
        r"\brisposta(?:[ \t]+(?:corretta|esatta|finale|è))*[ \t]*:?(?:[ \t]*(?:la|lettera|opzione)\b)*",
    ),
    Cue("nl", Evidence.STATED, r"\b(?:antwoord|juiste optie)(?:[ \t]+is)?[ \t]*:?(?:[ \t]*optie\b)?"),
    Cue(
        "zh",
        Evidence.STATED,
        r"(?:【?答案】?|(?:正确的?|最佳|最好的)(?:选项|选择)|我选择?|(?:本题|因此|所以|故|應|应该|应)(?:選|选)择?|正确选择|结论|^[ \t]*选择?)(?:应该|应当|应)?[是为選选]?[ \t]*:?[ \t]*(?:选项)?",
    ),
    Cue("ja", Evidence.STATED, r"(?:答え|正解|回答)[はが:]?[ \t]*:?"),
    Cue("ko", Evidence.STATED, r"(?:정답|(?<!오)답|답변)[은는이가]?[ \t]*:?"),
)
# Rules out most places at once: a cue begins a line, a word, a quotation or follows a mark; without blanks between words, anywhere.
_BEFORE_CUE = r"(?:^|(?<![A-Za-z0-9])(?=[A-Za-z])|(?<=[.;,!?])|(?=[^\x00-\x7f]|[\"']))"
# "X is correct", unless for something else than what was asked.
DECLARES = re.compile(
    r"[ \t]+(?:is|would be|seems|must be|remains|appears)[ \t]+(?:(?:the|therefore|clearly|thus|most|likely|probably|indeed|to be|a|single)[ \t]+)*"
    r"(?:correct|best|right|appropriate|suitable|(?=answer\b))(?:\b|(?=answer))(?P<noun>[ \t]*\b(?:answer|option|choice|response|class)\b)?(?![ \t]+(?:for|when|if|in|only|dose|side|order)\b)",
    re.IGNORECASE,
)
# "The best treatment for this patient is X": one of the verbs that follow announces X.
_BEST = Cue("en", Evidence.IMPLIED, "", Reach.BEGINNING)
_SUPERLATIVE = re.compile(
    r"\b(?:(?<!second )(?<!second-)(?<!next )best|(?<!second )(?<!second-)most (?:likely|appropriate|probable|suitable|accurate|fitting)|correct|right|next best (?=\w*(?:step|test|manage|action|investigat|intervention|diagnos))|"
    r"(?:likely|probable|appropriate) (?:answer|option|choice|class|relation|label|diagnosis))\b",
    re.IGNORECASE,
)
_VERB = re.compile(rf"{_IS}\b{_SURELY}[ \t]*:?|:(?=\s)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n[ \t]*\n|\n(?=[ \t]*[-\d])")
_LONGEST_SENTENCE = 240
# Statements looked at, from each end of a text.
_MOST = 8
Each = TypeVar("Each")
# Looked for between the beginning of the clause and the words that announce.
_WEIGHED = re.compile(
    r"\b(?:if|whether|suppose|supposing|assuming|unless|without knowing|to (?:determine|find|decide|identify|choose|select|answer|see|evaluate)|"
    r"it may be that|wenn|wäre|si)\b[^,;]{0,80}$"
    r"|(?<!,)(?<!, )\b(?:which|what)\b[^,;]{0,40}$"
    r"|(?:如果|假如|若)[^。;]{0,40}$",
    re.IGNORECASE,
)
# "I don't think the answer is", "the least likely answer is", "the student's answer is": none of them gives the answer.
_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor|no evidence|incorrect to|wrong to|doubt|disagree)\b|n't\b)[^,;.]{0,60}$"
    r"|\b(?:each|every|all|these|those|other|another|one|following|possible|plausible|given|available|incorrect|wrong|false|least|worst|bad|poor|tempting|first|last|third|"
    r"trap|distractor|second|third|fourth|fifth|second-best|second-line|next|usual|common|typical|standard|popular|obvious|first-line|dangerous|alternative|student'?s|"
    r"your|patient'?s|authors?'?s?|original|draft|initial|previous|immune|saline)\b(?!,)(?:[ \t]+(?:of the|the|answer|best|treatment|antibiotic|most|line|likely|appropriate|suitable|probable|correct|\w+ing)\b)*[ \t]*$"
    r"|(?:falsche|foute|mauvaise|fausse|errada|错误|오)[ \t]*$",
    re.IGNORECASE,
)
_SECOND_HAND = re.compile(
    r"\b(?:first (?:thought|guess|glance|impression|view)|at first|initially|(?:mistake|misconception|error) (?:is|would be|was)|one (?:might|may|could)|"
    r"(?:some|many|most|others|students|people|clinicians|physicians|you|they|authors)\b[^,;.]{0,30}\b(?:say|said|think|thought|believe|argue|choose|answer))\b"
    r"[^.;]{0,80}$",
    re.IGNORECASE,
)
# In the announcing words themselves: "the option to avoid is".
_AVOIDED = re.compile(r"\b(?:avoid|contraindicated|incorrect|wrong|least|not)\b", re.IGNORECASE)
_CLAUSE_START = re.compile(
    r"[.;!?\n。]|,[ \t](?!which\b)|\b(?:so|but|therefore|thus|hence|however|because|since)\b", re.IGNORECASE
)
# "If she were not pregnant, the answer would be C."
_CONTRARY = re.compile(
    r"^\s*(?:had\b|(?:if|were|suppose|als|indien)\b.*\b(?:were|had|was|been|would|did|zou)\b"
    r"|(?:wenn|falls|wär|hätt|si|se)\w*\b.*\b(?:wär|hätt|würd|ser(?:ait|ía|ia)|avait|était|tuvier|fuer|tiv(?:esse|er)|foss|avess|sarebbe)"
    r"|(?:もし|仮に|만약|만일|如果|假如|假设|若|要是|倘若|[^.\n]{0,80}(?:다|라|으|이)면[ ,]))",
    re.IGNORECASE | re.DOTALL,
)
_LAST_SENTENCE = re.compile(r"[.!?](?=\s)|[\n。]")


def statements(text: str, nouns: str) -> Iterator[Statement]:
    """Yield where a text announces an answer, in order.

    Args:
        text: normalised text.
        nouns: what the task calls its answers, as alternatives of a pattern (``answer|option``).
    """
    found = [*_cued(text, nouns, None), *_superlatives(text)]
    yield from sorted(found, key=lambda statement: (statement.start, statement.end))


def _cued(text: str, nouns: str, evidence: Evidence | None) -> Iterator[Statement]:
    pattern, cues = _pattern(nouns, evidence, text.isascii())
    for match in first_and_last(list(pattern.finditer(text))):
        cue = cues[int(str(match.lastgroup)[1:])]
        if cue.evidence is Evidence.FINAL or not (is_weighed(text, match.start()) or _AVOIDED.search(match.group())):
            yield Statement(cue, match.start(), match.end())


def announcements(text: str, nouns: str, evidence: Evidence) -> list[Statement]:
    """Return where a text announces an answer by one kind of evidence, in order."""
    implied = _superlatives(text) if evidence is Evidence.IMPLIED else ()
    found = [*_cued(text, nouns, evidence), *implied]
    return sorted(found, key=lambda statement: (statement.start, statement.end))


def announced(text: str, nouns: str, evidence: Evidence) -> list[str]:
    """Return what follows each announcement of one kind, in order; for answers that are more than one name."""
    return [text[statement.end :] for statement in announcements(text, nouns, evidence)]


def first_and_last(found: list[Each]) -> list[Each]:
    """Return the first and the last of many: one of them decides, and a text full of them repeats itself."""
    return found if len(found) <= 2 * _MOST else [*found[:_MOST], *found[-_MOST:]]


def _superlatives(text: str) -> Iterator[Statement]:
    """Yield each verb after "the best ...", up to the end of its sentence."""
    done = 0
    for match in first_and_last(list(_SUPERLATIVE.finditer(text))):
        if match.start() < done or is_weighed(text, match.start()):
            continue
        end = _SENTENCE_END.search(text, match.end(), match.end() + _LONGEST_SENTENCE)
        done = end.start() if end else min(len(text), match.end() + _LONGEST_SENTENCE)
        for verb in _VERB.finditer(text, match.end(), done):
            yield Statement(_BEST, match.start(), verb.end())


def is_weighed(text: str, start: int) -> bool:
    """Tell whether words at ``start`` depend on a condition, are denied, or are somebody else's."""
    before = text[max(0, start - _LONGEST_SENTENCE) : start]
    *_, sentence = _LAST_SENTENCE.split(before)
    *_, clause = _CLAUSE_START.split(sentence)
    # A condition also holds over a comma where it is contrary to fact.
    return bool(
        _WEIGHED.search(clause) or _DENIED.search(clause) or _SECOND_HAND.search(sentence) or _CONTRARY.match(sentence)
    )


@cache
def _pattern(nouns: str, evidence: Evidence | None, in_ascii: bool) -> tuple[re.Pattern[str], tuple[Cue, ...]]:
    """The cues of one kind, or all, and one pattern of them whose groups are named by their places."""
    cues = tuple(
        cue for cue in CUES if evidence in (None, cue.evidence) and not (in_ascii and cue.language in _NEVER_ASCII)
    )
    body = "|".join(f"(?P<c{index}>{cue.pattern.replace('{noun}', nouns)})" for index, cue in enumerate(cues))
    return re.compile(f"{_BEFORE_CUE}(?:{body})", re.IGNORECASE | re.MULTILINE), cues
