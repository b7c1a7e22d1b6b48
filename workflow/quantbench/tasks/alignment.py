"""Carrying stretches of a model's copy of a sentence over to the sentence itself.

Both texts come without whitespace. Copies that are equal, or contain the sentence, or are its beginning need no search;
else rapidfuzz's bit-parallel edit distance (Hyyrö 2003) aligns them, so a sentence costs microseconds to a millisecond.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein, Opcodes

# Similarity (0 to 100) from which a text passes for a copy of the sentence, and a marked stretch for the same words.
COPY = 70.0
SAME_WORDS = 80.0
_ANCHOR = 10  # characters at the sentence's ends looked for, to tell the copy from what stands around it

Span = tuple[int, int]


def fold(text: str) -> str:
    """Lower the case of a text without changing its length."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def carry_over(copy: str, sentence: str, spans: Sequence[Span]) -> list[Span] | None:
    """Return the spans' places in the sentence; None where ``copy`` is no copy of it.

    A stretch whose words were changed too much to be recognised is left out.

    Args:
        copy: a model's copy, lower case, no whitespace; text may stand before and after, and the end may be missing.
        sentence: the sentence, lower case, no whitespace.
        spans: (start, end) in ``copy``, in order.
    """
    if copy == sentence or (len(copy) >= _ANCHOR and sentence.startswith(copy)):
        return list(spans)
    if exact := [_inside(spans, place, len(sentence)) for place in _occurrences(copy, sentence)]:
        # The prompt's own copy may stand first: the first one that holds marks counts.
        return next((inside for inside in exact if inside), exact[0])
    start, end, bound = max(
        _cuts(copy, sentence), key=lambda cut: fuzz.ratio(copy[cut[0] : cut[1]], sentence[: cut[2]])
    )
    part, whole = copy[start:end], sentence[:bound]
    if fuzz.ratio(part, whole) < COPY or len(part) < min(_ANCHOR, len(sentence) // 2):
        return None
    carried = []
    blocks = Levenshtein.opcodes(part, whole)
    for a, b in spans:
        if a >= start and b <= end:
            span = (_carry(a - start, blocks, opening=True), _carry(b - start, blocks, opening=False))
            carried.append(_snapped(copy[a:b], sentence, span))
    return [span for span in carried if span is not None]


def _snapped(words: str, sentence: str, span: Span) -> Span | None:
    """Return the nearest place of the very words if it overlaps ``span``, else ``span`` if its words are recognisable."""
    if sentence[slice(*span)] == words:
        return span
    places = [place for place in _occurrences(sentence, words) if place <= span[1] and place + len(words) >= span[0]]
    if places:
        nearest = min(places, key=lambda place: abs(place - span[0]) + abs(place + len(words) - span[1]))
        return nearest, nearest + len(words)
    return span if span[0] < span[1] and fuzz.ratio(words, sentence[slice(*span)]) >= SAME_WORDS else None


def _inside(spans: Sequence[Span], place: int, length: int) -> list[Span]:
    return [(a - place, b - place) for a, b in spans if a >= place and b <= place + length]


def _cuts(copy: str, sentence: str) -> list[tuple[int, int, int]]:
    """Return where the copy may begin and end among what stands around it, and how much of the sentence it then covers."""
    start = copy.find(sentence[:_ANCHOR])
    end = copy.rfind(sentence[-_ANCHOR:])
    starts = {0, max(start, 0)}
    ends = {len(copy), end + len(sentence[-_ANCHOR:]) if end >= 0 else len(copy)}
    return [(a, b, _sentence_bound(copy[a:b], sentence)) for a in sorted(starts) for b in sorted(ends) if a < b] or [
        (0, 0, 0)
    ]


def _sentence_bound(part: str, sentence: str) -> int:
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


def _occurrences(text: str, wanted: str) -> list[int]:
    places, place = [], text.find(wanted)
    while place >= 0 and wanted:
        places.append(place)
        place = text.find(wanted, place + 1)
    return places


def _carry(position: int, blocks: Opcodes, opening: bool) -> int:
    """Carry one boundary over. Inside a changed stretch it moves along with it, never beyond."""
    starts = [block.src_start for block in blocks]
    index = max(0, bisect_right(starts, position if opening else position - 1) - 1)
    # Text the copy left out (an insertion here) belongs to no side: step over it towards the inside of the span.
    block = blocks[index]
    return block.dest_start + min(position - block.src_start, block.dest_end - block.dest_start)


def find_listed(entities: Sequence[str], sentence: str, boundaries: set[int]) -> list[Span]:
    """Return the places of entities that are named without the sentence around them.

    Each takes the first free place that begins and ends with a token; longer names choose first, so that "diabetes" does
    not take the beginning of "diabetes mellitus".

    Args:
        entities: marked texts, lower case, no whitespace.
        sentence: lower case, no whitespace.
        boundaries: offsets where a token begins or ends.
    """
    found: list[Span] = []
    for entity in sorted(entities, key=len, reverse=True):
        places = ((place, place + len(entity)) for place in _occurrences(sentence, entity))
        whole = (span for span in places if span[0] in boundaries and span[1] in boundaries)
        free = (span for span in whole if all(span[1] <= start or span[0] >= end for start, end in found))
        found += [span for span in [next(free, None)] if span is not None]
    return sorted(found)
