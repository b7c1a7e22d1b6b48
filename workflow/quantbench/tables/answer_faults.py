"""Answers that were cut off or could not be read: how many are too many, and what is likely behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ..config import Vocabulary
from ..contracts.run_tables import CellRow

# An unreadable answer is wrong and a cut one may be, so one in ten can cost a tenth of the score: ten times the loss that a
# verdict allows (0.02 or 0.03 in the shipped entries), and more than models leave that know the form asked for.
MANY = 0.1
# Full precision "has far fewer" below this part of a quantized cell's share; above it both answer in the same way.
FAR_FEWER = 0.5


class Cause(Enum):
    """What is likely behind many cut or unreadable answers."""

    QUANTIZATION = "quantization"
    LIMIT = "limit of new tokens"
    NO_END = "answers without end"
    FORM = "form of the answers"
    LIMIT_OR_FORM = "limit of new tokens or form of the answers"


@dataclass(frozen=True, slots=True)
class Faults:
    """One cell with many cut or unreadable answers; ``full`` is its twin at full precision, None where there is none."""

    row: CellRow
    full: CellRow | None

    @property
    def worst(self) -> float:
        """The larger of the two shares."""
        return max(self.row.unparseable_rate, self.row.truncated_rate or 0.0)

    @property
    def cause(self) -> Cause:
        """What is likely behind them.

        Where full precision has far fewer, it is quantization. Otherwise answers that were cut before anything could be
        read lacked room, those cut behind a readable answer had no end, and those that ended by themselves another form.
        """
        if self.full is not None and self._far_fewer_in(self.full):
            return Cause.QUANTIZATION
        if self.row.truncated_rate is None:
            return Cause.LIMIT_OR_FORM
        if not is_many(self.row.truncated_rate):
            return Cause.FORM
        return Cause.LIMIT if is_many(self.row.unparseable_rate) else Cause.NO_END

    def _far_fewer_in(self, full: CellRow) -> bool:
        """Whether another cell has far fewer of whatever this one has many of."""
        pairs = [(self.row.unparseable_rate, full.unparseable_rate), (self.row.truncated_rate, full.truncated_rate)]
        many = [(own, other) for own, other in pairs if own is not None and is_many(own)]
        return all(other is not None and other < FAR_FEWER * own for own, other in many)


def is_many(share: float | None) -> bool:
    """Whether so large a share of cut or unreadable answers is to be named; an unknown one is not."""
    return share is not None and share >= MANY


def faulty_cells(vocabulary: Vocabulary, rows: Sequence[CellRow]) -> list[Faults]:
    """The cells with many cut or unreadable answers, the worst first.

    Those of random weights are left out, whose answers mean nothing, and so are noise floors, which repeat others.

    Args:
        vocabulary: which precision is the reference, and which are noise floors.
        rows: ``cells.csv``.
    """
    by_cell = {row.cell: row for row in rows}
    found = [
        Faults(row, _twin(vocabulary, row, by_cell.get(replace(row.cell, precision=vocabulary.reference))))
        for row in rows
        if row.weights != "random" and row.precision not in vocabulary.noise_floors
        if is_many(row.unparseable_rate) or is_many(row.truncated_rate)
    ]
    return sorted(found, key=lambda faults: -faults.worst)


def _twin(vocabulary: Vocabulary, row: CellRow, full: CellRow | None) -> CellRow | None:
    return None if row.precision == vocabulary.reference else full
