"""How an output came about, as far as reading it depends on that."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.reasoning import Reasoning


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of an output besides its text.

    Attributes:
        cut: it ended at the token limit, so that its last words may be half of something (``finish_reason`` is ``length``).
        reasoned: a chain of thought was asked for, so that the answer comes last.
        reasoning: the model's own thought markers, besides those of known families.
    """

    cut: bool = False
    reasoned: bool = False
    reasoning: Reasoning | None = None


UNKNOWN = Origin()
