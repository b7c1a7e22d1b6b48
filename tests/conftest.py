"""Shared places: the repository, and the published test sets where a checkout has them beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The published test sets, which licences keep out of the repository; tests that need them skip without."""
    folder = REPOSITORY.parent / "shared/data/real"
    if not folder.is_dir():
        pytest.skip("published datasets are not beside this checkout")
    return folder
