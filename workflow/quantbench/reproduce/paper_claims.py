"""The claims of the paper (arXiv 2509.04534): those of its abstract, and what its Table 1 shows."""

from __future__ import annotations

from .claims import Claim
from .cost_claims import AnswersSlower, FitsOneGpu, SavesMemory
from .readings import Reading
from .score_claims import BelowConstant, KeepsPrompting, KeepsScores, LosesAt

# The loss up to which a bare difference of the published scores, which have three decimals and no interval, counts as kept.
CLAIMED_LOSS = 0.01


def paper_claims(published: Reading, margin: float) -> list[Claim]:
    """The claims in the order of the abstract, then those that stand out in Table 1, found there by their numbers.

    Args:
        published: Table 1.
        margin: loss of score, absolute, up to which a score counts as kept.
    """
    outlier = LosesAt.greatest(published, margin)
    return [
        SavesMemory(0.75),
        KeepsScores(margin),
        FitsOneGpu(70, 40),
        KeepsScores(margin, "biomedical"),
        KeepsPrompting(margin),
        AnswersSlower(),
        *([outlier] if outlier else []),
        *BelowConstant.all_of(published),
    ]
