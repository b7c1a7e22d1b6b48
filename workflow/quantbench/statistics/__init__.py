"""Intervals, paired comparisons and verdicts (docs/protocol.md#intervals). Needs numpy."""

from .best_of_many import not_worse, probability_best
from .bootstrap import Bootstrap
from .calibration import BINS, CalibrationError, Confidences, OptionShares, equal_mass, equal_width
from .document_means import DocumentSums, Estimate
from .intervals import (
    clustered_wilson_interval,
    design_effect,
    interval_of_counts,
    interval_of_sparse_counts,
    wilson_interval,
)
from .joint_draws import JointCounts
from .log_ratios import Ratio, paired_ratio
from .paired import Comparison, compare, holm, holm_by_family, mcnemar_exact
from .percentiles import percentile, samples_needed
from .permutation import permutation_test
from .pooled import DatasetEffects, PooledEffect, pooled_effect
from .power import Power, SampleSize, foresee
from .random_effects import random_effects
from .replanning import replanning_test
from .student import student_quantile
from .verdicts import UNCOUNTED, at_chance, rare_labels, too_few, verdict

__all__ = [
    "BINS",
    "UNCOUNTED",
    "Bootstrap",
    "CalibrationError",
    "Comparison",
    "Confidences",
    "DatasetEffects",
    "DocumentSums",
    "Estimate",
    "JointCounts",
    "OptionShares",
    "PooledEffect",
    "Power",
    "Ratio",
    "SampleSize",
    "at_chance",
    "clustered_wilson_interval",
    "compare",
    "design_effect",
    "equal_mass",
    "equal_width",
    "foresee",
    "holm",
    "holm_by_family",
    "interval_of_counts",
    "interval_of_sparse_counts",
    "mcnemar_exact",
    "not_worse",
    "paired_ratio",
    "percentile",
    "permutation_test",
    "pooled_effect",
    "probability_best",
    "random_effects",
    "rare_labels",
    "replanning_test",
    "samples_needed",
    "student_quantile",
    "too_few",
    "verdict",
    "wilson_interval",
]
