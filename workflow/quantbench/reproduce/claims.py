"""What a claim of the paper is: words, their source, and evidence computed from any reading of cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from .readings import Pair, ReadCell, Reading

Verdict = Literal["supported", "partly supported", "mixed", "partly contradicted", "contradicted", "open", "not tested"]
# What separates a difference from the margin it equals: published scores are decimal fractions.
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one reading says about a claim, in sentences: for it, against it, what leaves it open, and what a reader must know."""

    speaks_for: tuple[str, ...] = ()
    speaks_against: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The sum of it, in a word or two."""
        if self.speaks_for and self.speaks_against:
            return "mixed"
        if self.speaks_for:
            return "partly supported" if self.undecided else "supported"
        if self.speaks_against:
            return "partly contradicted" if self.undecided else "contradicted"
        return "open" if self.undecided else "not tested"


class Claim(ABC):
    """One claim; ``of_scores`` says whether its evidence depends on how answers are scored."""

    of_scores: ClassVar[bool]

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the paper makes it, or which of its numbers show it."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The claim in a clause, in our words."""

    @abstractmethod
    def evidence(self, reading: Reading) -> Evidence:
        """What a reading says about it; empty where the reading has no cell that it is about."""


def by_precision(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Pairs by the title of the quantized precision, in order of first appearance."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.quantized.precision, []).append(pair)
    return found


def ranges(pairs: Iterable[Pair], value: Callable[[Pair], float], style: str) -> str:
    """The least and greatest value at each precision, such as ``W8A16 42% to 49%, W4A16 61% to 71%``."""
    parts = []
    for precision, group in by_precision(pairs).items():
        values = sorted(map(value, group))
        ends = dict.fromkeys(f"{end:{style}}" for end in (values[0], values[-1]))
        parts.append(f"{precision} {' to '.join(ends)}")
    return ", ".join(parts)


def counted(things: Sequence[object], one: str, several: str) -> str:
    """How many there are with a verb that agrees, such as ``1 is`` or ``3 are``."""
    return f"{len(things)} {one if len(things) == 1 else several}"


def names(cells: Sequence[ReadCell], shown: int = 4) -> str:
    """Some cells by name, and how many more there are."""
    more = f" and {len(cells) - shown} more" if len(cells) > shown else ""
    return ", ".join(one.name for one in cells[:shown]) + more
