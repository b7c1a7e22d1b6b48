"""How the answer to a question with lettered options is written: its letter, its text, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .lexicon import CONFLICT, Found, Lexicon, most_worth, valued

# Letters end where ASCII does: Chinese and Korean go on without a blank.
_FILLER = (
    r"[\s\"'(\[{<:=>•.,$-]*(?:(?i:the|correct|best|most|likely|appropriate|answer|ans|option|choice|letter|response|is|sure|therefore|thus|clearly|"
    r"probably|indeed|to|would|be|should|and|final|my|which|that|it's|it)\b[\s\"'(\[{:=,$-]*){0,12}"
)
# What an answer may rest on, said before it: "Based on the findings, C."
_GROUNDS = r"(?:\s*(?i:based on|according to|given|considering|judging by|in light of)\b[^,.:;\n]{1,80},[ \t]*)?"
_OPENING = re.compile(rf"{_GROUNDS}{_FILLER}(?P<letter>[A-Za-z])(?![A-Za-z0-9_]|'\w|-[A-Za-z0-9])")
_BEFORE_TEXT = re.compile(rf"{_FILLER}(?:(?i:a|an|with|for|start|give|administer|use)\b[\s\"'(]*)*")
# A lone capital is the letter of an option only where what follows says so: "A 45-year-old man" opens a sentence.
_AFTER_LETTER = re.compile(
    r"[\"')\]}>]+(?=\s|$)"
    r"|[\"')\]}>]*(?:[^\x00-\x7f]|\s*(?:$|\n)"
    # "E. coli" names a species.
    r"|(?!\.[ \t]+[a-z]{2,}(?:i|ae|us|is|um|ans|ens|ile|ica|enes)\b(?<!\bthis))\s*[.,;:!?/|&+)](?!\w*'\w)"
    r"|\s+-|\s*\(|\s+(?:because|since|as|is|was|due|which|for|or|and|with|has|fits|instead)\b)"
)
_SMALL_ALONE = re.compile(r"[\"')\]}>]*\s*(?:$|\n|[.:)](?:\s|$))")
_OUTSIDE_ALONE = re.compile(r"[\"')\]}.]*(?:[^\x00-\x7f]|\s*(?:$|\n)|[.:)]\s)")
_SECOND = re.compile(
    r"[\"')\]}.]*\s*(?:,|/|&|\+|\bor\b|\band\b)\s*(?:\bor\b|\band\b)?\s*(?:option|choice)?\s*[\"'(\[]*(?P<letter>[A-Z])(?![\w'])(?!\.\s[a-z])"
)
_DENIED = re.compile(
    r"[\"')\]}.]*\s*(?:(?:is|was|would be|can be|seems)\s+(?:not|n't|incorrect|wrong|unlikely|excluded|out|ruled out|contraindicated|(?:a )?less|inappropriate|"
    r"never|only)\b|(?:isn't|wasn't|cannot|should not|must not|fails)\b)"
    r"|[\"')\]}.]*\s*(?:번?[이가은는]?\s*아[니닙]|(?:では|じゃ)な|是?(?:错误|不正确|不对))",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"\b(?:not|unlike|than|exclud\w+|avoid\w*|instead of|against|neither|nor|without)(?: the| a| an| with| for)*[\s\"'(]*(?:option|choice|answer)?[\s\"'(]*$|\b(?:not|never)\b[^.;:,\n]{0,40}$|n't\b[^.;:,\n]{0,40}$",
    re.IGNORECASE,
)
_LETTER_BEHIND = re.compile(r"[\s\"']*[(\[](?:(?i:option|choice|answer)\s+)?(?P<letter>[A-Z])[)\]]")
_LAST_LETTER = re.compile(
    r"(?<![\w'-])\(?(?:(?i:option|choice|answer)[ \t]+)?(?P<letter>[A-Z])[\"')\]]*(?:[ \t]*\([^)\n]{1,80}\))?$"
)
# Around an option's text: "2" is not in "2.67".
_START, _END = r"(?<![A-Za-z0-9])(?<!\d[.,])", r"(?![A-Za-z0-9]|[.,]\d)"
# "10 patients", "10 + 35": a number of something, or a step of a sum.
_COUNTS = re.compile(r"%?[ \t]+(?:[a-z]|[-+*/\u00d7=<>])")
_IS_BEFORE = re.compile(r"(?:(?<!there )\b(?:is|are|was|were|be)|[:=])[ \t]*$", re.IGNORECASE)
_LAST_WORD = re.compile(r"\w+\W*$")
_JOINT = re.compile(r"[\"')\]]*\s*(?:,|/|\bor\b|\band\b)\s*(?:\bor\b|\band\b)?[\s\"'(]*", re.IGNORECASE)
_MARKED = re.compile(
    r"\((?:(?i:option|choice|answer)[ \t]+)?(?P<a>[A-Z])\)|\b(?i:option|choice|answer|letter)[ \t]*[:=\"'(]*[ \t]*(?P<b>[A-Z])(?![\w'])"
)
# Where an item of a walk begins; a number may stand before the option.
_ITEM = re.compile(
    r"(?:^|(?<=\n)|(?<=[/;|])|(?<=[.!?])(?=[ \t]))[ \t\"'>•-]*(?:\d{1,2}[.)][ \t]+)?"
    r"(?:(?i:option |choice |answer )\(?(?P<named>[A-Z])\)?(?=[ \t]*(?:[.):(-]|is\b|was\b|\n))|\(?(?P<letter>[A-Z])(?:[.):]+(?=[ \t]|\n)|(?=[ \t]+-[ \t]))|\|[ \t]*\(?(?P<cell>[A-Z])[.)]*[ \t]*(?=\|))[.):]*[ \t]*"
)
_TICKED = re.compile("[✓✔✅☑✗✘❌☒]")
_MAIN_CLAUSE_END = re.compile(
    r"[;:]|,?\s+(?:since|because|as|although|though|while|whereas|rather than|instead of|unlike|but|given|due to|which)\b|,\s+not\b",
    re.IGNORECASE,
)


class Choice(Lexicon):
    """The options of one question.

    Args:
        options: letter -> text.
    """

    nouns = "answer|option|choice|response|letter|solution"

    def __init__(self, options: Mapping[str, str]) -> None:
        self._letters = options.keys()
        self.first = next(iter(options), None)
        self._plain = {letter: plain for letter, text in options.items() if (plain := _plain(text))}
        # Longer texts first, since one option may begin with another.
        spaced = [
            (letter, r"[\W_]+".join(map(re.escape, plain.split())))
            for letter, plain in sorted(self._plain.items(), key=lambda option: -len(option[1]))
        ]
        self._texts = {letter: re.compile(rf"[^\w\n]*{text}{_END}", re.IGNORECASE) for letter, text in spaced}
        self._inside = {letter: re.compile(rf"{_START}{text}{_END}", re.IGNORECASE) for letter, text in spaced}
        self._last = {letter: re.compile(rf"{_START}{text}[\"')]*$", re.IGNORECASE) for letter, text in spaced}

    def opening(self, text: str, start: int) -> Found | None:
        """See :class:`Lexicon`; a letter counts, or an option's text. Where the two disagree the letter counts."""
        return self._opening_letter(text, start) or self._opening_text(text, start)

    def _opening_letter(self, text: str, start: int) -> Found | None:
        match = _OPENING.match(text, start)
        if match is None:
            return None
        letter, end = match["letter"].upper(), match.end()
        own = self._texts[letter].match(text, end) if letter in self._texts else None
        if not own and not _AFTER_LETTER.match(text, end):
            return None
        if match["letter"].islower() and not _SMALL_ALONE.match(text, end):
            return None
        if letter not in self._letters:
            return Found(CONFLICT, end) if letter != "I" and _OUTSIDE_ALONE.match(text, end) else None
        if _DENIED.match(text, own.end() if own else end):
            return None
        second = _SECOND.match(text, end)
        offered = second and second["letter"] in self._letters and second["letter"] != letter
        return Found(CONFLICT if offered else letter, own.end() if own else end)

    def _opening_text(self, text: str, start: int) -> Found | None:
        match = _BEFORE_TEXT.match(text, start)
        place = match.end() if match else start
        letter, own = next(
            ((letter, own) for letter, pattern in self._texts.items() if (own := pattern.match(text, place))),
            ("", None),
        )
        if own is None or _DENIED.match(text, own.end()):
            return None
        marked = _LETTER_BEHIND.match(text, own.end())
        end = marked.end() if marked else own.end()
        joint = _JOINT.match(text, end)
        if joint and any(pattern.match(text, joint.end()) for other, pattern in self._texts.items() if other != letter):
            return Found(CONFLICT, end)
        if marked and marked["letter"] in self._letters:
            return Found(marked["letter"], end)
        return Found(letter, end, in_words=True)

    def named(self, text: str) -> str | None:
        """See :class:`Lexicon`; first in the main clause, then anywhere."""
        main = _MAIN_CLAUSE_END.split(text, maxsplit=1)[0]
        for part in dict.fromkeys((main, text)):
            found = self._marked(part) or self._named_text(part)
            if found is not None:
                return found
        return None

    def _marked(self, text: str) -> str | None:
        """Return the one letter written as ``(C)`` or ``option C`` and not denied."""
        letters = {match["a"] or match["b"] for match in _MARKED.finditer(text) if not _is_denied(text, match)}
        return _one_of(letters & self._letters)

    def _named_text(self, text: str) -> str | None:
        """Return the one option whose whole text stands in a text and is not denied."""
        letters = set()
        for letter, pattern in self._inside.items():
            matches = list(pattern.finditer(text))
            is_number = not any(map(str.isalpha, self._plain[letter]))
            if not all(_is_denied(text, match) or (is_number and _counts(text, match)) for match in matches):
                letters.add(letter)
            # An option inside a longer one is named only where it also stands by itself.
            text = pattern.sub("\n", text) if matches else text
        return _one_of(letters)

    def ending(self, text: str) -> str | None:
        """See :class:`Lexicon`."""
        match = _LAST_LETTER.search(text)
        if match and match["letter"] in self._letters:
            return match["letter"]
        return next((letter for letter, pattern in self._last.items() if pattern.search(text)), None)

    def item_starts(self, text: str) -> Iterator[tuple[str, int, int]]:
        """See :class:`Lexicon`; items begin with a letter, or in a list with an option's text."""
        for match in _ITEM.finditer(text):
            letter = match["named"] or match["letter"] or match["cell"]
            if letter in self._letters:
                own = self._texts[letter].match(text, match.end()) if letter in self._texts else None
                yield letter, match.start(), own.end() if own else match.end()

    def values(self, text: str) -> str | None:
        """See :class:`Lexicon`; a mapping from letters to verdicts or scores."""
        if "{" not in text:
            return None
        found = [(letter.upper(), worth) for letter, worth in valued(text, r"(?:option[_ ]?)?(?P<name>[A-Za-z])")]
        return most_worth([(letter, worth) for letter, worth in found if letter in self._letters])

    def may_go_on(self, text: str, found: Found, announced: bool) -> bool:
        """See :class:`Lexicon`; a letter may be the first of a word, an option's text may go on as another's."""
        last = _LAST_WORD.search(text[: found.end])
        begun = _plain(last.group()) if last else ""
        others = [plain for letter, plain in self._plain.items() if letter != found.value]
        if len(begun) < 2:
            return not announced or any(plain.startswith(begun) for plain in others)
        own = self._plain.get(found.value, "")
        return any(plain.startswith(f"{own} ") for plain in others)


def _is_denied(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 60) : match.start()]
    return bool(_DENIED.match(text, match.end()) or _DENIED_BEFORE.search(before))


def _counts(text: str, number: re.Match[str]) -> bool:
    """Tell whether a number says how many of something there are, rather than what the answer is."""
    before = text[max(0, number.start() - 20) : number.start()]
    return bool(_COUNTS.match(text, number.end()) and before.strip() and not _IS_BEFORE.search(before))


def _one_of(letters: set[str]) -> str | None:
    return None if not letters else letters.pop() if len(letters) == 1 else CONFLICT


def without_listing(text: str, options: Mapping[str, str]) -> str:
    """Take off the list of all options where the output repeats it, in order and without a word more."""
    lines = text.split("\n")
    wanted = [_plain(f"{letter} {option}") for letter, option in options.items()]
    if len(wanted) < 2:
        return text
    plain = [line if _TICKED.search(line) else _plain(line) for line in lines]
    for start in range(len(lines) - len(wanted) + 1):
        if plain[start : start + len(wanted)] == wanted:
            return "\n".join(lines[:start] + lines[start + len(wanted) :])
    return text


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
