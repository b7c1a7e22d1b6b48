"""The configured models and precisions, and the paper's configuration with changes, as a run states them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from quantbench.config import Catalogue, load
from quantbench.config.settings import read_yaml
from quantbench.planner import Libraries, Setting, Workload
from quantbench.planner.setting import INSTALLED


@pytest.fixture(scope="session")
def catalogue(repository: Path) -> Catalogue:
    return load(repository, yaml.safe_load((repository / "config/config.yaml").read_text()), "config/config.yaml")


@pytest.fixture(scope="session")
def setting(catalogue: Catalogue) -> Callable[..., Setting]:
    """Makes settings: ``setting("phi-4", "full", prompt_tokens=10)``."""

    def make(model: str, precision: str, libraries: Libraries = INSTALLED, **workload: int) -> Setting:
        return Setting(catalogue.models[model], catalogue.precisions[precision], Workload(**workload), libraries)

    return make


@pytest.fixture
def make(repository: Path) -> Callable[..., Catalogue]:
    def build(**changes: Any) -> Catalogue:
        settings = read_yaml(repository / "config/config.yaml")
        update_config(settings, {"hardware": {"gpu_memory_gib": 80}} | changes)
        return load(repository, settings, "test")

    return build
