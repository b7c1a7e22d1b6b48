"""Copies of a sentence in a text, and carrying stretches of a copy over to the sentence itself.

Both texts come folded (:mod:`quantbench.tasks.folding`). Copies that are equal, or contain the sentence, or are its beginning need no
search; else rapidfuzz's bit-parallel edit distance (Hyyrö 2003) aligns them, so a sentence costs microseconds to a millisecond.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein, Opcodes

from .folding import Span

# Similarity (0 to 100) from which a text passes for a copy of the sentence, and a marked stretch for the same words.
COPY = 70.0
SAME_WORDS = 80.0
_ANCHOR = 10  # characters at the sentence's ends looked for, to tell the copy from what stands around it


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a sentence in a text.

    Attributes:
        text: the text.
        sentence: the sentence.
        start: where the copy begins in the text.
        end: where it ends.
        reach: how many characters of the sentence it covers, from the first on.
        blocks: how it is aligned; None where it is the same letter by letter.
    """

    text: str
    sentence: str
    start: int
    end: int
    reach: int
    blocks: Opcodes | None = None

    @property
    def share(self) -> float:
        """How much of the sentence is copied, 0 to 1."""
        return self.reach / len(self.sentence)

    def keeps(self, words: Sequence[Span]) -> float:
        """How many of the sentence's words, of those it covers, it has letter by letter, 0 to 1."""
        covered = [word for word in words if word[1] <= self.reach]
        if self.blocks is None or not covered:
            return 1.0
        same = [block for block in self.blocks if block.tag == "equal"]
        starts = [block.dest_start for block in same]
        kept = (
            word[1] <= same[bisect_right(starts, word[0]) - 1].dest_end
            for word in covered
            if starts and starts[0] <= word[0]
        )
        return sum(kept) / len(covered)

    def carry_over(self, span: Span) -> Span | None:
        """Return the place in the sentence of a stretch of the text; None where it is outside, or its words were changed too much."""
        if span[0] < self.start or span[1] > self.end:
            return None
        a, b = span[0] - self.start, span[1] - self.start
        if self.blocks is None:
            return a, b
        carried = _carry(a, self.blocks, opening=True), _carry(b, self.blocks, opening=False)
        return _snapped(self.text[slice(*span)], self.sentence, carried)


def find_copy(text: str, sentence: str, marks: Sequence[Span]) -> Copy | None:
    """Return the copy of a sentence that a text holds, None where there is none.

    Args:
        text: may hold more before and after the copy, whose end may be missing.
        sentence: the sentence.
        marks: stretches of the text, in order. Of several copies the first one that holds any is returned: the prompt's own may
            stand before it.
    """
    if not sentence:
        return None
    if text == sentence or (len(text) >= _ANCHOR and sentence.startswith(text)):
        return Copy(text, sentence, 0, len(text), len(text))
    first = text.find(sentence)
    if first >= 0:
        starts = (place for place in _apart(text, sentence) if _holds_any((place, place + len(sentence)), marks))
        start = next(starts, first)
        return Copy(text, sentence, start, start + len(sentence), len(sentence))
    best, similarity = (0, 0, 0), 0.0
    for cut in _cuts(text, sentence):
        if (found := fuzz.ratio(text[cut[0] : cut[1]], sentence[: cut[2]], score_cutoff=COPY)) > similarity:
            best, similarity = cut, found
    start, end, reach = best
    if similarity < COPY or end - start < min(_ANCHOR, len(sentence) // 2):
        return None
    return Copy(text, sentence, start, end, reach, Levenshtein.opcodes(text[start:end], sentence[:reach]))


def find_listed(entities: Sequence[str], sentence: str, borders: set[int]) -> list[Span]:
    """Return the places of entities that are named without the sentence around them.

    Each takes the first free place that begins and ends with a token; longer names choose first, so that "diabetes" does
    not take the beginning of "diabetes mellitus".

    Args:
        entities: marked texts, folded.
        sentence: folded.
        borders: offsets where a token begins or ends.
    """
    taken = bytearray(len(sentence))
    found: list[Span] = []
    for entity, times in sorted(Counter(entities).items(), key=lambda item: -len(item[0])):
        for start in _occurrences(sentence, entity):
            end = start + len(entity)
            if times and start in borders and end in borders and not any(taken[start:end]):
                taken[start:end] = b"\1" * len(entity)
                found.append((start, end))
                times -= 1
    return sorted(found)


def _holds_any(stretch: Span, marks: Sequence[Span]) -> bool:
    first = bisect_left(marks, (stretch[0], 0))
    return first < len(marks) and marks[first][1] <= stretch[1]


def _snapped(words: str, sentence: str, span: Span) -> Span | None:
    """Return the nearest place of the very words if it overlaps ``span``, else ``span`` if its words are recognisable."""
    if sentence[slice(*span)] == words:
        return span
    places = [place for place in _occurrences(sentence, words) if place <= span[1] and place + len(words) >= span[0]]
    if places:
        nearest = min(places, key=lambda place: abs(place - span[0]) + abs(place + len(words) - span[1]))
        return nearest, nearest + len(words)
    return span if span[0] < span[1] and fuzz.ratio(words, sentence[slice(*span)]) >= SAME_WORDS else None


def _cuts(text: str, sentence: str) -> list[tuple[int, int, int]]:
    """Return where the copy may begin and end among what stands around it, and how much of the sentence it then covers."""
    start = text.find(sentence[:_ANCHOR])
    end = text.rfind(sentence[-_ANCHOR:])
    starts = {0, max(start, 0)}
    ends = {len(text), end + len(sentence[-_ANCHOR:]) if end >= 0 else len(text)}
    return [(a, b, _reach(text[a:b], sentence)) for a in sorted(starts) for b in sorted(ends) if a < b]


def _reach(part: str, sentence: str) -> int:
    """Return how much of the sentence a copy that breaks off covers; its last characters say where."""
    if len(part) >= 0.9 * len(sentence) or part[-_ANCHOR:] == sentence[-_ANCHOR:]:
        return len(sentence)
    tail = part[-_ANCHOR:]
    places = [
        place for place in _occurrences(sentence, tail) if abs(place + len(tail) - len(part)) <= 0.2 * len(sentence)
    ]
    if places:
        return min(places, key=lambda place: abs(place + len(tail) - len(part))) + len(tail)
    return min(len(sentence), len(part))


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    place = text.find(wanted) if wanted else -1
    while place >= 0:
        yield place
        place = text.find(wanted, place + 1)


def _apart(text: str, wanted: str) -> Iterator[int]:
    """Yield the places of a text in another that do not overlap."""
    place = text.find(wanted)
    while place >= 0:
        yield place
        place = text.find(wanted, place + len(wanted))


def _carry(position: int, blocks: Opcodes, opening: bool) -> int:
    """Carry one boundary over. Inside a changed stretch it moves along with it, never beyond."""
    starts = [block.src_start for block in blocks]
    index = max(0, bisect_right(starts, position if opening else position - 1) - 1)
    # Text the copy left out (an insertion here) belongs to no side: step over it towards the inside of the span.
    block = blocks[index]
    return block.dest_start + min(position - block.src_start, block.dest_end - block.dest_start)
