"""The worked examples that a prompt shows, from those that were prepared for its dataset."""

from __future__ import annotations

from collections.abc import Sequence

from .. import tasks
from ..config import DatasetEntry, Examples
from ..contracts.records import Sample
from .first_rows import first_rows


def worked_examples(
    prepared: Sequence[Sample], entry: DatasetEntry, shots: int, examples: Examples
) -> list[tuple[Sample, str]]:
    """Choose the examples of a prompt and write out their answers, in the order in which it shows them.

    Args:
        prepared: the content of ``shots.jsonl``.
        entry: the dataset.
        shots: how many; fewer are returned where fewer were prepared.
        examples: how they are chosen, ``protocol.examples``; balanced ones were drawn in the order of prompts.
    """
    task = tasks.get(entry)
    chosen = prepared[:shots] if examples == "balanced" else first_rows(prepared, shots)
    return [(example, task.render(example.gold, example)) for example in chosen]
