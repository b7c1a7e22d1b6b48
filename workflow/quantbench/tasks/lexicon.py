"""How the answers of one sample are written: what a task tells the reader that decides (:mod:`quantbench.tasks.evidence`)."""

from __future__ import annotations

import re
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


_VALUE = r"[\"']?[ \t]*:[ \t]*[\"']?(?P<value>true|false|correct|incorrect|right|wrong|yes|no|-?\d+(?:\.\d+)?)\b"
_WORTH = {
    "true": 1.0,
    "correct": 1.0,
    "right": 1.0,
    "yes": 1.0,
    "false": 0.0,
    "incorrect": 0.0,
    "wrong": 0.0,
    "no": 0.0,
}


def valued(text: str, name: str) -> list[tuple[str, float]]:
    """Return each name of a mapping from answers to values with its worth; true, yes and correct are 1, their contraries 0.

    Args:
        text: an output.
        name: pattern of an answer's name, with a group ``name``.
    """
    found = re.finditer(rf"(?:^|[{{,\n])[ \t]*[\"']?{name}{_VALUE}", text, re.IGNORECASE)
    return [(match["name"], _worth(match["value"].lower())) for match in found]


def _worth(value: str) -> float:
    return _WORTH[value] if value in _WORTH else float(value)


def most_worth(values: list[tuple[str, float]]) -> str | None:
    """Return the one answer of two or more that is worth most; CONFLICT where none stands out; None of fewer than two."""
    if len({name for name, _ in values}) < 2:
        return None
    best = max(worth for _, worth in values)
    winners = {name for name, worth in values if worth == best and best > 0}
    return winners.pop() if len(winners) == 1 else CONFLICT


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
