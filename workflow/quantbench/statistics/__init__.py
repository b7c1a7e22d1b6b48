"""Intervals, paired comparisons and verdicts (docs/protocol.md#intervals). Needs numpy."""

from .bootstrap import Bootstrap
from .intervals import (
    clustered_wilson_interval,
    design_effect,
    interval_of_counts,
    interval_of_sparse_counts,
    student_quantile,
    wilson_interval,
)
from .paired import Comparison, compare, holm, mcnemar_exact
from .percentiles import percentile, samples_needed
from .permutation import permutation_test
from .power import Power, SampleSize, foresee
from .replanning import replanning_test
from .verdicts import UNCOUNTED, at_chance, rare_labels, too_few, verdict

__all__ = [
    "UNCOUNTED",
    "Bootstrap",
    "Comparison",
    "Power",
    "SampleSize",
    "at_chance",
    "clustered_wilson_interval",
    "compare",
    "design_effect",
    "foresee",
    "holm",
    "interval_of_counts",
    "interval_of_sparse_counts",
    "mcnemar_exact",
    "percentile",
    "permutation_test",
    "rare_labels",
    "replanning_test",
    "samples_needed",
    "student_quantile",
    "too_few",
    "verdict",
    "wilson_interval",
]
