"""Shared places: the repository, and the published test sets where ``QUANTBENCH_REAL_DATA`` names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
# Files of few tests that take minutes each: begun last, one of them would keep a single process busy at the end.
_SLOW_FOLDERS = ("workflow", "slurm", "browser", "benchmarks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose files take longest; the order within each stays."""
    items.sort(key=lambda item: not {part.name for part in item.path.parents}.intersection(_SLOW_FOLDERS))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The published test sets, which licences keep out of the repository; tests that need them skip without."""
    named = os.environ.get("QUANTBENCH_REAL_DATA")
    if not named:
        pytest.skip("QUANTBENCH_REAL_DATA names no folder with the published datasets")
    folder = Path(named)
    assert folder.is_dir(), f"QUANTBENCH_REAL_DATA names {folder}, which is no folder"
    return folder
