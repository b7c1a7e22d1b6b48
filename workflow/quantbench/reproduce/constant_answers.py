"""What one and the same answer to every question scores on the published test sets, under both scorings."""

from __future__ import annotations

from pathlib import Path

from ..config import located
from ..contracts.csv_rows import Row
from ..contracts.shared_columns import Rate

CONSTANT_ANSWERS = "resources/paper/constant_answers.csv"


class ConstantAnswer(Row):
    """The best constant answer of one dataset under the published convention, in words.

    ``own_value`` is what the best one scores under our metric. The values are of ``items`` samples of the file ``source``;
    ``resources/paper/constant_answers.py`` makes the table from the published test sets.
    """

    dataset: str
    published_metric: str
    constant_answer: str
    published_value: Rate
    own_metric: str
    own_value: Rate
    items: int
    source: str


def read_constant_answers(root: Path) -> dict[str, ConstantAnswer]:
    """The constant answers by dataset.

    Raises:
        DataError: the file is missing or malformed.
    """
    return {row.dataset: row for row in ConstantAnswer.read(located(root, CONSTANT_ANSWERS))}
