"""How much of a model is quantized, where that is not what the precision's name lets people think.

Embeddings and output head are never quantized, and nobody expects it. But of a mixture the libraries leave the experts as
they are, which hold most of its weights: its memory and its answers then tell little about the precision.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..config import Vocabulary
from ..contracts.measurements import QuantizedShare
from ..contracts.run_tables import CellRow, Table1Row

# Of the weights beside embeddings and output head, the share from which on nothing is said: a mixture's routers are small.
USUAL = 0.99


def quantized_note(precision: str, share: QuantizedShare | None) -> str | None:
    """What is unusual about how much is quantized; None: nothing is, or it was not counted."""
    if share is None or share.of_all == 0 or share.of_layers >= USUAL:
        return None
    return f"{precision} quantizes {share.of_all:.0%} of this model's weights"


def share_notes(vocabulary: Vocabulary, rows: Iterable[CellRow | Table1Row]) -> list[str]:
    """One sentence for each model and unusual share, with the precisions that quantize so much."""
    noted: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row.quantized_note:
            share = row.quantized_note.removeprefix(f"{row.precision} quantizes ")
            noted.setdefault((row.model, share), {})[row.precision] = None
    return [
        f"{vocabulary.title('model', model)}: {' and '.join(precisions)} quantize{'s' * (len(precisions) == 1)} {share}."
        for (model, share), precisions in noted.items()
    ]
