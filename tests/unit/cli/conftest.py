"""The demo's run as a user has it after opening the shipped bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.bundle import open_bundle


@pytest.fixture(scope="module")
def opened(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the opened demo run."""
    settings = open_bundle(repository / "resources/demo/demo.tar.zst", tmp_path_factory.mktemp("results"), repository)
    return settings.parent
