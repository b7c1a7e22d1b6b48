"""The precisions of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import PrecisionEntry, read_entries


@pytest.fixture(scope="session")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    return read_entries(repository / "config/precisions", PrecisionEntry)
