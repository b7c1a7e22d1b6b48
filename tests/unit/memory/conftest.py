"""The configured models and precisions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from quantbench.config import Catalogue, load
from quantbench.memory import Libraries, Setting, Workload
from quantbench.memory.setting import INSTALLED


@pytest.fixture(scope="session")
def catalogue(repository: Path) -> Catalogue:
    return load(repository, yaml.safe_load((repository / "config/config.yaml").read_text()), "config/config.yaml")


@pytest.fixture(scope="session")
def setting(catalogue: Catalogue) -> Callable[..., Setting]:
    """Makes settings: ``setting("phi-4", "full", prompt_tokens=10)``."""

    def make(model: str, precision: str, libraries: Libraries = INSTALLED, **workload: int) -> Setting:
        return Setting(catalogue.models[model], catalogue.precisions[precision], Workload(**workload), libraries)

    return make
