"""The paper's configuration with changes, as a run states them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snakemake.utils import update_config

from quantbench.config import Catalogue, load
from quantbench.config.base import read_yaml


@pytest.fixture
def make(repository: Path) -> Callable[..., Catalogue]:
    def build(**changes: Any) -> Catalogue:
        settings = read_yaml(repository / "config/config.yaml")
        update_config(settings, {"hardware": {"gpu_memory_gib": 80}} | changes)
        return load(repository, settings, "test")

    return build
