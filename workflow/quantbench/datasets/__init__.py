"""Datasets: published files to samples, worked examples and their provenance.

Start at :func:`prepare`. Downloading is in :mod:`quantbench.datasets.pinned_files`, which nothing here imports: it is the
one module of datasets that may touch the network.
"""

from .documents import mapping_hashes
from .fewshot import draw_shots, few_shot_pool
from .preparation import (
    MAX_SHOTS,
    RECEIPT,
    check_prepared,
    find_pool,
    local_sources,
    prepare,
    prepare_first_rows,
    source_files,
    source_folder,
)
from .readers import SplitSamples, read_split, read_split_samples
from .stratification import count_strata, limit_samples, strata_of
from .worked_examples import worked_examples

__all__ = [
    "MAX_SHOTS",
    "RECEIPT",
    "SplitSamples",
    "check_prepared",
    "count_strata",
    "draw_shots",
    "few_shot_pool",
    "find_pool",
    "limit_samples",
    "local_sources",
    "mapping_hashes",
    "prepare",
    "prepare_first_rows",
    "read_split",
    "read_split_samples",
    "source_files",
    "source_folder",
    "strata_of",
    "worked_examples",
]
