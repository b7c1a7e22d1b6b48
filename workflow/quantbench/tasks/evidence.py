"""From a text to the one answer it gives, by the ranking of :mod:`quantbench.tasks.statements`; the same in all tasks.

Several statements that agree count once. Of several that differ the last one counts where the output reasons before it
answers, and the first one where it opens with its answer: what follows then explains, or invents further examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from . import reservations
from .corrections import behind_correction, is_corrected, is_denied_below, names_another
from .lexicon import CONFLICT, Found, Lexicon
from .origin import Origin
from .statements import (
    DECLARES,
    Evidence,
    Reach,
    Statement,
    announcements,
    first_and_last,
    is_weighed,
    statements,
)
from .walks import BLANK_LINE, Walk

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_LONGEST_PARAGRAPH = 800  # characters looked at
_LONGEST_ANSWER = 240
# In a correction, what its last words may follow to be the answer: "since he has an ulcer, E."
_GIVES = re.compile(
    r"[,:.;→]|\b(?:is|be|so|then|for|gives?|choose|pick|with|to|but|therefore|thus|hence)\b", re.IGNORECASE
)
_NOTHING_MORE = re.compile(r"[\W_]*(?:instead\W*)?\Z")
_NEXT_LINE = re.compile(r"[\"')\]}>.,;]*[ \t]*\n[ \t]*(?=[^\s])")
_LINE_END = re.compile(r"[\"')\]}>.,;:]*[ \t]*(?:$|\n|[:-])")
# What behind an answer shows that it is complete.
_GOES_ON = re.compile(r"[\w)\]\n\"'}]")
_SAID = re.compile(r"[\w✓✔✅☑✗✘❌☒]")
_STANDS = re.compile(r"[\"')\]}>]*[ \t]*(?:$|[\n.,;:!(|/}#\u3002-]|(?:because|since|as|due|instead)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer told, by what evidence, and from where to where."""

    evidence: Evidence
    start: int
    end: int
    value: str


def decide(text: str, lexicon: Lexicon, origin: Origin, breaks_word: bool, invented: str = "") -> str | None:
    """Return the answer a text gives, or None.

    Args:
        text: normalised text, echo of the prompt taken off.
        lexicon: how answers are written.
        origin: how the output came about.
        breaks_word: the text's last word may be half of one.
        invented: what stands behind a line that may begin an invented example; only what says to be the answer to the
            question counts there, not ``Answer: X``, which such examples end with.
    """
    reader = _Reader(text, lexicon, origin, breaks_word)
    if alone := reader.only():
        return alone
    corrected = behind_correction(text)
    if corrected and (found := _Reader(corrected, lexicon, origin, breaks_word).corrected()):
        return found
    found = reader.stated()
    if not found:
        found = reader.whole() if found is None else reader.ending()
    # What was taken back counts no more where the correction names something else and cannot be read.
    if found and corrected and (names_another(corrected, found, lexicon) or is_denied_below(text, found, lexicon)):
        return None
    if not found and invented:
        found = _Reader(invented, lexicon, origin, breaks_word, labelled=False).stated()
    return found or None


class _Reader:
    def __init__(self, text: str, lexicon: Lexicon, origin: Origin, breaks_word: bool, labelled: bool = True) -> None:
        self._text, self._lexicon, self._origin, self._labelled = text, lexicon, origin, labelled
        self._breaks_word = breaks_word
        self._openings: dict[int, Found | None] = {}

    @cached_property
    def _walk(self) -> Walk:
        return Walk(self._text, self._lexicon)

    def _opens_with(self, start: int) -> Found | None:
        """Return the answer that stands first from a position on; the same positions are asked for several times."""
        if start not in self._openings:
            self._openings[start] = self._lexicon.opening(self._text, start)
        return self._openings[start]

    def only(self) -> str | None:
        """Return the answer of a text that is one line and nothing else: no other evidence can stand there."""
        return None if "\n" in self._text.strip() else self._alone(0)

    def stated(self) -> str | None:
        """Return what the strongest statements say; CONFLICT where that is no one answer; None without statement."""
        # Nothing else is looked for where something is said to be final.
        found = sorted(self._final() or self._told(), key=lambda each: (each.evidence, each.start))
        strongest = [each for each in found if each.evidence is found[0].evidence]
        if not strongest:
            return None
        first, last = strongest[0], strongest[-1]
        told = first if self._answers_first(first, last) else last
        return CONFLICT if any(self._beside(told, other) for other in strongest) else told.value

    def corrected(self) -> str | None:
        """Return what a correction says in words that only announce an answer, as a whole, or with its last word: "no, so E."."""
        told = [each for each in self._told() if each.evidence is not Evidence.IMPLIED]
        if found := told[-1].value if told else self.whole():
            return found
        if self._origin.cut or len(self._text) > _LONGEST_ANSWER:
            return None
        last = (self._opens_with(match.end()) for match in _GIVES.finditer(self._text))
        return next((each.value for each in last if each and _NOTHING_MORE.match(self._text, each.end)), None)

    def whole(self) -> str | None:
        """Return the answer of an output that opens with it, ends with it alone, or is one sentence that names it."""
        opening = None if self._walk.opens(self._origin.cut) else self._opening()
        if opening is not None and opening.value:
            return opening.value
        alone = self.ending()
        if alone or self._origin.cut or self._walk.several or opening is not None:
            return alone
        # "Doxycycline is an antibiotic" speaks of an answer and does not give it.
        subject = self._opens_with(0)
        if (subject and subject.in_words) or not reservations.is_one_sentence(self._text):
            return None
        return self._lexicon.named(self._text)

    def ending(self) -> str | None:
        """Return the answer that the last paragraph consists of, or behind a walk the last line; not the walk's own last item."""
        if self._origin.cut:
            return None
        text = self._text.rstrip()
        starts = [max((match.end() for match in BLANK_LINE.finditer(text)), default=0)]
        if self._walk.several:
            starts.append(text.rfind("\n") + 1)
        return next(
            (
                value
                for start in starts
                if start and (value := self._alone(start)) and not self._walk.ends_in(start, value)
            ),
            None,
        )

    def _final(self) -> list[_Told]:
        if "final" not in self._text.casefold():
            return []
        found = announcements(self._text, self._lexicon.nouns, Evidence.FINAL)
        told = ((each, self._announced(each)) for each in found)
        return [_Told(each.cue.evidence, each.start, each.end, value) for each, value in told if value is not None]

    def _told(self) -> Iterator[_Told]:
        if self._labelled and not self._walk.lists(0) and (alone := self._alone(0)):
            yield _Told(Evidence.STATED, 0, 0, alone)
        if self._labelled and (valued := self._lexicon.values(self._text)) is not None:
            yield _Told(Evidence.FIELD, 0, 0, valued)
        for statement in statements(self._text, self._lexicon.nouns):
            if self._counts(statement) and (value := self._announced(statement)) is not None:
                yield _Told(statement.cue.evidence, statement.start, statement.end, value)
        yield from self._declared()
        if self._walk.several and not self._origin.cut and (judged := self._walk.judged()):
            yield _Told(Evidence.IMPLIED, self._walk.last_start, self._walk.last_start, judged)

    def _declared(self) -> Iterator[_Told]:
        """Yield what is said to be correct: "X is the best choice"."""
        for match in first_and_last(list(DECLARES.finditer(self._text))):
            evidence = Evidence.STATED if match["noun"] else Evidence.IMPLIED
            if evidence is Evidence.IMPLIED and self._is_reasoning(match.start()):
                continue
            start, end = match.span()
            if (
                is_weighed(self._text, start)
                or reservations.is_conditional(self._text, end)
                or reservations.is_overruled(self._text, start, end)
            ):
                continue
            if value := self._lexicon.ending(self._text[max(0, match.start() - _LONGEST_ANSWER) : match.start()]):
                yield _Told(evidence, match.start(), match.end(), value)

    def _counts(self, statement: Statement) -> bool:
        if statement.cue.labelled and not self._labelled:
            return False
        goes_on = self._walk.lists(statement.end) or reservations.is_step(self._text, statement.start, self._origin.cut)
        if goes_on and statement.cue.evidence is not Evidence.FINAL:
            return False
        return statement.cue.evidence is not Evidence.IMPLIED or not self._is_reasoning(statement.start)

    def _announced(self, statement: Statement) -> str | None:
        """Return what a statement says, None where nothing that is an answer follows."""
        text, start = self._text, reservations.behind_denial(self._text, statement.end)
        implied = statement.cue.evidence is Evidence.IMPLIED
        found = self._opens_with(start)
        if found is None:
            said = text[statement.start : statement.end].rstrip(" \t:=")  # "the class of X: it ..."
            return self._lexicon.ending(said) or self._named_behind(start, statement.cue.reach)
        if self._depends(found, statement):
            return None
        if text.startswith("\n", start) and self._next_differs(found):
            return CONFLICT
        if (
            reservations.is_asked(text, found.end)
            or (implied and not found.value)
            or self._broken_off(found, announced=not implied)
        ):
            return None
        return found.value

    def _depends(self, found: Found, statement: Statement) -> bool:
        """Tell whether what follows an answer takes it back: a condition, or a sentence that only speaks of it."""
        if statement.cue.evidence in (Evidence.FINAL, Evidence.FIELD) or statement.cue.labelled:
            return False
        text, end = self._text, found.end
        concludes = statement.cue.evidence is Evidence.IMPLIED and statement.cue.reach is Reach.SENTENCE
        if concludes and found.value and reservations.is_spoken_of(text, end):
            return True
        if reservations.is_conditional(text, end) or reservations.is_overruled(text, statement.start, end):
            return True
        return self._origin.cut and reservations.is_unfinished(text, end, statement.cue.evidence is Evidence.IMPLIED)

    def _named_behind(self, start: int, reach: Reach) -> str | None:
        """Return the one answer that the rest of a sentence or paragraph names."""
        if reach is Reach.BEGINNING:
            return None
        words = self._text[start : start + _LONGEST_PARAGRAPH].lstrip()
        end = (BLANK_LINE if reach is Reach.PARAGRAPH else _SENTENCE_END).search(words)
        if end is None and self._origin.cut:
            return None
        said = words[: end.start()] if end else words
        return None if reservations.holds_condition(said) else self._lexicon.named(said)

    def _broken_off(self, found: Found, announced: bool) -> bool:
        """Tell whether an answer stands at the end of a cut output and may have become something else."""
        if not self._breaks_word or _GOES_ON.search(self._text, found.end):
            return False
        return self._lexicon.may_go_on(self._text, found, announced)

    def _answers_first(self, first: _Told, last: _Told) -> bool:
        """Tell whether the first sentence gives the answer, so that what follows explains it or begins another example."""
        if self._origin.reasoned or _SENTENCE_END.search(self._text.strip(), 0, first.start):
            return False
        if first.evidence is Evidence.IMPLIED and not BLANK_LINE.search(self._text, first.end, last.start):
            return False
        return not is_corrected(self._text, first.end, last.start)

    def _beside(self, told: _Told, other: _Told) -> bool:
        """Tell whether the sentence that gives an answer gives another one just as well: "It is A, while it is B."."""
        first, second = sorted((told, other), key=lambda each: each.start)
        between = self._text[first.end : second.start]
        return told.value != other.value and reservations.joins(between)

    def _opening(self) -> Found | None:
        """Return the answer that stands first, if what follows lets it stand as one."""
        found = self._opens_with(reservations.behind_denial(self._text, 0))
        if found is None or (found.value and not _STANDS.match(self._text, found.end)):
            return None
        if reservations.is_ruled_out(self._text, found.end) or reservations.is_conditional(self._text, found.end):
            return None
        if self._next_differs(found):
            return Found(CONFLICT, found.end)
        return None if self._broken_off(found, announced=False) else found

    def _alone(self, start: int) -> str | None:
        """Return the answer that a line consists of, from ``start`` on."""
        text = self._text
        found = self._opens_with(start)
        if found is None or not found.value or reservations.is_asked(text, found.end):
            return None
        end = text.find("\n", found.end)
        if _SAID.search(text, found.end, end if end >= 0 else len(text)) or self._next_differs(found):
            return None
        return None if self._broken_off(found, announced=False) else found.value

    def _next_differs(self, found: Found) -> bool:
        """Tell whether the line below an answer offers another one."""
        line = _NEXT_LINE.match(self._text, found.end)
        second = self._opens_with(line.end()) if line else None
        if second is None or second.value == found.value:
            return False
        return second.value == CONFLICT or bool(_LINE_END.match(self._text, second.end))

    def _is_reasoning(self, position: int) -> bool:
        """Tell whether words that announce an answer only loosely belong to what leads to it.

        They do inside an item of a walk, and in an output that was cut behind its first sentence.
        """
        return self._walk.holds(position) or (
            self._origin.cut and bool(_SENTENCE_END.search(self._text.strip(), 0, position))
        )
