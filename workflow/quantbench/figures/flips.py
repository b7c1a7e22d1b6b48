"""Which answers quantization changes: the share that changed, by how sure full precision was of them.

One panel a dataset, one line a quantized precision. A mark stands for the samples of one bin of full precision's confidence (ten bins
of equal width) with its interval over documents: the share of them that were answered otherwise, rightly or not. Confidence is
the share of the likeliest option among the options; where answers are lists or marked sentences, or mostly begin otherwise than
with an option, it is the probability of the least likely token that full precision wrote. The zero-shot cells of all models count together. Where only answers of low confidence
change, quantization turned what was close to a coin toss; where sure ones change too, it changed what the model knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import is_zero_shot
from .confidence_panels import BinPoint, ConfidenceAxes, confidence_figure, share_mark
from .view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVERY_RUN = True
WITHOUT_RANDOM = True
AXIS = "precision"


def draw(view: View) -> Figure:
    """Draw the share of changed answers of the run's zero-shot cells, all models together."""
    found = [
        BinPoint(
            row.dataset,
            row.precision,
            row.model,
            row.confidence,
            share_mark(row.flip_rate, row.flip_rate_low, row.flip_rate_high),
        )
        for row in view.flips
        if is_zero_shot(row)
    ]
    return confidence_figure(view, found, ConfidenceAxes("Confidence at full precision", "Share changed"))
