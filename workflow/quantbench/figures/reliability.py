"""Are models as often right as they are sure? One panel a dataset whose answers are options.

Of each sample the options' probabilities are taken as shares of one another. A mark stands for the samples of one bin of
confidence, the share of the likeliest option (ten bins of equal width): how sure models were of them on average, and how often
that option was right, with its interval over documents. Cells whose answers mostly begin otherwise, with the words of an
option, are left out. The zero-shot cells of all models count together. On the dashed diagonal a model is right as often as it
is sure; below it, it is too sure. The likeliest option need not be the answer that was read from what the model wrote, which is
what scores are of.
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
AXIS = "options"


def draw(view: View) -> Figure:
    """Draw the reliability diagrams of the run's zero-shot cells, all models together."""
    found = [
        BinPoint(
            row.dataset,
            row.precision,
            row.model,
            row.confidence,
            share_mark(row.right, row.right_low, row.right_high),
        )
        for row in view.reliability
        if is_zero_shot(row)
    ]
    return confidence_figure(
        view,
        found,
        ConfidenceAxes(
            "Confidence", "Share right", diagonal=True, or_else=" of options, or mostly began their answers otherwise"
        ),
    )
