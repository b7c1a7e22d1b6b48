from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, load_datasets


@pytest.fixture(scope="session")
def small_data(repository: Path) -> Path:
    """Files of our own in the published formats, a few rows each."""
    return repository / "tests/data/datasets"


@pytest.fixture(scope="session")
def entries(repository: Path, small_data: Path) -> dict[str, DatasetEntry]:
    """The eight datasets with the small files in place of the published ones."""
    return load_datasets(repository, small_data)


@pytest.fixture(scope="session")
def published(repository: Path) -> dict[str, DatasetEntry]:
    """The eight datasets as configured."""
    return load_datasets(repository)
