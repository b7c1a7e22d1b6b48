"""How the answers of one sample are written: what a task tells the reader that decides (:mod:`quantbench.tasks.evidence`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

CONFLICT = ""  # several offered, or one from outside: a statement, and it stands for no answer


@dataclass(frozen=True, slots=True)
class Found:
    """An answer (or :data:`CONFLICT`) and where its words end in the text.

    ``in_words`` tells that it is named by words which a sentence may also be about, not by its letter or class.
    """

    value: str
    end: int
    in_words: bool = False


class Lexicon(ABC):
    """How the answers of one sample are written.

    Attributes:
        nouns: what the task calls its answers, as alternatives of a pattern.
        first: the answer that a walk through all of them begins with.
    """

    nouns: str
    first: str | None = None

    @abstractmethod
    def opening(self, text: str, start: int) -> Found | None:
        """Return the answer that stands first from ``start`` on, CONFLICT where a second one is offered with it."""

    @abstractmethod
    def named(self, text: str) -> str | None:
        """Return the one answer that a few words name and do not deny, CONFLICT where they name several."""

    @abstractmethod
    def ending(self, text: str) -> str | None:
        """Return the answer whose name ends a text."""

    @abstractmethod
    def item_starts(self, text: str) -> Iterable[tuple[str, int, int]]:
        """Yield where a text begins to speak of one answer, as in a list: its value, the item's start, its body's start."""

    def values(self, text: str) -> str | None:
        """Return the one answer that a text says yes to, of several that it says yes or no to; CONFLICT for several."""
        return None

    def may_go_on(self, text: str, found: Found, announced: bool) -> bool:
        """Tell whether an answer at which an output was cut may have become something else.

        Args:
            text: the output.
            found: the answer at its end.
            announced: words before it say that an answer follows.
        """
        return False
