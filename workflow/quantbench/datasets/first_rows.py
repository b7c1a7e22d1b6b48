"""Worked examples as the paper's authors chose them: the first rows of a file, the same for every sample and every seed.

A public copy of the authors' code (GitHub houyurain/Frontier-LLMs-evaluation, branch yifan, commit ffd293b4, 2025-12-18, made for
a later study) does so; docs/reproduction.md says how sure that is of the paper's own runs. Nothing is refused: neither texts nor
documents of the test split.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..contracts.records import Sample


def first_rows(samples: Sequence[Sample], shots: int) -> list[Sample]:
    """The worked examples of a prompt with so many of them.

    Where an answer is a list (labels, entities), the first rows. Where it is one label or letter, rows are grouped by it in
    sorted order and cut to ``shots``. How many rows of a label come first is our reading: ``ceil(shots / labels)``, so that 5
    examples of ChemProt's 6 classes are one of each but the last, ``false``. Fewer examples do not stand before more: 5 of DDI2013
    show each class once, 10 show the first in sorted order twice before the second.

    Args:
        samples: of the file in its order, or of :func:`first_rows_pool`.
        shots: how many; where labels have too few rows, fewer are returned.
    """
    return first_rows_pool(samples, shots)[:shots]


def first_rows_pool(samples: Sequence[Sample], shots: int) -> list[Sample]:
    """The rows from which :func:`first_rows` takes the same as from the whole file, for any number of them up to ``shots``."""
    if not samples or isinstance(samples[0].gold, list):
        return list(samples[:shots])
    labels = sorted({str(sample.gold) for sample in samples})
    each = -(-shots // len(labels))
    return [sample for label in labels for sample in [one for one in samples if one.gold == label][:each]]
