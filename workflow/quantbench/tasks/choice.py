"""Reading the letter of one option."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from . import text as reading

CONFLICT = ""  # several offered, or one outside the options: an answer was given, and it stands for none

_OPENING = re.compile(
    r"[\s\"'(\[{<:=>•.,-]*(?:(?i:the|correct|best|answer|ans|option|choice|letter|response|is|sure)\b[\s\"'(\[{:=,-]*)*(?P<letter>[A-Za-z])(?!\w)"
)
# A lone capital is the letter of an option only where what follows says so: "A 45-year-old man" opens a sentence.
_AFTER_LETTER = re.compile(
    r"[\"')\]}>]*(?:$|\s*\n|\s*[.,;:!?/|&+)](?!\w*'\w)|\s+-|\s*\(|\s+(?:because|since|as|is|was|due|which|for|or|and|with)\b)"
)
_SECOND = re.compile(
    r"[\"')\]}.]*\s*(?:,|/|&|\+|\bor\b|\band\b)\s*(?:option|choice)?\s*[\"'(\[]*(?P<letter>[A-Z])(?![\w'])(?!\.\s[a-z])"
)
_SECOND_LINE = re.compile(r"[\"')\]}.]*[ \t]*\n[ \t]*[-(\[]*(?P<letter>[A-Z])[.)\]]*[ \t]*(?:\n|$)")
_DENIED = re.compile(
    r"[\"')\]}.]*\s*(?:is|was|would be|can be|seems)\s+(?:not|n't|incorrect|wrong|unlikely|excluded|ruled out)\b", re.I
)
_STATED = re.compile(
    r"\b(?:answer|option|choice|response)s?\b[\"']?(?:[ \t]+(?:here|(?:to|for|in) (?:this|the) [^.:\n]{1,40}?|letter))?"
    r"[ \t]*(?:(?:is|would be|should be|must be)\b[ \t]*[:=]?|[:=])(?:[ \t]*(?:therefore|thus|clearly|likely|most likely|probably|indeed)\b)*"
    r"|\b(?:choose|select|pick|go with|i(?: would|'d)? (?:say|think|believe)(?: it(?:'s| is))?)\b",
    re.IGNORECASE,
)
_DECLARED = re.compile(
    r"(?<![\w-])(?P<letter>[A-Z])(?![\w'])[\"')]*(?:[ \t]*\([^)\n]{1,80}\))?[ \t]+(?:is|would be|seems|must be)[ \t]+"
    r"(?:(?:the|therefore|clearly|thus|most|likely)[ \t]+)*(?:correct|best|right|appropriate)\b"
)
_MARKED = re.compile(r"\((?P<a>[A-Z])\)|\b(?i:option|choice|answer|letter)s?[ \t]*[:=\"'(]*[ \t]*(?P<b>[A-Z])(?![\w'])")
_ITEM = re.compile(r"(?:^|\n|[/;|][ \t]*|[.!?][ \t]+)[ \t\"'>•-]*(?i:option |choice )?\(?(?P<letter>[A-Z])[.):]+[ \t]+")
_RIGHT = re.compile(r"(?<![\w-])(?:correct|right|true|best (?:answer|choice|option))\b", re.IGNORECASE)
_WRONG = re.compile(
    r"\b(?:incorrect|wrong|false|unlikely|ruled out|excluded|(?:not|n't)(?: be)? (?:the |a |an )?(?:most |best )?"
    r"(?:correct|right|best|true|likely|answer|appropriate|indicated))\b",
    re.IGNORECASE,
)


def read(text: str, options: Mapping[str, str]) -> str | None:
    """Return the letter an output answers with, or None; see :mod:`quantbench.tasks.kinds.question_answering`.

    Args:
        text: normalised text, echo and invented examples taken off.
        options: letter -> text.
    """
    text = _without_listing(text, options)
    for statement in reading.final_statements(text):
        found = _opening(statement, options)
        found = _full_text(_paragraph(statement), options) if found is None else found
        if found is not None:
            return found or None
    for found in _in_order(text, options):
        if found:
            return found
    return None


def _in_order(text: str, options: Mapping[str, str]) -> Iterator[str | None]:
    """Yield readings of an output without final statement, the strongest first."""
    verdicts = _verdicts(text, options)
    right = [letter for letter, verdict in verdicts.items() if verdict is True]
    if len(right) == 1:
        yield right[0]
    opening = _opening(text, options)
    first_line = text.strip().split("\n", 1)[0]
    if opening and len(_items_of_first_paragraph(text, options)) < 2 and verdicts.get(opening) is not False:
        yield opening
    elif opening is None and len(first_line.split()) <= 2 + max(
        (len(option.split()) for option in options.values()), default=0
    ):
        yield _full_text(first_line, options)
    for match in _STATED.finditer(text):
        region = _sentence(text[match.end() :])
        found = _opening(text[match.end() :], options)
        yield _full_text(region, options) if found is None else found
    declared = {match["letter"] for match in _DECLARED.finditer(text) if match["letter"] in options}
    yield declared.pop() if len(declared) == 1 else None
    for statement in reading.therefore_statements(text):
        yield _opening(statement, options) or _marked(statement, options) or _full_text(statement, options)
    last_line = text.rstrip().rsplit("\n", 1)[-1]
    # "C", a blank line, and "D" gives one answer at the end; "C or D" alone gives none.
    if len(last_line.strip()) <= 4 and not _items_of_first_paragraph(text, options):
        yield _opening(last_line, options) if opening != CONFLICT or "\n\n" in text.strip() else None
    if not verdicts:
        yield _marked(text, options)
        yield _full_text(reading.before_explanation(text), options)


def _opening(text: str, options: Mapping[str, str]) -> str | None:
    """Return the letter that stands first, CONFLICT where it is none of the options or a second stands beside it."""
    match = _OPENING.match(text)
    if match is None:
        return None
    written, rest = match["letter"], text[match.end() :]
    letter = written.upper()
    names_itself = letter in options and _plain(rest).startswith(_plain(options[letter])) and _plain(options[letter])
    if not _AFTER_LETTER.match(rest) and not names_itself:
        return None
    if written.islower() and not re.match(r"[\"')\]}>]*\s*(?:$|\n|[.:)](?:\s|$))", rest):
        return None
    if letter not in options:
        return CONFLICT if re.match(r"[\"')\]}.]*\s*(?:$|\n|[.:)]\s)", rest) and letter != "I" else None
    if _DENIED.match(rest):
        return None
    second = _SECOND.match(rest) or _SECOND_LINE.match(rest)
    offered = second and second["letter"] in options and second["letter"] != letter
    return CONFLICT if offered else letter


def _full_text(text: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of the one option whose whole text stands in ``text`` and is not denied; CONFLICT for several."""
    plain = f" {_plain(text)} "
    found = {letter: f" {_plain(option)} " for letter, option in options.items()}
    found = {letter: option for letter, option in found.items() if option.strip() and option in plain}
    # An option inside a longer one ("pneumonia", "viral pneumonia") is named only where it also stands by itself.
    for letter, option in sorted(found.items(), key=lambda pair: -len(pair[1])):
        denied = re.search(
            rf"\b(?:not|unlike|rather than|instead of|excludes?)(?: the| a| an)?{re.escape(option)}", plain
        )
        denied = denied or re.search(
            rf"{re.escape(option)}(?:is|was|would be) (?:not|incorrect|wrong|unlikely)\b", plain
        )
        plain = plain.replace(option, " \n ")
        if denied:
            found[letter] = ""
        for other, shorter in found.items():
            if other != letter and shorter and shorter not in plain and len(shorter) < len(option):
                found[other] = ""
    letters = [letter for letter, option in found.items() if option]
    return None if not letters else letters[0] if len(letters) == 1 else CONFLICT


def _marked(text: str, options: Mapping[str, str]) -> str | None:
    """Return the one letter written as ``(C)`` or ``option C`` and not denied."""
    letters = set()
    for match in _MARKED.finditer(text):
        before = re.split(r"[.;!?\n]", text[: match.start()])[-1]
        if not _DENIED.match(text[match.end() :]) and not re.search(
            r"\b(?:not|unlike|than|exclude|excluding)\s*$", before, re.I
        ):
            letters.add(match["a"] or match["b"])
    letters &= options.keys()
    return letters.pop() if len(letters) == 1 else None


def _verdicts(text: str, options: Mapping[str, str]) -> dict[str, bool | None]:
    """Return letter -> judged right (True), wrong (False) or not judged (None), for options gone through one by one."""
    items = [match for match in _ITEM.finditer(text) if match["letter"] in options]
    verdicts: dict[str, bool | None] = {}
    ends = [*(match.start() for match in items[1:]), len(text)]
    for match, end in zip(items, ends, strict=False):
        body = text[match.end() : end]
        body = re.split(r"\n\s*\n", body, maxsplit=1)[0]
        right, wrong = _RIGHT.search(body), _WRONG.search(body)
        verdict = None if not right and not wrong else bool(right and (not wrong or right.start() < wrong.start()))
        verdicts.setdefault(match["letter"], verdict)
    return verdicts


def _items_of_first_paragraph(text: str, options: Mapping[str, str]) -> set[str]:
    return {match["letter"] for match in _ITEM.finditer(_paragraph(text)) if match["letter"] in options}


def _without_listing(text: str, options: Mapping[str, str]) -> str:
    """Take off the list of all options where the output repeats it, in order and without a word more."""
    lines = text.split("\n")
    wanted = [_plain(f"{letter} {option}") for letter, option in options.items()]
    if len(wanted) < 2:
        return text
    for start in range(len(lines) - len(wanted) + 1):
        if [_plain(line) for line in lines[start : start + len(wanted)]] == wanted:
            return "\n".join(lines[:start] + lines[start + len(wanted) :])
    return text


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _paragraph(text: str) -> str:
    return re.split(r"\n\s*\n", text.lstrip(), maxsplit=1)[0]


def _sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s|\n", text.lstrip(), maxsplit=1)[0]
