"""Outputs that repeat one piece of text over and over: what of them is read.

Models that lose their thread write the same words until their token limit. Two repetitions say what a thousand say, so of a long run
its beginning and its end are kept and the middle is left out, before anything is read. No answer that somebody meant looks so: a run
has eight repetitions or more, and more than 1,400 characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST_PIECE = 1_000  # characters, about a paragraph
# Kept at each end of a run: so many characters, and so many repetitions.
_KEPT, _KEPT_TIMES = 120, 2
# What is left out is worth it from here on, in characters and in repetitions.
_LEFT_OUT, _LEFT_OUT_TIMES = 1_200, 4
_SHORTEST_RUN = 2 * _KEPT + _LEFT_OUT
# A run is looked for every so many characters, by so many that have to come again. Shorter than any run, so that none is missed.
_STEP = 256
_PROBE = 32
_PIECES_TRIED = 4


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text again and again: where the run begins and ends, and the length of the piece."""

    start: int
    end: int
    period: int

    @property
    def left_out(self) -> tuple[int, int]:
        """Where the middle begins and ends that is left out: whole pieces, so that the rest goes on as if it were shorter."""
        kept = self.period * _times(_KEPT, _KEPT_TIMES, self.period)
        begin = self.start + kept
        return begin, self.end - kept - (self.end - self.start) % self.period

    @property
    def is_long(self) -> bool:
        """Whether a middle is left out. What stays of a long run is no long run."""
        begin, end = self.left_out
        return end - begin >= self.period * _times(_LEFT_OUT, _LEFT_OUT_TIMES, self.period)


def without_repetition(text: str) -> str:
    """Return a text whose long runs have lost their middle; what is left has no long run.

    The time is proportional to the length, whatever repeats.
    """
    if len(text) < _SHORTEST_RUN:
        return text
    pieces, position = [], 0
    for run in _long_runs(text):
        begin, end = run.left_out
        pieces.append(text[position:begin])
        position = end
    return "".join([*pieces, text[position:]])


def _times(characters: int, times: int, period: int) -> int:
    """How many pieces have so many characters; at least ``times``."""
    return max(times, -(-characters // period))


def _long_runs(text: str) -> Iterator[Run]:
    """Yield the long runs of a text, in order and without overlap."""
    position = begin = 0
    while position + _PROBE < len(text):
        if run := _run_at(text, position, begin):
            yield run
            position = begin = run.end
        else:
            position += _STEP


def _run_at(text: str, position: int, begin: int) -> Run | None:
    """Return the long run at a position, which begins at ``begin`` or later; None where there is none."""
    probe, found = text[position : position + _PROBE], position
    for _ in range(_PIECES_TRIED):
        found = text.find(probe, found + 1, position + _LONGEST_PIECE + _PROBE)
        if found < 0:
            return None
        period = found - position
        start = _first_alike(text, position, period, begin)
        run = Run(start, _first_unlike(text, position, period) + period, period)
        if run.is_long:
            return run
    return None


def _first_unlike(text: str, position: int, period: int) -> int:
    """Return the first place from a position on whose character does not come again one period later; else where that ends."""
    end, step = len(text) - period, _PROBE
    while position < end:
        stop = min(position + step, end)
        if text[position:stop] == text[position + period : stop + period]:
            position, step = stop, 2 * step
        elif step == 1:
            return position
        else:
            step = max(1, step // 4)
    return end


def _first_alike(text: str, position: int, period: int, begin: int) -> int:
    """Return the first place up to a position, not before ``begin``, from which on all characters come again one period later."""
    step = _PROBE
    while position > begin:
        start = max(position - step, begin)
        if text[start:position] == text[start + period : position + period]:
            position, step = start, 2 * step
        elif step == 1:
            return position
        else:
            step = max(1, step // 4)
    return begin
