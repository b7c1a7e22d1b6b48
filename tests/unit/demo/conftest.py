"""The demonstration's build scripts, importable by their own short names as when they are run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[3] / "resources/demo"
sys.path.insert(0, str(DEMO / "build"))


@pytest.fixture(scope="session")
def demo() -> Path:
    return DEMO
