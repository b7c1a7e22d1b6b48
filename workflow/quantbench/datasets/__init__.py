"""Datasets: published files to samples, worked examples and their provenance.

Start at :func:`prepare`. Downloading is in :mod:`quantbench.datasets.pinned_files`, which nothing here imports: it is the
one module of datasets that may touch the network.
"""

from ..contracts.checksums import git_blob_of, sha256_of, verify_file
from .fewshot import draw_shots, few_shot_pool
from .preparation import MAX_SHOTS, check_prepared, find_pool, local_sources, prepare, source_files, source_folder
from .reading import read_split
from .stratification import count_strata, limit_samples, strata_of

__all__ = [
    "MAX_SHOTS",
    "check_prepared",
    "count_strata",
    "draw_shots",
    "few_shot_pool",
    "find_pool",
    "git_blob_of",
    "limit_samples",
    "local_sources",
    "prepare",
    "read_split",
    "sha256_of",
    "source_files",
    "source_folder",
    "strata_of",
    "verify_file",
]
