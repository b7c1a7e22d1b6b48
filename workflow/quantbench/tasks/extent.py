"""How much of an output is read, and what is said of the rest.

Every reader takes time in proportion to what it reads; so that one output never takes long, of an output that repeats itself the
repetitions are left out (:mod:`quantbench.tasks.repetition`), and of one far longer than any answer the middle. An answer comes first
or last. Both are told beside the answer that was read.
"""

from __future__ import annotations

from ..config.reasoning import Reasoning
from .thoughts import without_thoughts

# Characters read at each end of an output without its thoughts, about 1,500 tokens.
LONGEST_END = 6_000


def both_ends(text: str, longest: int = LONGEST_END, joint: str = "\n\n") -> str:
    """Return what is read of a text: all of it, of a very long one its beginning and its end.

    Args:
        text: any text.
        longest: characters of either end.
        joint: what stands between the two instead of the middle.
    """
    return text if len(text) <= 2 * longest else f"{text[:longest]}{joint}{text[-longest:]}"


def unread(raw: str, told: str, longest: int, reasoning: Reasoning | None) -> str | None:
    """Return in words how much of an output was not read; None where all of it was.

    Args:
        raw: the output.
        told: the output without repetitions.
        longest: characters read at either end.
        reasoning: the model's own thought markers.
    """
    parts = []
    if len(told) < len(raw):
        parts.append(f"{len(raw) - len(told):,} characters that repeat what stands before them")
    if len(told) > 2 * longest and (middle := len(without_thoughts(told, reasoning)) - 2 * longest) > 0:
        parts.append(f"{middle:,} characters in its middle")
    return f"not read: {' and '.join(parts)}" if parts else None
