"""From a raw output to the text a reader would look at: thoughts, markup and echoes off, invented next examples apart.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- What follows an end-of-turn token is not part of the answer.
- A line that opens a new example (``Sentence:``, ``Question 2:`` ...) ends the answer, once something stands before it.
- An echo of the prompt (the sample's input, the label definitions) is skipped.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from ..config.reasoning import Reasoning
from .origin import Origin
from .thoughts import without_thoughts

_END_OF_TURN = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|end_of_text|eom_id)\|>|</s>|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>"
)
_ROLE = re.compile(r"\A\s*assistant[ \t]*\n", re.IGNORECASE)
_SPECIAL = re.compile(
    r"<\|im_start\|>(?:assistant)?|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|[\w -]{1,40}\|>|<s>|\[/?INST\]"
)
_FENCE = re.compile(r"^[ \t]*+(?:```+|~~~+)[ \t]*+[\w+-]*+[ \t]*+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """What a pattern's matches become. It is looked for only where one of ``signs`` stands in the text: most are plain."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    by: str


_FINAL_LINE = r"\nFinal answer: \1\n"
# Two blanks say what a thousand say, and cost the patterns behind them nothing: several of these try every length of a run.
_BLANKS = _Rewrite(("  ", *"\t\f\v\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"), re.compile(r"[^\S\n]{3,}+"), "  ")
_BLANK_LINES = _Rewrite(("\n",), re.compile(r"\n(?:[^\S\n]*+\n){2,}+"), "\n\n")
# In this order.
_REWRITES = (
    _BLANKS,
    _BLANK_LINES,
    _Rewrite(("\\",), re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}"), r"\1"),
    _Rewrite(("\\",), re.compile(r"\\boxed\s*\{\s*(?:\\(?:text|textbf|mathrm|mathbf)\s*\{)?([^{}]*)\}*"), _FINAL_LINE),
    _Rewrite(("##",), re.compile(r"##[ \t]*([^\s#][^#\n]{0,80}?)[ \t]*##(?!#)"), _FINAL_LINE),
    _Rewrite(
        ("<", "["),
        re.compile(r"[<\[](?:final[_ ]?)?(?:answer|response|output|choice)[>\]]\s*([^<\[\n]{1,200})", re.IGNORECASE),
        _FINAL_LINE,
    ),
    # What is struck out was taken back.
    _Rewrite(("~~",), re.compile(r"~~[^~\n]{1,200}~~"), ""),
    # Mathematics around an answer, not the ends of "@CHEMICAL$ activates @GENE$".
    _Rewrite(("$",), re.compile(r"(?<![\w$])\$\$?[ \t]*([^$\n]{1,60}?)[ \t]*\$\$?(?!\w)"), r"\1"),
    _Rewrite(("*", "+", "•"), re.compile(r"^([ \t]*)[*+•][ \t]+", re.MULTILINE), r"\1- "),
    _Rewrite(
        ("<",), re.compile(r"</?(?:b|strong|em|i|u|mark|span|p|br|label|class)\b[^<>]{0,80}>", re.IGNORECASE), " "
    ),
    _Rewrite(
        ("<", "["), re.compile(r"[<\[]/?(?:final[_ ]?)?(?:answer|response|output|choice)[>\]]", re.IGNORECASE), ""
    ),
    # An underscore inside a word joins its parts, elsewhere it is emphasis.
    _Rewrite(("_",), re.compile(r"(?<=\w)_(?=\w)"), " "),
    _Rewrite(("*", "`", "_", "#", "\\"), re.compile(r"[*`_]+|^[ \t]*#+[ \t]*|\\", re.MULTILINE), ""),
    # Again, since what is taken off leaves blanks.
    _BLANKS,
    _BLANK_LINES,
)
# One character for one: offsets stay, which entity spans rely on.
_LOOKALIKES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e", '"')  # double quotes
    | dict.fromkeys("\u2018\u2019\u201a\u00b4", "'")  # single quotes, acute accent
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")  # hyphens, dashes, minus sign
    | dict.fromkeys("\u00a0\u202f", " ")  # unbreakable blanks
)
# The share of all labels that an echo of the prompt's inventory shows at least.
_MOST_LABELS = 0.8
# Boxes to tick: an empty one with what stands behind it, or before it on its line; and the sign of a ticked one.
_EMPTY_BOX = re.compile(
    r"^[^\n\[☐☑]*\w[^\n\[\w]*(?:\[ \]|☐)[ \t]*$"
    r"|(?:^[ \t]*+(?:[-*•+]|\d{1,2}[.)])?+[ \t]*+\( \)|(?:^[ \t]*+(?:[-*•+]|\d{1,2}[.)])?+[ \t]*+)?(?:\[ \]|☐))[^\n]*?(?=\[[ xX✓✔✅]\]|[☐☑☒]|$)",
    re.MULTILINE,
)
_TICKED_BOX = re.compile(r"(?:\[[xX✓✔✅]\]|☑|^(?P<lead>[ \t]*(?:[-*•+][ \t]*)?)\([xX✓✔]\))[ \t]*", re.MULTILINE)
_NO_WORD = re.compile(r"\W+")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")

_EXAMPLE_LINE = (
    r"[ \t>#*-]*+(?=[a-z][^:\n]*+:)(?:(?:next|new|another|input|original|the|example|test)[ \t]++)?"
    r"(?:abstract|article|sentence|question|context|text|input|document|passage|example|instruction|user|human)s?"
    r"[ \t]*+(?:#?[ \t]*+\d++)?+[ \t]*+[*_]*+[ \t]*+:"
)
_ROLE_LINE = r"(?=[uash])(?:user|assistant|system|human)[ \t]*+"
_NEXT_EXAMPLE = re.compile(
    rf"^(?:{_EXAMPLE_LINE}|{_ROLE_LINE}$|### ?(?:instruction|input|example))", re.IGNORECASE | re.MULTILINE
)
# As above, but what stands behind a match cannot undo it: an output that goes on may make more of "user".
NEXT_EXAMPLE_LINE = re.compile(rf"^(?:{_EXAMPLE_LINE}|{_ROLE_LINE}(?=\n))", re.IGNORECASE | re.MULTILINE)
_EXACT_FINAL = re.compile(r"^[^\S\n]*Final answer:(?P<answer>[^\n]*)", re.MULTILINE)
_EXPLANATION = re.compile(
    r"^[ \t>#*(-]*+(?:explanation|explained|rationale|reasoning|reasons?|justification|notes?|n\.?b\.?|comments?|evidence|"
    r"analysis|discussion)\b[*_]*[ \t]*[:.-]",
    re.IGNORECASE | re.MULTILINE,
)


def same_length_plain(text: str) -> str:
    """Replace typographic quotes, dashes and blanks by plain ones; every character keeps its place."""
    return text.translate(_LOOKALIKES)


def without_invisible(text: str) -> str:
    """Take off zero-width characters and soft hyphens."""
    return _INVISIBLE.sub("", text)


def visible(raw: str, reasoning: Reasoning | None = None) -> str:
    """Return the part of a raw output meant as answer: special tokens, thoughts and code fences taken off."""
    text = without_thoughts(raw.replace("\r\n", "\n").replace("\r", "\n"), reasoning)
    if "<" in text or "[" in text:
        for match in _END_OF_TURN.finditer(text):
            if text[: match.start()].strip():
                text = text[: match.start()]
                break
        text = _SPECIAL.sub("", _END_OF_TURN.sub("", text))
    text = _ROLE.sub("", text)
    # Markdown hides nothing, so what stands inside a fence is a paragraph of its own.
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", text)
    return text.strip("\n")


def normalise(text: str) -> str:
    """Take off what does not matter, letter case excepted: markdown emphasis, odd quotes and dashes, LaTeX boxes."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_LOOKALIKES)
    for rewrite in _REWRITES:
        if any(map(text.__contains__, rewrite.signs)):
            text = rewrite.pattern.sub(rewrite.by, text)
    return text


def ticked_only(text: str) -> str:
    """Leave of boxes only what stands behind a ticked one; ``☒`` is one where others are ``☐``."""
    if "☒" in text and "☐" in text and "☑" not in text:
        text = text.replace("☒", "☑")
    if any(map(text.__contains__, ("[ ]", "( )", "☐", "☑", "[x]", "[X]", "(x)", "(X)", "✓", "✔", "✅"))):
        text = _TICKED_BOX.sub(lambda box: box["lead"] or "", _EMPTY_BOX.sub("", text))
    return text


def split_examples(text: str, origin: Origin) -> tuple[str, str]:
    """Split a text at the first line that may begin an invented example, unless nothing stands before; else nothing follows.

    In a chain of thought such lines belong to the reasoning.
    """
    if not origin.reasoned:
        for match in _NEXT_EXAMPLE.finditer(text):
            if text[: match.start()].strip(" \t\n>#*-"):
                return text[: match.start()], text[match.start() :]
    return text, ""


def before_explanation(text: str) -> str:
    """Cut the text where a line announces an explanation, unless nothing stands before."""
    for match in _EXPLANATION.finditer(text):
        if text[: match.start()].strip():
            return text[: match.start()]
    return text


def without_echo(text: str, sample_input: str, definitions: Mapping[str, str]) -> str:
    """Take off an echo of the prompt: label definitions, and the sample's input with all that precedes it.

    Args:
        text: normalised text.
        sample_input: the text, sentence or question the prompt ended with.
        definitions: label -> definition; a line ``label: definition`` is an echo.
    """
    if "\n" in text and any(definitions.values()):
        known = {_key(f"{label}{meaning}") for label, meaning in definitions.items() if meaning}
        lines = text.split("\n")
        kept = [line for line in lines if _key(line) not in known]
        # A few such lines may be the answer; (nearly) all of them are the prompt's inventory.
        text = "\n".join(kept) if len(lines) - len(kept) >= max(2, _MOST_LABELS * len(known)) else text
    # An echo is hardly shorter than what it repeats.
    echo = _find_spaced(text, normalise(sample_input)) if 3 * len(text) > len(sample_input) else None
    if echo is None:
        return text
    before, after = text[: echo[0]], text[echo[1] :]
    # An answer that stands before the copied input came first, and what follows is a copy of the prompt.
    opening = _NEXT_EXAMPLE.split(before)[0].strip() if _NEXT_EXAMPLE.search(before) else ""
    return opening if opening and not is_instruction(opening) else after


def _key(text: str) -> str:
    return _NO_WORD.sub("", text.casefold())


def is_instruction(text: str) -> bool:
    """Tell the opening of one of our prompts from an answer: it asks, or says how to answer."""
    return bool(re.search(r"\?|^\s*answer with\b|\bdefinitions?:|^\s*(?:labels|classes)\s*:\s*$", text, re.I | re.M))


def _find_spaced(text: str, wanted: str) -> tuple[int, int] | None:
    """Find ``wanted`` in ``text``, runs of whitespace and letter case aside; short inputs are never taken for an echo."""
    words = wanted.split()
    if len(text) < len(wanted) // 2:
        return None
    compact, bare = "".join(words).casefold(), "".join(text.split()).casefold()
    place = bare.find(compact) if len(words) > 3 else -1
    if place < 0:
        return None
    # Casefolding may lengthen a text, so characters are counted folded.
    ends = list(accumulate(0 if char.isspace() else len(char.casefold()) for char in text))
    return bisect_right(ends, place), bisect_left(ends, place + len(compact)) + 1


def exact_line(raw: str) -> str:
    """Return the line an exact reading judges: after the first ``Final answer: `` line start, else the first not blank."""
    final = _EXACT_FINAL.search(raw)
    return final["answer"].strip() if final else raw.strip().split("\n", 1)[0].strip()
