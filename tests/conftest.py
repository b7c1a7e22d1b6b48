"""Shared places: the repository, and the published test sets where ``QUANTBENCH_REAL_DATA`` names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
