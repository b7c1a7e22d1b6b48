"""Intervals, paired comparisons and verdicts (docs/protocol.md#intervals). Needs numpy."""

from .bootstrap import Bootstrap
from .intervals import (
    clustered_wilson_interval,
    design_effect,
    interval_of_counts,
    interval_of_sparse_counts,
    wilson_interval,
)
from .joint_bootstrap import JointCounts
from .log_ratios import Ratio, paired_ratio
from .paired import Comparison, compare, holm, mcnemar_exact
from .percentiles import percentile, samples_needed
from .permutation import permutation_test
from .pooled import DatasetEffects, PooledEffect, pooled_effect
from .power import Power, SampleSize, foresee
from .random_effects import random_effects
from .replanning import replanning_test
from .student import student_quantile
from .verdicts import UNCOUNTED, at_chance, rare_labels, too_few, verdict

__all__ = [
    "UNCOUNTED",
    "Bootstrap",
    "Comparison",
    "DatasetEffects",
    "JointCounts",
    "PooledEffect",
    "Power",
    "Ratio",
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
    "paired_ratio",
    "percentile",
    "permutation_test",
    "pooled_effect",
    "random_effects",
    "rare_labels",
    "replanning_test",
    "samples_needed",
    "student_quantile",
    "too_few",
    "verdict",
    "wilson_interval",
]
